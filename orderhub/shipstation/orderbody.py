"""A whole order as a client of version 1 sends it, read into ours. Nothing is refused that such clients send; what no
column takes is shortened, what nobody here knows is counted for the report."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from orderhub.shipstation import instants, measures, values
from orderhub.shipstation.addresses import OF_RECIPIENT
from orderhub.shipstation.calls import Call, Wrong
from orderhub.validators import in_one_line
from orders.annotating import MOST_NAME, MOST_OPTIONS, MOST_VALUE
from orders.customization.content import clean
from orders.forms_entering import MOST_GRAMS, MOST_UNITS
from orders.models import Order
from stores import countries

Status = Order.Status
WRITTEN = (Status.AWAITING_PAYMENT, Status.AWAITING_SHIPMENT, Status.SHIPPED, Status.ON_HOLD, Status.CANCELLED)
REQUIRED = ("orderNumber", "orderDate", "orderStatus", "billTo", "shipTo")
LENGTHS = {
    "recipient_name": 120, "recipient_company": 120, "street1": 120, "street2": 120, "street3": 120, "city": 80, "state": 80,
    "postal_code": 20, "phone": 40, "buyer_name": 120, "buyer_company": 120, "buyer_email": 254, "gift_message": 2000,
    "buyer_notes": 2000, "country": 2,
}  # fmt: skip
PARAGRAPHS = ("gift_message", "buyer_notes")
MOST_LINES = 200
MOST_MONEY = Decimal(10) ** 10
KEY = re.compile(r"[A-Za-z0-9._:/#-]{1,50}")
_ADDRESS = dict.fromkeys((*OF_RECIPIENT, "residential", "addressVerified"))
_ITEM = dict.fromkeys((
    "orderItemId", "lineItemKey", "key", "sku", "name", "imageUrl", "quantity", "unitPrice", "taxAmount", "shippingAmount",
    "warehouseLocation", "productId", "fulfillmentSku", "adjustment", "upc", "createDate", "modifyDate",
)) | {"weight": dict.fromkeys(("value", "units", "WeightUnits")), "options": dict.fromkeys(("name", "value"))}  # fmt: skip
KNOWN: values.Known = dict.fromkeys((
    "orderId", "orderNumber", "orderKey", "orderDate", "createDate", "modifyDate", "paymentDate", "shipByDate", "orderStatus",
    "customerId", "customerUsername", "customerEmail", "orderTotal", "amountPaid", "taxAmount", "shippingAmount",
    "customerNotes", "internalNotes", "gift", "giftMessage", "paymentMethod", "requestedShippingService", "carrierCode",
    "serviceCode", "packageCode", "confirmation", "shipDate", "holdUntilDate", "dimensions", "insuranceOptions",
    "internationalOptions", "tagIds", "userId", "externallyFulfilled", "externallyFulfilledBy", "externallyFulfilledById",
    "externallyFulfilledByName", "labelMessages",
)) | {
    "billTo": _ADDRESS, "shipTo": _ADDRESS, "items": _ITEM, "weight": dict.fromkeys(("value", "units", "WeightUnits")),
    "advancedOptions": dict.fromkeys((
        "warehouseId", "nonMachinable", "saturdayDelivery", "containsAlcohol", "mergedOrSplit", "mergedIds", "parentId",
        "storeId", "customField1", "customField2", "customField3", "source", "billToParty", "billToAccount",
        "billToPostalCode", "billToCountryCode", "billToMyOtherAccount",
    )),
}  # fmt: skip


@dataclass(repr=False)  # no repr: it would carry a person into tracebacks
class Line:
    """`options`: None where the client tells none, which is not the same as telling that there are none."""

    number: int | None
    key: str
    values: dict
    options: list[dict[str, str]] | None


@dataclass(repr=False)
class Body:
    """What was sent, by our names. `fields`: custom fields that were told. `tags`: ids, None where none were told."""

    order_id: int | None
    key: str
    number: str
    status: str
    ordered_at: datetime | None
    order: dict
    person: dict
    lines: list[Line]
    store_id: int | None
    fields: dict[str, str] = field(default_factory=dict)
    notes: str = ""
    tags: list[int] | None = None
    user: str | None = None
    hold_until: datetime | None = None
    weight_g: int | None = None
    shipped_at: datetime | None = None


def read(call: Call, told) -> Body:
    """Wrong, with the names of the fields, where something required is missing or is of no use."""
    if not isinstance(told, dict):
        raise Wrong({"apiOrder": ["An order is an object."]})
    values.note_unknown(call, told, KNOWN)
    _check(told)
    advanced = values.field(told, "advancedOptions")
    at = lambda name: instants.read(call, name, values.field(told, name))  # noqa: E731
    items = values.field(told, "items")
    rows = [row for row in items if isinstance(row, dict)][:MOST_LINES] if isinstance(items, list) else []
    extra = [row for row in rows if values.boolean(values.field(row, "adjustment"))]
    return Body(
        order_id=values.integer(values.field(told, "orderId")), key=kept_key(values.word(values.field(told, "orderKey"))),
        number=in_one_line(values.word(values.field(told, "orderNumber")))[:60],
        status=values.word(values.field(told, "orderStatus")).lower(), ordered_at=at("orderDate"),
        order=_order(told, at), person=_person(told),
        lines=_with_whole(told, [_line(row) for row in rows if row not in extra], extra),
        store_id=values.integer(values.field(advanced, "storeId")), fields=_fields(advanced),
        notes=values.word(values.field(told, "internalNotes")), tags=_tags(values.field(told, "tagIds")),
        user=values.word(values.field(told, "userId")) or None, hold_until=at("holdUntilDate"),
        weight_g=measures.grams(values.field(told, "weight")), shipped_at=at("shipDate"),
    )  # fmt: skip


def kept_key(told: str) -> str:
    """An orderKey as it is kept: a code as it is; what might be more than a code only as a keyed hash."""
    if not told or KEY.fullmatch(told):
        return told
    return "h:" + hmac.new(settings.SECRET_KEY.encode(), told.encode(), hashlib.sha256).hexdigest()[:40]


def _check(told: dict) -> None:
    wrong = {
        f"apiOrder.{name}": [f"The {name} field is required."]
        for name in REQUIRED
        if values.absent(values.field(told, name))
    }
    status = values.word(values.field(told, "orderStatus")).lower()
    if status and status not in WRITTEN:
        wrong["apiOrder.orderStatus"] = ["orderStatus is one of: " + ", ".join(WRITTEN) + "."]
    if wrong:
        raise Wrong(wrong)


def _order(told: dict, at) -> dict:
    text = lambda name, most: in_one_line(values.word(values.field(told, name)))[:most]  # noqa: E731
    return {
        "ship_by": at("shipByDate"), "requested_service": text("requestedShippingService", 60),
        "payment_method": text("paymentMethod", 120), "shipping_total": _money(values.field(told, "shippingAmount")),
    }  # fmt: skip


def _person(told: dict) -> dict[str, str]:
    """Texts of addresses, shortened to what columns and labels take."""
    ship_to, bill_to = values.field(told, "shipTo"), values.field(told, "billTo")
    found = {ours: values.word(values.field(ship_to, name)) for name, ours in OF_RECIPIENT.items()}
    found |= {
        "buyer_name": values.word(values.field(bill_to, "name")), "buyer_company": values.word(values.field(bill_to, "company")),
        "buyer_email": values.word(values.field(told, "customerEmail")),
        "gift_message": values.word(values.field(told, "giftMessage")) if values.boolean(values.field(told, "gift")) else "",
        "buyer_notes": values.word(values.field(told, "customerNotes")),
    }  # fmt: skip
    country = found["country"].upper()
    found["country"] = country if country in countries.CODES else ""
    tidy = {name: clean(text, 2000) if name in PARAGRAPHS else in_one_line(text) for name, text in found.items()}
    return {name: text[: LENGTHS[name]].strip() for name, text in tidy.items()}


def _line(row: dict) -> Line:
    options, quantity = values.field(row, "options"), values.integer(values.field(row, "quantity"))
    grams = measures.grams(values.field(row, "weight"))
    text = lambda name, most: in_one_line(values.word(values.field(row, name)))[:most]  # noqa: E731
    sku, title = text("sku", 120), text("name", 500)
    return Line(
        values.integer(values.field(row, "orderItemId")), _line_key(row),
        {
            "sku": sku, "asin": "", "title": title or ("" if sku else "Item"), "quantity": min(max(1, quantity or 1), MOST_UNITS),
            "unit_price": _money(values.field(row, "unitPrice")), "tax": _money(values.field(row, "taxAmount")), "discount": None,
            "weight_g": min(grams, MOST_GRAMS) if grams else None, "warehouse_location": text("warehouseLocation", 60),
        },
        _options(options) if isinstance(options, list) else None,
    )  # fmt: skip


def _line_key(row: dict) -> str:
    """What the client calls the line, where it is a code."""
    told = values.word(values.field(row, "lineItemKey")) or values.word(values.field(row, "key"))
    return told if KEY.fullmatch(told) else ""


def _options(told: list) -> list[dict[str, str]]:
    found = [
        {
            "name": clean(values.word(values.field(one, "name")), MOST_NAME),
            "value": clean(values.word(values.field(one, "value")), MOST_VALUE),
        }
        for one in told[:MOST_OPTIONS]
        if isinstance(one, dict)
    ]
    return [one for one in found if one["value"]]


def _with_whole(told: dict, lines: list[Line], extra: list[dict]) -> list[Line]:
    """What is told of the whole order stands on its first line: taxes nobody told line by line, and discounts."""
    if lines:
        tax, first = _money(values.field(told, "taxAmount")), lines[0].values
        if tax and not any(line.values["tax"] for line in lines):
            first["tax"] = tax
        amounts = (values.number(values.field(row, "unitPrice")) or Decimal(0) for row in extra)
        first["discount"] = -sum(amount for amount in amounts if amount < 0) or None
    return lines


def _fields(advanced) -> dict[str, str]:
    return {
        f"custom_field_{number}": in_one_line(values.word(values.field(advanced, f"customField{number}")))[:120]
        for number in (1, 2, 3)
        if values.has(advanced, f"customField{number}")
    }


def _tags(told) -> list[int] | None:
    if not isinstance(told, list):
        return None
    return [number for number in map(values.integer, told) if number]


def _money(told) -> Decimal | None:
    found = values.number(told)
    return round(found, 4) if found is not None and 0 <= found < MOST_MONEY else None
