"""The clock's door to erasure, and to the proof that it erased."""

from orderhub import clock
from orderhub.jobs import BUDGET_S, enqueue, every
from privacy import deadman, leftovers, scanning, sweeping
from privacy import request_jobs as request_jobs  # declares its jobs
from privacy.scanning import running


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


@every(minutes=24 * 60)
def scan() -> str:
    """Look for what erasures left behind; the sentence is read back by privacy.scanning.last_result."""
    result = scanning.run(now=clock.now(), budget_s=BUDGET_S - 5, rows=running.NIGHTLY_ROWS)
    running.tell(result)
    return result.sentence()


@every(minutes=60)
def tidy() -> str:
    """Delete files that nothing names any more, and mails kept as files for longer than a day."""
    return leftovers.tidy(now=clock.now())
