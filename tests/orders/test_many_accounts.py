"""Many accounts on two workers: each in its turn, none too often, nobody sleeps. The long run is `bench_accounts`."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from orderhub import clock, jobs
from orderhub.management.commands import bench_accounts
from orders import importing
from orders.jobs import TAKEN, import_due_accounts
from orders.models import Order
from stores.models import AmazonAccount
from tests.factories import make_account

pytestmark = pytest.mark.django_db
ACCOUNTS = 50
FEW = 12


def woken() -> int:
    before = OrmQ.objects.count()
    jobs.run(import_due_accounts.job_name)
    return OrmQ.objects.count() - before


@pytest.mark.long
def test_fifty_accounts_are_polled_in_turn_none_too_often_none_forgotten(noon, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _seconds: pytest.fail("a worker slept"))
    with bench_accounts.served(noon, ACCOUNTS) as world:
        figures = bench_accounts.live(world, minutes=11)
        assert Order.objects.count() == len(world.orders) == ACCOUNTS
        assert world.calls("searchOrders", 429) == 0
        assert world.calls("searchOrders") == sum(map(len, figures.polls.values()))
    gaps = figures.gaps(noon)
    assert len(figures.polls) == ACCOUNTS and {len(times) for times in figures.polls.values()} == {3}
    assert min(gaps) >= importing.FLOOR.total_seconds() / 60
    assert max(gaps) <= 6
    assert figures.longest_queue <= ACCOUNTS


def test_workers_that_fall_behind_serve_the_longest_waiting_first_and_no_account_twice(noon, monkeypatch):
    monkeypatch.setattr(bench_accounts, "ANSWER_S", 60.0)  # two workers do two accounts a minute, 2.4 would be needed
    with bench_accounts.served(noon, FEW) as world:
        figures = bench_accounts.live(world, minutes=25)
    counts = [len(times) for times in figures.polls.values()]
    assert len(counts) == FEW and max(counts) - min(counts) <= 1
    assert max(figures.gaps(noon)) <= 9
    assert figures.longest_queue <= FEW
    assert all(used == 1 for used in figures.used)


@pytest.mark.parametrize("accounts", [3, 60])
def test_choosing_the_due_accounts_costs_the_same_statements_however_many(noon, accounts):
    for number in range(accounts):
        make_account(selling_partner_id=f"S{number}")
    with jobs.inline(), CaptureQueriesContext(connection) as seen:
        told = import_due_accounts()
        jobs._inline[-1].clear()
    assert told == f"{accounts} accounts"
    assert len(seen) == 2


def test_an_account_that_waits_in_the_queue_is_not_queued_again(noon):
    for number in range(5):
        make_account(selling_partner_id=f"S{number}")
    assert [woken(), woken()] == [5, 0]
    clock.advance(minutes=9)
    assert woken() == 0
    clock.advance(seconds=(TAKEN - timedelta(minutes=9)).total_seconds())
    assert woken() == 5  # its task was lost: the row is asked for again


def test_the_longest_waiting_come_first_and_a_minute_wakes_only_so_many(noon, monkeypatch):
    monkeypatch.setattr("orders.jobs.MOST_WOKEN", 2)
    late = [make_account(selling_partner_id=f"S{n}", next_poll_at=noon - timedelta(minutes=n)) for n in (1, 9, 5)]
    woken()
    waiting = AmazonAccount.objects.filter(next_poll_at__lte=noon)
    assert [account.pk for account in waiting] == [late[0].pk]
