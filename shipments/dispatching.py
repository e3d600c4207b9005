"""Sending an order: the shipment, its label, the notice to the marketplace and the erasure clock, together."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import RuleViolation
from orders import stock
from orders.models import Order, OrderEvent, OrderItem
from orders.retention import recompute
from shipments import carriers, labelling, mails, outbox, trackingnumbers
from shipments.models import Label, LabelPurchase, Shipment, ShipmentItem
from shipments.providers.base import Bought

_NUMBER = re.compile(r"[A-Z0-9]{4,40}")


@dataclass(frozen=True)
class ParcelWish:
    """What a person typed to send an order. `ship_date`: a day in the store's time zone.

    `items`: units by the id of the order's line, for a part of it; None: all that is left.
    """

    carrier: str
    tracking_number: str
    ship_date: date
    service: str = ""
    weight_g: int | None = None
    with_label: bool = True
    items: Mapping[int, int] | None = None
    note_to_buyer: str = ""


class Cleaned(NamedTuple):
    carrier: str
    tracking_number: str


def clean(wish: ParcelWish, number: str) -> Cleaned:
    """Carrier and tracking number fit to be sent. RuleViolation says what is missing; `number`: the order's."""
    order = {"number": number}
    if not wish.carrier.strip():
        raise RuleViolation(_("Choose the carrier of order %(number)s.") % order)
    carrier = carriers.in_table(wish.carrier.strip()[:40]).code
    tracking = trackingnumbers.tidy(carrier, wish.tracking_number)
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
    return Cleaned(carrier, tracking)


def ship(
    order: Order, wish: ParcelWish, *, now: datetime, by=None, bought: Bought | None = None,
    tell_from: datetime | None = None, within: Callable[[Shipment], None] | None = None,
    combined_with: Shipment | None = None,
) -> Shipment:  # fmt: skip
    """Send an order, or a part of it, in one parcel. All or nothing; of two people at once, one is refused.

    `bought`: the label a provider sold, else it is our own. `tell_from`: no marketplace is told before. `within`: called
    with the shipment in the same transaction, so that a record of ours and the parcel come together or not at all.
    `combined_with`: the parcel of another order it travels in, whose label is for both; see shipments.combining.
    RuleViolation, with what to do, for an order that must not be sent or a wish that is incomplete.
    """
    fit = clean(wish, order.order_number)
    refusal = order.why_not_shippable()
    if refusal:
        raise RuleViolation(refusal)
    own_label = wish.with_label and bought is None
    if own_label:
        labelling.check_address(order)
    with transaction.atomic():
        _lock(order)
        if bought is None:
            _refuse_while_buying(order)
        stock.refuse_short(order, wish.items)
        shipment = Shipment.objects.create(
            order=order,
            carrier=fit.carrier,
            service=wish.service.strip()[:80],
            tracking_number=fit.tracking_number,
            ship_date=wish.ship_date,
            first_ship_at=_starts_at(wish, order, combined_with),
            weight_g=wish.weight_g,
            note_to_buyer=wish.note_to_buyer.strip()[:500],
            created_at=now,
            created_by=by,
            combined_with=combined_with,
            **_of_provider(bought),
        )
        whole = pack(shipment, wish.items)
        if whole:
            order.mark_shipped(at=now)
        label = None
        if wish.with_label:
            label = labelling.new_row(shipment, format=bought.format if bought else Label.Format.PDF)
        outbox.queue(shipment, now=now, tell_from=tell_from)
        recompute(order)
        labelling.follow_order(order)
        if own_label:
            labelling.check_address(order)  # again: now the order is locked, and no import can change its address
        _write_event(shipment, whole=whole)
        mails.after_shipping(shipment, by=by, now=now)
        if within is not None:
            within(shipment)
    failpoints.reach("ship.after_commit")
    if label is not None:
        _store_file(label, bought)
    return shipment


def _write_event(shipment: Shipment, *, whole: bool) -> None:
    """The parcel in the order's timeline; `whole`: nothing of the order is left to send."""
    OrderEvent.objects.create(
        order=shipment.order,
        kind=OrderEvent.Kind.SHIPMENT if whole else OrderEvent.Kind.PART_SHIPPED,
        at=shipment.created_at,
        actor=shipment.created_by,
        params={"carrier": shipment.carrier_name, "tracking": shipment.tracking_number, "shipment": shipment.pk},
    )


def _store_file(label: Label, bought: Bought | None) -> None:
    """The label's file, after the parcel is written down: what was bought, else our own drawing of it."""
    if bought is None:
        with suppress(RuleViolation):  # an address that changed this very moment: opening the label says so
            labelling.write_label(label)
    elif bought.document:  # else it is fetched when somebody opens it
        labelling.keep_file(label, bought.document)


def _starts_at(wish: ParcelWish, order: Order, combined_with: Shipment | None) -> datetime:
    """The day's beginning where the store is; one parcel has one such instant, whatever stores its orders are of."""
    return combined_with.first_ship_at if combined_with else datetime.combine(wish.ship_date, time(0), order.store.zone)


def _lock(order: Order) -> None:
    """Hold the order, and only one that may be sent still. Of two people at once the second finds it sent."""
    if not Order.objects.shippable().filter(pk=order.pk, cancel_requested_at__isnull=True).select_for_update():
        order.refresh_from_db()
        raise RuleViolation(order.why_not_shippable() or _("The order changed meanwhile: look at it again."))


def _refuse_while_buying(order: Order) -> None:
    """A label that is bought, or may be, is sent with: else it is paid for nothing."""
    idle = Q(state=LabelPurchase.State.BOUGHT, shipment__isnull=True)
    if order.purchases.filter(idle | Q(state__in=LabelPurchase.State.OPEN)).exists():
        raise RuleViolation(being_bought(order))


def being_bought(order: Order) -> str:
    told = _("A label for order %(number)s is being bought, or was bought: see it on the order's page first.")
    return told % {"number": order.order_number}


def _of_provider(bought: Bought | None) -> dict:
    """The columns of a label's provider. Typed by hand, nobody reports its scans to us: not tracked (R80, R81)."""
    if bought is None:
        return {"tracked": False}
    return {
        "provider": bought.provider, "provider_ref": bought.provider_ref, "confirms_order": bought.confirms_order,
        "tracked": bought.tracked, "cost": bought.price, "cost_currency": bought.currency if bought.price is not None else "",
    }  # fmt: skip


def pack(shipment: Shipment, items: Mapping[int, int] | None) -> bool:
    """Put these units, or every unit that is left, into the parcel; whether nothing is left then.

    The UPDATE decides: a unit never leaves twice. RuleViolation where more is wanted than is left, or nothing is.
    """
    lines = list(shipment.order.items.order_by("pk"))
    number = {"number": shipment.order.order_number}
    left = {item.pk: item.quantity - item.quantity_shipped for item in lines}
    wanted = {pk: units for pk, units in (left if items is None else items).items() if units > 0}
    if not wanted:
        raise RuleViolation(_("Nothing is left to send in order %(number)s.") % number)
    if any(units > left.get(pk, 0) for pk, units in wanted.items()):
        raise RuleViolation(_("More is wanted of order %(number)s than is left to send: look at it again.") % number)
    for item in lines:
        units = wanted.get(item.pk, 0)
        if not units:
            continue
        free = OrderItem.objects.filter(pk=item.pk, quantity_shipped=item.quantity_shipped)
        if not free.update(quantity_shipped=F("quantity_shipped") + units):
            raise RuleViolation(_("The order changed meanwhile: look at it again."))
        ShipmentItem.objects.create(shipment=shipment, item=item, quantity=units)
    return all(units <= wanted.get(pk, 0) for pk, units in left.items())
