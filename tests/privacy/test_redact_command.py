"""The command erases what is due, lists what will be, and plays the future only where Amazon is a stand-in.

It is one redactor beside others: one at a time by the job's lease, and two at once do no harm.
"""

import io
import os
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from orderhub import failpoints, jobs
from orderhub.models import JobLease, JobRun
from orders.models import Order, OrderPersonalData
from orders.personal_data import PERSONS, SUBJECTS
from privacy import erasure, markers
from privacy.models import ErasureCertificate
from tests.privacy.rows import SWEEP, due_order, everything, is_postgresql, state_of, sweep
from tests.privacy.test_erasure import due_label, file_of, in_trouble

pytestmark = pytest.mark.django_db


def order_of_today(noon):
    """Imported now, so due in 14 days."""
    return due_order(due=noon + timedelta(days=14))


def redact_due(*arguments: str) -> str:
    out = io.StringIO()
    call_command("redact_due", *arguments, stdout=out)
    return out.getvalue()


def test_without_arguments_it_erases_what_is_due_now(noon):
    due, later = due_order(), order_of_today(noon)
    assert "1 redacted" in redact_due()
    assert (state_of(due), state_of(later)) == ("redacted", "present")


def test_a_dry_run_lists_what_is_due_and_changes_nothing(noon):
    due, later = due_order(), order_of_today(noon)
    before = everything()
    told = redact_due("--dry-run")
    assert everything() == before
    assert str(due) in told and str(later) not in told and "nothing erased" in told


def test_a_future_instant_is_a_dry_run_where_amazon_is_real(noon):
    order = order_of_today(noon)
    before = everything()
    told = redact_due("--at", (noon + timedelta(days=14)).isoformat())
    assert everything() == before
    assert str(order) in told and "1 orders due by" in told


@pytest.mark.parametrize("url", ["https://sellingpartnerapi-na.amazon.com", ""])
def test_only_a_loopback_stand_in_opens_the_future(noon, settings, url):
    settings.SPAPI_BASE_URL = url
    order_of_today(noon)
    assert "nothing erased" in redact_due("--at", "2027-06-01T00:00:00Z")
    assert not ErasureCertificate.objects.exists()


def test_never_in_production(noon, settings):
    settings.SPAPI_BASE_URL, settings.PRODUCTION = "http://127.0.0.1:9", True
    order_of_today(noon)
    assert "nothing erased" in redact_due("--at", "2027-06-01T00:00:00Z")


def test_with_a_stand_in_the_future_is_played_for_good(noon, settings):
    settings.SPAPI_BASE_URL = "http://127.0.0.1:9"
    order = order_of_today(noon)
    redact_due("--at", (noon + timedelta(days=14, seconds=-1)).isoformat())
    assert state_of(order) == "present"
    redact_due("--at", (noon + timedelta(days=14)).isoformat())
    assert state_of(order) == "redacted"


def test_a_past_instant_erases_only_what_was_due_then(noon):
    old, new = due_order(due=noon - timedelta(days=2)), due_order(due=noon)
    redact_due("--at", (noon - timedelta(days=1)).isoformat())
    assert (state_of(old), state_of(new)) == ("redacted", "present")


def test_the_preview_lists_in_order_of_date_and_changes_nothing(noon):
    second, first = due_order(due=noon + timedelta(days=3)), due_order()
    due_order(due=noon + timedelta(days=30))
    before = everything()
    found = erasure.preview(now=noon, until=noon + timedelta(days=7))
    assert [row.order_id for row in found] == [first.pk, second.pk]
    assert everything() == before


def test_a_failure_ends_the_command_with_an_error_and_the_order_ids(noon):
    label = due_label()
    in_trouble(label)
    with pytest.raises(CommandError, match=rf"\[{label.shipment.order_id}\]"):
        redact_due()
    assert file_of(label).is_dir()


def test_an_instant_it_cannot_read_is_refused(noon):
    with pytest.raises(CommandError, match="--at takes an instant"):
        redact_due("--at", "tomorrow")


@pytest.mark.parametrize("instant", ["2026-13-45T00:00:00Z", "2026-11-20T25:00:00Z"])
def test_an_instant_that_no_calendar_has_is_refused_in_the_same_words(noon, instant):
    with pytest.raises(CommandError, match="--at takes an instant"):
        redact_due("--at", instant)


def test_it_holds_the_jobs_lease_and_is_on_record_as_the_job_is(noon):
    due_order()
    told = redact_due().strip()
    assert [(run.outcome, run.ok) for run in JobRun.objects.filter(job=SWEEP)] == [(told, True)]
    assert JobLease.objects.get(job=SWEEP).holder == ""


def test_beside_a_running_erasure_it_says_so_erases_nothing_and_ends_with_an_error(noon):
    order = due_order()
    JobLease.objects.take(SWEEP, "a worker", now=noon, until=noon + timedelta(seconds=jobs.LEASE_S))
    with pytest.raises(CommandError, match="already running"):
        redact_due()
    assert state_of(order) == "present"
    assert not JobRun.objects.exists()


def test_a_listing_needs_no_lease_and_leaves_no_record(noon):
    order = due_order()
    JobLease.objects.take(SWEEP, "a worker", now=noon, until=noon + timedelta(seconds=jobs.LEASE_S))
    assert str(order) in redact_due("--dry-run")
    assert not JobRun.objects.exists()


def test_more_than_one_round_is_done_round_by_round_each_under_a_lease_of_its_own(noon, monkeypatch):
    monkeypatch.setattr(erasure, "BATCH", 2)
    monkeypatch.setattr("privacy.management.commands.redact_due.ROUND_S", -1)  # a round ends after its first batch
    orders = [due_order() for _ in range(5)]
    assert redact_due().strip() == "5 redacted, 0 documents, 0 failed"
    assert {state_of(order) for order in orders} == {"redacted"}
    assert JobRun.objects.filter(job=SWEEP, ok=True).count() == 4


def test_a_bug_ends_the_command_with_an_error_id_and_no_value(noon, monkeypatch):
    due_order()
    monkeypatch.setenv(failpoints.ENV, "redact.after_done:raise")
    failpoints._visits.clear()
    with pytest.raises(CommandError, match="error [0-9a-f]{12}"):
        redact_due()
    assert JobRun.objects.get(job=SWEEP).ok is False


@pytest.fixture
def any_state() -> Iterator[None]:
    """The database lets a state through that it does not know."""
    with connection.cursor() as cursor:
        if is_postgresql():
            cursor.execute("ALTER TABLE orders_order DROP CONSTRAINT IF EXISTS order_pii_state_known")
        else:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
    yield
    if not is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def test_whatever_is_not_erased_is_due_late_and_erased_in_a_state_nobody_listed_too(noon, any_state):
    order = due_order()
    Order.objects.filter(pk=order.pk).update(pii_state="archived")
    an_instant_later = noon + timedelta(seconds=1)
    assert SUBJECTS.overdue(now=an_instant_later) == 1
    assert [row.order_id for row in erasure.preview(now=noon, until=noon)] == [order.pk]
    sweep()
    assert (state_of(order), SUBJECTS.overdue(now=an_instant_later)) == ("redacted", 0)


waits_for_rows = pytest.mark.skipif(
    not os.environ.get("TEST_DATABASE_URL"), reason="SQLite lets one writer in at a time: nobody waits for a row"
)


@waits_for_rows
@pytest.mark.django_db(transaction=True)
def test_two_redactors_that_finish_one_order_at_once_say_so_once(noon):
    order = due_order()
    Order.objects.filter(pk=order.pk).update(pii_state="redacting")
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=order.pk)
        redactors = [in_a_thread(lambda: SUBJECTS.finish([order.pk], now=noon)) for _ in range(2)]
        until_waiting(2)
    for redactor in redactors:
        redactor.join(10)
    assert (state_of(order), order.events.filter(kind="redacted").count()) == ("redacted", 1)


@waits_for_rows
@pytest.mark.django_db(transaction=True)
def test_persons_are_locked_in_the_order_in_which_an_import_locks_them(noon):
    low, high = sorted(due_order().pk for _ in range(2))
    rows = {pk: OrderPersonalData.objects.get(pk=pk) for pk in (low, high)}
    OrderPersonalData.objects.all().delete()
    for pk in (high, low):  # as the table holds them, the other way round
        OrderPersonalData.objects.bulk_create([rows[pk]])
    with transaction.atomic():
        OrderPersonalData.objects.select_for_update().get(pk=low)
        redactor = in_a_thread(lambda: overwrite([low, high], now=noon))
        until_waiting(1)
        OrderPersonalData.objects.select_for_update(nowait=True).get(pk=high)  # it waits for the first, holding none
    redactor.join(10)
    assert set(OrderPersonalData.objects.values_list("marker", flat=True)) == {markers.AMAZON}


def overwrite(order_ids: list[int], *, now) -> None:
    with transaction.atomic():
        PERSONS.overwrite(order_ids, marker=markers.AMAZON, now=now)


def in_a_thread(work) -> threading.Thread:
    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def until_waiting(count: int) -> None:
    """Until so many other connections wait for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    for _try in range(100):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waiting)
            if cursor.fetchone()[0] == count:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits")
