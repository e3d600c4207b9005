"""Erasure cannot be undone, so a clock that is wrong does not trigger it: nothing early, and late by an hour at most."""

from datetime import timedelta

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command

from orderhub import clock
from privacy import audit, clockgate, erasure
from privacy.models import SecurityEvent, SweepState
from stores.models import AmazonAccount
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect
from tests.orders.driving import import_now
from tests.privacy.rows import due_label, due_order, state_of, sweep

pytestmark = pytest.mark.django_db
HELD_AHEAD, HELD_LEAPT = "held: clock_ahead", "held: clock_leapt"


@pytest.fixture(autouse=True)
def real_time(settings) -> None:
    settings.REAL_TIME = True


@pytest.fixture
def shop(simulate):
    """An account that was just polled: our clock and Amazon's agree, and a first sweep has gone by."""
    world = simulate(scenarios.empty(now=NOON))
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    sweep()
    return world, account


def soon(days: float = 14):
    """An order due so many days after noon."""
    return due_order(due=NOON + timedelta(days=days))


def row() -> SweepState:
    return SweepState.objects.get()


def ours_moves(account, **delta: float) -> None:
    """Our clock alone is moved; Amazon is polled, as it is every few minutes."""
    clock.advance(**delta)
    import_now(account)


def test_f18_forty_days_ahead_erases_nothing_early(shop):
    world, account = shop
    order = soon()
    clock.advance(days=40)
    assert sweep() == HELD_LEAPT  # no poll yet since the leap
    import_now(account)
    assert sweep() == HELD_AHEAD
    clock.advance(hours=5)
    assert sweep() == HELD_AHEAD
    assert state_of(order) == "present"


def test_f18_once_the_clock_is_right_again_the_due_ones_go_at_the_next_sweep(shop, travel):
    world, account = shop
    order, later = soon(days=0.01), soon()
    clock.advance(days=40)
    assert sweep() == HELD_LEAPT
    import_now(account)
    assert sweep() == HELD_AHEAD
    clock.advance(days=-40)
    travel(world, minutes=30)
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert (state_of(order), state_of(later), row().held_since, row().held_why) == ("redacted", "present", None, "")


def test_f18_eleven_minutes_ahead_is_held_and_ten_are_not(shop):
    _world, account = shop
    order = soon(days=0)
    ours_moves(account, minutes=11)
    assert sweep() == HELD_AHEAD
    ours_moves(account, minutes=-1)
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert state_of(order) == "redacted"


@pytest.mark.parametrize("minutes", [-10, -120])
def test_f18_a_clock_behind_holds_nothing_and_erases_nothing_early(shop, minutes):
    _world, account = shop
    overdue, soon_due = soon(days=-1), soon(days=0)
    ours_moves(account, minutes=minutes)
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert (state_of(overdue), state_of(soon_due)) == ("redacted", "present")


def test_f18_a_step_while_a_sweep_runs_does_not_reach_into_it(shop, monkeypatch):
    """The sweep goes by the instant it began at."""
    first, second = due_label(), soon()
    delete = FileSystemStorage.delete

    def delete_and_leap(self, name):
        clock.advance(days=40)
        delete(self, name)

    monkeypatch.setattr(FileSystemStorage, "delete", delete_and_leap)
    monkeypatch.setattr(erasure, "BATCH", 1)
    assert sweep() == "1 redacted, 1 documents, 0 failed"
    assert (state_of(first.shipment.order), state_of(second)) == ("redacted", "present")
    assert clock.now() == NOON + timedelta(days=40)


def test_f19_amazons_date_three_hours_ahead_holds_nothing(shop):
    world, account = shop
    order = soon(days=0)
    world.faults.arm("searchOrders", "date_wrong", times=1, seconds=3 * 3600)
    import_now(account)
    assert AmazonAccount.objects.get(pk=account.pk).clock_skew_s == -3 * 3600
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert state_of(order) == "redacted"


def test_f19_amazons_date_three_hours_back_holds_until_its_next_good_answer(shop, travel):
    world, account = shop
    order = soon(days=0)
    world.faults.arm("searchOrders", "date_wrong", times=1, seconds=-3 * 3600)
    import_now(account)
    assert sweep() == HELD_AHEAD
    travel(world, minutes=6)
    import_now(account)
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert state_of(order) == "redacted"


def test_without_any_outside_time_a_leap_is_held_for_one_hour_and_then_obeyed(noon):
    order = soon(days=3)
    sweep()
    clock.advance(days=3)
    assert sweep() == HELD_LEAPT
    clock.advance(minutes=59)
    assert sweep() == HELD_LEAPT
    assert state_of(order) == "present"
    clock.advance(minutes=1)
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    clock.advance(minutes=5)
    assert sweep() == "0 redacted, 0 documents, 0 failed"


def test_a_machine_that_was_off_for_two_days_is_not_held(noon):
    order = soon(days=1)
    sweep()
    clock.advance(hours=48)
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert state_of(order) == "redacted"


def test_after_a_week_off_a_poll_that_finds_the_clock_right_is_enough(shop, travel):
    world, account = shop
    order = soon(days=3)
    travel(world, days=7)
    assert "waits" in import_now(account)  # erasure is days behind, as far as anybody knows
    assert sweep() == HELD_LEAPT
    assert "complete" in import_now(account)  # held by the clock, it is the poll that can say
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert state_of(order) == "redacted"


def test_a_hold_is_recorded_and_told_once_and_again_for_another_reason(shop, caplog):
    _world, account = shop
    clock.advance(days=40)
    for _sweep in range(3):
        sweep()
    import_now(account)
    for _sweep in range(3):
        sweep()
    audit.seal()
    events = SecurityEvent.objects.filter(code="erasure_held").order_by("pk")
    assert [(event.reason, event.outcome, event.actor) for event in events] == [
        ("clock_leapt", "refused", clockgate.ACTOR),
        ("clock_ahead", "refused", clockgate.ACTOR),
    ]
    told = [record.code for record in caplog.records if record.msg == "erasure_held"]
    assert told == ["clock_leapt", "clock_ahead"]


def test_a_held_sweep_notes_neither_its_clock_nor_that_it_went_through(shop):
    before = row()
    clock.advance(days=40)
    sweep()
    after = row()
    assert (after.last_now, after.last_ok_at) == (before.last_now, before.last_ok_at)
    assert (after.held_since, after.held_why) == (clock.now(), "clock_leapt")


def test_the_demonstration_travels_as_it_likes(shop, settings):
    settings.REAL_TIME = False
    order = soon()
    sweep()
    clock.advance(days=40)
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert state_of(order) == "redacted"


def test_what_is_played_with_at_is_judged_by_the_clock_not_by_the_instant(shop):
    _world, account = shop
    order = soon()
    call_command("redact_due", "--at", (NOON + timedelta(days=14)).isoformat())  # Amazon is a stand-in here
    assert (state_of(order), row().last_now) == ("redacted", NOON)
    ours_moves(account, hours=1)
    with pytest.raises(CommandError, match="clock cannot be trusted"):
        call_command("redact_due")
