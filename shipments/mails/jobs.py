"""The clock's door to the mails that wait."""

from orderhub import clock
from orderhub.jobs import CALLS_S, enqueue, every
from shipments.mails import delivering


@every(minutes=1)
def send_mails() -> str:
    """Send what waits; also asked for whenever a mail is."""
    report = delivering.send_due(now=clock.now(), budget_s=CALLS_S)
    if report.more:
        enqueue(send_mails)
    return report.sentence()
