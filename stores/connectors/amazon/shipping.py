"""Amazon Shipping v2 (Buy Shipping): rates, buying a label, its file again, cancelling it, following the parcel.

All five operations share one published usage plan. Amazon keeps a rate for ten minutes, and recognises a purchase that
is sent again by its idempotency key.
"""

import base64
import binascii
from datetime import datetime
from decimal import Decimal, InvalidOperation

from orderhub import money
from orderhub.errors import OutcomeUnknown, TryLater, UnexpectedAnswer
from stores.connectors.amazon.client import AmazonClient, Operation, utc
from stores.connectors.labels import BoughtLabel, LabelOffer, LabelWish, ParcelScan

_ROOT = "/shipping/v2"
GET_RATES = Operation("getRates", "POST", f"{_ROOT}/shipments/rates", 80, 100)
PURCHASE = Operation("purchaseShipment", "POST", f"{_ROOT}/shipments", 80, 100)
GET_DOCUMENTS = Operation("getShipmentDocuments", "GET", f"{_ROOT}/shipments/{{shipmentId}}/documents", 80, 100)
CANCEL = Operation("cancelShipment", "PUT", f"{_ROOT}/shipments/{{shipmentId}}/cancel", 80, 100)
GET_TRACKING = Operation("getTracking", "GET", f"{_ROOT}/tracking", 80, 100)
BUSINESS_HEADER, KEY_HEADER = "x-amzn-shipping-business-id", "x-amzn-IdempotencyKey"
# Amazon lists these and no others; elsewhere the header stays away.
BUSINESSES = {
    code: f"AmazonShipping_{code}" for code in ("US", "IN", "UK", "SA", "EG", "IT", "ES", "FR", "JP")
} | {"AE": "AmazonShipping_UAE"}  # fmt: skip
LABEL = "LABEL"
SIZE = {"width": 4, "length": 6, "unit": "INCH"}
MOST_NAME, MOST_LINE, MOST_PHONE = 50, 60, 20
CENTIMETRE_MM = Decimal(10)


class AmazonShipping:
    """Labels of one marketplace of one seller. Every method may raise the errors of orderhub/errors.py."""

    def __init__(self, client: AmazonClient, marketplace: str):
        self.client = client
        business = BUSINESSES.get(marketplace)
        self.headers = {BUSINESS_HEADER: business} if business else {}

    def offers(self, wish: LabelWish) -> list[LabelOffer]:
        """What could carry the parcel. Asking buys nothing: an answer that was lost is a reason to ask again."""
        try:
            body = self.client.operate(GET_RATES, body=_rates_body(wish), headers=self.headers)
        except OutcomeUnknown as error:
            raise TryLater(str(error), wait_s=30, code=error.code, request_id=error.request_id) from None
        return _read(GET_RATES, _offers, body)

    def buy(self, *, token: str, offer_id: str, format: str, key: str) -> BoughtLabel:
        """Buy an offer. OutcomeUnknown where it may have been bought: ask again with the same `key`."""
        body = {
            "requestToken": token,
            "rateId": offer_id,
            "requestedDocumentSpecification": {
                "format": format.upper(), "size": SIZE, "needFileJoining": False, "requestedDocumentTypes": [LABEL],
            },
        }  # fmt: skip
        try:
            answer = self.client.operate(PURCHASE, body=body, headers=self.headers | {KEY_HEADER: key})
            return _read(PURCHASE, _bought, answer)
        except UnexpectedAnswer as error:  # Amazon said yes, and we cannot read to what
            raise OutcomeUnknown(str(error), code=error.code, request_id=error.request_id) from None

    def document(self, shipment_id: str, *, reference: str, format: str) -> bytes:
        """The label's file again."""
        params = {"packageClientReferenceId": reference, "format": format.upper()}
        answer = self.client.operate(
            GET_DOCUMENTS, path={"shipmentId": shipment_id}, params=params, headers=self.headers
        )  # fmt: skip
        return _read(GET_DOCUMENTS, lambda body: _file(body["payload"]["packageDocumentDetail"])[1], answer)

    def cancel(self, shipment_id: str) -> None:
        """Returns only if Amazon cancelled it. RequestRejected where it does not."""
        self.client.operate(CANCEL, path={"shipmentId": shipment_id}, headers=self.headers, empty=True)

    def scans(self, tracking_number: str, carrier_id: str) -> list[ParcelScan]:
        """What the carrier reported, oldest first."""
        params = {"trackingId": tracking_number, "carrierId": carrier_id}
        answer = self.client.operate(GET_TRACKING, params=params, headers=self.headers)
        return _read(GET_TRACKING, _scans, answer)


# --- words


def _rates_body(wish: LabelWish) -> dict:
    sides = {"length": wish.length_mm, "width": wish.width_mm, "height": wish.height_mm}
    package = {
        "dimensions": {name: float(Decimal(side) / CENTIMETRE_MM) for name, side in sides.items()} | {"unit": "CENTIMETER"},
        "weight": {"unit": "GRAM", "value": wish.weight_g},
        "insuredValue": {"unit": wish.currency, "value": 0},
        "packageClientReferenceId": wish.reference,
        "items": [{"itemIdentifier": item_id, "quantity": units} for item_id, units in wish.items],
    }  # fmt: skip
    return {
        "shipFrom": _address(wish.ship_from),
        "shipDate": utc(wish.ship_at),
        "packages": [package],
        "channelDetails": {"channelType": "AMAZON", "amazonOrderDetails": {"orderId": wish.order_number}},
    }


def _address(ours: dict[str, str]) -> dict[str, str]:
    """A sender's address. Amazon demands a state or region, which most countries do not write: there, the city."""
    given = {
        "name": (ours.get("name") or ours.get("company") or "")[:MOST_NAME],
        "companyName": ours.get("company"),
        "addressLine1": (ours.get("street1") or "")[:MOST_LINE],
        "addressLine2": (ours.get("street2") or "")[:MOST_LINE],
        "addressLine3": (ours.get("street3") or "")[:MOST_LINE],
        "stateOrRegion": ours.get("state") or ours.get("city"),
        "city": ours.get("city"),
        "countryCode": ours.get("country"),
        "postalCode": ours.get("postal_code"),
        "phoneNumber": (ours.get("phone") or "")[:MOST_PHONE],
    }
    return {name: value for name, value in given.items() if value}


def _read(operation: Operation, read, body: dict):
    """What `read` makes of an answer. UnexpectedAnswer, with nothing of its content, where it is of another shape."""
    try:
        return read(body)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, InvalidOperation):
        raise UnexpectedAnswer(f"{operation.name}: not readable", code="UnreadableAnswer") from None


def _offers(body: dict) -> list[LabelOffer]:
    token = _text(body["payload"]["requestToken"])
    return [_offer(rate, token) for rate in body["payload"]["rates"]]


def _offer(rate: dict, token: str) -> LabelOffer:
    charge = money.parse({"amount": rate["totalCharge"]["value"], "currencyCode": rate["totalCharge"]["unit"]})
    wanted = any(group["isRequired"] for group in rate.get("availableValueAddedServiceGroups") or [])
    kinds = {item.get("rateItemID") for item in rate.get("rateItemList") or []}
    end = ((rate.get("promise") or {}).get("deliveryWindow") or {}).get("end")
    return LabelOffer(
        offer_id=_text(rate["rateId"]), token=token, carrier_id=_text(rate["carrierId"]),
        carrier_name=_text(rate["carrierName"]), service_id=_text(rate["serviceId"]),
        service_name=_text(rate["serviceName"]), price=charge,
        formats=tuple(dict.fromkeys(_formats(rate["supportedDocumentSpecifications"]))),
        deliver_by=_instant(end) if end else None, scanned="NO_CONFIRMATION" not in kinds,
        answerable=not rate["requiresAdditionalInputs"] and not wanted,
    )  # fmt: skip


def _formats(specifications: list[dict]) -> list[str]:
    """Those that can be had as a label of 4 by 6 inches in a file of its own."""
    found = []
    for each in specifications:
        size = each["size"]
        joins = [option["supportedFileJoiningOptions"] for option in each["printOptions"]]
        if (size["width"], size["length"], size["unit"]) == (4, 6, "INCH") and any(False in choice for choice in joins):
            found.append(_text(each["format"]).lower())
    return found


def _bought(body: dict) -> BoughtLabel:
    result = body["payload"]
    detail = result["packageDocumentDetails"][0]
    kind, content = _file(detail)
    number = detail["trackingId"]  # Amazon's own example is a number
    return BoughtLabel(_text(result["shipmentId"]), _text(str(number)), kind, content)


def _file(detail: dict) -> tuple[str, bytes]:
    """Format and bytes of the label among the documents of a package."""
    found = next(each for each in [*detail["packageDocuments"], {}] if not each or each["type"] == LABEL)
    try:
        content = base64.b64decode(found["contents"], validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None
    if not content:
        raise ValueError("an empty file")
    return _text(found["format"]).lower(), content


def _scans(body: dict) -> list[ParcelScan]:
    found = [
        ParcelScan(_text(event["eventCode"]), _instant(event["eventTime"]), event.get("shipmentType") == "RETURNS")
        for event in body["payload"]["eventHistory"]
    ]
    return sorted(found, key=lambda scan: scan.at)


def _text(value) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError("not a text")
    return value


def _instant(value: str) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError("no time zone")
    return found
