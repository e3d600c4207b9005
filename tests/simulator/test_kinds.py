"""One order of every kind: each fits Amazon's model, and together they show every word Amazon has."""

from decimal import Decimal

import pytest

from stores.simulator import kinds, scenarios

from .asking import EVERYTHING, InProcess
from .conftest import NOON, frozen
from .models import faults, needs_models

ALL = EVERYTHING + ",FULFILLMENT_ORDERS"


@pytest.fixture(scope="module")
def told():
    """Kind to what getOrder says of its order."""
    world = frozen(scenarios.empty(now=NOON))
    world.throttling = False
    orders = kinds.one_of_each(world)
    askers = {seller: InProcess(world).sign_in(seller) for seller in set(kinds.HOMES.values())}
    return {name: askers[kinds.HOMES[name]].order(order.order_id, ALL).json["order"] for name, order in orders.items()}


@needs_models
@pytest.mark.parametrize("name", kinds.KINDS)
def test_each_kind_fits_the_official_model(told, name):
    assert faults("orders_2026-01-01.json", "Order", told[name]) == []


def test_every_status_channel_and_marketplace_is_there(told):
    assert {o["fulfillment"]["fulfillmentStatus"] for o in told.values()} == {
        "PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE",
    }  # fmt: skip
    assert {o["fulfillment"]["fulfilledBy"] for o in told.values()} == {"MERCHANT", "AMAZON"}
    markets = {o["salesChannel"].get("marketplaceName", "") for o in told.values()}
    assert markets >= {
        "Amazon.com",
        "Amazon.ca",
        "Amazon.com.mx",
        "Amazon.fr",
        "Amazon.de",
        "Amazon.es",
        "Amazon.co.jp",
    }


def test_every_kind_of_amount_association_and_address_is_there(told):
    items = [item for o in told.values() for item in o["orderItems"]]
    amounts = {part["type"] for item in items for part in item.get("proceeds", {}).get("breakdowns", [])}
    assert amounts >= {"ITEM", "SHIPPING", "GIFT_WRAP", "COD_FEE", "TAX", "DISCOUNT", "OTHER"}
    associated = {one["associationType"] for o in told.values() for one in o.get("associatedOrders", [])}
    assert associated == {"REPLACEMENT_ORIGINAL_ID", "EXCHANGE_ORIGINAL_ID", "TWIN_ORDER_ID"}
    kinds_of_address = {o.get("recipient", {}).get("deliveryAddress", {}).get("addressType") for o in told.values()}
    assert kinds_of_address >= {"RESIDENTIAL", "COMMERCIAL", "PICKUP_POINT", "LIGHTHOUSE"}


def test_the_barest_order_has_only_what_the_model_requires_and_who_fulfils_it(told):
    bare = told["nothing optional"]
    assert set(bare) == {"orderId", "createdTime", "lastUpdatedTime", "salesChannel", "orderItems", "fulfillment"}
    assert [set(item) for item in bare["orderItems"]] == [{"orderItemId", "quantityOrdered", "product"}]
    assert bare["orderItems"][0]["product"] == {}


def test_the_grand_total_is_the_sum_of_what_the_lines_say(told):
    for name, order in told.items():
        lines = [item["proceeds"]["proceedsTotal"]["amount"] for item in order["orderItems"] if "proceeds" in item]
        if lines:
            assert order["proceeds"]["grandTotal"]["amount"] == str(sum(map(Decimal, lines))), name
