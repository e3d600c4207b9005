"""What the order page says of each of its parcels: what is in it, with whom it travels, and why no notice goes out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from orders.models import Order, OrderItem
from shipments import outbox
from shipments.models import ManualUpdate, Shipment, ShipmentItem, ShipmentNotification
from stores import sellercentral
from stores.models import Store

State = ShipmentNotification.State
DoneHow = ManualUpdate.DoneHow


@dataclass(frozen=True)
class ParcelWords:
    """`lines`: what is in it; `notice`: whether Amazon is told, and why not; `with_orders`: other orders in it.

    `by_hand`: where somebody confirms it in Seller Central, '' where nothing waits; `why_no_void`: a sentence, or ''.
    """

    lines: tuple[str, ...]
    notice: str
    with_orders: tuple[Order, ...]
    by_hand: str
    voided: bool
    may_be_voided: bool


def attach(
    order: Order,
    shipments: Sequence[Shipment],
    notices: Iterable[ShipmentNotification],
    lines: Iterable[OrderItem],
) -> None:
    """Say of each shipment in hand what its `words` are; four queries where there is one, whatever their number."""
    if not shipments:
        return
    items = {line.pk: line for line in lines}
    packed: dict[int, list[ShipmentItem]] = {}
    for row in ShipmentItem.objects.filter(shipment__in=shipments).order_by("item"):
        packed.setdefault(row.shipment_id, []).append(row)
    first_word = next((notice for notice in notices if notice.is_first_word), None)
    update = ManualUpdate.objects.filter(order=order).first()
    together = _together(shipments)
    for shipment in shipments:
        shipment.words = ParcelWords(
            lines=tuple(_line(row, items.get(row.item_id)) for row in packed.get(shipment.pk, [])),
            notice=_notice(order, shipment, first_word, update),
            with_orders=tuple(sent.order for sent in together.get(shipment.pk, [])),
            by_hand=_seller_central(order) if _waits(shipment, update) else "",
            voided=shipment.voided_at is not None,
            may_be_voided=shipment.voided_at is None and shipment.combined_with_id is None,
        )


def _line(row: ShipmentItem, item: OrderItem | None) -> str:
    name = (item.sku or item.asin or item.title) if item else ""
    if item is None or row.quantity == item.quantity:
        return f"{row.quantity} × {name or '?'}"
    return _("%(count)d of %(all)d × %(name)s") % {"count": row.quantity, "all": item.quantity, "name": name or "?"}


def _together(shipments: Sequence[Shipment]) -> dict[int, list[Shipment]]:
    """The other shipments of each parcel that holds several orders."""
    leads = {sent.combined_with_id or sent.pk: sent for sent in shipments}
    riders = Shipment.objects.filter(combined_with__in=leads).select_related("order").order_by("pk")
    rows = list(riders)
    if not rows:
        return {}
    heads = {sent.pk: sent for sent in Shipment.objects.filter(pk__in=leads).select_related("order")}
    found = {}
    for sent in shipments:
        lead = sent.combined_with_id or sent.pk
        parcel = [heads[lead], *(row for row in rows if row.combined_with_id == lead)]
        found[sent.pk] = [other for other in parcel if other.pk != sent.pk and other.voided_at == sent.voided_at]
    return found


def _notice(order: Order, shipment: Shipment, notice: ShipmentNotification | None, update: ManualUpdate | None) -> str:
    """Why Amazon is not told of this parcel; '' where it is, or where there is nothing to say."""
    if order.store.platform != Store.Platform.AMAZON or shipment.is_return:
        return ""
    if update is not None and update.shipment_id == shipment.pk:
        return _of_rider(update)
    if notice is None or notice.shipment_id == shipment.pk or shipment.voided_at is not None:
        return ""
    first = {"tracking": notice.shipment.tracking_number}
    if outbox.amazon_knows(notice) or notice.state == State.MANUAL:
        return _("No notice: Amazon takes one update an order, and the parcel %(tracking)s was the first.") % first
    if notice.state == State.WITHDRAWN:
        return ""
    return _("No notice: that of the parcel %(tracking)s came first. See below what it needs.") % first


def _of_rider(update: ManualUpdate) -> str:
    match update.done_how:
        case DoneHow.BY_HAND:
            return _("No notice: it travels in another order's parcel. Somebody confirmed it in Seller Central.")
        case DoneHow.SEEN:
            return _("No notice: it travels in another order's parcel. Amazon reports it as shipped.")
        case DoneHow.VOIDED:
            return ""
    return _("No notice: it travels in another order's parcel. Confirm it in Seller Central, with this number.")


def _waits(shipment: Shipment, update: ManualUpdate | None) -> bool:
    return update is not None and update.done_at is None and update.shipment_id == shipment.pk


def _seller_central(order: Order) -> str:
    market = order.store.market
    return sellercentral.order_url(market, order.order_number) if market else ""
