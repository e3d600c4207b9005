"""Jobs: a lease, a run on record, an error id instead of values."""

import io
import logging
import traceback
from datetime import timedelta

import pytest
from django_q.models import OrmQ, Schedule

from orderhub import clock, jobs
from orderhub.models import JobLease, JobRun
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import make_account

pytestmark = pytest.mark.django_db
SECRET = "Zebulon Quickfeather, 77 Larkspur Hollow"


@pytest.fixture
def declare(noon):
    """`declare(func)`: a job of this test only; `declare(func, minutes=5)`: a scheduled one."""
    made = []

    def add(func, minutes=None):
        func.__module__ = "testing.jobs"
        jobs._declare(func, minutes)
        made.append(func.job_name)
        return func

    yield add
    for name in made:
        jobs._jobs.pop(name, None)


def fail(*ids: int) -> str:
    raise RuntimeError(SECRET) from ValueError(SECRET)


def succeed(*ids: int) -> str:
    return f"{len(ids)} ids"


def test_a_run_is_on_record_and_gives_its_lease_back(declare):
    name = declare(succeed).job_name
    assert jobs.run(name, 4, 7) == "2 ids"
    run = JobRun.objects.get()
    assert (run.job, run.ok, run.outcome, run.finished_at) == (f"{name}:4:7", True, "2 ids", NOON)
    lease = JobLease.objects.get()
    assert (lease.holder, lease.expires_at, lease.starts) == ("", None, 0)


def test_f04_f33_a_job_that_runs_is_not_started_again_beside_itself(declare):
    seen = []

    def nested(*ids: int) -> str:
        seen.append(jobs.run(nested.job_name, 1))
        seen.append(jobs.run(nested.job_name, 2) if ids == (1,) else "")  # another account may run beside
        return "outer"

    declare(nested)
    assert jobs.run(nested.job_name, 1) == "outer"
    assert seen.count("already running") == 2
    assert "outer" in seen


def test_a_lease_outlives_the_queues_own_limit_and_ends_by_itself(declare, settings):
    name = declare(succeed).job_name
    assert settings.Q_CLUSTER["timeout"] < jobs.LEASE_S
    assert JobLease.objects.take(name, "dead", now=NOON, until=NOON + timedelta(seconds=jobs.LEASE_S))
    assert jobs.run(name) == "already running"
    clock.advance(seconds=jobs.LEASE_S)
    assert jobs.run(name) == "0 ids"


def test_f32_a_holder_that_lost_its_lease_cannot_give_it_back(declare):
    name = declare(succeed).job_name
    JobLease.objects.take(name, "old", now=NOON, until=NOON)
    JobLease.objects.take(name, "new", now=NOON, until=NOON + timedelta(minutes=1))
    JobLease.objects.release(name, "old")
    assert JobLease.objects.get().holder == "new"


def test_v8_a_bug_becomes_an_error_id_without_any_value(declare, caplog):
    caplog.set_level(logging.DEBUG)
    name = declare(fail).job_name
    with pytest.raises(jobs.JobFailed) as failure:
        jobs.run(name, 3)
    run = JobRun.objects.get()
    assert run.error_id in str(failure.value)
    assert run.ok is False
    assert run.outcome.startswith("RuntimeError at ")
    assert run.outcome.rsplit(":", 1)[1].isdigit()
    assert (failure.value.__cause__, failure.value.__suppress_context__) == (None, True)
    for text in (str(failure.value), run.outcome, caplog.text, str(caplog.records[-1].__dict__)):
        assert "Zebulon" not in text
    assert JobLease.objects.get().holder == ""


def test_v8_the_queues_own_tables_hold_no_value_of_a_bug(declare):
    import multiprocessing

    name = declare(fail).job_name
    with pytest.raises(jobs.JobFailed) as failure:
        jobs.run(name)
    shown = "".join(traceback.format_exception(failure.value))  # what the queue would store
    assert "Zebulon" not in shown
    assert multiprocessing.current_process().name  # the queue formats it in this very process


@pytest.mark.parametrize("value", ["112-1", 1.5, None, True, {"a": 1}])
def test_r91_a_task_takes_ids_and_nothing_else(declare, value):
    declare(succeed)
    with pytest.raises(TypeError, match="ids"):
        jobs.enqueue(succeed, value)
    assert OrmQ.objects.count() == 0


def test_a_request_commits_or_rolls_back_with_the_data(declare):
    from django.db import transaction

    declare(succeed)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        jobs.enqueue(succeed, 1)
        raise ZeroDivisionError
    assert OrmQ.objects.count() == 0
    jobs.enqueue(succeed, 1)
    assert OrmQ.objects.count() == 1


def test_inside_inline_what_is_asked_for_runs_here_and_now(declare):
    seen = []

    def second(number: int) -> str:
        seen.append(number)
        return ""

    declare(second)
    with jobs.inline():
        jobs.enqueue(second, 1)
        jobs.enqueue(second, 2)
        assert seen == []
    assert (seen, OrmQ.objects.count()) == ([1, 2], 0)


def test_q4_f06_a_job_that_never_ends_is_slowed_down_and_tried_again(declare):
    name = declare(succeed).job_name
    for _start in range(jobs.MAX_STARTS):  # workers that died
        assert JobLease.objects.take(name, "dead", now=clock.now(), until=clock.now() + timedelta(seconds=70))
        clock.advance(seconds=71)
    assert "tried again in 15 minutes" in jobs.run(name)
    clock.advance(minutes=14)
    assert jobs.run(name) == "already running"
    clock.advance(minutes=2)
    assert jobs.run(name) == "0 ids"
    assert JobLease.objects.get().starts == 0


def test_q5_q7_the_schedule_table_says_exactly_what_the_code_declares(declare):
    declare(succeed, minutes=7)
    Schedule.objects.create(name="evil", func="subprocess.check_output", args="('id',)")
    Schedule.objects.create(name="gone", func=jobs.ENTRY, args="('gone',)")
    count = jobs.sync_schedules()
    assert jobs.sync_schedules() == count == Schedule.objects.count()
    assert set(Schedule.objects.values_list("func", flat=True)) == {jobs.ENTRY}
    assert not Schedule.objects.filter(name__in=["evil", "gone"]).exists()
    ours = Schedule.objects.get(name=succeed.job_name)
    assert (ours.minutes, ours.repeats, ours.args) == (7, -1, repr((succeed.job_name,)))


def test_q5_a_declared_name_that_calls_something_else_is_put_right(declare):
    declare(succeed, minutes=7)
    Schedule.objects.create(name=succeed.job_name, func="subprocess.check_output", args="(((")
    jobs.sync_schedules()
    ours = Schedule.objects.get(name=succeed.job_name)
    assert (ours.func, ours.args) == (jobs.ENTRY, repr((succeed.job_name,)))


def test_a_name_twice_in_the_schedule_table_does_not_stop_the_start(declare):
    declare(succeed, minutes=7)
    for _time in range(2):
        Schedule.objects.create(name=succeed.job_name, func=jobs.ENTRY, args="()")
    jobs.sync_schedules()
    assert Schedule.objects.filter(name=succeed.job_name).count() == 1


def test_f07_run_due_runs_what_is_due_and_nothing_twice(declare):
    calls = []

    def tick() -> str:
        calls.append(clock.now())
        return "tick"

    def broken() -> str:
        raise RuntimeError(SECRET)

    declare(tick, minutes=5)
    declare(broken, minutes=5)
    first = jobs.run_due()
    assert first[tick.job_name] == "tick"
    assert "error" in first[broken.job_name]
    assert "Zebulon" not in str(first)
    assert tick.job_name not in jobs.run_due()
    clock.advance(minutes=5)
    assert jobs.run_due()[tick.job_name] == "tick"
    assert len(calls) == 2


def test_every_scheduled_job_takes_nothing_and_has_a_sensible_cadence():
    import inspect

    scheduled = [job for job in jobs.declared().values() if job.minutes]
    assert {"orders.import_due_accounts", "shipments.notify_marketplaces"} <= {job.name for job in scheduled}
    for job in scheduled:
        assert not inspect.signature(job.func).parameters
        assert 1 <= job.minutes <= 24 * 60


def test_a_failing_job_does_not_drop_what_waits_behind_it(declare):
    seen = []

    def second(number: int) -> str:
        seen.append(number)
        return ""

    declare(second)
    declare(fail)
    with pytest.raises(jobs.JobFailed) as failure, jobs.inline():
        jobs.enqueue(fail, 1)
        jobs.enqueue(second, 1)
        jobs.enqueue(fail, 2)
        jobs.enqueue(second, 2)
    assert seen == [1, 2]
    assert f"{fail.job_name}:1: error" in str(failure.value) and f"{fail.job_name}:2: error" in str(failure.value)
    assert "Zebulon" not in str(failure.value)


def test_what_a_job_asked_for_before_it_failed_runs_too(declare):
    seen = []

    def second(number: int) -> str:
        seen.append(number)
        return ""

    def first() -> str:
        jobs.enqueue(second, 1)
        raise RuntimeError(SECRET)

    declare(second)
    declare(first)
    with pytest.raises(jobs.JobFailed, match=first.job_name), jobs.inline():
        jobs.run(first.job_name)
    assert seen == [1]


@pytest.mark.parametrize("outcome", ["a\x00b", "a\nb", "a\ud800b", "a\x1bb", "a\x85b"])
def test_an_outcome_that_no_database_or_terminal_takes_is_cleaned(declare, outcome):
    def odd() -> str:
        return outcome

    declare(odd)
    assert jobs.run(odd.job_name) == "a?b"
    assert JobRun.objects.get().outcome == "a?b"


def test_a_job_that_returns_no_sentence_still_ends_and_gives_its_lease_back(declare):
    def count() -> int:
        return 3

    declare(count)
    assert jobs.run(count.job_name) == "3"
    assert JobLease.objects.get().holder == ""


def test_a_lease_is_given_back_even_where_the_end_cannot_be_written(declare):
    class Unprintable:
        def __str__(self):
            raise RuntimeError(SECRET)

    def odd():
        return Unprintable()

    declare(odd)
    with pytest.raises(jobs.JobFailed):
        jobs.run(odd.job_name)
    assert (JobRun.objects.get().ok, JobLease.objects.get().holder) == (False, "")


def test_a_run_out_of_time_is_on_record_gives_its_lease_back_and_still_counts_as_a_start(declare):
    from django_q.exceptions import TimeoutException

    def slow() -> str:
        try:
            raise ValueError(SECRET)
        finally:
            raise TimeoutException("60 seconds")  # noqa: B012  the alarm comes at any line

    declare(slow)
    for _run in range(jobs.MAX_STARTS):
        with pytest.raises(TimeoutException) as failure:
            jobs.run(slow.job_name)
        assert "Zebulon" not in "".join(traceback.format_exception(failure.value))  # what the queue would store
    assert {(run.ok, run.outcome.split()[0]) for run in JobRun.objects.all()} == {(False, "TimeoutException")}
    assert JobLease.objects.get().expires_at is None
    assert "tried again in 15 minutes" in jobs.run(slow.job_name)


def test_a_lease_further_ahead_than_its_own_length_is_free(declare):
    name = declare(succeed).job_name
    JobLease.objects.take(name, "before", now=NOON, until=NOON + timedelta(seconds=jobs.LEASE_S))
    clock.advance(seconds=-1)  # of two workers that try at once, one may have looked at the clock a moment earlier
    assert jobs.run(name) == "already running"
    clock.advance(minutes=-1)  # the clock went back: this lease was taken in the future
    assert jobs.run(name) == "0 ids"


def test_a_pause_is_longer_than_a_lease_and_is_kept_unless_the_clock_went_back(declare):
    name = declare(succeed).job_name
    JobLease.objects.create(job=name, starts=jobs.MAX_STARTS)
    assert "tried again in 15 minutes" in jobs.run(name)
    assert jobs.run(name) == "already running"
    clock.advance(seconds=-61)
    assert jobs.run(name) == "0 ids"


def test_a_run_killed_in_the_middle_is_closed_by_the_next_holder(declare):
    name = declare(succeed).job_name
    dead = JobRun.objects.create(job=name, started_at=NOON - timedelta(minutes=3))
    other = JobRun.objects.create(job=f"{name}:4", started_at=NOON)
    jobs.run(name)
    dead.refresh_from_db()
    other.refresh_from_db()
    assert (dead.ok, dead.outcome, dead.finished_at) == (False, "ended without a word", NOON)
    assert (other.ok, other.finished_at) == (None, None)
    assert JobRun.objects.get(job=name, ok=True).outcome == "0 ids"


def test_work_outside_the_declared_jobs_shares_their_lease(declare):
    name = declare(succeed).job_name
    seen = []

    def work() -> str:
        seen.append(jobs.run(name))
        with pytest.raises(jobs.Busy, match="already running"):
            jobs.under_lease(name, lambda: "never")
        return "done"

    assert jobs.under_lease(name, work) == "done"
    assert seen == ["already running"]
    assert list(JobRun.objects.values_list("job", "outcome")) == [(name, "done")]


@pytest.mark.parametrize("command", ["import_orders", "notify_marketplaces"])
def test_a_command_goes_on_with_the_next_account_and_ends_with_an_error(monkeypatch, command, noon):
    from django.core.management import CommandError, call_command

    job = {"import_orders": "orders.import_account", "notify_marketplaces": "shipments.notify_account"}[command]
    broken, sound = make_account(), make_account(scenarios.EU)

    def one_in_trouble(account_id: int) -> str:
        if account_id == broken.pk:
            raise RuntimeError(SECRET)
        return f"account {account_id}: fine"

    monkeypatch.setitem(jobs.declared(), job, jobs.Job(job, one_in_trouble, None))
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match="1 account"):
        call_command(command, stdout=out, stderr=err)
    assert f"account {sound.pk}: fine" in out.getvalue()
    assert f"{job}:{broken.pk}: error {JobRun.objects.get(ok=False).error_id}" in err.getvalue()
    assert "Zebulon" not in out.getvalue() + err.getvalue()
