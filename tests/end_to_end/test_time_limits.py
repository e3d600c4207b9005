"""F14, F18: limits that hold whatever Amazon or our own clock does."""

import time
from datetime import timedelta

import pytest

from orderhub import clock, jobs
from orders.history_jobs import find_gaps
from orders.models import Order
from stores.models import AmazonAccount
from stores.simulator import scenarios
from tests.factories import connect
from tests.orders.driving import impatient_clients, import_now, sweep

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(world, monkeypatch) -> AmazonAccount:
    """Thirty orders wait at Amazon: some 45 kB of answer."""
    impatient_clients(monkeypatch)
    at = clock.now() - timedelta(minutes=30)
    for _order in range(30):
        world.add_order(scenarios.NA, marketplace="US", created=at, updated=at)
    return connect(scenarios.NA, sources=("US",))


def test_f14_an_answer_whose_head_came_at_once_and_whose_body_drips_is_cut_in_time(world, account):
    """The simulator says `Connection: close`, upon which the connection lets go of its socket: the limit must not."""
    world.faults.arm("searchOrders", "slow", rate=10_000)
    began = time.monotonic()
    assert "time limit" in import_now(account)
    assert time.monotonic() - began < 2.5
    assert not Order.objects.exists()


@pytest.mark.parametrize("ahead", [timedelta(days=40), timedelta(hours=5)], ids=str)
def test_f18_an_account_polled_while_our_clock_was_ahead_is_polled_again_once_it_is_right(world, account, ahead):
    with clock.at(clock.now() + ahead):
        import_now(account)
    world.add_order(scenarios.NA, marketplace="US", created=clock.now(), updated=clock.now())
    for _step in range(4):
        world.clock.set(clock.advance(minutes=5))
        sweep()
    assert Order.objects.count() == 31


@pytest.mark.long
def test_f18_the_daily_look_back_goes_on_after_our_clock_was_ahead(world, account):
    import_now(account)
    world.clock.set(clock.advance(hours=25))
    sweep()
    with clock.at(clock.now() + timedelta(days=40)), jobs.inline():
        jobs.run(find_gaps.job_name)  # begins the day's check, forty days too early
    Order.objects.order_by("pk").first().delete()
    for _step in range(60):
        world.clock.set(clock.advance(minutes=30))
        sweep()
        with jobs.inline():
            jobs.run(find_gaps.job_name)
    assert Order.objects.count() == 30
