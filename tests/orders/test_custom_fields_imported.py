"""Custom fields filled at import from the store's mapping (R31 to R33), each as personal as what it is fed by."""

from datetime import UTC, datetime, timedelta

import pytest

from orders.models import Order, OrderPersonalData
from privacy import erasure, markers
from stores import customfields, features
from stores.models import MAPPED_FIELDS, FeatureGrant, Store
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_user
from tests.orders.driving import import_now

pytestmark = pytest.mark.django_db
NUMBER = "PO-77-ZEBULON"


@pytest.fixture
def account(world):
    found = connect(scenarios.NA, sources=("US",))
    features.grant(
        found.stores.get(), FeatureGrant.Feature.CUSTOM_FIELDS, by=make_user("Customer success"), reason="test"
    )
    return found


def feed(account, *sources: str) -> None:
    customfields.map_fields(account.stores.get(), list(sources), by=make_user("Support"))


def business(world, **given):
    defaults = {
        "marketplace": "US", "created": NOON - timedelta(hours=1), "updated": NOON - timedelta(hours=1),
        "programs": ("AMAZON_BUSINESS",), "purchase_order_number": NUMBER, "service_level": "NEXT_DAY",
        "seller_order_id": "SHOP-9",
    }  # fmt: skip
    return world.add_order(scenarios.NA, **(defaults | given))


def fields_of(row) -> tuple[str, ...]:
    return tuple(getattr(row, name) for name in MAPPED_FIELDS)


def kept() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the order holds, and what the person's row does."""
    return fields_of(Order.objects.get()), fields_of(OrderPersonalData.objects.get())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("seller_order_id", "SHOP-9"),
        ("business_order", "true"),
        ("service_level", "Next Day"),
        ("earliest_ship_date", "2026-11-20"),
        ("latest_delivery_date", "2026-11-25"),
    ],
)
def test_r32_each_source_fills_its_field(world, account, source, expected):
    feed(account, source)
    late = datetime(2026, 11, 26, 7, 59, tzinfo=UTC)  # 25 November in Los Angeles
    business(world, ship_from=datetime(2026, 11, 20, 8, tzinfo=UTC), deliver_by=late)
    import_now(account)
    assert kept() == ((expected, "", ""), ("", "", ""))


def test_the_order_number_fills_a_field(world, account):
    feed(account, "", "order_number")
    order = business(world)
    import_now(account)
    assert kept() == (("", order.order_id, ""), ("", "", ""))


def test_the_purchase_order_number_is_kept_with_the_person_only_and_goes_with_it(world, account, travel):
    feed(account, "business_order", "purchase_order_number", "service_level")
    business(world)
    import_now(account)
    assert kept() == (("true", "", "Next Day"), ("", NUMBER, ""))
    Order.objects.update(redaction_due_at=NOON)
    erasure.redact_due(now=NOON)
    assert kept() == (("true", "", "Next Day"), ("", markers.AMAZON, ""))


def test_r76_an_import_after_the_erasure_does_not_bring_it_back(world, account, travel):
    feed(account, "purchase_order_number")
    order = business(world)
    import_now(account)
    Order.objects.update(redaction_due_at=NOON)
    erasure.redact_due(now=NOON)
    travel(world, minutes=10)
    world.update(order.order_id, service_level="EXPEDITED")
    travel(world, minutes=5)
    import_now(account)
    assert Order.objects.get().service_level == "EXPEDITED"
    assert kept() == (("", "", ""), (markers.AMAZON, "", ""))


def test_an_update_fills_the_fields_again_and_a_field_nobody_maps_is_left_alone(world, account, travel):
    feed(account, "service_level")
    order = business(world)
    import_now(account)
    Order.objects.update(custom_field_3="aisle 4")
    travel(world, minutes=10)
    world.update(order.order_id, service_level="STANDARD")
    travel(world, minutes=5)
    import_now(account)
    assert kept() == (("Standard", "", "aisle 4"), ("", "", ""))


def test_a_field_fed_by_something_personal_from_now_on_leaves_the_order(world, account, travel):
    feed(account, "service_level")
    order = business(world)
    import_now(account)
    feed(account, "purchase_order_number")
    travel(world, minutes=10)
    world.update(order.order_id, service_level="STANDARD")
    travel(world, minutes=5)
    import_now(account)
    assert kept() == (("", "", ""), (NUMBER, "", ""))


def test_without_the_grant_nothing_is_filled(world, account):
    feed(account, "service_level")
    store = Store.objects.get()
    features.grant(
        store, FeatureGrant.Feature.CUSTOM_FIELDS, by=make_user("Customer success"), reason="test", enabled=False
    )
    business(world)
    import_now(account)
    assert kept() == (("", "", ""), ("", "", ""))
