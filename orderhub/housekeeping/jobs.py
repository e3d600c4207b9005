"""The heartbeat that health watches, and the pruning of what has served its time."""

from datetime import timedelta

from orderhub import clock
from orderhub.jobs import every
from orderhub.models import JobRun

KEEP_RUNS = timedelta(days=14)
KEEP_FAILURES = timedelta(days=30)


@every(minutes=1)
def heartbeat() -> str:
    """Prove that the queue's clock and a worker are alive."""
    return "alive"


@every(minutes=24 * 60)
def prune() -> str:
    """Drop old job runs, the queue's old records and expired sessions."""
    from django.contrib.sessions.models import Session
    from django_q.models import Task

    now = clock.now()
    runs, _rows = JobRun.objects.filter(started_at__lt=now - KEEP_RUNS).delete()
    tasks, _rows = Task.objects.filter(stopped__lt=now - KEEP_FAILURES).delete()
    sessions, _rows = Session.objects.filter(expire_date__lt=now).delete()
    return f"{runs} runs, {tasks} queue records, {sessions} sessions"
