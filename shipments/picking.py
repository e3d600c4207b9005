"""What has to be fetched from the shelves for some orders: grouped by product, in the order of a walk along the shelves."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Prefetch
from django.utils.translation import gettext as _

from orders.models import ItemPersonalData, Order, OrderItem
from shipments.models import LabelBatch

MOST = 200  # orders at once


class Need(NamedTuple):
    """How many of it go into which order."""

    order_id: int
    number: str
    quantity: int


@dataclass
class Pick:
    """One product of one kind at one place. `photo`: a name in the storage of photos, or ''; `customised`: the buyer of
    at least one of these units wishes something of their own."""

    location: str
    sku: str
    asin: str
    title: str
    options: tuple[str, ...]
    photo: str
    store: str
    customised: bool = False
    needs: list[Need] = field(default_factory=list)

    @property
    def quantity(self) -> int:
        return sum(need.quantity for need in self.needs)


@dataclass
class PickList:
    """`orders`: those on the list; `left_out`: a sentence for each of the others."""

    picks: list[Pick]
    orders: list[Order]
    left_out: list[str]

    @property
    def quantity(self) -> int:
        return sum(pick.quantity for pick in self.picks)

    @property
    def many_stores(self) -> bool:
        """Whether a SKU alone does not say whose product it is."""
        return len({pick.store for pick in self.picks}) > 1


def pick_list(order_ids: Iterable[int]) -> PickList:
    """The list for these orders: two queries whatever their number. Units that left already are not fetched again."""
    orders = (
        Order.objects.filter(pk__in=list(order_ids)[:MOST])
        .select_related("store")
        .prefetch_related(Prefetch("items", _lines()))
    )
    picks: dict[tuple, Pick] = {}
    taken, left_out = [], []
    for order in orders.order_by("order_number", "pk"):
        refusal = order.why_not_shippable() or _nothing_left(order)
        if refusal:
            left_out.append(refusal)
            continue
        taken.append(order)
        for item in order.items.all():
            _take(picks, order, item, item.quantity - item.quantity_shipped)
    return PickList(sorted(picks.values(), key=_place), taken, left_out)


def batch_list(batch: LabelBatch) -> PickList:
    """The list for a batch: what is in the parcels it made, and what is left to send of its other orders. Five queries."""
    rows = batch.rows.select_related("order__store", "shipment").prefetch_related(
        Prefetch("order__items", _lines()), "shipment__items"
    )
    picks: dict[tuple, Pick] = {}
    taken, left_out = [], []
    for row in rows.order_by("order__order_number", "pk"):
        order, parcel = row.order, row.shipment if row.shipment and row.shipment.active else None
        refusal = "" if parcel else order.why_not_shippable() or _nothing_left(order)
        if refusal:
            left_out.append(refusal)
            continue
        taken.append(order)
        packed = {line.item_id: line.quantity for line in parcel.items.all()} if parcel else {}
        for item in order.items.all():
            _take(picks, order, item, packed.get(item.pk, 0) if parcel else item.quantity - item.quantity_shipped)
    return PickList(sorted(picks.values(), key=_place), taken, left_out)


def _lines():
    customised = Exists(ItemPersonalData.objects.filter(item=OuterRef("pk")))
    lines = OrderItem.objects.filter(is_physical=True).select_related("product").annotate(customised=customised)
    return lines.order_by("pk")


def _nothing_left(order: Order) -> str:
    if any(item.quantity > item.quantity_shipped for item in order.items.all()):
        return ""
    return _("Nothing is left to send in order %(number)s.") % {"number": order.order_number}


def _take(picks: dict[tuple, Pick], order: Order, item: OrderItem, units: int) -> None:
    if units <= 0:
        return
    product = item.product
    location = item.warehouse_location or (product.warehouse_location if product else "")
    options = options_of(item)
    named = product.pk if product else (order.store_id, item.sku, item.asin, item.title)
    pick = picks.setdefault(
        (named, location, options),
        Pick(
            location=location, sku=item.sku, asin=item.asin, options=options,
            title=(product.title if product else "") or item.title,
            photo=product.photo.name or "" if product else "", store=order.store.name,
        ),
    )  # fmt: skip
    pick.customised |= item.customised
    pick.needs.append(Need(order.pk, order.order_number, units))


def _place(pick: Pick) -> tuple:
    """Shelf by shelf, A2 before A10; what has no place comes last."""
    return not pick.location, natural(pick.location), natural(pick.sku or pick.asin), pick.options


def options_of(item: OrderItem) -> tuple[str, ...]:
    """What was chosen for a line, `name: value` each."""
    return tuple(f"{option.get('name', '')}: {option.get('value', '')}" for option in item.options)


def natural(text: str) -> list[str | int]:
    """A sort key in which digits count as numbers."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", text.casefold())]
