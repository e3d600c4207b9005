"""Which scheduled jobs are asked for now: those the code declares, at the times the schedule table notes.

Takes the place of django-q2's scheduler. That one calls any function a row of its table names, so whoever writes to
the database would run code in the worker; and a single row it cannot read stops all the others. Here a row says when
its job is to run next, and nothing else of it counts.
"""

import logging
from datetime import datetime, timedelta

from django.db import Error as AnyDatabaseError
from django.db import transaction

from orderhub import clock, jobs

log = logging.getLogger("orderhub.scheduling")


def ask_due(broker=None) -> int:
    """Ask for every scheduled job whose time has come; returns how many. Of two clusters at once, one asks.

    A table that does not say what the code declares is put right first. Raises nothing for a database that fails: the
    guard of the cluster calls again in half a minute. `broker` is what the guard hands over; there is one only.
    """
    jobs.drop_broken_connection()
    try:
        return sum(_ask(job, next_run) for job, next_run in _planned() if _is_due(job, next_run))
    except AnyDatabaseError as error:
        log.error("schedule_unread", extra={"error": type(error).__name__})
        return 0


def _planned() -> list[tuple[jobs.Job, datetime | None]]:
    from django_q.models import Schedule

    wanted = {job.name: job for job in jobs.declared().values() if job.minutes}
    rows = list(Schedule.objects.values_list("name", "func", "next_run"))
    if sorted((str(name), func) for name, func, _next_run in rows) != sorted((name, jobs.ENTRY) for name in wanted):
        log.error("schedule_put_right")
        jobs.sync_schedules()
        rows = list(Schedule.objects.values_list("name", "func", "next_run"))
    return [(wanted[name], next_run) for name, _func, next_run in rows if name in wanted]


def _is_due(job: jobs.Job, next_run: datetime | None) -> bool:
    """A time further ahead than the job's own cadence was not noted here, or the clock went back: due as well."""
    now = clock.now()
    return next_run is None or not now < next_run <= now + timedelta(minutes=job.minutes)


@transaction.atomic
def _ask(job: jobs.Job, next_run: datetime | None) -> bool:
    """The UPDATE decides who asks. What was missed meanwhile is asked for once."""
    from django_q.models import Schedule

    now, step = clock.now(), timedelta(minutes=job.minutes)
    since = next_run if next_run is not None and next_run <= now else now
    after = since + ((now - since) // step + 1) * step
    if not Schedule.objects.filter(name=job.name, next_run=next_run).update(next_run=after):
        return False
    jobs.enqueue(job.func)
    return True
