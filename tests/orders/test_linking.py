"""Lines find their products, and products are made only where Amazon's catalogue may be asked (R28, R29)."""

from datetime import timedelta

import pytest

from orders.models import CatalogueItem, OrderItem, Product
from stores.models import Store
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect
from tests.orders.driving import import_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(world):
    return connect(scenarios.NA, sources=("US",))


def sell(world, *skus: str, **given):
    items = [{"sku": sku, "asin": f"B0{sku:0>8}", "title": f"Product {sku}", "quantity": 1} for sku in skus]
    defaults = {"marketplace": "US", "created": NOON - timedelta(hours=1), "updated": NOON - timedelta(hours=1)}
    return world.add_order(scenarios.NA, items=items, **(defaults | given))


def linked() -> dict[str, str | None]:
    rows = OrderItem.objects.values_list("sku", "product__key")
    return dict(rows)


def test_lines_of_one_sku_share_a_product_and_each_asin_is_asked_about_once(world, account):
    sell(world, "A1", "A2")
    sell(world, "A1")
    import_now(account)
    assert linked() == {"A1": "A1", "A2": "A2"}
    assert sorted(Product.objects.values_list("key", "sku", "asin")) == [
        ("A1", "A1", "B0000000A1"),
        ("A2", "A2", "B0000000A2"),
    ]
    assert CatalogueItem.objects.filter(marketplace="US").count() == 2


def test_r10_a_store_that_calls_its_products_by_asin_keys_them_so(world, account):
    Store.objects.update(product_identifier="asin")
    sell(world, "A1")
    import_now(account)
    assert linked() == {"A1": "B0000000A1"}


@pytest.mark.parametrize("status", ["SHIPPED", "CANCELLED"])
def test_r28_an_order_already_shipped_or_cancelled_makes_no_product_and_no_question(world, account, status):
    sell(world, "A1", status=status)
    import_now(account)
    assert linked() == {"A1": None}
    assert not Product.objects.exists() and not CatalogueItem.objects.exists()
    assert world.calls("searchCatalogItems") == 0


def test_r28_such_an_order_uses_what_is_there(world, account):
    sell(world, "A1")
    import_now(account)
    sell(world, "A1", "A2", status="SHIPPED", updated=NOON - timedelta(minutes=10))
    import_now(account)
    assert linked() == {"A1": "A1", "A2": None}


def test_r29_an_order_that_amazon_ships_makes_its_products(world, account):
    account.stores.update(import_afn=True)
    sell(world, "A1", fulfilled_by="AMAZON", status="SHIPPED")
    import_now(account)
    assert linked() == {"A1": "A1"}
    assert CatalogueItem.objects.filter(asin="B0000000A1").exists()


def test_an_order_waiting_for_payment_may_ask(world, account):
    sell(world, "A1", status="PENDING")
    import_now(account)
    assert linked() == {"A1": "A1"}


def test_the_weight_of_an_order_is_that_of_its_products_where_all_are_known(world, account):
    store = Store.objects.get()
    for key, grams in (("A1", 250), ("A2", None)):
        Product.objects.create(store=store, key=key, sku=key, weight_g=grams)
    known, unknown = sell(world, "A1", "A1"), sell(world, "A1", "A2")
    import_now(account)
    weights = dict(OrderItem.objects.values_list("order__order_number", "order__weight_g"))
    assert weights == {known.order_id: 500, unknown.order_id: None}
