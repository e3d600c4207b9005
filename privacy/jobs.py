"""The clock's door to erasure."""

from orderhub import clock
from orderhub.jobs import enqueue, every
from privacy import erasure
from privacy import request_jobs as request_jobs  # declares its jobs


@every(minutes=5)
def redact_due() -> str:
    """Erase what is due. Stops at its time budget and asks for itself again."""
    report = erasure.redact_due(now=clock.now())
    if report.more:
        enqueue(redact_due)
    return report.sentence()
