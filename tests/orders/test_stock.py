"""Stock: what was counted, what is still to send, what is short, and what Amazon has for sale (R41, F39)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import jobs
from orderhub.errors import ConnectorError, RuleViolation
from orders import stock
from orders.models import Order, Product
from shipments.models import Shipment
from stores.models import Store
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_shipment, make_store, make_user
from tests.orders.goods import counted, make_product, order_of

pytestmark = pytest.mark.django_db


def refresh() -> str:
    with jobs.inline():
        return jobs.run("orders.product_jobs.refresh_stock")


def shelf_of(product: Product) -> stock.Shelf:
    return stock.shelf(Product.objects.get(pk=product.pk))


def policy(product: Product, word: str) -> None:
    Store.objects.filter(pk=product.store_id).update(short_stock=word)


# -- the shelf


def test_units_sent_since_the_count_are_off_the_shelf_and_open_orders_are_to_send(noon):
    product = make_product()
    make_shipment(order_of((product, 2)))
    stock.confirm(product, "10", by=make_user(), now=noon)
    make_shipment(order_of((product, 3)))
    order_of((product, 4)), order_of((product, 1), status="on_hold"), order_of((product, 9), status="cancelled")
    found = shelf_of(product)
    assert (found.counted, found.to_send, found.available, found.short) == (7, 5, 2, False)


def test_what_is_shipped_outside_orderhub_is_off_the_shelf_too(noon):
    product = make_product()
    order = order_of((product, 3))
    stock.confirm(product, "5", by=None, now=noon)
    Order.objects.filter(pk=order.pk).update(status="shipped")
    assert shelf_of(product) == stock.Shelf(counted=2, to_send=0)


def test_units_of_amazons_warehouses_are_not_on_our_shelf(noon):
    product = make_product()
    stock.confirm(product, "5", by=None, now=noon)
    order_of((product, 3), fulfilled_by="AFN")
    assert shelf_of(product) == stock.Shelf(counted=5, to_send=0)


def test_what_was_never_counted_is_never_short(noon):
    product = make_product(stock_listed=0)
    order_of((product, 3))
    found = shelf_of(product)
    assert (found.counted, found.to_send, found.available, found.short) == (None, 3, None, False)


@pytest.mark.parametrize("typed", ["", "-1", "1.5", "ten", "1000001", "٣", "1e3"])
def test_a_count_is_a_whole_number(noon, typed):
    product = make_product()
    with pytest.raises(RuleViolation, match="whole number"):
        stock.confirm(product, typed, by=None, now=noon)
    product.refresh_from_db()
    assert product.stock_on_hand is None


def test_a_count_keeps_who_and_when(noon):
    product, user = make_product(), make_user()
    stock.confirm(product, " 0 ", by=user, now=noon)
    product.refresh_from_db()
    assert (product.stock_on_hand, product.stock_confirmed_by, product.stock_confirmed_at) == (0, user, noon)


# -- shortage


def test_orders_of_a_short_product_are_short_in_one_query(noon, django_assert_num_queries):
    plenty = counted(make_product(), 10, at=noon)
    scarce = counted(make_product(plenty.store), 3, at=noon)
    first, second = order_of((scarce, 2)), order_of((plenty, 1), (scarce, 2))
    fine, sent = order_of((plenty, 5)), order_of((scarce, 1), status="cancelled")
    with django_assert_num_queries(1):
        found = stock.short_orders([order.pk for order in (first, second, fine, sent)])
    assert found == {first.pk, second.pk}


@pytest.mark.parametrize(("word", "told"), [("allow", False), ("warn", True), ("block", True)])
def test_a_store_that_allows_shortages_is_not_told_of_them(noon, word, told):
    product = counted(make_product(), 1, at=noon)
    order = order_of((product, 2))
    policy(product, word)
    assert stock.short_orders([order.pk]) == ({order.pk} if told else set())


@pytest.mark.parametrize("word", ["allow", "warn"])
def test_f39_a_shortage_may_be_shipped_where_the_store_lets_it(noon, word):
    product = counted(make_product(), 0, at=noon)
    order = order_of((product, 1))
    policy(product, word)
    order.refresh_from_db()
    assert make_shipment(Order.objects.get(pk=order.pk)).pk


def test_f39_a_store_that_refuses_shortages_ships_no_more_than_was_counted(noon):
    product = counted(make_product(key="TRAY"), 3, at=noon)
    policy(product, "block")
    many, few = (Order.objects.get(pk=order_of((product, units)).pk) for units in (4, 3))
    with pytest.raises(RuleViolation, match=r"needs 4 × TRAY, and 3 are on the shelf"):
        make_shipment(many)
    many.refresh_from_db()
    assert (many.status, Shipment.objects.count()) == ("awaiting_shipment", 0)
    assert make_shipment(few).pk  # what is there may leave, although more is ordered altogether
    another = Order.objects.get(pk=order_of((product, 1)).pk)
    with pytest.raises(RuleViolation, match="0 are on the shelf"):
        make_shipment(another)


def test_two_lines_of_one_product_need_both_their_units(noon):
    product = counted(make_product(), 3, at=noon)
    policy(product, "block")
    order = Order.objects.get(pk=order_of((product, 2), (product, 2)).pk)
    with pytest.raises(RuleViolation, match="needs 4"):
        make_shipment(order)


def test_stores_that_do_not_refuse_pay_no_query_for_it(noon, django_assert_num_queries):
    order = order_of((make_product(), 1))
    order.store.short_stock = "warn"
    with django_assert_num_queries(0):
        stock.refuse_short(order)


# -- what Amazon has


def sold(world, store, *skus, **given):
    """Products of the store that are in open orders here and listed at Amazon."""
    found = []
    for sku in skus:
        world.add_order(scenarios.NA, items=[{"sku": sku, "asin": f"B0{sku}"}], **given)
        product = make_product(store, key=sku, sku=sku)
        order_of((product, 1))
        found.append(product)
    return found


def test_open_orders_products_are_asked_for_hourly_twenty_a_call(world, travel):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    before = world.calls("searchListingsItems")
    first, *_more = sold(world, store, *(f"SKU-A{number:02d}" for number in range(25)))
    world.stock[scenarios.NA.seller_id, first.sku] = 4
    assert refresh() == "25 products asked, 0 failed, 0 left"
    first.refresh_from_db()
    assert (first.stock_listed, first.stock_checked_at, first.stock_fba) == (4, NOON, None)
    assert world.calls("searchListingsItems") == before + 2
    assert refresh().startswith("0 products asked")
    travel(world, minutes=60)
    assert refresh().startswith("25 products asked")


def test_a_product_that_amazon_no_longer_lists_says_so(world):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    product = make_product(store, stock_listed=3)
    order_of((product, 1))
    refresh()
    product.refresh_from_db()
    assert (product.stock_listed, product.stock_checked_at) == (None, NOON)


def test_amazons_warehouses_are_asked_where_their_orders_are_imported(world):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    Store.objects.filter(pk=store.pk).update(import_afn=True)
    world.add_order(scenarios.NA, fulfilled_by="AMAZON", items=[{"sku": "FBA-1"}])
    product = make_product(store, key="FBA-1", sku="FBA-1")
    order_of((product, 1), fulfilled_by="AFN")
    world.fba_stock[scenarios.NA.seller_id, "FBA-1"] = 12
    refresh()
    product.refresh_from_db()
    assert product.stock_fba == 12
    assert world.calls("getInventorySummaries") == 1


def test_closed_orders_and_skus_amazon_cannot_be_asked_for_cost_no_call(world):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    before = world.calls("searchListingsItems")
    order_of((make_product(store), 1), status="shipped")
    order_of((make_product(store, key="A,B", sku="A,B"), 1))
    order_of((make_product(store, key="B0NOSKU", sku=""), 1))
    assert refresh() == "0 products asked, 0 failed, 0 left"
    assert world.calls("searchListingsItems") == before


def test_a_failure_leaves_the_rest_for_the_next_run(world, travel):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    sold(world, store, "SKU-F1")
    world.faults.arm("searchListingsItems", "429")
    assert refresh() == "0 products asked, 1 failed, 1 left"
    travel(world, minutes=5)
    assert refresh() == "1 products asked, 0 failed, 0 left"


def test_an_account_that_does_not_work_is_not_asked(world):
    account = connect(scenarios.NA, sources=("US",))
    sold(world, account.stores.get(), "SKU-N1")
    account.stop("revoked", "test")
    before = world.calls("searchListingsItems")
    assert refresh().startswith("0 products asked") and world.calls("searchListingsItems") == before


def test_asking_costs_the_same_statements_for_2_and_20_products(world, travel):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    figures = []
    for run, count in enumerate((1, 2, 20)):
        sold(world, store, *(f"SKU-{run}-{number:02d}" for number in range(count)))
        Product.objects.exclude(key__startswith=f"SKU-{run}-").update(stock_checked_at=NOON + timedelta(days=1))
        now = travel(world, minutes=5)
        with CaptureQueriesContext(connection) as seen:
            assert stock.refresh_due(now=now, budget_s=10).asked == count
        figures.append(len(seen))
    assert figures[1] == figures[2] <= 12


def test_the_errors_of_one_product_are_shown_to_who_asks(world):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    (product,) = sold(world, store, "SKU-E1")
    world.faults.arm("searchListingsItems", "500_before")
    with pytest.raises(ConnectorError):
        stock.ask(store, [product], now=NOON)
    assert make_store("CA", account=store.account).products.count() == 0
