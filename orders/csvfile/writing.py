"""Orders as a file, without anything of a person: only what stays after an erasure. Written row by row."""

import csv
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db.models import F, Prefetch
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.csvfile import columns
from orders.csvfile.columns import Column
from orders.csvfile.guarding import guarded
from orders.models import Order, OrderItem, Tag
from privacy import audit
from privacy.models.event import EventCode

log = logging.getLogger("orderhub.orders")
MOST_ORDERS = 20_000
AT_ONCE = 1_000
BOM = "\ufeff"  # tells Excel that this is UTF-8
PLACE = ("city", "state", "postal_code", "country")
OF_ORDER = (
    "order_number", "store", "status", "ordered_at", "ship_by", "deliver_by", "shipped_at", "service_level",
    "requested_service", "payment_method", "currency", "item_total", "shipping_total", "tax_total", "discount_total",
    "order_total", *PLACE,
)  # fmt: skip
OF_LINE = (
    "sku", "asin", "title", "quantity", "quantity_shipped", "unit_price", "tax", "discount", "weight_g",
    "warehouse_location",
)  # fmt: skip
_COLUMNS = {found.name for found in Order._meta.concrete_fields}
AFTER = ("custom_field_1", "custom_field_2", "custom_field_3", "tags", "tracking")


@dataclass(frozen=True)
class Words:
    """How the file is written, settled before it is sent: the reader's language may be another one by then."""

    french: bool
    statuses: dict[str, str]
    services: dict[str, str]

    @classmethod
    def in_use(cls) -> "Words":
        said = [{code: str(label) for code, label in kind.choices} for kind in (Order.Status, Order.ServiceLevel)]
        return cls(is_french(), *said)


class _Line:
    """Takes what the csv module writes and gives it back."""

    def write(self, text: str) -> str:
        return text


def export(rows, *, user) -> Iterator[str]:
    """The file of these orders, piece by piece, as somebody reads it in the language in use. Logged here, at once.

    `rows`: orders of any filter; a constant number of queries for each 1,000. RuleViolation for more than 20,000.
    """
    count = rows.order_by()[: MOST_ORDERS + 1].values("pk").count()
    if count > MOST_ORDERS:
        told = _("These are more than %(most)d orders. Narrow the list with its filters, then export again.")
        raise RuleViolation(told % {"most": MOST_ORDERS})
    audit.record(EventCode.EXPORTED, user=user, kind="count", ids=[count], reason=_hash_of(rows))
    log.info("orders_exported", extra={"count": count, "user": user.pk})
    return _pieces(rows, Words.in_use())


def _hash_of(rows) -> str:
    """Which filter it was, so that two exports can be told apart and nobody reads what was looked for."""
    try:
        asked = str(rows.query)
    except EmptyResultSet:  # a filter that nothing can match
        asked = ""
    return salted_hmac("orders.export", asked, algorithm="sha256").hexdigest()[:16]


def is_french() -> bool:
    return (get_language() or "").startswith("fr")


def names() -> list[str]:
    """The columns of an export. The postcode goes where an erasure takes it."""
    place_kept = settings.REDACT_POSTCODE != "full"
    return [name for name in (*OF_ORDER, *OF_LINE, *AFTER) if place_kept or name != "postal_code"]


def _pieces(rows, words: Words) -> Iterator[str]:
    return lines_of([columns.BY_NAME[name] for name in names()], _cells(rows, words), french=words.french)


def lines_of(wanted: list[Column], rows: Iterable[dict[str, str]], *, french: bool) -> Iterator[str]:
    """A file of these columns, line by line. `rows`: the cells of each by column name, as `cell` writes them.

    In French a semicolon between cells and a comma in numbers, as spreadsheets there expect them.
    """
    line = csv.writer(_Line(), delimiter=";" if french else ",", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    yield BOM + line.writerow([column.french if french else column.english for column in wanted])
    for cells in rows:
        yield line.writerow([cells.get(column.name, "") for column in wanted])


def _cells(rows, words: Words) -> Iterator[dict[str, str]]:
    """A line for each item, or one where there is none."""
    for order in _orders(rows):
        head = _head(order, words)
        for item in list(order.items.all()) or [None]:
            yield head | _line(item, words.french)


def _orders(rows) -> Iterator[Order]:
    """Newest first, a thousand at a time by key: whatever changes meanwhile, none comes twice."""
    place = {f"ship_{name}": F(f"person__{name}") for name in PLACE}
    found = (
        rows.annotate(**place)
        .prefetch_related(None)
        .select_related("store")
        .prefetch_related(
            Prefetch("items", OrderItem.objects.order_by("pk")),
            Prefetch("tags", Tag.objects.order_by("name")),
            "shipments",
        )
        .order_by("-pk")
    )
    last = None
    while True:
        some = list((found if last is None else found.filter(pk__lt=last))[:AT_ONCE])
        yield from some
        if len(some) < AT_ONCE:
            return
        last = some[-1].pk


def _head(order: Order, words: Words) -> dict[str, str]:
    values = {name: getattr(order, name) for name in (*OF_ORDER, *AFTER) if name in _COLUMNS}
    values |= {name: getattr(order, f"ship_{name}") for name in PLACE}
    values |= {
        "store": order.store.name,
        "status": words.statuses[order.status],
        "service_level": words.services.get(order.service_level, order.service_level),
        "tags": "|".join(tag.name for tag in order.tags.all()),
        "tracking": "|".join(found.tracking_number for found in order.shipments.all() if found.active),
    }
    return {name: cell(value, french=words.french) for name, value in values.items()}


def _line(item: OrderItem | None, french: bool) -> dict[str, str]:
    return {name: cell(getattr(item, name), french=french) for name in OF_LINE} if item is not None else {}


def cell(value, *, french: bool) -> str:
    """Our own numbers and instants as they are, texts of anybody guarded. Instants are UTC."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Decimal):
        text = amount(value)
        return text.replace(".", ",") if french else text
    return str(value) if isinstance(value, int) else guarded(value)


def amount(value: Decimal) -> str:
    """With two decimals, or four where it has more: three could be read as thousands."""
    exact = value.normalize()
    places = 2 if -exact.as_tuple().exponent <= 2 else 4
    return f"{value:.{places}f}"
