"""The outbox rows of a parcel: whether a marketplace is told of it, and when. Written in the parcel's own transaction."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from orders.models import Order, OrderEvent
from shipments import carriers, manual_updates
from shipments.models import Shipment, ShipmentNotification
from shipments.models.notification import GATHER
from stores import notifying
from stores.connectors.base import Parcel
from stores.models import Store

State = ShipmentNotification.State
Channel = ShipmentNotification.Channel
CASH_ON_DELIVERY = "CashOnDelivery"
SHIP_PLUS = "FBM_SHIP_PLUS"  # a program whose labels confirm the order themselves


def queue(shipment: Shipment, *, now: datetime, tell_from: datetime | None = None) -> None:
    """Queue what the marketplaces must hear of a parcel. Call in its transaction, with the order locked.

    A second parcel of an order finds the notice there, adds none, and its order's timeline says why (R46). What the
    store's settings withhold is kept too, as told by hand, with the reason. `tell_from`: not before this instant, for
    parcels that are told together. An order that travels in another's parcel is left to somebody's hand (R50).
    """
    order = shipment.order
    if order.store.platform != Store.Platform.AMAZON or order.by_amazon or shipment.is_return:
        return
    withheld = why_withheld(order, now) or (ShipmentNotification.TOLD_BY_PROVIDER if shipment.confirms_order else "")
    by_hand = shipment.combined_with_id and withheld != ShipmentNotification.TOLD_BY_CONNECTOR
    if manual_updates.was_done(order.pk) or (by_hand and amazon_knows(_first_word(order))):
        _note_known(shipment, now=now)
    elif by_hand:
        manual_updates.add(shipment, now=now)
    else:
        _queue_amazon(shipment, withheld, now=now, tell_from=tell_from)
    if order.store.linked_store_id:  # the first parcel only, like Amazon
        _arm(order, Channel.BIGCOMMERCE, {"shipment": shipment, "created_at": now, "next_attempt_at": now})
    Order.objects.filter(pk=order.pk).update(told_shipped=True)


def _queue_amazon(shipment: Shipment, withheld: str, *, now: datetime, tell_from: datetime | None) -> None:
    order = shipment.order
    first = notifying.first_attempt(order.store, now, order.ship_by) or now
    first = first if first > now else now + GATHER
    wanted = {
        "shipment": shipment, "created_at": now, "next_attempt_at": max(first, tell_from or first),
        "state": State.MANUAL if withheld else State.PENDING, "error_code": withheld,
    }  # fmt: skip
    is_first = _arm(order, Channel.AMAZON, wanted)
    if is_first and withheld:
        note(order, {"channel": Channel.AMAZON, "state": "withheld", "code": withheld}, now=now)
    if not is_first:
        _note_known(shipment, now=now)


def _first_word(order: Order) -> ShipmentNotification | None:
    return ShipmentNotification.objects.filter(order=order.pk, channel=Channel.AMAZON, correction_of=None).first()


def amazon_knows(notice: ShipmentNotification | None) -> bool:
    """Whether Amazon heard of the order by this notice, or may have, or will: what went wrong or was withheld aside."""
    return notice is not None and not notice.is_withheld and notice.state not in (State.WITHDRAWN, *State.STUCK)


def _note_known(shipment: Shipment, *, now: datetime) -> None:
    OrderEvent.objects.create(
        order=shipment.order, kind=OrderEvent.Kind.TOLD_OF_FIRST, at=now, params={"tracking": shipment.tracking_number}
    )  # fmt: skip


def _arm(order: Order, channel: str, wanted: dict) -> bool:
    """Add the row, or take up one that was withdrawn with a voided parcel, under its old reference; whether either was.

    The reference is the first parcel's number, and stays: whatever is sent for this order edits one package.
    """
    reference = str(wanted["shipment"].pk)
    notice, is_new = ShipmentNotification.objects.get_or_create(
        order=order, channel=channel, correction_of=None, defaults=wanted | {"package_reference": reference}
    )
    if is_new or notice.state != State.WITHDRAWN:
        return is_new
    return ShipmentNotification.objects.move(notice, frm=State.WITHDRAWN, **{"state": State.PENDING, **wanted})


def note(order: Order, params: dict, *, now: datetime, by=None) -> None:
    """A line about a notice on the order's timeline."""
    OrderEvent.objects.create(order=order, kind=OrderEvent.Kind.NOTICE, at=now, actor=by, params=params)


def withdraw(shipment: Shipment, *, now: datetime) -> None:
    """After a parcel was voided: what was not sent goes to another parcel of the order, or is withdrawn.

    Call in the transaction that voids it, with the order locked. What was sent, or may have been, stays (R47).
    """
    unsent = Q(attempts=0, state__in=[State.PENDING, State.RETRY_AT])
    withheld = Q(state=State.MANUAL, error_code__in=ShipmentNotification.WITHHELD)
    bought = Q(state=State.MANUAL, error_code=ShipmentNotification.TOLD_BY_PROVIDER)
    for row in ShipmentNotification.objects.filter(unsent | (withheld & ~bought), shipment=shipment):
        row.shipment = shipment
        pass_on(row, now=now)
    if shipment.combined_with_id:  # an order in another's parcel has no notice of its own that could be withdrawn
        _unsay(shipment.order)


def pass_on(row: ShipmentNotification, *, now: datetime) -> None:
    """Give the notice of a voided parcel, of which Amazon knows nothing, to the order's next parcel, or withdraw it."""
    order = row.shipment.order
    others = order.shipments.filter(voided_at__isnull=True, is_return=False, combined_with__isnull=True)
    other = None if row.correction_of_id else others.order_by("created_at", "pk").first()
    if other is not None:
        ShipmentNotification.objects.move(row, frm=row.state, shipment=other)
        return
    with transaction.atomic():
        if ShipmentNotification.objects.move(row, frm=row.state, state=State.WITHDRAWN, error_code="", starts=0):
            note(order, {"channel": row.channel, "state": State.WITHDRAWN}, now=now)
        _unsay(order)


def _unsay(order: Order) -> None:
    """Where Amazon neither was nor will be told of the order, its word that it is shipped is no echo of ours."""
    told = ShipmentNotification.objects.filter(order=order, channel=Channel.AMAZON)
    if not told.exclude(state=State.WITHDRAWN).exists() and not manual_updates.was_done(order.pk):
        Order.objects.filter(pk=order.pk).update(told_shipped=False)


def why_withheld(order: Order, now: datetime) -> str:
    """Why OrderHub does not tell Amazon of this order's parcel, as a code, or ''."""
    store = order.store
    if SHIP_PLUS in order.programs:
        return ShipmentNotification.TOLD_BY_PROVIDER
    if store.amazon_told_by == Store.ToldBy.CONNECTOR:
        return ShipmentNotification.TOLD_BY_CONNECTOR
    if order.wishes.get("no_notice"):
        return ShipmentNotification.BY_RULE
    return ShipmentNotification.STORE_POLICY if notifying.first_attempt(store, now, None) is None else ""


def parcel_of(row: ShipmentNotification) -> Parcel:
    """What Amazon is told: the first parcel, and all lines of the order whatever part of it left (R48).

    No query where the notice was read with its order, store and shipment, and the order's items of at least one unit
    were prefetched in their order.
    """
    order, shipment = row.order, row.shipment
    code, name = carrier_for_amazon(shipment)
    return Parcel(
        order_number=order.order_number,
        marketplace_id=order.store.market.id,
        reference=row.package_reference,
        carrier_code=code,
        carrier_name=name,
        service=shipment.service,
        tracking_number=shipment.tracking_number,
        shipped_at=amazon_ship_instant(order, shipment),
        items=tuple(
            (item.amazon_item_id, item.quantity)
            for item in sorted(order.items.all(), key=lambda item: item.pk)
            if item.quantity > 0
        ),
        cash_on_delivery=CASH_ON_DELIVERY in order.payment_method and order.store.marketplace == "JP",
    )


def amazon_ship_instant(order: Order, shipment: Shipment) -> datetime:
    """When Amazon is told the parcel left: the ship date, never before the order, never after we made the shipment."""
    start = shipment.first_ship_at or shipment.created_at
    return min(max(start, order.ordered_at), shipment.created_at)


def carrier_for_amazon(shipment: Shipment) -> tuple[str, str]:
    """Amazon's carrier code, and the carrier's name where the code is `Other`."""
    carrier = carriers.named(shipment.carrier)
    return carrier.amazon, carrier.name if carrier.amazon == "Other" else ""
