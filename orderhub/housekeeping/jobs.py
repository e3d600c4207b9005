"""The heartbeat that health watches, the pruning of what has served its time, accounts nobody uses, restored backups."""

from datetime import timedelta

from orderhub import apiuse, clock, jobs
from orderhub.housekeeping import marking, restoring
from orderhub.jobs import every
from orderhub.models import JobRun, RateWindow
from orderhub.rest import repeating
from orderhub.signin import disabling
from orderhub.signin.models import StaffSession
from privacy import restored

KEEP_RUNS = timedelta(days=14)
KEEP_FAILURES = timedelta(days=30)
KEEP_FAILED_SIGN_INS = timedelta(days=2)
KEEP_RATES = timedelta(days=1)
KEEP_STAFF_SESSIONS = timedelta(days=2)

jobs.guard(restored.why_not)


@every(minutes=1)
def heartbeat() -> str:
    """Prove that the queue's clock and a worker are alive."""
    marking.mark()
    return "alive"


@every(minutes=24 * 60)
def prune() -> str:
    """Drop old job runs, the queue's old records, expired sessions, and what no longer counts of failed sign-ins and of
    clients of the API."""
    from axes.models import AccessFailureLog
    from django.contrib.sessions.models import Session
    from django_q.models import Task

    now = clock.now()
    runs, _rows = JobRun.objects.filter(started_at__lt=now - KEEP_RUNS).delete()
    tasks, _rows = Task.objects.filter(stopped__lt=now - KEEP_FAILURES).delete()
    sessions, _rows = Session.objects.filter(expire_date__lt=now).delete()
    RateWindow.objects.filter(started_at__lt=now - KEEP_RATES).delete()
    repeating.forget(now=now)
    apiuse.forget(now=now)
    AccessFailureLog.objects.filter(attempt_time__lt=now - KEEP_FAILED_SIGN_INS).delete()
    StaffSession.objects.filter(started_at__lt=now - KEEP_STAFF_SESSIONS).delete()
    return f"{runs} runs, {tasks} queue records, {sessions} sessions"


@every(minutes=24 * 60)
def disable_idle_accounts() -> str:
    """Make accounts inactive that nobody has signed in to for 90 days."""
    return f"{disabling.disable_idle(now=clock.now())} accounts disabled"


@every(minutes=1)
def look_after_restore() -> str:
    """Where a backup was put back, make it fit to serve; a minute's worth at a time."""
    if not restored.closed():
        return "no restored backup"
    try:
        return restoring.recover(budget_s=jobs.CALLS_S).sentence()
    except jobs.Busy as busy:
        return f"waits: an erasure is {busy}"
