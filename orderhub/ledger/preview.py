"""What would be erased up to an instant: counted by rule, listed, changing nothing (R107)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, Q, QuerySet

from orders.models import Order
from privacy.rulewords import since
from shipments.models import Label

MOST_DAYS = 60
USUAL_DAYS = 7


@dataclass(frozen=True)
class RuleCount:
    """`rule`: a code of privacy.retention.Rule."""

    rule: str
    orders: int
    labels: int

    @property
    def words(self) -> str:
        return since(self.rule)


def end_of(day: date) -> datetime:
    """The last instant of a UTC day."""
    return datetime.combine(day + timedelta(days=1), time(0), UTC) - timedelta(microseconds=1)


def orders(until: datetime) -> QuerySet[Order]:
    """Orders due by then, and those whose erasure has begun; oldest first."""
    due = Q(redaction_due_at__lte=until) | Q(pii_state=Order.PiiState.REDACTING)
    open_ones = Order.objects.exclude(pii_state=Order.PiiState.REDACTED)
    return open_ones.filter(due).order_by("redaction_due_at", "pk")


def labels(until: datetime) -> QuerySet[Label]:
    """Labels due by then; those of returns go with their order (R85)."""
    with_order = Q(shipment__is_return=True, shipment__order__redaction_due_at__lte=until)
    return Label.objects.filter(Q(due_at__lte=until) | with_order, redacted_at__isnull=True).order_by("due_at", "pk")


def by_rule(until: datetime) -> list[RuleCount]:
    """How many orders and labels each rule takes; two queries."""
    found: dict[str, list[int]] = {}
    for place, (rows, column) in enumerate(((orders(until), "redaction_rule"), (labels(until), "due_rule"))):
        for row in rows.order_by().values(column).annotate(count=Count("pk")):
            found.setdefault(row[column], [0, 0])[place] = row["count"]
    return [RuleCount(rule, *counts) for rule, counts in sorted(found.items(), key=lambda item: -sum(item[1]))]
