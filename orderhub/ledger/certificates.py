"""One certificate in words, and those of a period as a file. Neither holds anything of a person."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from orderhub.wording import utc
from orders.clockwords import formula
from orders.csvfile.guarding import guarded
from orders.deadlines import span_in_words
from orders.models import Order
from orders.retention import facts_of, periods_for
from privacy.admin import field_words
from privacy.models import ErasureCertificate
from privacy.rulewords import since
from privacy.terms import Term, terms
from shipments.models import Label

Kind = ErasureCertificate.Kind
BOM = "\ufeff"  # tells Excel that this is UTF-8
AT_ONCE = 1_000
COLUMNS = (
    "certificate", "kind", "order_number", "order_id", "subject_id", "rule", "due_at", "done_at", "delay_s", "fields",
    "documents", "marker", "version",
)  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """A certificate as it is printed. `computed`: how its date came about, '' where that cannot be told any more."""

    row: ErasureCertificate
    told: str
    rule: str
    computed: str
    delay: str
    fields: tuple[str, ...]
    others: list[ErasureCertificate]
    kept_labels: list[Label]


def sheet(row: ErasureCertificate) -> Sheet:
    """A certificate in words; a constant number of queries."""
    known = field_words()
    others = list(
        ErasureCertificate.objects.filter(order_id=row.order_id).exclude(pk=row.pk).order_by("done_at", "pk")
    )  # fmt: skip
    kept = Label.objects.filter(shipment__order=row.order_id, redacted_at__isnull=True).order_by("due_at", "pk")
    return Sheet(
        row, _told(row), since(row.rule), _computed(row), delay_words(row.done_at - row.due_at),
        tuple(str(known.get(name, name)) for name in row.fields), others,
        list(kept.select_related("shipment")) if row.kind == Kind.ORDER else [],
    )  # fmt: skip


def _told(row: ErasureCertificate) -> str:
    told = {"number": row.order_number, "at": utc(row.done_at)}
    if row.kind == Kind.LABEL:
        return _("The address on a label of order %(number)s was erased on %(at)s.") % told
    return _("The personal data of order %(number)s was erased on %(at)s.") % told


def delay_words(delay: timedelta) -> str:
    """`3 min after its date`, `2 days before its date`."""
    span = {"span": span_in_words(abs(delay))}
    return (_("%(span)s before its date") if delay < timedelta(0) else _("%(span)s after its date")) % span


def _computed(row: ErasureCertificate) -> str:
    """`20 Nov 2026, 08:00 UTC (ship date + 30 d)`: said only where the facts still give exactly the date recorded."""
    found = next((term for term in _terms(row) if term.rule == row.rule and _ends(term) == row.due_at), None)
    if found is None:
        return ""
    told = _("%(since)s as its beginning, %(formula)s")
    return told % {"since": utc(found.since), "formula": formula(found.rule, found.days)}


def _terms(row: ErasureCertificate) -> list[Term]:
    """Every term of its order; those of voided and return parcels too, as labels have theirs."""
    order = Order.objects.select_related("store").filter(pk=row.order_id).first()
    if order is None:
        return []
    facts, periods = facts_of(order), periods_for(order.store)
    every = replace(facts, parcels=tuple(replace(parcel, active=True) for parcel in facts.parcels))
    return [*terms(facts, periods), *terms(every, periods)]


def _ends(term: Term) -> datetime | None:
    return term.since + timedelta(days=term.days) if term.since else None


# -- the file


class _Line:
    """Takes what the csv module writes and gives it back."""

    def write(self, text: str) -> str:
        return text


def between(first: datetime, end: datetime) -> QuerySet[ErasureCertificate]:
    """Certificates of erasures done from `first` on and before `end`."""
    return ErasureCertificate.objects.filter(done_at__gte=first, done_at__lt=end)


def as_csv(rows: QuerySet[ErasureCertificate]) -> Iterator[str]:
    """The file, piece by piece: codes as they are kept, instants in UTC, no cell that a spreadsheet would run.

    In French a semicolon between cells, as spreadsheets there expect it. One query for each thousand.
    """
    french = (get_language() or "").startswith("fr")
    return _pieces(rows, ";" if french else ",")


def _pieces(rows: QuerySet[ErasureCertificate], separator: str) -> Iterator[str]:
    line = csv.writer(_Line(), delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    yield BOM + line.writerow(COLUMNS)
    last = 0
    while some := list(rows.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        yield from (line.writerow([guarded(cell) for cell in _cells(row)]) for row in some)
        last = some[-1].pk


def _cells(row: ErasureCertificate) -> list[str]:
    delay = int((row.done_at - row.due_at).total_seconds())
    return [
        str(row.pk), row.kind, row.order_number, str(row.order_id), str(row.subject_id), row.rule, _instant(row.due_at),
        _instant(row.done_at), str(delay), "|".join(row.fields), str(row.documents), row.marker, row.version,
    ]  # fmt: skip


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
