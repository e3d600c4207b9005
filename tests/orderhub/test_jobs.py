"""Jobs: a lease, a run on record, an error id instead of values."""

import logging
from datetime import timedelta

import pytest
from django_q.models import OrmQ, Schedule

from orderhub import clock, jobs
from orderhub.models import JobLease, JobRun
from tests.conftest import NOON

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
    import traceback

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
