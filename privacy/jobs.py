"""The clock's door to erasure."""

from orderhub import clock
from orderhub.jobs import enqueue, every
from privacy import deadman, sweeping
from privacy import request_jobs as request_jobs  # declares its jobs


@every(minutes=5)
def redact_due() -> str:
    """Erase what is due. Stops at its time budget and asks for itself again."""
    report = sweeping.sweep()
    if report.more:
        enqueue(redact_due)
    return report.sentence()


@every(minutes=15)
def sweep_dead_man() -> str:
    """Tell the log where erasure is late, and wake it where its own schedule does not."""
    found = deadman.standing(clock.now())
    deadman.tell_log(found)
    if found.idle or found.late:
        enqueue(redact_due)
    return f"erasure {found.word}"
