"""The ledger: certificates of a period by day, rule and marker, how long after its date each erasure came, and what is
not as it should be."""

import importlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub.wording import utc
from orders import filters
from orders.models import Order
from privacy.erasure import ALARM_AFTER
from privacy.models import ErasureCertificate, SecurityChain
from shipments.models import Label

SHOWN = 50
PERIODS = (7, 30, 90)  # days
DELAY = ExpressionWrapper(F("done_at") - F("due_at"), output_field=DurationField())
IN_TIME = Q(done_at__gte=F("due_at"))  # the others were asked for before their date
COUNTS = {
    "orders": Count("pk", filter=Q(kind=ErasureCertificate.Kind.ORDER)),
    "labels": Count("pk", filter=Q(kind=ErasureCertificate.Kind.LABEL)),
    "worst": Max(DELAY, filter=IN_TIME),
}


@dataclass(frozen=True)
class Group:
    """The certificates of one day, rule or marker. `worst`: the longest anything took after its date."""

    key: object
    orders: int
    labels: int
    worst: timedelta | None


@dataclass(frozen=True)
class Summary:
    """`early`: erased before their date, as somebody asked for it; `late`: more than an hour after it."""

    orders: int
    labels: int
    documents: int
    early: int
    late: int
    worst: timedelta | None
    median: timedelta | None
    days: list[Group] = field(default_factory=list)
    rules: list[Group] = field(default_factory=list)
    markers: list[Group] = field(default_factory=list)


@dataclass(frozen=True)
class Troubles:
    """Rows to look at, the first SHOWN of each, and how many there are."""

    failed: list[Order]
    failed_count: int
    unfinished: list[Order]
    unfinished_count: int
    kept_labels: list[Label]
    kept_count: int


def read(*, since: datetime) -> Summary:
    """The certificates since an instant; five queries."""
    rows = ErasureCertificate.objects.filter(done_at__gte=since).order_by()
    found = rows.aggregate(
        documents=Sum("documents"),
        early=Count("pk", filter=~IN_TIME),
        late=Count("pk", filter=Q(done_at__gt=F("due_at") + ALARM_AFTER)),
        **COUNTS,
    )
    measured = found["orders"] + found["labels"] - found["early"]
    return Summary(
        found["orders"], found["labels"], found["documents"] or 0, found["early"], found["late"], found["worst"],
        _median(rows, measured),
        _groups(rows.annotate(key=TruncDate("done_at", tzinfo=UTC)), "-key"),
        _groups(rows.annotate(key=F("rule")), "key"),
        _groups(rows.annotate(key=F("marker")), "key"),
    )  # fmt: skip


def _groups(rows: QuerySet, order: str) -> list[Group]:
    counted = rows.values("key").annotate(**COUNTS).order_by(order)
    return [Group(row["key"], row["orders"], row["labels"], row["worst"]) for row in counted]


def _median(rows: QuerySet, count: int) -> timedelta | None:
    """The middle one of `count` delays; None where there are none."""
    if not count:
        return None
    delays = rows.filter(IN_TIME).annotate(delay=DELAY).order_by("delay").values_list("delay", flat=True)
    return delays[(count - 1) // 2]


def troubles() -> Troubles:
    """What failed, what was begun and not finished, and labels that outlive their erased order; six queries."""
    orders = Order.objects.select_related("store").order_by("redaction_due_at", "pk")
    failed = orders.filter(filters.failed())
    unfinished = orders.filter(pii_state=Order.PiiState.REDACTING)
    kept = Label.objects.filter(redacted_at__isnull=True, shipment__order__pii_state=Order.PiiState.REDACTED)
    shown = kept.select_related("shipment__order").order_by("due_at", "pk")[:SHOWN]
    return Troubles(
        list(failed[:SHOWN]), failed.count(), list(unfinished[:SHOWN]), unfinished.count(), list(shown), kept.count()
    )


def chain() -> SecurityChain | None:
    """The state of the security log's chain."""
    return SecurityChain.objects.first()


def scan() -> str:
    """What the last scan for leaks found, in words; '' where this installation scans for none."""
    name = "privacy.scanning"
    if find_spec(name) is None:
        return ""
    last_result = getattr(importlib.import_module(name), "last_result", None)
    found = last_result() if last_result else None
    return _scanned(found) if found else ""


def _scanned(found) -> str:
    told = ngettext("%(count)s finding on %(at)s.", "%(count)s findings on %(at)s.", found.found)
    text = told % {"count": found.found, "at": utc(found.at)}
    checked = _("Checked: %(orders)s erased orders, %(labels)s labels, %(files)s files, %(places)s places.")
    counts = {"orders": found.erased_orders, "labels": found.labels, "files": found.files, "places": found.places}
    text += " " + checked % {name: number_format(count, force_grouping=True) for name, count in counts.items()}
    if not found.complete:
        text += " " + _("Not everything was looked at: the time ran out.")
    return text
