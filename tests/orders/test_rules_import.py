"""Automation rules and the import (R42, F41): through the simulator over HTTP, once, and whatever a rule holds."""

from datetime import timedelta

import pytest

from orders.models import AutomationRule, Order, RuleFiring, Tag
from stores.models import MarketplaceStatus
from stores.simulator.orders import SimItem
from tests.orders.driving import import_now
from tests.orders.test_import_rules import account, add, change, kinds, only  # noqa: F401  account is a fixture
from tests.orders.test_rules import ALWAYS, about, make_rule

pytestmark = pytest.mark.django_db


def test_r42_rules_run_on_an_order_that_comes_in_to_be_sent(world, account):  # noqa: F811
    tag = Tag.objects.create(name="gift")
    make_rule(
        [*about("city", "is", "austin"), *about("quantity", "at_least", 2, lines="any")],
        ("tag", [tag.pk]), ("hold", "check"), ("note", "Look twice."), ("carrier", "ups"),
    )  # fmt: skip
    make_rule(about("country", "is", "FR"), ("alert", "x"))
    add(world, items=(SimItem(sku="A-1", quantity=2),))
    import_now(account)
    order = only()
    assert (order.status, order.hold_reason, order.wishes) == ("on_hold", "To be checked", {"carrier": "ups"})
    assert (list(order.tags.all()), order.notes.get().text, order.alert) == ([tag], "Look twice.", "")
    assert [line["fired"] for line in RuleFiring.objects.get().trace] == [True, False]
    assert kinds() == ["imported", "rules", "held"]


def test_r42_an_order_that_waited_for_its_payment_is_run_when_it_is_paid_and_never_again(world, account, travel):  # noqa: F811
    make_rule(ALWAYS, ("alert", "one"))
    theirs = add(world, status="PENDING")
    import_now(account)
    assert (only().alert, only().rules_ran_at) == ("", None)
    change(world, travel, theirs, status="UNSHIPPED")
    import_now(account)
    assert only().alert == "one"
    AutomationRule.objects.update(actions=[{"do": "alert", "value": "two"}])
    change(world, travel, theirs, service_level="EXPEDITED")
    import_now(account)
    assert (only().alert, only().service_level, RuleFiring.objects.count()) == ("one", "EXPEDITED", 1)


def test_a_rule_made_later_leaves_the_orders_that_are_here_alone(world, account, travel):  # noqa: F811
    theirs = add(world)
    import_now(account)
    make_rule(ALWAYS, ("alert", "x"))
    change(world, travel, theirs, service_level="EXPEDITED")
    import_now(account)
    assert (only().alert, RuleFiring.objects.count()) == ("", 0)


@pytest.mark.parametrize("status", ["SHIPPED", "CANCELLED", "PENDING"])
def test_r42_what_does_not_wait_to_be_sent_is_not_run(world, account, status):  # noqa: F811
    make_rule(ALWAYS, ("alert", "x"))
    add(world, status=status)
    import_now(account)
    assert (only().alert, RuleFiring.objects.count()) == ("", 0)


def test_what_a_rule_held_stays_held_when_amazon_says_the_same_again(world, account, travel):  # noqa: F811
    make_rule(ALWAYS, ("hold", "stock"), ("hold_days", 3), ("custom_1", "x"), ("weight", 5))
    theirs = add(world)
    import_now(account)
    until = only().hold_until
    change(world, travel, theirs, service_level="EXPEDITED")
    import_now(account)
    order = only()
    assert (order.status, order.hold_reason, order.hold_until) == ("on_hold", "Out of stock", until)
    assert (order.weight_g, order.weight_is_typed, until is not None) == (5, True, True)


def test_an_order_on_hold_for_a_status_nobody_knows_is_run_too(world, account):  # noqa: F811
    MarketplaceStatus.objects.create(store=account.stores.get(), name="Odd", status="on_hold")
    make_rule(ALWAYS, ("own_status", "odd"), ("alert", "held"))
    add(world, status="Odd")
    import_now(account)
    assert (only().status, only().alert, only().own_status.name) == ("on_hold", "held", "Odd")


def test_f41_a_bad_rule_never_stops_an_import(world, account):  # noqa: F811
    make_rule({"nonsense": True}, name="bad")
    make_rule(ALWAYS, ("assign", 999), ("tag", [999]), ("alert", "on"))
    for _n in range(3):
        add(world)
    assert "complete" in import_now(account)
    assert list(Order.objects.values_list("alert", flat=True)) == ["on"] * 3
    bad = AutomationRule.objects.get(name="bad")
    assert bad.broken_code == "Invalid:rule" and bad.broken_at is not None


def test_tags_are_taken_off_on_import_too(world, account, travel):  # noqa: F811
    old = Tag.objects.create(name="waits")
    make_rule(about("tags", "one_of", [old.pk]), ("untag", [old.pk]), ("alert", "paid"))
    theirs = add(world, status="PENDING")
    import_now(account)
    only().tags.add(old)
    change(world, travel, theirs, status="UNSHIPPED")
    import_now(account)
    assert (only().alert, only().tags.count()) == ("paid", 0)


def test_the_last_unit_is_short_for_the_second_order(world, account, noon, travel):  # noqa: F811
    make_rule(about("short", "yes", lines="any"), ("hold", "stock"))
    add(world, items=(SimItem(sku="A-1", quantity=1),))
    import_now(account)
    product = only().items.get().product
    product.counted(2, sent=0, by=None, at=noon)
    product.save()
    came = travel(world, minutes=20) - timedelta(minutes=10)
    for _n in range(2):
        add(world, items=(SimItem(sku="A-1", quantity=1),), created=came)
    travel(world, minutes=5)
    import_now(account)
    assert sorted(Order.objects.values_list("status", flat=True)) == [
        "awaiting_shipment",
        "awaiting_shipment",
        "on_hold",
    ]
