"""The sweep as every trigger runs it: the queue's job, the command, the web process, the check after a restore."""

from datetime import datetime

from orderhub import clock
from orderhub.jobs import BUDGET_S
from privacy import audit_keeping, clockgate, deadman, erasure
from privacy.models import SweepState


def sweep(
    *, budget_s: float = BUDGET_S, at: datetime | None = None, actor: str = "privacy.redact_due"
) -> erasure.Report:
    """Erase what is due at `at` (default: now), if the clock can be trusted, and note a sweep that left nothing due.

    Call under the lease of the job `privacy.redact_due`. Safe to repeat. `actor`: who asked, as the security log says.
    """
    now = clock.now()
    held = clockgate.why_held(now)
    if held:
        deadman.forget()  # and let imports go on: a poll is what can say that the clock is right
        return erasure.Report(held=held)
    report = erasure.redact_due(now=at or now, budget_s=budget_s)
    audit_keeping.tell_erasure(report, actor=actor)
    if not (report.more or report.failed) and (at is None or at >= now):
        SweepState.objects.filter(pk=SweepState.ONLY).update(last_ok_at=clock.now())
        deadman.forget()
    return report
