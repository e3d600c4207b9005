"""Every field Amazon sends, compared with what we hold of it: one order of every kind, imported over HTTP."""

import json
import re
from pathlib import Path

import pytest

from orderhub import jobs
from orders.jobs import import_account
from orders.models import ItemPersonalData, Order, SkippedOrder
from stores.models import Store
from stores.simulator import kinds, scenarios
from tests.factories import connect
from tests.orders.fieldtable import (
    Row,
    among,
    has,
    instant,
    leaves,
    lines,
    listed,
    model_leaves,
    money,
    names,
    number,
    present,
    text,
)
from tests.simulator.asking import EVERYTHING, OverHttp

pytestmark = pytest.mark.django_db
REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"
ALL = EVERYTHING + ",FULFILLMENT_ORDERS"
STATUSES = {
    "PENDING_AVAILABILITY": "awaiting_payment", "PENDING": "awaiting_payment", "UNSHIPPED": "awaiting_shipment",
    "PARTIALLY_SHIPPED": "awaiting_shipment", "SHIPPED": "shipped", "CANCELLED": "cancelled",
}  # fmt: skip
MARKETS = {
    "ATVPDKIKX0DER": "US", "A2EUQ1WTGCTBG2": "CA", "A1AM78C64UM0Y8": "MX", "A13V1IB3VIYZZH": "FR",
    "A1PA6795UKMFR9": "DE", "A1RKKUPIHCS9HS": "ES", "A1VC38T7YXB528": "JP",
}  # fmt: skip
SERVICES = {
    "STANDARD": "Standard", "EXPEDITED": "Expedited", "NEXT_DAY": "Next Day", "SCHEDULED": "Scheduled",
    "TELEPORT": "TELEPORT",
}  # fmt: skip
ADDRESS, SUM = "recipient.deliveryAddress", "subtotal.amount"
GIFT, SHIPPING = "orderItems[].fulfillment.packing.giftOption", "orderItems[].fulfillment.shipping"
REPLACED = "associatedOrders[associationType=REPLACEMENT_ORIGINAL_ID|EXCHANGE_ORIGINAL_ID]"


def _part(kind: str, line: str = "") -> str:
    return f"{line}proceeds.breakdowns[type={kind}].{SUM}"


def _person(path: str, column: str, convert=text, need: str = "") -> Row:
    return Row(need, path, f"person.{column}", convert, personal=True)


TABLE = (
    # need (SP §4.4), path in Amazon's answer, our column, converter
    Row("", "orderId", "order.order_number", text),
    Row("", "salesChannel.marketplaceId", "store.marketplace", among(MARKETS)),
    Row("", "createdTime", "order.ordered_at", instant),
    Row("", "lastUpdatedTime", "order.amazon_updated_at", instant),
    Row("seller order id", "orderAliases[aliasType=SELLER_ORDER_ID].aliasId", "order.seller_order_id", text),
    Row("", "programs[]", "order.programs", listed),
    Row("", "programs[]", "order.is_prime", has("PRIME")),
    Row("business order", "programs[]", "order.is_business", has("AMAZON_BUSINESS")),
    Row("", f"{REPLACED}.orderId", "order.replaces", text),
    Row("", f"{REPLACED}.associationType", "order.replaces_as",
        among({"REPLACEMENT_ORIGINAL_ID": "replacement", "EXCHANGE_ORIGINAL_ID": "exchange"})),
    Row("", "fulfillment.fulfillmentStatus", "order.status", among(STATUSES)),
    Row("", "fulfillment.fulfilledBy", "order.fulfilled_by", among({"MERCHANT": "MFN", "AMAZON": "AFN"})),
    Row("latest / earliest ship date", "fulfillment.shipByWindow.latestDateTime", "order.ship_by", instant),
    Row("latest / earliest ship date", "fulfillment.shipByWindow.earliestDateTime", "order.earliest_ship_at", instant),
    Row("latest delivery date", "fulfillment.deliverByWindow.latestDateTime", "order.deliver_by", instant),
    Row("", "fulfillment.deliverByWindow.earliestDateTime", "order.deliver_from", instant),
    Row("service level category", "fulfillment.fulfillmentServiceLevel", "order.service_level", text),
    Row("service level category", "fulfillment.fulfillmentServiceLevel", "order.requested_service", among(SERVICES)),
    Row("payment method", "payment.paymentExecutions[].paymentMethod", "order.payment_method", text),
    Row("totals, tax, shipping paid", "proceeds.grandTotal.amount", "order.order_total", money),
    Row("totals, tax, shipping paid", "proceeds.grandTotal.currencyCode", "order.currency", text),
    Row("totals, tax, shipping paid", _part("ITEM"), "order.item_total", money),
    Row("totals, tax, shipping paid", _part("TAX"), "order.tax_total", money),
    Row("totals, tax, shipping paid", _part("SHIPPING"), "order.shipping_total", money),
    Row("discounts", _part("DISCOUNT"), "order.discount_total", money),
    Row("gift flag / message / wrap", _part("GIFT_WRAP"), "order.gift_wrap_total", money),
    Row("", _part("COD_FEE"), "order.cod_fee_total", money),
    Row("", _part("OTHER"), "order.other_total", money),
    Row("gift flag / message / wrap", GIFT, "order.is_gift", present),
    Row("buyer asked to cancel", "orderItems[].cancellation.cancellationRequest.cancelReason",
        "order.cancel_reason_code", text),
    # people
    _person("buyer.buyerName", "buyer_name"),
    _person("buyer.buyerEmail", "buyer_email", need="buyer e-mail"),
    _person("buyer.buyerCompanyName", "buyer_company"),
    _person("buyer.buyerPurchaseOrderNumber", "purchase_order_number", need="purchase order number"),
    _person(f"{ADDRESS}.name", "recipient_name"),
    _person(f"{ADDRESS}.companyName", "recipient_company"),
    _person(f"{ADDRESS}.addressLine1", "street1"),
    _person(f"{ADDRESS}.addressLine2", "street2"),
    _person(f"{ADDRESS}.addressLine3", "street3"),
    _person(f"{ADDRESS}.phone", "phone", need="phone"),
    _person(f"{GIFT}.giftMessage", "gift_message", lines, need="gift flag / message / wrap"),
    _person("recipient.deliveryPreference.dropOffLocation and recipient.deliveryPreference.addressInstruction",
            "delivery_instructions", lines),
    Row("", f"{ADDRESS}.city or {ADDRESS}.municipality", "person.city", text),
    Row("", f"{ADDRESS}.districtOrCounty", "person.district", text),
    Row("", f"{ADDRESS}.stateOrRegion", "person.state", text),
    Row("", f"{ADDRESS}.postalCode", "person.postal_code", text),
    Row("", f"{ADDRESS}.countryCode", "person.country", text),
    Row("", f"{ADDRESS}.addressType", "order.address_type", text),
    # lines
    Row("", "orderItems[].orderItemId", "item.amazon_item_id", text),
    Row("", "orderItems[].quantityOrdered", "item.quantity", number),
    Row("", "orderItems[].product.asin", "item.asin", text),
    Row("", "orderItems[].product.sellerSku", "item.sku", text),
    Row("", "orderItems[].product.title", "item.title", text),
    Row("", "orderItems[].product.condition.conditionType", "item.condition", text),
    Row("", "orderItems[].product.price.unitPrice.amount", "item.unit_price", money),
    Row("business order", "orderItems[].product.price.priceDesignation", "item.is_business_price", has("BUSINESS_PRICE")),
    Row("totals, tax, shipping paid", _part("TAX", "orderItems[]."), "item.tax", money),
    Row("totals, tax, shipping paid", _part("SHIPPING", "orderItems[]."), "item.shipping", money),
    Row("discounts", _part("DISCOUNT", "orderItems[]."), "item.discount", money),
    Row("gift flag / message / wrap", _part("GIFT_WRAP", "orderItems[]."), "item.gift_wrap", money),
    Row("", _part("COD_FEE", "orderItems[]."), "item.cod_fee", money),
    Row("discounts", "orderItems[].promotion.breakdowns[].promotionId", "item.promotions", listed),
    Row("gift flag / message / wrap", GIFT, "item.is_gift", present),
    Row("gift flag / message / wrap", f"{GIFT}.giftWrapLevel", "item.gift_wrap_level", text),
    Row("", f"{SHIPPING}.shippingConstraints", "item.requirements", names),
    Row("", f"{SHIPPING}.scheduledDeliveryWindow.earliestDateTime", "item.scheduled_from", instant),
    Row("", f"{SHIPPING}.scheduledDeliveryWindow.latestDateTime", "item.scheduled_until", instant),
    Row("", f"{SHIPPING}.internationalShipping.iossNumber", "item.ioss_number", text),
    Row("customization", "orderItems[].product.customization.customizedUrl", "wish.customized_url", text, personal=True),
)  # fmt: skip

# Needs of SP §4.4 that no field of an order fills.
ELSEWHERE = {
    "item weight, image, order weight": "the catalogue, by ASIN; an order weighs what its lines weigh",
    "note from buyer": "Amazon has no such field; the column is filled by hand",
}
# What Amazon sends or may send and we do not keep, by the path or its beginning, and why.
DROPPED = {
    "salesChannel.channelName": "the order source is known by its marketplace",
    "salesChannel.marketplaceName": "follows from the marketplace's id",
    "orderAliases": "Amazon has no other kind of alias; the kind itself is not kept",
    "associatedOrders[associationType=TWIN_ORDER_ID]": "a relation nobody has described",
    f"{ADDRESS}.extendedFields": "Brazil only, and the lines of the address hold it too",
    f"{ADDRESS}.municipality": "taken for the city where there is none; else no label has a line for it",
    "recipient.deliveryPreference.deliveryTime": "opening hours of firms: no label and no carrier we book takes them",
    "recipient.deliveryPreference.deliveryCapabilities": "access points and pallets: no carrier we book takes them",
    "payment.paymentExecutions[].paymentAmount": "the order's total says it",
    "payment.paymentExecutions[].acquirerId": "Brazil only; data of a payment card",
    "payment.paymentExecutions[].cardBrand": "Brazil only; data of a payment card",
    "payment.paymentExecutions[].authorizationCode": "Brazil only; data of a payment card",
    "proceeds.breakdowns": "currency and state of a part: the order has one currency",
    "tax": "tax numbers of buyers: not asked for",
    "packages": "read when a notice is checked against Amazon; nothing of it is kept",
    "fulfillment.labelPrintingWindow": "Easy Ship in India only",
    "fulfillmentOrders": "Easy Ship in India only: not asked for",
    "orderItems[].measurement": "goods sold by weight or length, which no order source here sells",
    "orderItems[].associatedOrderItems": "services added to a product: nothing is sent for them",
    "orderItems[].programs": "transparency codes and subscriptions change nothing in what is sent",
    "orderItems[].product.condition": "the finer word is part of the condition, the seller's free note is not kept",
    "orderItems[].product.serialNumbers": "of parcels that Amazon sends",
    "orderItems[].product.price.unitPrice.currencyCode": "the order has one currency",
    "orderItems[].proceeds": "the line's own sum, its parts by part, and kinds of charge the order's total includes",
    "orderItems[].expense": "points granted: not asked for",
    "orderItems[].cancellation.cancellationRequest.requester": "always the buyer",
    "orderItems[].cancellation.cancellationExecution": "the status says it",
    "orderItems[].fulfillment.quantityFulfilled": "read when a notice is checked; parcels are counted here",
    "orderItems[].fulfillment.quantityUnfulfilled": "the rest of the above",
    "orderItems[].fulfillment.picking": "groceries: what to send in its place",
    "orderItems[].fulfillment.packing.serialNumberRequirement": "no kind of goods sold here",
    "orderItems[].tax": "who owes the tax: not asked for",
}
SKIPPED = {"by Amazon, not shipped": "afn_not_shipped", "by Amazon, unfulfillable": "afn_not_shipped"}


@pytest.fixture
def sent(world, settings):
    """Kind to (what Amazon says of it in full, our order or None), after an import over HTTP."""
    world.throttling = False
    made = kinds.one_of_each(world)
    accounts = {seller.seller_id: connect(seller) for seller in (scenarios.NA, scenarios.EU, scenarios.JP)}
    Store.objects.update(import_afn=True, import_customization=True)
    asker = {seller: OverHttp(settings.SPAPI_BASE_URL).sign_in(seller) for seller in set(kinds.HOMES.values())}

    def run() -> dict[str, tuple[dict, Order | None]]:
        for account in accounts.values():
            jobs.run(import_account.job_name, account.pk)  # what it asks for waits in the queue: one import, no more
        rows = Order.objects.select_related("store", "person").prefetch_related("items__person")
        ours = {order.order_number: order for order in rows}
        said = {name: asker[kinds.HOMES[name]].order(order.order_id, ALL).json["order"] for name, order in made.items()}
        return {name: (raw, ours.get(raw["orderId"])) for name, raw in said.items()}

    run.world = world
    return run


def disagreements(raw: dict, order: Order) -> list[str]:
    """Rows of the table that do not hold, as sentences."""
    wrong = []
    for row in TABLE:
        kind, column = row.column.split(".")
        if row.per_line:
            pairs = [(row.expected(line), _of_line(order, line, kind, column)) for line in raw["orderItems"]]
        else:
            holder = {"order": order, "store": order.store, "person": order.person}[kind]
            pairs = [(row.expected(raw), getattr(holder, column))]
        for expected, held in pairs:
            if (type(expected)() if row.personal and order.by_amazon else expected) != held:
                wrong.append(f"{row.path}: sent as {expected!r}, {row.column} holds {held!r}")
    return wrong


def _of_line(order: Order, line: dict, kind: str, column: str):
    item = next(item for item in order.items.all() if item.amazon_item_id == line["orderItemId"])
    if kind == "item":
        return getattr(item, column)
    try:
        return getattr(item.person, column)
    except ItemPersonalData.DoesNotExist:
        return ""


def test_every_field_of_every_kind_arrives_where_the_table_says(sent):
    found = sent()
    missing = {name for name, (_raw, order) in found.items() if order is None}
    assert missing == set(SKIPPED)
    assert {name: d for name, (raw, order) in found.items() if order and (d := disagreements(raw, order))} == {}


def test_discounts_arrive_as_amazon_signs_them(sent):
    sent.world.negative_discounts = True
    raw, order = sent()["discounts"]
    assert disagreements(raw, order) == []
    assert order.discount_total < 0


def test_what_is_left_out_is_left_out_with_its_reason(sent):
    found = sent()
    reasons = dict(SkippedOrder.objects.values_list("order_number", "reason"))
    assert {name: reasons[found[name][0]["orderId"]] for name in SKIPPED} == SKIPPED


def test_everything_amazon_sends_is_kept_or_dropped_for_a_reason(sent):
    unexplained = {
        f"{name}: {leaf}"
        for name, (raw, _order) in sent().items()
        for leaf in leaves(raw)
        if not any(row.covers(leaf) for row in TABLE) and not _dropped(leaf)
    }
    assert unexplained == set()


def test_the_table_does_not_drop_what_it_keeps():
    kept = {path for row in TABLE for path in row.paths if "[" not in path.removeprefix("orderItems[]")}
    wholly = {"orderItems[].product.condition.conditionType", f"{ADDRESS}.municipality"}  # kept in part
    assert {path for path in kept if _dropped(path)} == wholly


def _dropped(leaf: str) -> bool:
    return any(leaf == path or leaf.startswith((f"{path}.", f"{path}[")) for path in DROPPED)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="Amazon's fact sheet is not at ../shared/reference.")
def test_no_need_of_the_fact_sheet_is_missing():
    sheet = (REFERENCE / "amazon-sp-api.md").read_text()
    section = sheet.partition("### 4.4")[2].partition("### 4.5")[0]
    needs = re.findall(r"^\| ([^|]+?) \|", section, re.MULTILINE)[1:]
    needs = [need for need in needs if not set(need) <= {"-"}]
    assert len(needs) > 10
    assert {need for need in needs if need not in {row.need for row in TABLE} | set(ELSEWHERE)} == set()
    assert {row.need for row in TABLE} - {""} <= set(needs)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="Amazon's models are not at ../shared/reference.")
def test_every_field_of_the_official_model_is_kept_or_dropped_for_a_reason():
    definitions = json.loads((REFERENCE / "spapi-models" / "orders_2026-01-01.json").read_text())["definitions"]
    paths = {re.sub(r"\[\w+=[^\]]+\]", "[]", path) for row in TABLE for path in row.paths}
    unexplained = {
        leaf
        for leaf in model_leaves(definitions, "Order")
        if not any(leaf == path or leaf.startswith(f"{path}.") for path in paths) and not _dropped(leaf)
    }
    assert unexplained == set()
