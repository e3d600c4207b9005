"""Return labels: from the buyer to the shop, for an order that was sent. No units move and no marketplace is told."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders import roman
from orders.models import Order, OrderEvent, OrderPersonalData
from shipments import dispatching, labelling
from shipments.mails.deciding import AMAZON
from shipments.models import Shipment

SHIP_FROM_NEEDED = ("street1", "city", "country")


@dataclass(frozen=True)
class ReturnWish:
    """What a person typed to have an order sent back."""

    carrier: str
    tracking_number: str
    service: str = ""
    weight_g: int | None = None


def was_sent(order: Order) -> bool:
    """Whether there is anything to send back: shipped here or elsewhere, in whole or in part."""
    return order.status == Order.Status.SHIPPED or order.shipments.filter(voided_at=None, is_return=False).exists()


def why_not(order: Order, *, now: datetime) -> str:
    """Why no return label can be made, as a sentence that says what to do instead; or ''. At most three queries."""
    number = {"number": order.order_number}
    if order.by_amazon:
        return _("Order %(number)s is fulfilled by Amazon: Amazon handles its returns too.") % number
    if not was_sent(order):
        return _("Nothing of order %(number)s was sent yet: there is nothing to send back.") % number
    if order.is_erased(now=now):
        return _("The address of order %(number)s was erased.") % number + _elsewhere(order)
    return _why_not_here(order) or _why_not_there(order)


def _elsewhere(order: Order) -> str:
    if order.origin_marketplace != AMAZON:
        return " " + _("Send the buyer a label that your carrier made.")
    return " " + _("Make the return label in Seller Central.")


def _why_not_here(order: Order) -> str:
    """What is wrong with the address the parcel would come back to."""
    here = labelling.ship_from(order) or {}
    store = {"store": order.store.name}
    if not all(here.get(part) for part in SHIP_FROM_NEEDED):
        return (
            _("The ship-from address of %(store)s is incomplete: returns go there. Fill it in on the store's page.")
            % store
        )
    if not all(roman.is_roman(str(text)) for text in here.values()):
        return _("Write the ship-from address of %(store)s in Roman characters, on the store's page.") % store
    return ""


def _why_not_there(order: Order) -> str:
    """What is wrong with the buyer's address."""
    person = OrderPersonalData.objects.filter(pk=order.pk, marker="").first()
    if person is None or not (person.street1 or person.street2):
        return _("OrderHub has no address for order %(number)s.") % {"number": order.order_number} + _elsewhere(order)
    return labelling.unreadable_address(order) if roman.missing(person) else ""


def make(order: Order, wish: ReturnWish, *, by, now: datetime) -> Shipment:
    """Make the return label of an order. All or nothing. Its address goes with the order's, never later (R85).

    RuleViolation, with what to do, where it cannot be; also for a number that a return of this order has already, so
    that pressing twice makes one.
    """
    if not wish.tracking_number.strip():
        told = _("Type the tracking number of the return of order %(number)s.") % {"number": order.order_number}
        raise RuleViolation(told)
    fit = dispatching.clean(wish, order.order_number)
    with transaction.atomic():
        here = Order.objects.select_for_update(of=("self",)).select_related("store__merchant").get(pk=order.pk)
        if refusal := why_not(here, now=now):
            raise RuleViolation(refusal)
        _refuse_twice(here, fit.tracking_number)
        shipment = Shipment.objects.create(
            order=here, is_return=True, carrier=fit.carrier, service=wish.service.strip()[:80],
            tracking_number=fit.tracking_number, ship_date=now.astimezone(here.store.zone).date(),
            weight_g=wish.weight_g, created_at=now, created_by=by, tracked=False,
        )  # fmt: skip
        label = labelling.new_row(shipment)
        labelling.follow_order(here)
        OrderEvent.objects.create(
            order=here, kind=OrderEvent.Kind.RETURN_LABEL, at=now, actor=by,
            params={"carrier": shipment.carrier_name, "tracking": shipment.tracking_number, "shipment": shipment.pk},
        )  # fmt: skip
    with suppress(RuleViolation):  # an address that changed this very moment: opening the label says so
        labelling.write_label(label)
    return shipment


def _refuse_twice(order: Order, tracking: str) -> None:
    if order.shipments.filter(is_return=True, voided_at=None, tracking_number=tracking).exists():
        told = _("Order %(number)s has a return label with the tracking number %(tracking)s already: open that one.")
        raise RuleViolation(told % {"number": order.order_number, "tracking": tracking})
