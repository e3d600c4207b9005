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
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.apps import apps
from django.db import Error as AnyDatabaseError
from django.db import connection
from django.utils.module_loading import module_has_submodule

from orderhub import clock, killswitch

log = logging.getLogger("orderhub.jobs")

BUDGET_S = 40  # a job stops at this, commits, and enqueues itself again; the queue's own limit is 60 s
CALLS_S = 30  # what a job of outside calls may use: one more call, with its sign-in, then still ends before the 60 s
# In a worker, beyond the queue's limit: a lease never ends under a living holder. In a command nothing ends a run but
# its budget: where one call takes longer than the rest of the lease, a second holder may start beside it, and it is
# the claims and constraints on the rows that keep the two apart.
LEASE_S = 70
MAX_STARTS = 3  # runs that began and never ended, before a job is slowed down
POISON_PAUSE = timedelta(minutes=15)
CLOCK_SLACK = timedelta(minutes=1)  # between two processes' "now", waiting for a locked database included
ENTRY = "orderhub.jobs.run"
HOUSEKEEPING = "orderhub.housekeeping.jobs"
UNFINISHED = "ended without a word"


class Busy(Exception):
    """The lease is not to be had now; the text says why."""


class JobFailed(Exception):
    """What the queue sees of a bug: the job's name and an error id to look up in the job runs."""


@dataclass(frozen=True)
class Job:
    name: str
    func: Callable[..., str]
    minutes: int | None  # None: only on demand


_jobs: dict[str, Job] = {}
_inline: list[list] = []
_guards: list[Callable[[str], str]] = []


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


def guard(func: Callable[[str], str]) -> Callable[[str], str]:
    """Declare what is asked before any job starts: given its name, why it must not run now, or ''."""
    _guards.append(func)
    return func


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
    """Run what is enqueued inside the block right after it, in this process: commands, demo and tests.

    A failed job, in the block or after it, does not drop what waits: JobFailed comes at the end and names all of them.
    """
    waiting: list[tuple[str, tuple[int, ...]]] = []
    failures: list[str] = []
    _inline.append(waiting)
    try:
        try:
            yield
        except JobFailed as error:
            failures.append(str(error))
        deadline = time.monotonic() + 20 * BUDGET_S
        while waiting and time.monotonic() < deadline:
            name, ids = waiting.pop(0)
            try:
                run(name, *ids)
            except JobFailed as error:
                failures.append(str(error))
    finally:
        _inline.pop()
    if failures:
        raise JobFailed("; ".join(failures))


def run(name: str, *ids: int) -> str:
    """Run one job now and say what came of it. The queue's only entry. Raises JobFailed with an error id, no values."""
    job = declared()[name]
    for why in filter(None, (asked(name) for asked in _guards)):
        return why
    if killswitch.is_paused(name):
        return "resting: the emergency stop is on"
    try:
        return under_lease(":".join([name, *map(str, ids)]), lambda: job.func(*ids))
    except Busy as busy:
        return str(busy)


def under_lease(key: str, work: Callable[[], str]) -> str:
    """Do the work while nobody else holds this lease, with a run on record; returns the work's sentence, cleaned.

    Raises Busy where the lease is taken, JobFailed with an error id and no values where the work fails.
    """
    from orderhub.models import JobRun

    with lease(key):
        JobRun.objects.close_unfinished(key, now=clock.now(), outcome=UNFINISHED)
        return _guarded(JobRun.objects.create(job=key, started_at=clock.now()), work)


@contextlib.contextmanager
def lease(key: str) -> Iterator[None]:
    """Hold a lease for the length of the block. Busy where another has it, or where its holders keep dying.

    Whoever is killed inside is counted, as is whoever was stopped from outside; an error of the block is an end.
    """
    from orderhub.models import JobLease

    holder, ended = _take(key), True
    try:
        yield
    except BaseException as error:
        ended = isinstance(error, Exception)
        raise
    finally:
        drop_broken_connection()
        JobLease.objects.release(key, holder, ended=ended)


def _take(key: str) -> str:
    """The lease's new holder, or Busy. A job that keeps killing its worker is made to wait."""
    from orderhub.models import JobLease

    holder, now = uuid.uuid4().hex, clock.now()
    if not JobLease.objects.take(key, holder, now=now, until=now + timedelta(seconds=LEASE_S)):
        raise Busy("already running")
    if JobLease.objects.starts_of(key) > MAX_STARTS:
        JobLease.objects.pause(key, holder, until=now + POISON_PAUSE, starts=MAX_STARTS - 1)
        log.error("job_slowed", extra={"job": key})
        raise Busy("began three times without an end: tried again in 15 minutes")
    return holder


def _guarded(record, work: Callable[[], str]) -> str:
    try:
        outcome = _clean(work())
        _finish(record, ok=True, outcome=outcome)
    except Exception as error:  # the one place: nothing of the error but its name and place may get further
        error_id = uuid.uuid4().hex[:12]
        where = _place(error)
        log.error(
            "job_failed", extra={"job": record.job, "error_id": error_id, "error": type(error).__name__, "at": where}
        )
        drop_broken_connection()
        with contextlib.suppress(AnyDatabaseError):
            _finish(record, ok=False, outcome=f"{type(error).__name__} at {where}", error_id=error_id)
        raise JobFailed(f"{record.job}: error {error_id}") from None
    except BaseException as error:  # out of time, or stopped by hand
        with contextlib.suppress(AnyDatabaseError):
            _finish(record, ok=False, outcome=f"{type(error).__name__} at {_place(error)}")
        raise error from None  # what it interrupted may have been about an order
    return outcome


def drop_broken_connection() -> None:
    """The failure may be the connection's: the next statement then opens another one."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _clean(outcome: object) -> str:
    """A job's sentence as every database, log and terminal takes it: "?" for control characters and lone surrogates."""
    text = "" if outcome is None else str(outcome)
    return "".join("?" if unicodedata.category(letter) in {"Cc", "Cs"} else letter for letter in text)


def _finish(record, *, ok: bool, outcome: str, error_id: str = "") -> None:
    type(record).objects.filter(pk=record.pk).update(
        finished_at=clock.now(), ok=ok, outcome=_clean(outcome)[:300], error_id=error_id
    )


def _place(error: BaseException) -> str:
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
