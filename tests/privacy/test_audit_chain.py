"""The security log's chain: verified, pruned at twelve months, its head kept outside."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from orderhub import clock, jobs
from orderhub.models import JobRun
from privacy import audit, audit_heads, audit_keeping
from privacy.audit import ALTERED, CUT_OFF, INSERTED, MISSING
from privacy.models import AccessLog, SecurityChain, SecurityEvent
from privacy.models.event import EventCode
from tests.end_to_end.canary import Lines
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = SecurityEvent._base_manager  # what somebody with the database's password has: no lock on the door


@pytest.fixture(autouse=True)
def heads(settings, tmp_path):
    settings.AUDIT_HEADS_FILE = str(tmp_path / "heads.jsonl")
    return tmp_path / "heads.jsonl"


def events(count: int) -> None:
    with transaction.atomic():
        for number in range(count):
            audit.record(EventCode.LABEL_OPENED, actor="test", kind="label", ids=[number])


def night() -> str:
    return jobs.run("privacy.verify_security_log")


def test_a_whole_chain_is_whole_and_its_head_leaves_the_database(noon, heads):
    events(3)
    assert night().startswith("3 events: whole")
    chain = SecurityChain.objects.get()
    assert (chain.verified_at, chain.broken_at) == (noon, None)
    line = json.loads(heads.read_text())
    assert (line["position"], line["digest"]) == (3, chain.digest)
    assert heads.stat().st_mode & 0o077 == 0


def test_an_empty_log_is_whole():
    assert audit.verify() == audit.Verdict(0, head=audit_heads.Head(0, ""))


CHANGES = {
    "at": datetime(2026, 1, 1, tzinfo=UTC), "code": EventCode.EXPORTED, "outcome": "refused", "actor": "other",
    "roles": "Support", "kind": "order", "ids": [99], "reason": "x", "address": "192.0.2.1", "request_id": "f" * 16,
    "digest": "0" * 64,
}  # fmt: skip


@pytest.mark.parametrize("place", [1, 4, 7])
@pytest.mark.parametrize("column", CHANGES)
def test_g23_one_changed_value_of_one_row_is_named(column, place):
    events(7)
    ROWS.filter(position=place).update(**{column: CHANGES[column]})
    assert audit.verify() == audit.Verdict(place - 1, place, ALTERED)


def test_g23_another_user_on_a_row_is_named():
    events(3)
    ROWS.filter(position=2).update(user=make_user("Support"))
    assert audit.verify().broken_at == 2


@pytest.mark.parametrize("place", [1, 3, 4])
def test_a_row_that_is_gone_is_named(place):
    events(5)
    ROWS.filter(position=place).delete()
    assert audit.verify() == audit.Verdict(place - 1, place, MISSING)


def test_a_row_that_lost_its_place_is_named():
    events(3)
    ROWS.filter(position=2).update(position=None, digest="")
    assert audit.verify() == audit.Verdict(1, 2, MISSING)


def test_a_row_slipped_into_the_middle_is_named():
    events(4)
    for place in (4, 3):
        ROWS.filter(position=place).update(position=place + 1)
    ROWS.create(code=EventCode.ERASED, position=3, digest="1" * 64)
    SecurityChain.objects.update(position=5)
    assert audit.verify() == audit.Verdict(2, 3, ALTERED)


def test_a_row_behind_the_head_or_before_the_oldest_is_named():
    events(2)
    ROWS.create(code=EventCode.ERASED, position=3, digest="1" * 64)
    assert audit.verify() == audit.Verdict(0, 3, INSERTED)
    SecurityChain.objects.update(pruned_to=1)
    assert audit.verify() == audit.Verdict(0, 1, INSERTED)


def test_a_tail_cut_off_together_with_the_head_is_found_by_the_head_outside():
    events(3)
    third = SecurityEvent.objects.get(position=3)
    events(2)
    night()
    ROWS.filter(position__gt=3).delete()
    assert audit.verify() == audit.Verdict(3, 4, CUT_OFF)
    SecurityChain.objects.update(position=3, digest=third.digest)
    assert audit.verify() == audit.Verdict(3, 4, CUT_OFF)
    events(2)  # the places are taken again, by other events
    assert audit.verify() == audit.Verdict(4, 5, ALTERED)


def test_a_chain_computed_anew_is_found_by_the_head_outside(heads):
    events(3)
    night()
    ROWS.filter(position=2).update(ids=[77])
    ROWS.update(position=None, digest="")
    SecurityChain.objects.update(position=0, digest="")
    assert audit.seal() == 3
    assert audit.verify() == audit.Verdict(2, 3, ALTERED)
    heads.unlink()
    assert audit.verify().whole  # which is why the file belongs elsewhere


def test_a_half_written_line_of_the_file_is_passed_over(heads):
    events(1)
    night()
    with heads.open("a") as file:
        file.write('{"at": "2026-1')
    assert audit_heads.last().position == 1


def test_a_break_is_told_once_and_in_the_log_every_night(noon, travel):
    events(3)
    ROWS.filter(position=2).update(reason="other")
    lines = Lines()
    before = lines.attach()
    try:
        assert "altered at position 2" in night()
        travel(days=1)
        night()
    finally:
        lines.detach(before)
    told = [json.loads(line) for line in lines.lines if "audit_chain_broken" in line]
    assert [(line["level"], line["position"], line["code"]) for line in told] == [("CRITICAL", 2, "altered")] * 2
    found = SecurityEvent.objects.filter(code=EventCode.CHAIN_BROKEN)
    assert [(event.ids, event.reason, event.outcome) for event in found] == [([2], "altered", "failed")]
    assert SecurityChain.objects.get().broken_at == 2
    assert audit_heads.last() is None


def test_a_walk_longer_than_a_job_is_gone_on_with(noon, monkeypatch, heads):
    events(9)
    monkeypatch.setattr(audit, "CHUNK", 4)
    monkeypatch.setattr("privacy.jobs.BUDGET_S", -1)
    with jobs.inline():
        assert night() == "4 events so far: whole"
        assert not heads.exists() and SecurityChain.objects.get().verified_at is None
    outcomes = JobRun.objects.order_by("pk").values_list("outcome", flat=True)
    assert [outcome.split(";")[0] for outcome in outcomes] == [
        "4 events so far: whole", "8 events so far: whole", "9 events: whole"
    ]  # fmt: skip
    assert audit_heads.last().position == 9 and SecurityChain.objects.get().verified_at == noon


@pytest.mark.parametrize("place", [2, 5, 8])
def test_a_break_is_found_in_whichever_part_it_is(noon, monkeypatch, place):
    events(9)
    ROWS.filter(position=place).update(reason="other")
    monkeypatch.setattr(audit, "CHUNK", 4)
    monkeypatch.setattr("privacy.jobs.BUDGET_S", -1)
    with jobs.inline():
        night()
    assert SecurityChain.objects.get().broken_at == place


# -- one seal a transaction


def test_hundreds_of_events_of_one_transaction_are_sealed_at_once(django_assert_max_num_queries):
    with transaction.atomic():
        for number in range(300):
            audit.record(EventCode.ERASED, actor="test", ids=[number])
        assert sum(func is audit.seal for _ids, func, _robust in connection.run_on_commit) == 1
    assert SecurityEvent.objects.filter(position__isnull=True).count() == 0
    assert audit.verify().checked == 300


def test_an_event_of_a_rolled_back_savepoint_does_not_take_the_seal_with_it():
    with transaction.atomic():
        sink = transaction.savepoint()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            audit.record(EventCode.ERASED, actor="gone")
            raise ZeroDivisionError
        transaction.savepoint_commit(sink)
        audit.record(EventCode.ERASED, actor="stays")
    assert [(event.actor, event.position) for event in SecurityEvent.objects.all()] == [("stays", 1)]


def test_more_than_one_batch_is_sealed_to_the_end(monkeypatch):
    monkeypatch.setattr(audit, "BATCH", 3)
    ROWS.bulk_create(SecurityEvent(code=EventCode.ERASED, actor="killed before the seal") for _ in range(8))
    assert jobs.run("privacy.seal_security_log") == "8 events chained"
    assert audit.verify().checked == 8


def test_writers_at_the_same_time_leave_one_unbroken_chain():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")

    def write(name: str) -> None:
        try:
            for number in range(40):
                audit.record(EventCode.LABEL_OPENED, actor=name, ids=[number])
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(f"writer {number}",)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    audit.seal()
    assert audit.verify().checked == 160
    assert SecurityEvent.objects.values("actor").distinct().count() == 4


# -- twelve months


@pytest.mark.parametrize(("days", "kept"), [(364, True), (365, True), (366, False), (367, False)])
def test_d26b_events_and_accesses_go_after_exactly_twelve_months(noon, travel, days, kept):
    user = make_user("Support")
    events(2)
    AccessLog.objects.create(user=user, order_id=1, what="label")
    travel(days=days)
    events(1)
    night()
    assert SecurityEvent.objects.filter(actor="test").count() == (3 if kept else 1)
    assert AccessLog.objects.exists() is kept
    assert SecurityChain.objects.get().pruned_to == (0 if kept else 2)
    assert audit.verify().whole


def test_twelve_months_are_calendar_months():
    before = audit_keeping.months_before
    for now, then in (
        (datetime(2026, 11, 20, 12), datetime(2025, 11, 20, 12)),
        (datetime(2028, 2, 29), datetime(2027, 2, 28)),
        (datetime(2029, 2, 28), datetime(2028, 2, 28)),
        (datetime(2026, 1, 31), datetime(2025, 1, 31)),
    ):
        assert before(now, 12) == then
    assert before(datetime(2026, 3, 31), 1) == datetime(2026, 2, 28)


def test_what_is_pruned_is_not_missed_and_the_rest_is_still_guarded(noon, travel):
    events(3)
    travel(days=300)
    events(3)
    night()
    travel(days=100)
    assert "3 events and 0 accesses" in night()
    assert audit.verify() == audit.Verdict(3, head=audit_heads.last())
    ROWS.filter(position=4).update(reason="other")
    assert audit.verify() == audit.Verdict(0, 4, ALTERED)


def test_pruning_stops_at_the_first_event_that_is_young_enough(noon):
    events(3)
    ROWS.filter(position__in=[1, 3]).update(at=noon - timedelta(days=400))
    assert audit_keeping.prune(now=clock.now()) == (1, 0)
    assert list(SecurityEvent.objects.order_by("position").values_list("position", flat=True)) == [2, 3]
