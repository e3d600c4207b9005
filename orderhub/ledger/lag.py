"""Whether erasure keeps up: the last sweeps, what is overdue, and whether a clock that cannot be trusted holds it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min

from orderhub.models import JobRun
from orders import filters
from orders.models import Order
from privacy.erasure import ALARM_AFTER
from privacy.jobs import redact_due
from privacy.models import SweepState
from shipments.models import Label

RUNS_SHOWN = 20
SILENT_AFTER = timedelta(hours=2)


@dataclass(frozen=True)
class Lag:
    """Counts and instants. `overdue`: due for more than an hour; `due`: due at all; `oldest`: the longest overdue.

    `swept_at`: end of the last sweep that went through.
    """

    due: int
    overdue: int
    oldest: datetime | None
    labels_overdue: int
    swept_at: datetime | None
    held_since: datetime | None
    held_why: str
    runs: list[JobRun]

    def level(self, *, now: datetime) -> str:
        """`bad` where something is overdue or no sweep went through for two hours, `warn` where one is held."""
        silent = self.swept_at is None or self.swept_at < now - SILENT_AFTER
        if self.overdue or self.labels_overdue or silent:
            return "bad"
        return "warn" if self.held_since else "ok"


def read(*, now: datetime) -> Lag:
    """Four queries."""
    due = Order.objects.exclude(pii_state=Order.PiiState.REDACTED).filter(redaction_due_at__lte=now)
    counts = due.aggregate(
        due=Count("pk"), overdue=Count("pk", filter=filters.overdue(now)), oldest=Min("redaction_due_at")
    )
    labels = Label.objects.filter(redacted_at__isnull=True, due_at__lt=now - ALARM_AFTER).count()
    state = SweepState.objects.first()
    runs = list(JobRun.objects.filter(job=redact_due.job_name).order_by("-started_at", "-pk")[:RUNS_SHOWN])
    last = next((run.finished_at for run in runs if run.ok), None)
    swept_at = max(filter(None, [last, state.last_ok_at if state else None]), default=None)
    return Lag(
        counts["due"], counts["overdue"], counts["oldest"] if counts["overdue"] else None, labels, swept_at,
        state.held_since if state else None, state.held_why if state else "", runs,
    )  # fmt: skip
