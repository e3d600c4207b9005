"""What stands in the way of the rows of a batch, before any label is made. Reads only; the same few queries for any number."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b

from django.db.models import F
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders import correcting, roman, stock
from orders.models import Order, OrderItem, Product
from shipments import batchoffers, buying, dispatching, labelling, trackingnumbers
from shipments.batchrows import open_rows
from shipments.dispatching import ParcelWish
from shipments.models import LabelBatch, LabelBatchRow, Shipment
from shipments.models.batch import RowState
from shipments.providers.base import ParcelFacts, Rate
from stores.models.settings import ShortStock

USED_AGAIN = timedelta(days=180)  # carriers give old numbers out anew


@dataclass
class Verdict:
    """One row: the carrier and service it goes with, and what is wrong. With an `error` no label can be made.

    Where labels are bought: the parcel as it is now, the measures that are known of it, and the offer for it. `to_price`:
    there is none yet, or not for this parcel.
    """

    row: LabelBatchRow
    carrier: str
    service: str
    error: str = ""
    warning: str = ""
    page: str = ""  # where on the order's page it is mended: an anchor
    known: dict[str, int] = field(default_factory=dict)
    parcel: ParcelFacts | None = None
    rate: Rate | None = None
    to_price: bool = False


@dataclass
class Checked:
    """All rows that wait for a label, or were refused one."""

    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def fit(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if not verdict.error and not verdict.to_price]

    @property
    def to_price(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.to_price]

    @property
    def total(self) -> list[tuple[Decimal, str]]:
        """What the labels that can be made cost, by currency."""
        sums: Counter = Counter()
        for found in self.fit:
            if found.rate is not None:
                sums[found.rate.currency] += found.rate.price
        return [(amount, currency) for currency, amount in sorted(sums.items())]

    @property
    def unfit(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.error]

    @property
    def doubtful(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.error or verdict.warning]

    @property
    def seen(self) -> str:
        """Changes with whatever a person should look at again before labels are made."""
        told = [
            (found.row.pk, found.carrier, found.service, found.row.tracking_number, found.row.weight_g, found.error, found.warning,
             found.rate and (found.rate.carrier, found.rate.service, found.rate.price, found.rate.currency), found.to_price)
            for found in self.verdicts
        ]  # fmt: skip
        return blake2b(repr(told).encode(), digest_size=12).hexdigest()


def carrier_of(row: LabelBatchRow, batch: LabelBatch) -> tuple[str, str]:
    """Carrier and service of a row: its own, else the batch's. The batch's service goes with the batch's carrier only."""
    if row.carrier and row.carrier != batch.carrier:
        return row.carrier, row.service
    return batch.carrier, row.service or batch.service


def check(batch: LabelBatch, *, now: datetime) -> Checked:
    """Judge the rows that a label can still be made for: those waiting, or refused before."""
    rows = open_rows(batch).select_related("order__store")
    if batch.buys:
        rows = rows.select_related("order__store__account").prefetch_related("order__items__product")
    checked = Checked([Verdict(row, *carrier_of(row, batch)) for row in rows])
    numbers_or_prices = (_purchases, batchoffers.judge) if batch.buys else (_purchases, _numbers)
    for judge in (_orders, _addresses, _stock, _other_batches, *numbers_or_prices):
        judge(checked, batch, now)
    return checked


def _orders(checked: Checked, batch: LabelBatch, now: datetime) -> None:
    for found in checked.verdicts:
        found.error = found.row.order.why_not_shippable()


def _addresses(checked: Checked, batch: LabelBatch, now: datetime) -> None:
    ids = [found.row.order_id for found in checked.fit]
    unreadable, nobody = roman.unreadable(ids), correcting.without_recipient(ids)
    for found in checked.fit:
        if found.row.order_id in nobody:
            found.error = correcting.no_recipient(found.row.order)
        elif found.row.order_id in unreadable:
            found.error, found.page = labelling.unreadable_address(found.row.order), "roman"


def _numbers(checked: Checked, batch: LabelBatch, now: datetime) -> None:
    times = Counter(found.row.tracking_number for found in checked.verdicts)
    used = _in_use(list(times), now)
    for found in checked.fit:
        row = found.row
        named = {"tracking": row.tracking_number, "number": row.order.order_number}
        try:
            dispatching.clean(ParcelWish(found.carrier, row.tracking_number, now.date()), row.order.order_number)
        except RuleViolation as error:
            found.error = str(error)
            continue
        if times[row.tracking_number] > 1:
            found.error = (
                _("The tracking number %(tracking)s stands in more than one row: each parcel has its own.") % named
            )
        elif row.tracking_number in used:
            named["other"] = used[row.tracking_number]
            found.error = (
                _("The tracking number %(tracking)s is that of order %(other)s already: type another one.") % named
            )
        else:
            doubt = trackingnumbers.doubts(found.carrier, row.tracking_number)
            found.warning = " ".join(filter(None, [found.warning, doubt]))


def _purchases(checked: Checked, batch: LabelBatch, now: datetime) -> None:
    """A label that is bought, or may be, is sent with before another is made."""
    bought = set(buying.unfinished(order__in=_orders_of(batch)).values_list("order", flat=True))
    for found in checked.fit:
        if found.row.order_id in bought:
            found.error = dispatching.being_bought(found.row.order)


def _orders_of(batch: LabelBatch):
    return Order.objects.filter(batch_rows__batch=batch)


def _in_use(numbers: Sequence[str], now: datetime) -> dict[str, str]:
    """The order whose parcel has a number, by number."""
    parcels = Shipment.objects.filter(
        tracking_number__in=numbers, voided_at__isnull=True, created_at__gt=now - USED_AGAIN
    )
    return dict(parcels.values_list("tracking_number", "order__order_number"))


def _stock(checked: Checked, batch: LabelBatch, now: datetime) -> None:
    """Rows take from the shelf in their order; who comes too late is refused or warned, as the store wishes."""
    needs: dict[int, list[tuple[int, int]]] = {}
    lines = (
        OrderItem.objects.filter(order__batch_rows__batch=batch, product__stock_on_hand__isnull=False)
        .exclude(order__store__short_stock=ShortStock.ALLOW)
        .filter(quantity__gt=F("quantity_shipped"))
    )
    for order_id, product_id, wanted, gone in lines.values_list("order", "product", "quantity", "quantity_shipped"):
        needs.setdefault(order_id, []).append((product_id, wanted - gone))
    wanted = {product_id for needed in needs.values() for product_id, _units in needed}
    products = {found.pk: found for found in stock.with_shelf(Product.objects.filter(pk__in=wanted))}
    left = {pk: found.on_shelf for pk, found in products.items()}
    for found in checked.fit:
        mine = Counter()
        for product_id, units in needs.get(found.row.order_id, []):
            mine[product_id] += units
        short = next((pk for pk, units in mine.items() if units > left[pk]), None)
        if short is None:
            for pk, units in mine.items():
                left[pk] -= units
            continue
        _say_short(found, products[short].key, mine[short], left[short])


def _say_short(found: Verdict, key: str, needed: int, left: int) -> None:
    told = _(
        "Order %(number)s needs %(needed)d × %(product)s, and %(left)d are left for it by the last count. Count them and confirm the stock on the order's page."
    ) % {"number": found.row.order.order_number, "needed": needed, "product": key, "left": left}
    if found.row.order.store.short_stock == ShortStock.BLOCK:
        found.error = told
    else:
        found.warning = " ".join(filter(None, [found.warning, told]))


def _other_batches(checked: Checked, batch: LabelBatch, now: datetime) -> None:
    """Two drafts may hold one order: whoever starts first makes its label."""
    others = LabelBatchRow.objects.filter(
        order__in=_orders_of(batch), state__in=[RowState.WAITING, RowState.RUNNING]
    ).exclude(batch=batch)
    elsewhere = dict(others.values_list("order", "batch"))
    for found in checked.fit:
        if found.row.order_id in elsewhere:
            told = _("It is in batch #%(batch)d as well: only one of them makes its label.") % {
                "batch": elsewhere[found.row.order_id]
            }
            found.warning = " ".join(filter(None, [found.warning, told]))
