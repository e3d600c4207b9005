"""Whatever stops the sweeps, data goes in time, and whoever looks sees that something is wrong."""

import os
import signal
from datetime import timedelta

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.urls import reverse
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler

from orderhub import clock, jobs
from orderhub.housekeeping.jobs import heartbeat
from orderhub.models import JobLease, JobRun
from orders.models import Order
from privacy import access, deadman, suspects
from privacy.middleware import WEB_BUDGET_S
from privacy.models import SweepState
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.end_to_end.killing import at_once
from tests.factories import connect, make_user
from tests.orders.driving import import_now
from tests.privacy.rows import SWEEP, due_label, due_order, file_of, state_of, sweep
from tests.privacy.test_erasure import in_trouble

pytestmark = pytest.mark.django_db
START, HEALTH = reverse("admin:index"), reverse("healthz")
LATE, HELD = "The erasure of buyers’ data is late", "The erasure of buyers’ data is held"
STOPPED = "No order is imported until it has caught up."


@pytest.fixture
def swept(noon):
    """A sweep has gone through, and whoever asks looks for himself."""
    sweep()
    deadman.forget()


@pytest.fixture
def staff(client):
    client.force_login(make_user(access.SUPPORT))
    return client


def hours_pass(hours: float) -> None:
    clock.advance(hours=hours)
    deadman.forget()  # a minute at most, in real life


def health(client) -> tuple[int, str]:
    jobs.run(heartbeat.job_name)
    answer = client.get(HEALTH)
    return answer.status_code, answer.json()["erasure"]


def look(client, url: str = START) -> str:
    """A page as a member of staff gets it; the server closes it, as servers do (the test client does)."""
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


# -- what is seen


def test_g16_health_is_red_once_no_sweep_went_through_for_two_hours(client, swept):
    assert health(client) == (200, "ok")
    hours_pass(2)
    assert health(client) == (200, "ok")
    clock.advance(seconds=1)
    assert health(client) == (503, "late")
    sweep()
    assert health(client) == (200, "ok")


def test_g16_health_is_red_as_soon_as_an_order_is_an_hour_late_though_sweeps_run(client, swept):
    in_trouble(due_label())
    clock.advance(minutes=60)
    sweep()
    assert health(client) == (200, "ok")
    clock.advance(minutes=1)
    sweep()
    assert health(client) == (503, "late")


def test_a_sweep_that_leaves_something_is_not_one_that_went_through(swept):
    before = SweepState.objects.get().last_ok_at
    in_trouble(due_label())
    clock.advance(minutes=5)
    sweep()
    assert SweepState.objects.get().last_ok_at == before
    assert SweepState.objects.get().last_now == clock.now()


@pytest.mark.parametrize("role", list(access.ROLES))
def test_every_role_reads_it_on_every_page(client, swept, role):
    client.force_login(make_user(role))
    assert LATE not in look(client)
    in_trouble(due_label(due_order(due=NOON)))
    clock.advance(minutes=30)
    sweep()  # tried, in vain: the web process need not try again
    clock.advance(minutes=31)
    deadman.forget()
    assert look(client).count(LATE) == 1
    assert look(client, reverse("admin:password_change")).count(LATE) == 1


def test_the_banner_costs_one_statement_a_minute_and_then_none(staff, swept, django_assert_num_queries):
    look(staff)
    with django_assert_num_queries(0):
        deadman.remembered()
    deadman.forget()
    with django_assert_num_queries(1):
        deadman.remembered()


def test_a_clock_that_holds_the_sweep_is_said_in_words_and_to_health(staff, settings, swept):
    settings.REAL_TIME = True
    clock.advance(days=3)
    assert sweep() == "held: clock_leapt"
    assert HELD in look(staff)
    assert health(staff) == (503, "held")


def test_the_log_is_told_while_it_is_red(swept, caplog):
    hours_pass(3)
    assert jobs.run("privacy.sweep_dead_man") == "erasure late"
    assert [record.code for record in caplog.records if record.msg == "erasure_late"] == ["late"]
    assert OrmQ.objects.count() == 1  # and the sweep is woken
    sweep()
    caplog.clear()
    assert jobs.run("privacy.sweep_dead_man") == "erasure ok"
    assert "erasure_late" not in caplog.text


# -- the second trigger


def test_r87_with_the_queue_stopped_the_first_page_in_two_hours_erases(staff, swept):
    order = due_order()
    hours_pass(1.9)
    look(staff)
    assert state_of(order) == "present"
    hours_pass(0.2)
    look(staff)
    assert state_of(order) == "redacted"
    assert JobRun.objects.filter(job=SWEEP, ok=True).count() == 2
    look(staff)
    assert JobRun.objects.filter(job=SWEEP).count() == 2


def test_g04_with_the_queue_down_for_days_nothing_is_three_hours_late(staff, swept):
    orders = [due_order(due=NOON + timedelta(minutes=47 * number)) for number in range(40)]
    for _hour in range(40):
        hours_pass(1)
        look(staff)
    lags = [order.redacted_at - order.redaction_due_at for order in Order.objects.filter(pk__in=[o.pk for o in orders])]
    assert len(lags) == 40
    assert max(lags) <= timedelta(hours=3)


def test_strangers_and_machines_trigger_nothing(client, swept):
    order = due_order()
    hours_pass(3)
    client.get(reverse("admin:login"))
    client.get(HEALTH)
    assert state_of(order) == "present"


def test_of_two_pages_at_once_one_sweeps(staff, swept):
    order = due_order()
    hours_pass(3)
    JobLease.objects.take(SWEEP, "another", now=clock.now(), until=clock.now() + timedelta(seconds=60))
    assert LATE in look(staff)
    assert state_of(order) == "present"


def test_a_sweep_that_fails_does_not_break_the_page(staff, swept, monkeypatch, caplog):
    monkeypatch.setenv("ORDERHUB_FAILPOINT", "redact.before_mark:raise")
    from orderhub import failpoints

    failpoints._visits.clear()
    hours_pass(3)
    assert "What needs work" in look(staff)
    assert [record.error for record in caplog.records if record.msg == "web_sweep_failed"] == ["JobFailed"]


def test_the_web_process_sweeps_for_ten_seconds_at_most():
    assert WEB_BUDGET_S <= 10


def test_cron_alone_is_enough(swept):
    order = due_order()
    clock.advance(minutes=6)
    jobs.run_due()
    assert state_of(order) == "redacted"


# -- what stops the queue


def test_f05_an_emptied_queue_loses_nothing(staff, swept):
    order = due_order()
    jobs.enqueue(jobs.declared()[SWEEP].func)
    OrmQ.objects.all().delete()
    hours_pass(2.5)
    look(staff)
    assert state_of(order) == "redacted"


def test_f34_a_flooded_queue_does_not_keep_erasure_waiting(staff, swept):
    order = due_order()
    OrmQ.objects.bulk_create(OrmQ(key="orderhub", payload="x", lock=clock.now()) for _row in range(3000))
    hours_pass(2.5)
    look(staff)
    assert state_of(order) == "redacted"
    assert OrmQ.objects.count() >= 3000


@pytest.mark.django_db(transaction=True)
def test_q5_f07_a_malformed_schedule_row_stops_the_queue_and_not_erasure(staff, swept):
    jobs.sync_schedules()
    Schedule.objects.all().update(next_run=clock.now() - timedelta(hours=1))
    Schedule.objects.create(
        name="bad", func=jobs.ENTRY, args="((((", schedule_type="I", minutes=1, repeats=-1,
        next_run=clock.now() - timedelta(hours=2),
    )  # fmt: skip
    scheduler()
    assert not OrmQ.objects.exists()  # nothing is scheduled any more
    order = due_order()
    hours_pass(2.5)
    look(staff)
    assert state_of(order) == "redacted"
    scheduler()
    assert OrmQ.objects.exists()  # and the queue works again


# -- an order that spoils its own erasure


def deadly(label) -> None:
    """The machine dies as soon as this label's file is touched."""
    name, delete = label.file.name, FileSystemStorage.delete

    def kill_or_delete(self, asked):
        if asked == name:
            os.kill(os.getpid(), signal.SIGKILL)
        delete(self, asked)

    FileSystemStorage.delete = kill_or_delete


@pytest.fixture
def storage_mended():
    before = FileSystemStorage.delete
    yield
    FileSystemStorage.delete = before


@pytest.mark.django_db(transaction=True)
def test_f06_g15_an_order_that_kills_its_eraser_keeps_no_other_waiting(noon, client, storage_mended):
    poison, others = due_label(), [due_order() for _ in range(6)]
    sound = due_label(due_order())
    deadly(poison)
    deaths = 0
    for _sweep in range(6):  # half an hour of the job's own cadence
        deaths += at_once(sweep) != [0]
        clock.advance(minutes=5)
    later = due_order()
    for _sweep in range(4):
        deaths += at_once(sweep) != [0]
        clock.advance(minutes=5)
    stuck = poison.shipment.order
    stuck.refresh_from_db()
    done = [state_of(order) for order in (*others, sound.shipment.order, later)]
    assert done == ["redacted"] * 8
    assert (stuck.pii_state, stuck.masked, stuck.redaction_error) == ("redacting", True, suspects.ALONE)
    assert 2 <= deaths <= 5  # three times, and then every quarter of an hour
    clock.advance(minutes=60)
    deadman.forget()
    assert deadman.standing(clock.now()).late
    assert health(client) == (503, "late")


@pytest.mark.django_db(transaction=True)
def test_f06_once_mended_it_is_erased_and_nothing_of_it_is_left_behind(noon, storage_mended):
    before = FileSystemStorage.delete
    poison = due_label()
    deadly(poison)
    for _sweep in range(5):
        at_once(sweep)
        clock.advance(minutes=5)
    FileSystemStorage.delete = before
    for _sweep in range(6):
        sweep()
        clock.advance(minutes=5)
    assert state_of(poison.shipment.order) == "redacted"
    assert not JobLease.objects.filter(job__startswith="privacy.erase:").exists()
    assert deadman.standing(clock.now()).well


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_batch_left_is_erased_before_anything_new(noon, monkeypatch):
    begun = [due_order(due=NOON - timedelta(minutes=1)) for _ in range(3)]
    Order.objects.filter(pk__in=[order.pk for order in begun]).update(pii_state="redacting")
    fresh = due_order(due=NOON - timedelta(days=9))
    monkeypatch.setattr("privacy.erasure.BATCH", 1)
    from privacy import erasure

    report = erasure.redact_due(now=NOON, budget_s=-1)
    assert (report.redacted, report.more) == (1, True)
    assert sum(state_of(order) == "redacted" for order in begun) == 0  # no time for them at all
    assert state_of(fresh) == "redacted"
    assert erasure.redact_due(now=NOON).redacted == 3


def test_f06_an_order_whose_erasure_fails_is_masked_tried_again_and_seen(noon, client, staff):
    label = due_label()
    in_trouble(label)
    other = due_order()
    for _hour in range(8):
        clock.advance(minutes=15)
        sweep()
    assert (state_of(other), state_of(label.shipment.order)) == ("redacted", "redacting")
    deadman.forget()
    assert LATE in look(staff)
    assert health(client)[0] == 503
    path = file_of(label)
    (path / "in the way").rmdir()
    path.rmdir()
    clock.advance(minutes=5)
    assert sweep().startswith("1 redacted")
    assert health(client) == (200, "ok")


# -- back-pressure


def test_six_hours_behind_nothing_is_imported_and_the_account_says_so(simulate, client):
    world = simulate(scenarios.empty(now=NOON))
    account = connect(scenarios.NA, sources=("US",))
    order = due_order(store=account.stores.get())
    client.force_login(make_user("Customer success"))
    world.add_order(scenarios.NA)
    hours_pass(6)
    assert "complete" in import_now(account)
    clock.advance(seconds=1)
    deadman.forget()
    before = len(world.requests)
    assert import_now(account) == jobs.run("orders.import_due_accounts") == deadman.why_import_waits() != ""
    assert jobs.run("orders.history_jobs.find_gaps") == deadman.why_import_waits()
    assert len(world.requests) == before
    SweepState.objects.update_or_create(pk=1, defaults={"last_now": clock.now()})  # a sweep begins just now
    deadman.forget()
    assert STOPPED in look(client)
    assert STOPPED in look(client, reverse("admin:stores_amazonaccount_change", args=[account.pk]))
    sweep()
    assert state_of(order) == "redacted"
    assert "complete" in import_now(account)
    assert STOPPED not in look(client)


def test_an_order_that_cannot_be_erased_but_is_masked_stops_no_import(swept):
    in_trouble(due_label())
    sweep()
    hours_pass(48)
    found = deadman.standing(clock.now())
    assert (found.late, found.import_waits) == (True, False)


def test_it_is_one_statement_on_both_databases(swept, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert deadman.standing(clock.now()).well
    assert connection.vendor in {"sqlite", "postgresql"}
