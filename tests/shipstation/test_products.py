"""Products over version 1."""

import pytest
from django.contrib.admin.models import LogEntry

from orders.models import Order, OrderItem, Product
from tests.factories import make_account, make_store
from tests.orders.goods import make_product, order_of
from tests.shipstation.caller import Caller

pytestmark = pytest.mark.django_db
SOME = {"productId", "sku", "name", "price", "length", "width", "height", "weightOz", "warehouseLocation", "createDate",
        "modifyDate", "active", "customsTariffNo", "tags", "aliases"}  # fmt: skip


def test_products_are_listed_by_page_and_found_by_sku_and_name():
    store = make_store()
    mug = make_product(store, sku="MUG-1", key="MUG-1", title="Blue mug", weight_g=340, length_mm=254)
    pot = make_product(store, sku="POT-1", key="POT-1", title="Pot")
    caller = Caller(store)
    answer = caller.get("/products", pageSize=1, page=2)
    assert (answer["total"], answer["page"], answer["pages"]) == (2, 2, 2)
    assert [row["productId"] for row in answer["products"]] == [pot.pk]
    (found,) = caller.get("/products", sku="mug-1")["products"]
    assert set(found) >= SOME and (found["weightOz"], found["length"], found["width"]) == (11.99, 10.0, None)
    assert [row["productId"] for row in caller.get("/products", name="blue")["products"]] == [mug.pk]
    assert caller.get(f"/Products/{mug.pk}/") == found
    assert caller.statements("/products") <= 10


def test_b01_a_product_of_another_store_is_not_there():
    account = make_account()
    other = make_product(make_store("CA", account=account))
    caller = Caller(make_store("US", account=account))
    assert caller.send("GET", f"/products/{other.pk}").status_code == 404
    assert caller.send("PUT", f"/products/{other.pk}", {"name": "Mine"}).status_code == 404
    assert caller.get("/products")["total"] == 0


def test_a_product_that_comes_back_as_it_was_read_changes_nothing():
    product = make_product(weight_g=341, length_mm=333, width_mm=7, height_mm=1, warehouse_location="A1")
    caller, before = Caller(product.store), Product.objects.values().get()
    caller.put(f"/products/{product.pk}", caller.get(f"/products/{product.pk}") | {"unheardOf": [1]})
    assert Product.objects.values().get() == before and not LogEntry.objects.exists()


def test_what_staff_may_say_of_a_product_is_taken_and_open_orders_follow():
    product = make_product()
    order = order_of((product, 2))
    caller = Caller(product.store)
    sent = caller.get(f"/products/{product.pk}") | {
        "name": "Red mug", "weightOz": "12", "height": 2, "warehouseLocation": "B4", "sku": "OTHER", "price": 3,
    }  # fmt: skip
    assert caller.put(f"/products/{product.pk}", sent)["success"] is True
    product.refresh_from_db()
    assert (product.title, product.weight_g, product.height_mm, product.warehouse_location) == (
        "Red mug",
        340,
        51,
        "B4",
    )
    assert product.sku != "OTHER" and OrderItem.objects.get().quantity == 2
    assert Order.objects.get(pk=order.pk).weight_g == 680
    assert LogEntry.objects.get().user == caller.key.user


def test_b04_what_no_product_can_be_is_refused_and_changes_nothing():
    product = make_product(stock_listed=3)
    caller = Caller(product.store)
    for body, name in (
        ({"weightOz": "heavy"}, "weightOz"), ({"weightOz": -3}, "weightOz"), ({"warehouseLocation": "x" * 61}, "warehouseLocation"),
        ({"name": "two\nlines"}, "name"), ({"length": 10**9}, "length"),
    ):  # fmt: skip
        answer = caller.send("PUT", f"/products/{product.pk}", body)
        assert answer.status_code == 400 and set(answer.json()["ModelState"]) == {name}, body
    caller.put(f"/products/{product.pk}", {"stock_listed": 9, "store": 1, "store_id": 1, "key": "x", "productId": 1})
    fresh = Product.objects.get()
    assert (fresh.stock_listed, fresh.key, fresh.store_id) == (3, product.key, product.store_id)
