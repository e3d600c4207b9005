"""Every kind of answer against Amazon's own models."""

import pytest

from stores.simulator import scenarios

from .asking import EVERYTHING, XML, InProcess, confirmation
from .conftest import NOON, frozen
from .models import faults, needs_models

pytestmark = needs_models
ORDERS, ORDERS_V0, SELLERS = "orders_2026-01-01.json", "ordersV0.json", "sellers.json"
FEEDS, LISTINGS = "feeds_2021-06-30.json", "listingsItems_2021-08-01.json"


@pytest.fixture(scope="module")
def demo():
    return frozen(scenarios.demo(now=NOON))


def pages(asker: InProcess, **query) -> list[dict]:
    found, more = [], {}
    while True:
        page = asker.search(**query, **more).json
        found.append(page)
        if "pagination" not in page:
            return found
        more = {"paginationToken": page["pagination"]["nextToken"]}


def test_a_wrong_answer_does_not_pass_the_models():
    order = {
        "orderId": "1",
        "createdTime": "yesterday",
        "lastUpdatedTime": "2026-01-01T00:00:00Z",
        "color": "red",
    }
    found = " ".join(faults(ORDERS, "SearchOrdersResponse", {"orders": [order]}))
    assert all(word in found for word in ("yesterday", "color", "salesChannel", "orderItems"))


@pytest.mark.parametrize("seller", [scenarios.NA, scenarios.EU, scenarios.JP], ids=["NA", "EU", "JP"])
@pytest.mark.parametrize("included", ["", EVERYTHING + ",FULFILLMENT_ORDERS"], ids=["bare", "everything"])
def test_every_demo_order_fits_the_model(demo, seller, included):
    demo.throttling = False
    for page in pages(InProcess(demo).sign_in(seller), includedData=included):
        assert faults(ORDERS, "SearchOrdersResponse", page) == []


def test_the_demo_shows_every_kind_of_order(demo):
    demo.throttling = False
    everything = {"includedData": EVERYTHING}
    found = [
        page
        for s in (scenarios.NA, scenarios.EU, scenarios.JP)
        for page in pages(InProcess(demo).sign_in(s), **everything)
    ]
    orders = [order for page in found for order in page["orders"]]
    items = [item for order in orders for item in order["orderItems"]]
    assert len(orders) >= 300
    assert {o["fulfillment"]["fulfillmentStatus"] for o in orders} >= {
        "PENDING",
        "UNSHIPPED",
        "SHIPPED",
        "CANCELLED",
    }
    assert {p for o in orders for p in o.get("programs", [])} >= {"AMAZON_BUSINESS", "PRIME", "PREMIUM"}
    assert {o["salesChannel"]["marketplaceName"] for o in orders} >= {
        "Amazon.com",
        "Amazon.com.mx",
        "Amazon.co.jp",
    }
    assert any("associatedOrders" in o for o in orders)
    assert any(o.get("buyer", {}).get("buyerPurchaseOrderNumber") for o in orders)
    assert any("deliveryPreference" in o.get("recipient", {}) for o in orders)
    assert any("customization" in i["product"] for i in items)
    assert any("cancellationRequest" in i.get("cancellation", {}) for i in items)
    assert any("giftMessage" in i["fulfillment"].get("packing", {}).get("giftOption", {}) for i in items)
    assert any(line["type"] == "DISCOUNT" for i in items for line in i["proceeds"]["breakdowns"])
    assert any(i["product"]["asin"] in demo.digital_asins for i in items)
    yen = [o["proceeds"]["grandTotal"] for o in orders if o["salesChannel"]["marketplaceName"] == "Amazon.co.jp"]
    assert yen and all(total["currencyCode"] == "JPY" and "." not in total["amount"] for total in yen)
    methods = {p["paymentMethod"] for o in orders for p in o.get("payment", {}).get("paymentExecutions", [])}
    assert methods >= {"CashOnDelivery", "ConvenienceStore", "Invoice", "CreditCard"}


def test_canary_and_hostile_orders_fit_the_model():
    world = frozen(scenarios.canary(now=NOON, token=lambda field, number: f"ZQ{field}{number}QZ"))
    world.leaky_afn = True
    for seller in (scenarios.NA, scenarios.EU, scenarios.JP):
        page = InProcess(world).sign_in(seller).search(includedData=EVERYTHING).json
        assert page["orders"]
        assert faults(ORDERS, "SearchOrdersResponse", page) == []


def test_get_order_fits_the_model(us, order):
    assert faults(ORDERS, "GetOrderResponse", us.order(order.order_id).json) == []


@pytest.mark.parametrize("path", ["marketplaceParticipations", "account"])
def test_the_account_fits_the_model(us, path):
    definition = {
        "marketplaceParticipations": "GetMarketplaceParticipationsResponse",
        "account": "GetAccountResponse",
    }
    assert faults(SELLERS, definition[path], us.ask("GET", f"/sellers/v1/{path}").json) == []


def test_listings_fit_the_model(us, order):
    path = f"/listings/2021-08-01/items/{scenarios.NA.seller_id}"
    included = "summaries,fulfillmentAvailability"
    reply = us.ask("GET", path, marketplaceIds="ATVPDKIKX0DER", includedData=included)
    assert reply.json["numberOfResults"] == 2
    assert faults(LISTINGS, "ItemSearchResults", reply.json) == []


def test_the_request_our_tests_confirm_with_fits_the_model(order):
    assert faults(ORDERS_V0, "ConfirmShipmentRequest", confirmation(order)) == []


def test_errors_fit_the_models(us, order):
    answers = {
        ORDERS: [us.search(maxResultsPerPage=0), us.order("000-0000000-0000000"), us.order("nonsense")],
        SELLERS: [InProcess(us.app.world).ask("GET", "/sellers/v1/account")],
        FEEDS: [us.ask("GET", "/feeds/2021-06-30/feeds/1")],
    }
    for model, replies in answers.items():
        for reply in replies:
            data = reply.json if model != SELLERS else reply.json["errors"]
            assert reply.status in (400, 403, 404)
            assert faults(model, "ErrorList", data) == []
    assert faults(ORDERS_V0, "ConfirmShipmentErrorResponse", us.confirm(order, 1).json) == []


def test_feeds_fit_the_model(us, world):
    document = us.ask("POST", "/feeds/2021-06-30/documents", data={"contentType": XML}).json
    assert faults(FEEDS, "CreateFeedDocumentResponse", document) == []
    us_token, us.token = us.token, None
    target = document["url"].removeprefix("http://testserver")
    assert us.send("PUT", target, b"<AmazonEnvelope/>", {"Content-Type": XML}).status == 200
    us.token = us_token
    wish = {"feedType": "POST_ORDER_FULFILLMENT_DATA", "marketplaceIds": ["ATVPDKIKX0DER"]}
    created = us.ask("POST", "/feeds/2021-06-30/feeds", data=wish | {"inputFeedDocumentId": document["feedDocumentId"]})
    assert created.status == 202
    assert faults(FEEDS, "CreateFeedResponse", created.json) == []
    for seconds in (0, 61, 120):
        world.clock.advance(seconds=seconds)
        feed = us.ask("GET", f"/feeds/2021-06-30/feeds/{created.json['feedId']}").json
        assert faults(FEEDS, "Feed", feed) == []
    listed = us.ask("GET", "/feeds/2021-06-30/feeds", feedTypes=wish["feedType"]).json
    assert listed["feeds"] and faults(FEEDS, "GetFeedsResponse", listed) == []
    result = us.ask("GET", f"/feeds/2021-06-30/documents/{feed['resultFeedDocumentId']}").json
    assert faults(FEEDS, "FeedDocument", result) == []
