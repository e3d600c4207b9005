"""Products: looked up once for all, 20 ASINs a call, and what follows for products, lines and orders (R24, R28, F35)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import jobs
from orders import catalogue, products
from orders.models import CatalogueItem, Order, OrderEvent, Product
from stores.connectors.amazon import catalogue as wire
from stores.connectors.base import OrderPage
from stores.models import Store
from stores.simulator import scenarios
from stores.simulator.catalogue import DIGITAL, PRODUCTS
from tests.conftest import NOON
from tests.factories import connect, make_store
from tests.orders.goods import make_product, order_of, question

pytestmark = pytest.mark.django_db
State = CatalogueItem.State
EARLY = {"created": NOON - timedelta(hours=1), "updated": NOON - timedelta(hours=1)}


def enrich() -> str:
    with jobs.inline():
        return jobs.run("orders.product_jobs.enrich_products")


def look_up(**given):
    return catalogue.look_up_due(now=given.pop("now", NOON), budget_s=given.pop("budget_s", 10))


# -- asking


def test_twenty_asins_cost_one_call_and_every_store_of_the_marketplace_profits(world):
    account = connect(scenarios.NA, sources=("US",))
    for number in range(20):
        question(f"B0UNKNOW{number:02d}")
    assert look_up() == {"missing": 20, "left": 0}
    assert world.calls("searchCatalogItems") == 1
    make_store("CA", account=account)
    assert look_up() == {"left": 0} and world.calls("searchCatalogItems") == 1


def test_weight_sides_title_and_photo_come_in_our_units(world):
    connect(scenarios.NA, sources=("US",))
    tray = PRODUCTS[0]
    item = question(tray.asin)
    look_up()
    item.refresh_from_db()
    assert (item.state, item.title, item.weight_g, item.is_physical) == (State.FOUND, tray.titles["en"], 820, None)
    assert item.sides == tray.size_mm
    assert item.image_url.endswith(f"/product-images/{tray.asin}.png")
    assert item.next_lookup_at == NOON + timedelta(days=30)


def test_what_is_missing_is_asked_for_again_after_a_week_then_monthly(world, travel):
    connect(scenarios.NA, sources=("US",))
    item = question("B0NOSUCHIT")
    look_up()
    item.refresh_from_db()
    assert (item.state, item.next_lookup_at) == (State.MISSING, NOON + timedelta(days=7))
    later = travel(world, days=7)
    look_up(now=later)
    item.refresh_from_db()
    assert item.next_lookup_at == later + timedelta(days=30)


@pytest.mark.parametrize("fault", ["429", "500_before", "403_revoked"])
def test_a_failed_call_leaves_its_questions(world, fault):
    connect(scenarios.NA, sources=("US",))
    item = question(PRODUCTS[0].asin)
    world.faults.arm("searchCatalogItems", fault)
    assert look_up() == {"left": 1}
    item.refresh_from_db()
    assert (item.state, item.attempts, item.next_lookup_at <= NOON) == (State.WAITING, 0, True)


def test_one_bad_asin_holds_nobody_up(world):
    connect(scenarios.NA, sources=("US",))
    bad, good = question("B0,COMMA"), question(PRODUCTS[0].asin)
    look_up()
    bad.refresh_from_db(), good.refresh_from_db()
    assert (bad.state, good.state) == (State.MISSING, State.FOUND)


def test_an_empty_bucket_ends_the_run_and_the_next_one_goes_on(world, travel):
    connect(scenarios.NA, sources=("US",))
    for number in range(60):
        question(f"B0MANY{number:04d}")
    assert look_up() == {"missing": 40, "left": 20}
    assert world.calls("searchCatalogItems") == 2
    assert look_up(now=travel(world, minutes=5))["left"] == 0


# -- what follows


def test_products_take_over_what_their_store_wants(world, noon):
    account = connect(scenarios.NA, sources=("US",))
    store = account.stores.get()
    Store.objects.filter(pk=store.pk).update(product_title_policy="never", product_weight_policy="if_empty")
    tray, kettle = PRODUCTS[0], PRODUCTS[2]
    own = make_product(store, asin=tray.asin, title="Ours", weight_g=5)
    bare = make_product(store, asin=kettle.asin, title="")
    question(tray.asin), question(kettle.asin)
    assert "2 found" in enrich()
    own.refresh_from_db(), bare.refresh_from_db()
    assert (own.title, own.weight_g) == ("Ours", 5) and all(own.sides)
    assert (bare.title, bare.weight_g, all(bare.sides)) == ("", 1150, True)
    assert own.photo.name == CatalogueItem.objects.get(asin=tray.asin).image.name != ""


def test_an_order_weighs_its_lines_once_all_are_known(world, noon):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    tray, towel = (make_product(store, asin=product.asin) for product in PRODUCTS[:2])
    strange = make_product(store, asin="B0NOSUCHIT")
    both, half = order_of((tray, 2), (towel, 1)), order_of((tray, 1), (strange, 1))
    typed = order_of((tray, 1), weight_g=7, weight_is_typed=True)
    for product in (tray, towel, strange):
        question(product.asin)
    enrich()
    weights = dict(Order.objects.values_list("pk", "weight_g"))
    assert weights == {both.pk: 2 * 820 + 310, half.pk: None, typed.pk: 7}


def test_r24_an_order_of_files_only_waits_on_hold_once_and_is_never_deleted(world, noon):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    file, tray = make_product(store, asin=DIGITAL.asin), make_product(store, asin=PRODUCTS[0].asin)
    files, mixed = order_of((file, 1)), order_of((file, 1), (tray, 1))
    question(DIGITAL.asin), question(PRODUCTS[0].asin)
    assert "1 held" in enrich()
    files.refresh_from_db(), mixed.refresh_from_db()
    assert (files.status, files.hold_reason) == ("on_hold", products.NOT_PHYSICAL_HOLD)
    assert (mixed.status, mixed.weight_g) == ("awaiting_shipment", 820)
    assert list(files.events.values_list("kind", flat=True)) == [OrderEvent.Kind.NOT_PHYSICAL]
    files.release()
    assert "0 held" in enrich()
    assert Order.objects.get(pk=files.pk).status == "awaiting_shipment"


def test_an_unknown_kind_counts_as_physical(world, settings):
    settings.DIGITAL_PRODUCT_TYPES = []
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    order = order_of((make_product(store, asin=DIGITAL.asin), 1))
    question(DIGITAL.asin)
    assert "0 held" in enrich()
    assert list(order.items.values_list("is_physical", flat=True)) == [True]


def test_orders_that_come_after_the_look_up_follow_too(world, noon):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    tray, file = make_product(store, weight_g=820), make_product(store, is_physical=False)
    heavy, files = order_of((tray, 3)), order_of((file, 1))
    enrich()
    heavy.refresh_from_db(), files.refresh_from_db()
    assert (heavy.weight_g, files.status) == (2460, "on_hold")


def test_a_second_run_changes_nothing(world, noon):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    order_of((make_product(store, asin=PRODUCTS[0].asin), 1))
    question(PRODUCTS[0].asin)
    enrich()
    before = (list(Product.objects.values()), list(Order.objects.values()), list(CatalogueItem.objects.values()))
    calls = world.calls("searchCatalogItems"), world.calls("productImage")
    enrich()
    assert before == (
        list(Product.objects.values()),
        list(Order.objects.values()),
        list(CatalogueItem.objects.values()),
    )
    assert calls == (world.calls("searchCatalogItems"), world.calls("productImage")) == (1, 1)


def test_a_run_costs_the_same_statements_for_3_and_20_products(world, travel):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    figures = []
    for count in (1, 3, 20):
        for number in range(count):
            product = make_product(store, asin=f"B0SOLD{count:02d}{number:02d}")
            order_of((product, 1))
            world.add_order(scenarios.NA, items=[{"asin": product.asin, "title": "Lamp"}])
            question(product.asin, image_error="none")
        with CaptureQueriesContext(connection) as seen:
            now = travel(world, minutes=5)
            catalogue.look_up_due(now=now, budget_s=10)
            products.apply_found(now=now)
            products.settle_new(now=now)
            products.hold_not_physical(now=now)
        figures.append(len(seen))
        assert Order.objects.filter(weight_g=250).count() == Order.objects.count()
    assert figures[1] == figures[2] <= 28  # the first run makes the bucket


# -- before a page is written


def page_of(world, account) -> OrderPage:
    from stores.connecting import connector_for

    return next(connector_for(account).orders_changed(after=NOON - timedelta(days=2)))


def test_r24_unknown_asins_of_open_orders_are_asked_before_the_page_is_written(world):
    account = connect(scenarios.NA, sources=("US",))
    world.add_order(
        scenarios.NA, items=[{"asin": DIGITAL.asin, "title": "Pattern"}, {"asin": PRODUCTS[0].asin}], **EARLY
    )
    world.add_order(scenarios.NA, items=[{"asin": PRODUCTS[1].asin}], status="SHIPPED", **EARLY)
    catalogue.look_up_first(account, page_of(world, account))
    asked = dict(CatalogueItem.objects.values_list("asin", "is_physical"))
    assert asked == {DIGITAL.asin: False, PRODUCTS[0].asin: None}
    catalogue.look_up_first(account, page_of(world, account))
    assert world.calls("searchCatalogItems") == 1


@pytest.mark.parametrize("fault", ["429", "500_before", "cut"])
def test_a_failure_before_the_page_is_swallowed_into_unknown(world, fault):
    account = connect(scenarios.NA, sources=("US",))
    world.add_order(scenarios.NA, items=[{"asin": DIGITAL.asin}], **EARLY)
    page = page_of(world, account)
    world.faults.arm("searchCatalogItems", fault)
    catalogue.look_up_first(account, page)
    assert not CatalogueItem.objects.exists()


def test_at_most_five_calls_are_spent_on_a_page(world):
    account = connect(scenarios.NA, sources=("US",))
    account.buckets.update_or_create(
        operation="searchCatalogItems",
        defaults={"tokens": 50, "burst": 50, "rate": 1.6, "updated_at": NOON},
    )
    world.throttling = False
    for number in range(70):
        lines = [{"asin": f"B0P{number:03d}{line:04d}"} for line in range(2)]
        world.add_order(scenarios.NA, items=lines, **EARLY)
    catalogue.look_up_first(account, page_of(world, account))
    assert world.calls("searchCatalogItems") == 5
    assert CatalogueItem.objects.count() == 100


# -- names and units


@pytest.mark.parametrize(
    ("identifier", "sku", "asin", "key"),
    [
        ("sku", "S", "A", "S"),
        ("asin", "S", "A", "A"),
        ("sku", "", "A", "A"),
        ("asin", "S", "", "S"),
        ("sku", "", "", ""),
    ],
)
def test_a_product_is_called_by_the_stores_identifier(identifier, sku, asin, key):
    assert products.key_of(Store(product_identifier=identifier), sku, asin) == key


@pytest.mark.parametrize(
    ("unit", "value", "grams"),
    [
        ("grams", 12.2, 12), ("grams", 0.2, 1), ("kilograms", 1.5, 1500), ("pounds", 1, 454), ("ounces", 10, 283), ("milligrams", 1500, 2),
        ("hundredths_pounds", 250, 1134), ("Pounds", 2, 907), ("stones", 1, None), ("grams", -1, None),
        ("grams", float("inf"), None), ("kilograms", 1e12, None), ("grams", "12", None), ("grams", True, None),
    ],
)  # fmt: skip
def test_weights_are_whole_grams(unit, value, grams):
    body = {
        "items": [
            {"asin": "A", "dimensions": [{"marketplaceId": "M", "item": {"weight": {"unit": unit, "value": value}}}]}
        ]
    }
    assert wire.products(body, "M")["A"].weight_g == grams


@pytest.mark.parametrize(
    ("unit", "value", "millimetres"),
    [
        ("inches", 10, 254),
        ("centimeters", 3.1, 31),
        ("millimeters", 7, 7),
        ("meters", 1, 1000),
        ("feet", 1, 305),
        ("?", 1, None),
    ],
)
def test_sides_are_whole_millimetres(unit, value, millimetres):
    box = {"length": {"unit": unit, "value": value}}
    body = {"items": [{"asin": "A", "dimensions": [{"marketplaceId": "M", "package": box}]}]}
    assert wire.products(body, "M")["A"].length_mm == millimetres


@pytest.mark.parametrize("body", [{}, {"items": None}, {"items": ["x", {}]}, {"items": [{"asin": "A", "images": {}}]}])
def test_a_strange_answer_breaks_nothing(body):
    assert set(wire.products(body, "M")) <= {"A"}
    assert wire.for_sale(body) == wire.in_warehouses(body) == {}
