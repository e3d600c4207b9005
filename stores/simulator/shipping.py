"""Amazon Shipping v2: rates, buying a label, its documents, cancelling it, and following the parcel.

Published: paths, fields, the ten minutes of a rate, the error TOKEN_EXPIRED, the header of repeated purchases. The
other refusals have code words of the older API (InsufficientFunds) or Amazon's general InvalidInput.
"""

import base64
import json
import uuid
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from stores.simulator import labelfiles
from stores.simulator.answers import Answer, Refusal, as_json, error, invalid, not_found
from stores.simulator.clock import stamp, whole_milliseconds
from stores.simulator.marketplaces import MARKETPLACES
from stores.simulator.orders import SimOrder, SimPackage
from stores.simulator.parcels import ELSEWHERE, FORMATS, OFFERS, VALID_FOR, Offer, Quote, SimParcel, price_of
from stores.simulator.request import Request
from stores.simulator.world import World

BUSINESSES = frozenset(
    f"AmazonShipping_{code}" for code in ("US", "IN", "UK", "UAE", "SA", "EG", "IT", "ES", "FR", "JP")
)
_ADDRESS = ("name", "addressLine1", "city", "stateOrRegion", "countryCode", "postalCode")
_GRAMS = {"GRAM": Decimal(1), "KILOGRAM": Decimal(1000), "OUNCE": Decimal("28.3495"), "POUND": Decimal("453.592")}
_ALREADY_CANCELLED = "The shipment is already cancelled."


def get_rates(world: World, request: Request) -> Answer:
    """`POST /shipping/v2/shipments/rates`. With channelType AMAZON the address is the order's; shipTo is ignored."""
    _check_business(request)
    asked = _body(request)
    package = _package(asked)
    _check_address(asked.get("shipFrom"), "shipFrom")
    order = _order(world, request, asked)
    now = world.clock.now()
    quote = Quote(
        token=uuid.UUID(int=world.random.getrandbits(128)).hex.upper(), seller_id=request.seller.seller_id,
        order_id=order.order_id, reference=package["packageClientReferenceId"], items=_items(order, package),
        currency=MARKETPLACES[order.marketplace].currency, weight_g=_weight(package), ship_at=_ship_at(asked, now),
        made_at=now,
    )  # fmt: skip
    offers = OFFERS.get(order.marketplace, ELSEWHERE)
    rates = [_rate(world, quote, offer) for offer in offers if quote.weight_g <= offer.heaviest_g]
    too_heavy = [_ineligible(offer) for offer in offers if quote.weight_g > offer.heaviest_g]
    world.parcels.quotes[quote.token] = quote
    return as_json({"payload": {"requestToken": quote.token, "rates": rates, "ineligibleRates": too_heavy}})


def purchase(world: World, request: Request) -> Answer:
    """`POST /shipping/v2/shipments`: 200 with the label. The same idempotency key again gives the same shipment."""
    _check_business(request)
    asked = _body(request)
    seller_id, state = request.seller.seller_id, world.parcels
    quote = state.quotes.get(str(asked.get("requestToken")))
    expired = quote is not None and world.clock.now() > quote.made_at + VALID_FOR
    known = state.by_key.get((seller_id, request.idempotency_key)) if request.idempotency_key else None
    if known and not (state.forgets_keys and expired):
        return _bought(world, state.bought[known], _format(asked, state.bought[known].formats))
    if quote is None or quote.seller_id != seller_id or str(asked.get("rateId")) not in quote.rates:
        raise invalid("The request token or the rate is not known.")
    if expired:
        raise Refusal(error(400, "TOKEN_EXPIRED", "The rates have expired. Get the rates for the shipment again."))
    kind = _format(asked, FORMATS)
    order = world.orders[quote.order_id]
    _check_open(order)
    offer, price = quote.rates[asked["rateId"]]
    _check_purchase(world, quote, price)
    parcel = _buy(world, request, quote, order, offer, price)
    return _bought(world, parcel, kind)


def _check_purchase(world: World, quote: Quote, price: Decimal) -> None:
    refusal = world.parcels.refusals.get(quote.order_id)
    if refusal:
        raise Refusal(error(400, *refusal))
    left = world.parcels.balance.get(quote.seller_id)
    if left is not None and left < price:
        raise Refusal(error(400, "InsufficientFunds", "The seller's account does not cover the price of the label."))


def _buy(
    world: World, request: Request, quote: Quote, order: SimOrder, offer: Offer, price: Decimal
) -> SimParcel:  # fmt: skip
    now, state = world.clock.now(), world.parcels
    number = world.random.randrange(10**11, 10**12)
    parcel = SimParcel(
        shipment_id=str(uuid.UUID(int=world.random.getrandbits(128))), seller_id=quote.seller_id,
        order_id=quote.order_id, reference=quote.reference, offer=offer, price=price, currency=quote.currency,
        tracking=f"TBA{number}" if offer.carrier_id.startswith("AMZN") else f"{offer.carrier_id[:2]}{number}",
        bought_at=now,
    )  # fmt: skip
    state.bought[parcel.shipment_id] = parcel
    if request.idempotency_key:
        state.by_key[quote.seller_id, request.idempotency_key] = parcel.shipment_id
    if quote.seller_id in state.balance:
        state.balance[quote.seller_id] -= price
    _note(world, parcel, "bought", now, business=request.shipping_business)
    _confirm(world, order, parcel, quote.items, now)
    return parcel


def _confirm(world: World, order: SimOrder, parcel: SimParcel, items: dict[str, int] | None, now: datetime) -> None:
    """A label for an order of Amazon's own confirms it: nobody has to say that it was shipped."""
    held = items or {item.item_id: item.open_quantity for item in order.items if item.open_quantity > 0}
    package = SimPackage(
        str(9_000_000 + len(world.parcels.bought)), parcel.offer.carrier_name, parcel.tracking, now, now, held,
        service=parcel.offer.service_name,
    )  # fmt: skip
    order.packages.append(package)
    order.recount()
    world.record_confirmation(order, package, "buy_shipping", "created", now)


def documents(world: World, request: Request) -> Answer:
    """`GET /shipping/v2/shipments/{shipmentId}/documents`: the label again, for its package."""
    _check_business(request)
    parcel = _parcel(world, request)
    if request.query.get("packageClientReferenceId") != parcel.reference:
        raise invalid("packageClientReferenceId is missing or not the package's.")
    if parcel.cancelled_at:
        raise not_found("The shipment was cancelled.")
    kind = request.query.get("format", "PDF")
    if kind not in parcel.formats:
        raise invalid("The format is not supported.")
    payload = {"shipmentId": parcel.shipment_id, "packageDocumentDetail": _detail(world, parcel, kind)}
    return as_json({"payload": payload})


def cancel(world: World, request: Request) -> Answer:
    """`PUT /shipping/v2/shipments/{shipmentId}/cancel`: an empty object; 400 once the carrier has the parcel."""
    _check_business(request)
    parcel = _parcel(world, request)
    if parcel.cancelled_at:
        if not world.parcels.cancel_again:
            raise invalid(_ALREADY_CANCELLED)
        return as_json({"payload": {}})
    now = world.clock.now()
    if any(event == "PickupDone" for _at, event, _status in parcel.events(now)):
        raise invalid("The shipment can no longer be cancelled: the carrier has it.")
    parcel.cancelled_at = now
    if parcel.seller_id in world.parcels.balance:
        world.parcels.balance[parcel.seller_id] += parcel.price
    _note(world, parcel, "voided", now)
    return as_json({"payload": {}})


def tracking(world: World, request: Request) -> Answer:
    """`GET /shipping/v2/tracking`: what the carrier has reported of a parcel by now."""
    _check_business(request)
    wanted = (request.query.get("trackingId", ""), request.query.get("carrierId", ""))
    if not all(wanted):
        raise invalid("trackingId and carrierId are required.")
    parcel = world.parcels.find(request.seller.seller_id, *wanted)
    if parcel is None:
        raise not_found("The tracking id is not known for this carrier.")
    events = parcel.events(world.clock.now())
    history = [
        {"eventCode": event, "eventTime": stamp(at), "shipmentType": "FORWARD", "location": {"countryCode": "US"}}
        for at, event, _status in events
    ]
    payload = {
        "trackingId": parcel.tracking, "alternateLegTrackingId": "", "eventHistory": history,
        "promisedDeliveryDate": stamp(parcel.bought_at + timedelta(days=parcel.offer.days)),
        "summary": {"status": events[-1][2] if events else "PreTransit", "trackingDetailCodes": {"forward": [], "returns": []}},
    }  # fmt: skip
    return as_json({"payload": payload})


# --- what is asked


def _body(request: Request) -> dict[str, Any]:
    try:
        data = json.loads(request.body)
    except ValueError:
        raise invalid("The request body is not JSON.") from None
    if not isinstance(data, dict):
        raise invalid("The request body is not an object.")
    return data


def _check_business(request: Request) -> None:
    if request.shipping_business and request.shipping_business not in BUSINESSES:
        raise invalid("x-amzn-shipping-business-id is not known.")


def _package(asked: dict[str, Any]) -> dict[str, Any]:
    packages = asked.get("packages")
    if not isinstance(packages, list) or len(packages) != 1 or not isinstance(packages[0], dict):
        raise invalid("packages must hold one package.")
    package = packages[0]
    if not package.get("packageClientReferenceId") or not isinstance(package.get("insuredValue"), dict):
        raise invalid("packageClientReferenceId and insuredValue are required.")
    sides = package.get("dimensions") if isinstance(package.get("dimensions"), dict) else {}
    if sides.get("unit") not in ("INCH", "CENTIMETER") or not all(
        _positive(sides.get(name)) for name in ("length", "width", "height")
    ):
        raise invalid("dimensions are missing or not positive.")
    if not isinstance(package.get("items"), list) or not package["items"]:
        raise invalid("items are required.")
    return package


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _weight(package: dict[str, Any]) -> Decimal:
    weight = package.get("weight") if isinstance(package.get("weight"), dict) else {}
    try:
        grams = Decimal(str(weight.get("value"))) * _GRAMS[weight.get("unit")]
    except (InvalidOperation, KeyError):
        raise invalid("weight is missing or invalid.") from None
    if grams <= 0:
        raise invalid("weight must be positive.")
    return grams


def _check_address(address: Any, name: str) -> None:
    if not isinstance(address, dict) or not all(str(address.get(part) or "").strip() for part in _ADDRESS):
        raise invalid(f"{name} is missing a required part of the address.")
    if len(address["name"]) > 50 or any(len(address.get(f"addressLine{row}") or "") > 60 for row in (1, 2, 3)):
        raise invalid(f"{name} is too long.")


def _order(world: World, request: Request, asked: dict[str, Any]) -> SimOrder:
    channel = asked.get("channelDetails") if isinstance(asked.get("channelDetails"), dict) else {}
    if channel.get("channelType") != "AMAZON":
        raise invalid("This simulation sells labels for orders of Amazon only.")
    order = world.orders.get(str((channel.get("amazonOrderDetails") or {}).get("orderId")))
    if order is None or order.seller_id != request.seller.seller_id:
        raise invalid("The order was not found.")
    _check_open(order)
    return order


def _check_open(order: SimOrder) -> None:
    if order.fulfilled_by != "MERCHANT" or order.status not in ("UNSHIPPED", "PARTIALLY_SHIPPED"):
        raise invalid("The order cannot be shipped.")


def _items(order: SimOrder, package: dict[str, Any]) -> dict[str, int] | None:
    """The order's lines in the package, where they are named; None: all that is open."""
    found: dict[str, int] = {}
    for line in package["items"]:
        count = line.get("quantity") if isinstance(line, dict) else None
        if type(count) is not int or count < 1:
            raise invalid("quantity is required.")
        item = order.item(str(line.get("itemIdentifier")))
        if item is not None:
            found[item.item_id] = found.get(item.item_id, 0) + count
            if found[item.item_id] > item.open_quantity:
                raise invalid("More units than are left to ship.")
    return found or None


def _ship_at(asked: dict[str, Any], now: datetime) -> datetime:
    if asked.get("shipDate") is None:
        return now
    try:
        return max(now, whole_milliseconds(datetime.fromisoformat(asked["shipDate"])))
    except (TypeError, ValueError):
        raise invalid("shipDate is not an ISO 8601 date-time.") from None


def _format(asked: dict[str, Any], formats: tuple[str, ...]) -> str:
    wish = asked.get("requestedDocumentSpecification")
    wish = wish if isinstance(wish, dict) else {}
    size = wish.get("size") if isinstance(wish.get("size"), dict) else {}
    fits = wish.get("format") in formats and (size.get("width"), size.get("length"), size.get("unit")) == (4, 6, "INCH")
    if not fits or wish.get("requestedDocumentTypes") != ["LABEL"] or not isinstance(wish.get("needFileJoining"), bool):
        raise invalid("The document specification is not supported.")
    return wish["format"]


def _parcel(world: World, request: Request) -> SimParcel:
    parcel = world.parcels.bought.get(request.path_values["shipmentId"])
    if parcel is None or parcel.seller_id != request.seller.seller_id:
        raise not_found("The shipment was not found.")
    return parcel


# --- what is answered


def _rate(world: World, quote: Quote, offer: Offer) -> dict[str, Any]:
    price = price_of(offer, quote.weight_g, quote.currency) + world.parcels.dearer
    rate_id = uuid.UUID(int=world.random.getrandbits(128)).hex.upper()
    quote.rates[rate_id] = (offer, price)
    arrives = quote.ship_at + timedelta(days=offer.days)
    return {
        "rateId": rate_id, "carrierId": offer.carrier_id, "carrierName": offer.carrier_name,
        "serviceId": offer.service_id, "serviceName": offer.service_name,
        "billedWeight": {"unit": "GRAM", "value": float(quote.weight_g)},
        "totalCharge": _money(price, quote.currency),
        "promise": {
            "deliveryWindow": {"start": stamp(arrives - timedelta(hours=10)), "end": stamp(arrives)},
            "pickupWindow": {"start": stamp(quote.ship_at), "end": stamp(quote.ship_at + timedelta(hours=8))},
        },
        "supportedDocumentSpecifications": [_specification(kind) for kind in FORMATS],
        "requiresAdditionalInputs": False,
        "rateItemList": [
            {"rateItemID": "BASE_RATE", "rateItemType": "MANDATORY", "rateItemCharge": _money(price, quote.currency),
             "rateItemNameLocalization": "Base rate"},
            {"rateItemID": "DELIVERY_CONFIRMATION" if offer.scanned else "NO_CONFIRMATION", "rateItemType": "INCLUDED",
             "rateItemCharge": _money(Decimal(0), quote.currency), "rateItemNameLocalization": "Confirmation"},
        ],
        "paymentType": "PAY_THROUGH_AMAZON",
    }  # fmt: skip


def _money(amount: Decimal, currency: str) -> dict[str, Any]:
    return {"value": float(amount), "unit": currency}


def _specification(kind: str) -> dict[str, Any]:
    option = {
        "supportedDPIs": [300, 203], "supportedPageLayouts": ["DEFAULT"], "supportedFileJoiningOptions": [False],
        "supportedDocumentDetails": [{"name": "LABEL", "isMandatory": True}],
    }  # fmt: skip
    return {"format": kind, "size": {"width": 4, "length": 6, "unit": "INCH"}, "printOptions": [option]}


def _ineligible(offer: Offer) -> dict[str, Any]:
    reason = {"code": "WEIGHT_RESTRICTIONS", "message": "The package is too heavy for the service."}
    return {
        "carrierId": offer.carrier_id, "carrierName": offer.carrier_name, "serviceId": offer.service_id,
        "serviceName": offer.service_name, "ineligibilityReasons": [reason],
    }  # fmt: skip


def _bought(world: World, parcel: SimParcel, kind: str) -> Answer:
    arrives = parcel.bought_at + timedelta(days=parcel.offer.days)
    payload = {
        "shipmentId": parcel.shipment_id,
        "packageDocumentDetails": [_detail(world, parcel, kind)],
        "promise": {"deliveryWindow": {"start": stamp(arrives - timedelta(hours=10)), "end": stamp(arrives)}},
    }
    return as_json({"payload": payload})


def _detail(world: World, parcel: SimParcel, kind: str) -> dict[str, Any]:
    to = world.orders[parcel.order_id].address
    town = " ".join(filter(None, (to.city, to.state, to.postal_code)))
    lines = [parcel.offer.carrier_name, parcel.offer.service_name, to.name, to.line1, to.line2, town, to.country]
    file = labelfiles.draw(kind, [*filter(None, lines), parcel.tracking])
    document = {"type": "LABEL", "format": kind, "contents": base64.b64encode(file).decode()}
    return {
        "packageClientReferenceId": parcel.reference, "trackingId": parcel.tracking, "packageDocuments": [document],
    }  # fmt: skip


def _note(world: World, parcel: SimParcel, effect: str, at: datetime, **more: Any) -> None:
    world.parcels.ledger.append(
        {
            "effect": effect, "order_id": parcel.order_id, "seller_id": parcel.seller_id,
            "shipment_id": parcel.shipment_id, "carrier": parcel.offer.carrier_name,
            "service": parcel.offer.service_name, "tracking": parcel.tracking, "price": str(parcel.price),
            "currency": parcel.currency, "at": at, **more,
        }
    )  # fmt: skip
