"""Sending an order: the shipment, its label, the notice to the marketplace and the erasure clock, together."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import RuleViolation
from orders import correcting, roman, stock
from orders.models import Order, OrderEvent, OrderItem, OrderPersonalData
from orders.retention import facts_of, periods_for, recompute
from privacy import retention
from shipments import carriers
from shipments.labels import content, pdf
from shipments.models import Label, Shipment, ShipmentItem, ShipmentNotification
from stores import notifying
from stores.models import Store

_NUMBER = re.compile(r"[A-Z0-9]{4,40}")


@dataclass(frozen=True)
class ParcelWish:
    """What a person typed to send an order. `ship_date`: a day in the store's time zone."""

    carrier: str
    tracking_number: str
    ship_date: date
    service: str = ""
    weight_g: int | None = None
    with_label: bool = True


class Cleaned(NamedTuple):
    carrier: str
    tracking_number: str


def clean(wish: ParcelWish, number: str) -> Cleaned:
    """Carrier and tracking number fit to be sent. RuleViolation says what is missing; `number`: the order's."""
    order = {"number": number}
    if not wish.carrier.strip():
        raise RuleViolation(_("Choose the carrier of order %(number)s.") % order)
    tracking = re.sub(r"[\s\-.]", "", wish.tracking_number).upper()
    if not tracking:
        raise RuleViolation(
            _("Type the tracking number of order %(number)s: Amazon refuses a shipment without one.") % order
        )
    if not _NUMBER.fullmatch(tracking):
        raise RuleViolation(
            _(
                "The tracking number of order %(number)s may hold 4 to 40 letters and digits only. Check it on the label."
            )
            % order
        )
    return Cleaned(wish.carrier.strip()[:40], tracking)


def ship(order: Order, wish: ParcelWish, *, now: datetime, by=None) -> Shipment:
    """Send everything of an order in one parcel. All or nothing; of two people at once, one is refused.

    RuleViolation, with what to do, for an order that must not be sent or a wish that is incomplete.
    """
    fit = clean(wish, order.order_number)
    refusal = order.why_not_shippable()
    if refusal:
        raise RuleViolation(refusal)
    if wish.with_label:
        _check_address(order)
    with transaction.atomic():
        stock.refuse_short(order)
        order.mark_shipped(at=now)
        shipment = Shipment.objects.create(
            order=order,
            carrier=fit.carrier,
            service=wish.service.strip()[:80],
            tracking_number=fit.tracking_number,
            tracked=False,  # typed by hand: nobody reports its scans to us
            ship_date=wish.ship_date,
            first_ship_at=datetime.combine(wish.ship_date, time(0), tzinfo=order.store.zone),
            weight_g=wish.weight_g,
            created_at=now,
            created_by=by,
        )
        _pack_all(shipment)
        label = _label_row(shipment) if wish.with_label else None
        _queue_notice(shipment, now=now)
        recompute(order)
        if label is not None:
            _check_address(order)  # again: now the order is locked, and no import can change its address
        OrderEvent.objects.create(
            order=order, kind=OrderEvent.Kind.SHIPMENT, at=now, actor=by,
            params={"carrier": shipment.carrier_name, "tracking": shipment.tracking_number, "shipment": shipment.pk},
        )  # fmt: skip
    failpoints.reach("ship.after_commit")
    if label is not None:
        with suppress(RuleViolation):  # an address that changed this very moment: opening the label says so
            write_label(label)
    return shipment


def _check_address(order: Order) -> None:
    """R17. RuleViolation where a label could not be read, or would name nobody."""
    if nobody := correcting.why_no_label(order):
        raise RuleViolation(nobody)
    if roman.unreadable([order.pk]):
        raise RuleViolation(unreadable_address(order))


def unreadable_address(order: Order) -> str:
    """Why no label can be made for an address in other characters, and what to do."""
    told = _(
        "The address of order %(number)s is not in Roman characters, which carriers cannot read. Open the order, fill in the address in Roman characters, then make the label."
    )
    return told % {"number": order.order_number}


def _pack_all(shipment: Shipment) -> None:
    """Put every unit that is left into the parcel. The UPDATE decides: a unit never leaves twice."""
    packed = 0
    for item in shipment.order.items.all():
        left = item.quantity - item.quantity_shipped
        if left <= 0:
            continue
        free = OrderItem.objects.filter(pk=item.pk, quantity_shipped=item.quantity_shipped)
        if not free.update(quantity_shipped=F("quantity_shipped") + left):
            raise RuleViolation(_("The order changed meanwhile: look at it again."))
        ShipmentItem.objects.create(shipment=shipment, item=item, quantity=left)
        packed += left
    if not packed:
        raise RuleViolation(
            _("Nothing is left to send in order %(number)s.") % {"number": shipment.order.order_number}
        )  # fmt: skip


def _queue_notice(shipment: Shipment, *, now: datetime) -> None:
    """The outbox row, in the shipment's transaction. A second parcel of an order finds it there and adds none.

    What the store's settings withhold is kept too, as told by hand, with the reason.
    """
    order = shipment.order
    if order.store.platform != "amazon" or order.by_amazon:
        return
    first = notifying.first_attempt(order.store, now, order.ship_by)
    withheld = why_withheld(order, now)
    State = ShipmentNotification.State
    notice, is_new = ShipmentNotification.objects.get_or_create(
        order=order,
        channel=ShipmentNotification.Channel.AMAZON,
        defaults={
            "shipment": shipment,
            "package_reference": str(shipment.pk),
            "created_at": now,
            "next_attempt_at": first or now,
            "state": State.MANUAL if withheld else State.PENDING,
            "error_code": withheld,
        },
    )
    if withheld and is_new:
        OrderEvent.objects.create(
            order=order, kind=OrderEvent.Kind.NOTICE, at=now,
            params={"channel": notice.channel, "state": "withheld", "code": withheld},
        )  # fmt: skip


def why_withheld(order: Order, now: datetime) -> str:
    """Why OrderHub does not tell Amazon of this order's parcel, as a code, or ''."""
    store = order.store
    if store.amazon_told_by == Store.ToldBy.CONNECTOR:
        return ShipmentNotification.TOLD_BY_CONNECTOR
    if order.wishes.get("no_notice"):
        return ShipmentNotification.BY_RULE
    return ShipmentNotification.STORE_POLICY if notifying.first_attempt(store, now, None) is None else ""


def _label_row(shipment: Shipment) -> Label:
    """The row first, its file after the commit: a file without a row would never be erased."""
    order = shipment.order
    periods = periods_for(order.store)
    parcel = retention.Parcel(
        created_at=shipment.created_at,
        tracked=shipment.tracked,
        label_created_at=shipment.created_at,
        shipped_at=shipment.first_ship_at,
        delivered_at=shipment.first_delivered_at,
        active=shipment.active,
    )
    due = retention.label_due(parcel, retention.order_due(facts_of(order), periods), periods)
    label = Label(shipment=shipment, created_at=shipment.created_at, due_at=due.at, due_rule=due.rule)
    label.save()
    label.file.name = f"{shipment.pk // 1000}/{label.pk}.pdf"
    label.save(update_fields=["file"])
    return label


def write_label(label: Label) -> None:
    """Draw the label's file. Safe to repeat; an erased label stays erased, whoever comes first.

    RuleViolation where the address is not in Roman characters (any more).
    """
    storage, name = label.file.storage, label.file.name
    if roman.unreadable([label.shipment.order_id]):
        raise RuleViolation(
            _(
                "The label of order %(number)s is gone and cannot be drawn again: its address is not in Roman characters."
            )
            % {"number": label.shipment.order.order_number}
        )
    drawn = pdf.draw(content.shipping_label(_label_data(label.shipment)))
    with transaction.atomic():
        if not Label.objects.select_for_update().filter(pk=label.pk, redacted_at__isnull=True):
            return
        if storage.exists(name):
            storage.delete(name)
        storage.save(name, ContentFile(drawn))


def _label_data(shipment: Shipment) -> content.LabelData:
    order, store = shipment.order, shipment.order.store
    person = OrderPersonalData.objects.get(pk=order.pk)  # as it is now: the row in hand may be older
    sender = {
        key: str(value) for key, value in _ship_from(order).items() if key in content.Address.__dataclass_fields__
    }
    return content.LabelData(
        order_number=order.order_number,
        shipment_id=shipment.pk,
        carrier=shipment.carrier_name,
        service=shipment.service,
        tracking_number=shipment.tracking_number,
        ship_date=shipment.ship_date,
        ship_to=content.Address(**roman.ship_to(person)),
        ship_from=content.Address(**({"name": store.brand_name or store.merchant.name} | sender)),
        weight_g=shipment.weight_g,
    )


def _ship_from(order: Order) -> dict:
    """The address it leaves from: its store's, or that of the merchant's store a rule wished for, while it has one."""
    wished = order.wishes.get("ship_from")
    if wished is None:
        return order.store.ship_from
    other = Store.objects.filter(pk=wished, merchant=order.store.merchant_id).values_list("ship_from", flat=True)
    return other.first() or order.store.ship_from


def amazon_ship_instant(shipment: Shipment) -> datetime:
    """When Amazon is told the parcel left: the ship date, never before the order, never after we made the shipment."""
    start = shipment.first_ship_at or shipment.created_at
    return min(max(start, shipment.order.ordered_at), shipment.created_at)


def carrier_for_amazon(shipment: Shipment) -> tuple[str, str]:
    """Amazon's carrier code, and the carrier's name where the code is `Other`."""
    carrier = carriers.named(shipment.carrier)
    return carrier.amazon, carrier.name if carrier.amazon == "Other" else ""
