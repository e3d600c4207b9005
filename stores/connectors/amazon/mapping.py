"""Amazon's JSON to our dataclasses and back; pure. Field names: Orders API 2026-01-01, confirmShipment of Orders v0.

What must not be kept is dropped here, before any row exists: everything personal of Amazon-fulfilled orders, and every
field we have no use for. Unknown values of open lists are kept as text.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from orderhub import money
from orderhub.errors import UnexpectedAnswer
from orderhub.money import Money
from stores.connectors.amazon.client import utc
from stores.connectors.amazon.feeds import RemoteFeed
from stores.connectors.base import (
    OrderPage,
    Parcel,
    Participation,
    RemoteItem,
    RemoteOrder,
    RemotePackage,
    RemotePerson,
    Unreadable,
)

CASH_ON_DELIVERY = "CashOnDelivery"
_TOTALS = {
    "ITEM": "item", "SHIPPING": "shipping", "TAX": "tax", "DISCOUNT": "discount", "GIFT_WRAP": "gift_wrap",
    "COD_FEE": "cod_fee", "DELIVERY_TIP": "other", "OTHER": "other",
}  # fmt: skip
TEXT_LIMIT = 2000
YEARS = range(1970, 2201)
FULFILLED_BY = {"MERCHANT": "MFN", "AMAZON": "AFN"}
_REPLACES = {"REPLACEMENT_ORIGINAL_ID": "replacement", "EXCHANGE_ORIGINAL_ID": "exchange"}
URL_LIMIT = 2000
MOST_WORDS = 20  # promotions or requirements of one line


class Misread(UnexpectedAnswer):
    """Where in an answer the reading failed: `path`, no value."""

    def __init__(self, path: str):
        super().__init__(f"not readable: {path}", code="Misread")
        self.path = path


def _get(value: dict, *path: str):
    """The value at a path, None where any step is missing."""
    for step in path:
        if not isinstance(value, dict):
            raise Misread(".".join(path))
        value = value.get(step)
        if value is None:
            return None
    return value


def _clean(text: str, limit: int) -> str:
    """Fit for a column: NUL is refused by PostgreSQL, lone surrogates by UTF-8, length by both."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()[:limit]


def _text(value: dict, *path: str, limit: int = 500) -> str:
    found = _get(value, *path)
    if found is None:
        return ""
    if not isinstance(found, str | int | float):
        raise Misread(".".join(path))
    return _clean(str(found), limit)


def _instant(value: dict, *path: str) -> datetime | None:
    text = _text(value, *path)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Misread(".".join(path)) from None
    if found.year not in YEARS:
        raise Misread(".".join(path))
    return found


def _required(value, path: str):
    if not value:
        raise Misread(path)
    return value


def _list(value: dict, *path: str) -> list:
    found = _get(value, *path)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Misread(".".join(path))
    return found


def _money(value: dict, *path: str) -> Money | None:
    try:
        return money.parse(_get(value, *path))
    except (ValueError, ArithmeticError):
        raise Misread(".".join(path)) from None


def page(body: dict) -> OrderPage:
    """A searchOrders answer. An order that cannot be read does not spoil its page; Misread where the page is none."""
    orders, unreadable = [], []
    for raw in _list(body, "orders"):
        number = raw.get("orderId") if isinstance(raw, dict) else None
        number = _clean(str(number), 60) if isinstance(number, str | int) else ""
        try:
            orders.append(order(raw))
        except Misread as error:
            unreadable.append(Unreadable(number or "?", error.code, error.path[:120]))
        except (TypeError, ValueError, AttributeError, KeyError, ArithmeticError) as error:
            unreadable.append(Unreadable(number or "?", type(error).__name__, "?"))
    bound = _instant(body, "lastUpdatedBefore") or _instant(body, "createdBefore")
    token = _text(body, "pagination", "nextToken", limit=10_000)
    return OrderPage(tuple(orders), tuple(unreadable), bound, token)


def order(raw: dict) -> RemoteOrder:
    """One order. ValueError or an error of this module where a required field is missing or of the wrong kind."""
    fulfilled_by = _fulfilled_by(raw)
    lines = _list(raw, "orderItems")
    if not all(isinstance(line, dict) for line in lines):
        raise Misread("orderItems")
    items = tuple(_item(line) for line in lines)
    if len({item.item_id for item in items}) != len(items):
        raise Misread("orderItems.orderItemId")
    totals = _totals(raw)
    grand = _money(raw, "proceeds", "grandTotal")
    if grand:
        totals["order"] = grand
    person = _person(raw, lines)
    gifts = [line for line in lines if _get(line, "fulfillment", "packing", "giftOption") is not None]
    payments = _list(raw, "payment", "paymentExecutions")
    replaces, replaces_as = _replaces(raw)
    return RemoteOrder(
        number=_required(_text(raw, "orderId", limit=60), "orderId"),
        marketplace_id=_text(raw, "salesChannel", "marketplaceId", limit=20),
        status=_text(raw, "fulfillment", "fulfillmentStatus", limit=40),
        fulfilled_by=fulfilled_by,
        created_at=_required(_instant(raw, "createdTime"), "createdTime"),
        updated_at=_required(_instant(raw, "lastUpdatedTime"), "lastUpdatedTime"),
        items=items,
        person=person.without_names() if fulfilled_by == "AFN" else person,
        seller_order_id=_seller_order_id(raw),
        programs=_programs(raw),
        currency=next((found.currency for found in totals.values()), ""),
        totals=totals,
        ship_by=_instant(raw, "fulfillment", "shipByWindow", "latestDateTime"),
        earliest_ship_at=_instant(raw, "fulfillment", "shipByWindow", "earliestDateTime"),
        deliver_from=_instant(raw, "fulfillment", "deliverByWindow", "earliestDateTime"),
        deliver_by=_instant(raw, "fulfillment", "deliverByWindow", "latestDateTime"),
        service_level=_text(raw, "fulfillment", "fulfillmentServiceLevel", limit=40),
        payment_method=", ".join(dict.fromkeys(filter(None, (_text(p, "paymentMethod", limit=40) for p in payments))))[
            :120
        ],
        is_gift=bool(gifts),
        replaces=replaces,
        replaces_as=replaces_as,
        address_type=_text(raw, "recipient", "deliveryAddress", "addressType", limit=20),
        customized={} if fulfilled_by == "AFN" else _customized(lines),
        packages=tuple(_package(found) for found in _list(raw, "packages")),
    )


def _fulfilled_by(raw: dict) -> str:
    """Whose parcel it is decides what may be kept of whom and who ships: never guessed. We always ask for it."""
    if _get(raw, "fulfillment") is None:
        raise Misread("fulfillment")
    try:
        return FULFILLED_BY[_text(raw, "fulfillment", "fulfilledBy")]
    except KeyError:
        raise Misread("fulfillment.fulfilledBy") from None


def _programs(raw: dict) -> tuple[str, ...]:
    names = _list(raw, "programs")
    if not all(isinstance(name, str) for name in names):
        raise Misread("programs")
    return tuple(_clean(name, 40) for name in names)


def _totals(raw: dict) -> dict[str, Money]:
    """The amounts of an order or a line by our names; several of one kind are added up."""
    found: dict[str, Money] = {}
    for part in _list(raw, "proceeds", "breakdowns"):
        name, amount = _TOTALS.get(_text(part, "type")), _money(part, "subtotal")
        if name and amount:
            found[name] = found[name] + amount if name in found else amount
    return found


def _seller_order_id(raw: dict) -> str:
    for alias in _list(raw, "orderAliases"):
        if _text(alias, "aliasType") == "SELLER_ORDER_ID":
            return _text(alias, "aliasId", limit=60)
    return ""


def _replaces(raw: dict) -> tuple[str, str]:
    """The order this one stands for, and as what."""
    for other in _list(raw, "associatedOrders"):
        kind = _REPLACES.get(_text(other, "associationType"))
        if kind:
            return _text(other, "orderId", limit=60), kind
    return "", ""


def _customized(lines: list[dict]) -> dict[str, str]:
    """Where Amazon keeps what the buyer wished for, by item id. An address cut short would lead nowhere: left out."""
    found = {}
    for line in lines:
        url = _text(line, "product", "customization", "customizedUrl", limit=URL_LIMIT + 1)
        if 0 < len(url) <= URL_LIMIT:
            found[_text(line, "orderItemId", limit=60)] = url
    return found


def _person(raw: dict, lines: list[dict]) -> RemotePerson:
    address = _get(raw, "recipient", "deliveryAddress") or {}
    city, municipality = _text(address, "city"), _text(address, "municipality")  # Mexico and Brazil have both
    wishes = _get(raw, "recipient", "deliveryPreference") or {}
    messages = [_text(line, "fulfillment", "packing", "giftOption", "giftMessage", limit=TEXT_LIMIT) for line in lines]
    instructions = [_text(wishes, "dropOffLocation"), _text(wishes, "addressInstruction", limit=TEXT_LIMIT)]
    return RemotePerson(
        buyer_name=_text(raw, "buyer", "buyerName"),
        buyer_email=_text(raw, "buyer", "buyerEmail"),
        buyer_company=_text(raw, "buyer", "buyerCompanyName"),
        purchase_order_number=_text(raw, "buyer", "buyerPurchaseOrderNumber"),
        recipient_name=_text(address, "name"),
        recipient_company=_text(address, "companyName"),
        street1=_text(address, "addressLine1"),
        street2=_text(address, "addressLine2"),
        street3=_text(address, "addressLine3"),
        phone=_text(address, "phone"),
        gift_message="\n".join(dict.fromkeys(filter(None, messages))),
        delivery_instructions="\n".join(filter(None, instructions)),
        city=city or municipality,
        district=_text(address, "districtOrCounty") or (municipality if city and municipality != city else ""),
        state=_text(address, "stateOrRegion"),
        postal_code=_text(address, "postalCode"),
        country=_text(address, "countryCode", limit=60),
    )


def _item(raw: dict) -> RemoteItem:
    parts = _totals(raw)
    quantity = _get(raw, "quantityOrdered")
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 0 <= quantity < 2**31:
        raise Misread("orderItems.quantityOrdered")
    fulfilled = _get(raw, "fulfillment", "quantityFulfilled") or 0
    asked = _get(raw, "cancellation", "cancellationRequest")
    shipping = _get(raw, "fulfillment", "shipping") or {}
    return RemoteItem(
        item_id=_required(_text(raw, "orderItemId", limit=60), "orderItems.orderItemId"),
        sku=_text(raw, "product", "sellerSku", limit=120),
        asin=_text(raw, "product", "asin", limit=20),
        title=_text(raw, "product", "title"),
        quantity=quantity,
        quantity_fulfilled=fulfilled if isinstance(fulfilled, int) and 0 <= fulfilled < 2**31 else 0,
        unit_price=_money(raw, "product", "price", "unitPrice"),
        tax=parts.get("tax"),
        discount=parts.get("discount"),
        shipping=parts.get("shipping"),
        gift_wrap=parts.get("gift_wrap"),
        cod_fee=parts.get("cod_fee"),
        condition=_condition(raw),
        is_gift=_get(raw, "fulfillment", "packing", "giftOption") is not None,
        gift_wrap_level=_text(raw, "fulfillment", "packing", "giftOption", "giftWrapLevel", limit=60),
        is_business_price=_text(raw, "product", "price", "priceDesignation") == "BUSINESS_PRICE",
        promotions=_words(_text(part, "promotionId", limit=120) for part in _list(raw, "promotion", "breakdowns")),
        requirements=_requirements(shipping),
        scheduled_from=_instant(shipping, "scheduledDeliveryWindow", "earliestDateTime"),
        scheduled_until=_instant(shipping, "scheduledDeliveryWindow", "latestDateTime"),
        ioss_number=_text(shipping, "internationalShipping", "iossNumber", limit=40),
        cancel_reason=None if asked is None else _text(asked, "cancelReason", limit=60),
    )


def _words(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, found)))[:MOST_WORDS]


def _condition(raw: dict) -> str:
    """`New`, `Used: Very Good`: the type, and the subtype where it says more. The seller's free note is not kept."""
    kind = _text(raw, "product", "condition", "conditionType", limit=40)
    finer = _text(raw, "product", "condition", "conditionSubtype", limit=40)
    return f"{kind}: {finer}"[:40] if finer and finer.casefold() != kind.casefold() else kind


def _requirements(shipping: dict) -> tuple[str, ...]:
    """Names of what Amazon makes mandatory for the delivery."""
    asked = _get(shipping, "shippingConstraints") or {}
    if not isinstance(asked, dict):
        raise Misread("orderItems.fulfillment.shipping.shippingConstraints")
    return _words(_clean(str(name), 60) for name, value in asked.items() if value == "MANDATORY")


def _package(raw: dict) -> RemotePackage:
    return RemotePackage(
        reference=_text(raw, "packageReferenceId", limit=60),
        tracking_number=_text(raw, "trackingNumber", limit=60),
        carrier=_text(raw, "carrier", limit=60),
        status=_text(raw, "packageStatus", "status", limit=40),
    )


def confirmation(parcel: Parcel) -> dict:
    """The confirmShipment body. The reference is text: Amazon refuses a JSON number."""
    detail = {
        "packageReferenceId": parcel.reference,
        "carrierCode": parcel.carrier_code,
        "shippingMethod": parcel.service,
        "trackingNumber": parcel.tracking_number,
        "shipDate": utc(parcel.shipped_at),
        "orderItems": [{"orderItemId": item_id, "quantity": quantity} for item_id, quantity in parcel.items],
    }
    if parcel.carrier_name:
        detail["carrierName"] = parcel.carrier_name
    body = {"marketplaceId": parcel.marketplace_id, "packageDetail": detail}
    if parcel.cash_on_delivery:
        body["codCollectionMethod"] = "DirectPayment"
    return body


def feed(raw: dict) -> RemoteFeed:
    """One feed of getFeed or getFeeds."""
    feed_id, status = _text(raw, "feedId", limit=60), _text(raw, "processingStatus", limit=20)
    if not feed_id or not status:
        raise Misread("feedId" if not feed_id else "processingStatus")
    return RemoteFeed(
        feed_id=feed_id, status=status, report_id=_text(raw, "resultFeedDocumentId", limit=200),
        created_at=_instant(raw, "createdTime"),
    )  # fmt: skip


def feeds_of(body: dict) -> list[RemoteFeed]:
    return [feed(raw) for raw in _list(body, "feeds")]


def participations(body: dict) -> list[Participation]:
    """Marketplaces of a getMarketplaceParticipations answer, pseudo-marketplaces included: the caller knows which count."""
    return [
        Participation(
            marketplace_id=_text(row, "marketplace", "id", limit=20),
            store_name=_text(row, "storeName", limit=120),
            active=bool(_get(row, "participation", "isParticipating")),
        )
        for row in _list(body, "payload")
    ]


def plan(body: dict) -> str:
    """`PROFESSIONAL`, `INDIVIDUAL` or '' of a getAccount answer; everything else of it is the seller's and not read."""
    return _text(body, "payload", "sellingPlan", limit=20)


def amount(value: Money | None) -> Decimal | None:
    return None if value is None else value.amount
