"""The clock's doors to erasure, to the proof that it erased, and to the security log."""

from orderhub import clock
from orderhub.jobs import BUDGET_S, enqueue, every, task
from privacy import audit, audit_keeping, deadman, leftovers, scanning, sweeping
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


@every(minutes=15)
def seal_security_log() -> str:
    """Chain what a process that died, or a database that was locked, left unchained."""
    return f"{audit.seal()} events chained"


@every(minutes=24 * 60)
def verify_security_log() -> str:
    """Walk the whole chain, export its head, and take away what is older than twelve months."""
    return _verify(after=0)


@task
def verify_security_log_on(position: int) -> str:
    """Go on with a walk that took longer than a job may: a million events on a busy machine."""
    return _verify(after=position)


def _verify(*, after: int) -> str:
    verdict = audit_keeping.check(actor=verify_security_log.job_name, after=after, budget_s=BUDGET_S)
    if verdict.more_after is not None:
        enqueue(verify_security_log_on, verdict.more_after)
        return f"{verdict.checked} events so far: whole"
    events, accesses = audit_keeping.prune(now=clock.now())
    found = "whole" if verdict.whole else f"{verdict.how} at position {verdict.broken_at}"
    return f"{verdict.checked} events: {found}; {events} events and {accesses} accesses of over 12 months gone"
