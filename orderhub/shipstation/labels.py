"""Labels, as version 1 makes, prices and voids them.

OrderHub draws the label of a parcel whose number the client has from its own carrier, and buys from Amazon Buy Shipping
what /shipments/getrates offered for an order. It sells nothing itself.
"""

import base64
from datetime import date

from orderhub.errors import RuleViolation
from orderhub.rest import scopes
from orderhub.shipstation import carriercodes, instants, measures, orders, parcels, values
from orderhub.shipstation.calls import Call, Refused, Wrong
from orderhub.shipstation.dispatching import route
from orders.models import Order
from shipments import buying, dispatching, opening, quoting, voiding
from shipments.models import Label, Shipment
from shipments.providers.base import ParcelFacts, Rate
from shipments.providers.registry import sells_for

SOLD = "amazon_buy_shipping"  # version 1's code of Amazon's own labels
NO_NUMBER = (
    "OrderHub sells no labels of this carrier. Send trackingNumber, the number of your own carrier, and OrderHub draws "
    "the label; or ask POST /shipments/getrates with the orderId and send a serviceCode of its answer."
)
KNOWN: values.Known = dict.fromkeys((
    "orderId", "carrierCode", "serviceCode", "packageCode", "confirmation", "shipDate", "weight", "dimensions",
    "trackingNumber", "testLabel", "insuranceOptions", "internationalOptions", "advancedOptions", "shipFrom", "shipTo",
))  # fmt: skip


@route("POST", "/orders/createlabelfororder", scope=scopes.SHIPMENTS_WRITE)
def made_for_order(call: Call) -> dict:
    """Send the order with a label. Sent again after a lost answer, with the same number, it answers with that label."""
    parcel = _made(call)
    return {
        "shipmentId": parcel.pk, "shipmentCost": float(parcel.cost or 0), "insuranceCost": 0,
        "trackingNumber": parcel.tracking_number, "labelData": _label_data(call, parcel), "formData": None,
    }  # fmt: skip


@route("POST", "/shipments/createlabel", scope=scopes.SHIPMENTS_WRITE)
def made(call: Call) -> dict:
    """The same, answered with the whole parcel. A label for an address without an order is not made here."""
    if values.absent(values.field(call.body, "orderId")):
        told = "A label belongs to an order here: POST /orders/createorder first, then send its orderId with this."
        raise Refused(told, status=501)
    parcel = _made(call)
    found = list(parcels.whole(parcels.rows(call).filter(pk=parcel.pk), with_items=True))
    return parcels.shipments(call, found, with_items=True)[0] | {"labelData": _label_data(call, parcel)}


def _made(call: Call) -> Shipment:
    if not call.key.may(scopes.LABELS_READ):
        raise Refused(f"A label names the recipient: this needs the scope {scopes.LABELS_READ}.", status=403)
    values.note_unknown(call, call.body, KNOWN)
    order = orders.one(call, values.field(call.body, "orderId"))
    if values.boolean(values.field(call.body, "testLabel")):
        raise Refused("There are no test labels here: each one sends its order.", status=400)
    carrier = values.word(values.field(call.body, "carrierCode"))
    if not carrier:
        raise Wrong({"carrierCode": ["carrierCode is required."]})
    number = values.word(values.field(call.body, "trackingNumber"))
    if not number and carrier.lower() == SOLD:
        return _bought(call, order)
    if not number:
        raise Wrong({"trackingNumber": [NO_NUMBER]})
    return _drawn(call, order, carrier, number)


def _drawn(call: Call, order: Order, carrier: str, number: str) -> Shipment:
    wish = dispatching.ParcelWish(
        carrier=carriercodes.for_number(carrier, number), tracking_number=number, ship_date=_ship_date(call, order),
        service=carriercodes.name_of_service(carrier, values.word(values.field(call.body, "serviceCode"))),
        weight_g=measures.grams(values.field(call.body, "weight")),
    )  # fmt: skip
    fit = dispatching.clean(wish, order.order_number)
    sent = order.shipments.filter(tracking_number=fit.tracking_number, voided_at__isnull=True, is_return=False)
    return sent.filter(labels__isnull=False).first() or dispatching.ship(order, wish, now=call.now, by=call.key.user)


def _bought(call: Call, order: Order) -> Shipment:
    """Amazon's offer of this service, at today's price."""
    wanted = values.word(values.field(call.body, "serviceCode"))
    facts = _facts(call, order)
    rates = quoting.quote(order, facts, now=call.now)
    rate = next((found for found in rates if _service_code(found) == wanted), None)
    if rate is None:
        raise Wrong(
            {"serviceCode": ["This service is not offered for the parcel. POST /shipments/getrates lists them."]}
        )
    return buying.buy(order, rate, parcel=facts, now=call.now, by=call.key.user, label_format=Label.Format.PDF)


@route("POST", "/shipments/getrates", scope=scopes.SHIPMENTS_READ)
def rates(call: Call) -> list[dict]:
    """What Amazon Buy Shipping asks for an order's parcel. For carriers of the client's own nobody here knows a price."""
    carrier = values.word(values.field(call.body, "carrierCode")).lower()
    told = values.field(call.body, "orderId")
    if values.absent(told) or carrier not in ("", SOLD):
        return []
    order = orders.one(call, told)
    if not sells_for(order):
        return []
    return [
        {
            "serviceName": f"{rate.carrier_name} {rate.service}".strip(), "serviceCode": _service_code(rate),
            "shipmentCost": float(rate.price), "otherCost": 0,
        }
        for rate in quoting.quote(order, _facts(call, order), now=call.now)
    ]  # fmt: skip


@route("POST", "/shipments/voidlabel", scope=scopes.SHIPMENTS_WRITE)
def voided(call: Call) -> dict:
    """`{"shipmentId": 12}`, or the bare number one client sends."""
    told = call.body if isinstance(call.body, int) else values.field(call.body, "shipmentId")
    number = values.integer(told)
    found = parcels.rows(call).select_related("order__store").filter(pk=number).first() if number else None
    if found is None:
        raise Refused("There is no shipment of this number.", status=404)
    try:
        voiding.void(found, by=call.key.user, now=call.now)
    except RuleViolation as error:
        return {"approved": False, "message": str(error)}
    return {"approved": True, "message": "Label voided successfully"}


def _facts(call: Call, order: Order) -> ParcelFacts:
    """The parcel as the client measured it, else as far as its products are known."""
    known = quoting.preset(order)
    sides = measures.millimetres(values.field(call.body, "dimensions"))
    told = {"weight_g": measures.grams(values.field(call.body, "weight"))} | dict(
        zip(quoting.SIDES, sides, strict=True)
    )
    measured = {name: told.get(name) or known.get(name) for name in ("weight_g", *quoting.SIDES)}
    return quoting.facts(order, now=call.now, ship_date=_ship_date(call, order), **measured)


def _ship_date(call: Call, order: Order) -> date:
    """A day of the store: the client's, else today."""
    told = instants.day("shipDate", values.field(call.body, "shipDate"))
    return told or call.now.astimezone(order.store.zone).date()


def _service_code(rate: Rate) -> str:
    return carriercodes.in_code(f"{rate.carrier_name} {rate.service}")


def _label_data(call: Call, parcel: Shipment) -> str | None:
    """The label as PDF in base64. The opening is logged. None where it cannot be drawn: GET the parcel says why."""
    label = parcel.labels.select_related("shipment__order__store__merchant").order_by("pk").first()
    if label is None:
        return None
    try:
        found = opening.open_label(label, by=call.key.user, now=call.now, format=Label.Format.PDF)
    except RuleViolation:
        return None
    return base64.b64encode(found).decode()
