"""Jobs: sweeps over our own rows that django-q2 merely wakes up.

A job is a function of ids that returns a sentence. It is declared beside what it does, in an app's `jobs.py`, with
`@every(minutes=…)` or `@task`. `run` is the only thing the queue ever calls: it takes a lease, writes a JobRun, and
turns a bug into an error id, so that no value reaches the queue's tables. A lost, doubled or killed task changes
nothing: the next sweep finds the same rows.
"""

import contextlib
import importlib
import logging
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from orderhub import clock

log = logging.getLogger("orderhub.jobs")

BUDGET_S = 40  # a job stops at this, commits, and enqueues itself again; the queue's own limit is 60 s
LEASE_S = 70  # beyond the queue's limit, so a lease never ends under a living holder
MAX_STARTS = 3  # runs that began and never ended, before a job is slowed down
POISON_PAUSE = timedelta(minutes=15)
ENTRY = "orderhub.jobs.run"
HOUSEKEEPING = "orderhub.housekeeping.jobs"


class JobFailed(Exception):
    """What the queue sees of a bug: the job's name and an error id to look up in the job runs."""


@dataclass(frozen=True)
class Job:
    name: str
    func: Callable[..., str]
    minutes: int | None  # None: only on demand


_jobs: dict[str, Job] = {}
_inline: list[list] = []


def _declare(func: Callable[..., str], minutes: int | None) -> Callable[..., str]:
    name = f"{func.__module__.removesuffix('.jobs')}.{func.__name__}"
    _jobs[name] = Job(name, func, minutes)
    func.job_name = name
    return func


def every(*, minutes: int):
    """Declare a job that runs every so many minutes. The function takes nothing and returns a sentence."""
    return lambda func: _declare(func, minutes)


def task(func: Callable[..., str]) -> Callable[..., str]:
    """Declare a job that runs on demand, with ids."""
    return _declare(func, None)


def declared() -> dict[str, Job]:
    """Every job of every installed app, by name."""
    importlib.import_module(HOUSEKEEPING)
    for config in apps.get_app_configs():
        if config.name != "orderhub" and module_has_submodule(config.module, "jobs"):
            importlib.import_module(f"{config.name}.jobs")
    return _jobs


def enqueue(func: Callable[..., str], *ids: int) -> None:
    """Ask for a job. Inside a transaction the request commits or rolls back with it. Ids only, by construction."""
    if not all(type(value) is int for value in ids):
        raise TypeError("a job takes ids, nothing else")
    if _inline:
        _inline[-1].append((func.job_name, ids))
        return
    from django_q.tasks import async_task

    async_task(ENTRY, func.job_name, *ids, task_name=func.job_name)


@contextlib.contextmanager
def inline() -> Iterator[None]:
    """Run what is enqueued inside the block right after it, in this process: commands, demo and tests."""
    waiting: list[tuple[str, tuple[int, ...]]] = []
    _inline.append(waiting)
    try:
        yield
        deadline = time.monotonic() + 20 * BUDGET_S
        while waiting and time.monotonic() < deadline:
            name, ids = waiting.pop(0)
            run(name, *ids)
    finally:
        _inline.pop()


def run(name: str, *ids: int) -> str:
    """Run one job now and say what came of it. The queue's only entry. Raises JobFailed with an error id, no values."""
    from orderhub.models import JobLease, JobRun

    job = declared()[name]
    key = ":".join([name, *map(str, ids)])
    holder, now = uuid.uuid4().hex, clock.now()
    if not JobLease.objects.take(key, holder, now=now, until=now + timedelta(seconds=LEASE_S)):
        return "already running"
    if _starts(key) > MAX_STARTS:
        JobLease.objects.filter(job=key, holder=holder).update(expires_at=now + POISON_PAUSE, starts=MAX_STARTS - 1)
        log.error("job_slowed", extra={"job": key})
        return "began three times without an end: tried again in 15 minutes"
    record = JobRun.objects.create(job=key, started_at=now)
    try:
        outcome = job.func(*ids)
    except Exception as error:  # the one place: nothing of the error but its name and place may get further
        error_id = uuid.uuid4().hex[:12]
        where = _place(error)
        log.error("job_failed", extra={"job": key, "error_id": error_id, "error": type(error).__name__, "at": where})
        _finish(record, ok=False, outcome=f"{type(error).__name__} at {where}", error_id=error_id)
        JobLease.objects.release(key, holder)
        raise JobFailed(f"{key}: error {error_id}") from None
    _finish(record, ok=True, outcome=outcome or "")
    JobLease.objects.release(key, holder)
    return outcome


def _starts(key: str) -> int:
    from orderhub.models import JobLease

    return JobLease.objects.values_list("starts", flat=True).get(job=key)


def _finish(record, *, ok: bool, outcome: str, error_id: str = "") -> None:
    type(record).objects.filter(pk=record.pk).update(
        finished_at=clock.now(), ok=ok, outcome=outcome[:300], error_id=error_id
    )


def _place(error: Exception) -> str:
    """File and line where it happened: code, not data."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    last = ours[-1]
    return f"{'/'.join(last.filename.split('/')[-2:])}:{last.lineno}"


def sync_schedules() -> int:
    """Make the queue's schedule table say exactly what the code declares; returns how many rows it now has.

    Run at every worker start. A row the code does not declare is removed: a malformed one would stop all others.
    """
    from django_q.models import Schedule

    wanted = {job.name: job for job in declared().values() if job.minutes}
    Schedule.objects.exclude(name__in=wanted, func=ENTRY).delete()
    for name, job in wanted.items():
        twice = list(Schedule.objects.filter(name=name).order_by("pk").values_list("pk", flat=True))[1:]
        Schedule.objects.filter(pk__in=twice).delete()  # left by two workers that started together
        Schedule.objects.update_or_create(
            name=name,
            defaults={
                "func": ENTRY, "args": repr((name,)), "kwargs": "", "hook": None, "cluster": None, "cron": None,
                "schedule_type": Schedule.MINUTES, "minutes": job.minutes, "repeats": -1, "intended_date_kwarg": None,
            },
        )  # fmt: skip
    return len(wanted)


def run_due() -> dict[str, str]:
    """Run every scheduled job whose last run began longer ago than its cadence; job name to outcome.

    For a host without the queue, from cron or by hand; safe beside running workers.
    """
    from orderhub.models import JobRun

    outcomes = {}
    for job in [job for job in declared().values() if job.minutes]:
        since = clock.now() - timedelta(minutes=job.minutes)
        if JobRun.objects.filter(job=job.name, started_at__gt=since, finished_at__isnull=False).exists():
            continue
        try:
            with inline():
                outcomes[job.name] = run(job.name)
        except JobFailed as error:
            outcomes[job.name] = str(error)
    return outcomes
