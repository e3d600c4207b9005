"""Calling products by the other identifier: joined, split and renamed, with what people said of them (F36, F38, F39)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock, jobs
from orderhub.errors import RuleViolation
from orders import products, rekeying, stock
from orders.fetching import import_lease
from orders.models import OrderItem, Product
from stores.models import Store
from tests.factories import make_account, make_store
from tests.orders.goods import counted, make_product, order_of

pytestmark = pytest.mark.django_db


def rows(store, *names) -> list[tuple]:
    return sorted(store.products.values_list(*names))


def lines_fit(store) -> bool:
    store.refresh_from_db()
    return all(
        item.product.key == products.key_of(store, item.sku, item.asin)
        for item in OrderItem.objects.filter(order__store=store, product__isnull=False).select_related("product")
    )


@pytest.fixture
def store(noon):
    return make_store()


def by_asin(store):
    Store.objects.filter(pk=store.pk).update(product_identifier="asin")
    store.refresh_from_db()
    return store


def test_one_sku_an_asin_is_only_renamed_and_keeps_everything(store, noon):
    product = make_product(store, key="S1", sku="S1", asin="B1", warehouse_location="A-1", weight_g=9, stock_listed=4)
    counted(product, 7, at=noon)
    order_of((product, 2))
    done = rekeying.apply(store, now=clock.now())
    assert done == {"unchanged": 0, "renamed": 1, "joined": 0, "split": 0, "conflicts": 0}
    names = ("pk", "key", "sku", "warehouse_location", "weight_g", "stock_on_hand", "stock_listed")
    assert rows(store, *names) == [(product.pk, "B1", "S1", "A-1", 9, 7, 4)]
    assert lines_fit(store) and store.product_identifier == "asin"


def test_two_skus_of_one_asin_become_one_product(store, noon):
    first = make_product(store, key="S1", sku="S1", asin="B1", warehouse_location="A-1")
    second = make_product(store, key="S2", sku="S2", asin="B1", weight_g=5)
    order_of((first, 1)), order_of((second, 3))
    (fate,) = rekeying.preview(store).joined
    assert (fate.key, len(fate.sources), fate.conflicts) == ("B1", 2, [])
    assert rekeying.apply(store, now=clock.now())["joined"] == 1
    assert rows(store, "key", "warehouse_location", "weight_g") == [("B1", "A-1", 5)]
    assert lines_fit(store) and store.products.get().items.count() == 2


def test_what_is_said_twice_and_differently_is_named_and_left_empty(store, noon):
    first = counted(
        make_product(store, key="S1", sku="S1", asin="B1", warehouse_location="A-1", weight_g=5), 4, at=noon
    )
    counted(make_product(store, key="S2", sku="S2", asin="B1", warehouse_location="C-3", weight_g=6), 9, at=noon)
    order_of((first, 1))
    (fate,) = rekeying.preview(store).conflicts
    assert fate.conflicts == [
        "different storage locations: A-1, C-3", "different weights: 5, 6 g", "counts that must be taken again: S1: 4, S2: 9",
    ]  # fmt: skip
    rekeying.apply(store, now=clock.now())
    assert rows(store, "key", "warehouse_location", "weight_g", "stock_on_hand") == [("B1", "", None, None)]


def test_a_lone_count_of_joined_products_is_carried_as_what_is_on_the_shelf_now(store, noon):
    first = make_product(store, key="S1", sku="S1", asin="B1")
    second = make_product(store, key="S2", sku="S2", asin="B1")
    order_of((second, 5), status="shipped")
    stock.confirm(first, "10", by=None, now=noon)
    order_of((first, 3), status="shipped")
    rekeying.apply(store, now=clock.now())
    joined = store.products.get()
    assert (joined.stock_on_hand, stock.shelf(joined).counted) == (7, 7)


def test_an_asin_of_two_skus_is_split_by_its_lines(store, noon):
    by_asin(store)
    product = counted(
        make_product(store, key="B1", sku="S1", asin="B1", warehouse_location="A-1", weight_g=5), 4, at=noon
    )
    order_of((product, 1), (product, 2))
    second = OrderItem.objects.order_by("-pk").first()
    OrderItem.objects.filter(pk=second.pk).update(sku="S2")
    plan = rekeying.preview(store)
    assert [(fate.key, fate.conflicts) for fate in plan.split] == [
        ("S1", ["counts that must be taken again: B1: 4"]), ("S2", ["counts that must be taken again: B1: 4"]),
    ]  # fmt: skip
    rekeying.apply(store, now=clock.now())
    names = ("key", "sku", "asin", "warehouse_location", "weight_g", "stock_on_hand")
    assert rows(store, *names) == [("S1", "S1", "B1", "A-1", 5, None), ("S2", "S2", "B1", "A-1", 5, None)]
    assert lines_fit(store)


def test_keys_may_change_places(store, noon):
    """The SKU of one product is the ASIN of another."""
    order_of((make_product(store, key="X", sku="X", asin="Y"), 1))
    order_of((make_product(store, key="Y", sku="Y", asin="X"), 1))
    rekeying.apply(store, now=clock.now())
    assert rows(store, "key", "sku") == [("X", "Y"), ("Y", "X")] and lines_fit(store)


def test_there_and_back_again_changes_nothing_that_was_plain(store, noon):
    for number in range(3):
        order_of((make_product(store, asin=f"B{number}", warehouse_location=f"A-{number}", weight_g=number + 1), 1))
    names = ("key", "sku", "asin", "warehouse_location", "weight_g")
    before = rows(store, *names)
    rekeying.apply(store, now=clock.now())
    store.refresh_from_db()
    rekeying.apply(store, now=clock.now())
    assert rows(store, *names) == before and lines_fit(store)


def test_products_without_an_identifier_of_the_other_kind_stay_as_they_are(store, noon):
    order_of((make_product(store, key="S1", sku="S1", asin=""), 1))
    done = rekeying.apply(store, now=clock.now())
    assert done["unchanged"] == 1 and rows(store, "key") == [("S1",)] and lines_fit(store)


def test_a_preview_changes_nothing(store, django_assert_max_num_queries):
    for number in range(5):
        order_of((make_product(store, asin=f"B{number % 2}"), 1))
    before = list(Product.objects.values())
    with django_assert_max_num_queries(2):
        plan = rekeying.preview(store)
    assert len(plan.fates) == 2 and list(Product.objects.values()) == before


def test_another_stores_products_stay(store, noon):
    other = make_product(make_store("CA", account=store.account), key="S1", sku="S1", asin="B1")
    order_of((make_product(store, key="S1", sku="S1", asin="B1"), 1))
    rekeying.apply(store, now=clock.now())
    other.refresh_from_db()
    assert other.key == "S1"


def test_nothing_is_changed_while_orders_are_read(store, noon):
    make_product(store, key="S1", sku="S1", asin="B1")

    def work() -> str:
        with pytest.raises(RuleViolation, match="Try again in a minute"):
            rekeying.apply(store, now=clock.now())
        return "read"

    jobs.under_lease(import_lease(store.account_id), work)
    assert rows(store, "key") == [("S1",)]


def test_it_costs_the_same_statements_for_3_and_20_products(noon):
    figures = []
    account = make_account()
    for marketplace, count in (("US", 3), ("CA", 20)):
        store = make_store(marketplace, account=account)
        for number in range(count):
            order_of((make_product(store, asin=f"B{number // 2}"), 1))
        with CaptureQueriesContext(connection) as seen:
            rekeying.apply(store, now=clock.now())
        figures.append(len(seen))
    assert figures[0] == figures[1]
