"""F22: a parcel of several orders killed anywhere leaves all of it or nothing; of two people at once, one is refused."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from orderhub import clock
from orders.models import Order, OrderItem
from shipments import combining, opening, parting, voiding, voidwords
from shipments.models import Label, ManualUpdate, Shipment, ShipmentItem, ShipmentNotification
from stores.simulator import scenarios
from stores.simulator.orders import SimAddress, SimItem
from tests.end_to_end.killing import REFUSED, at_once, died_at, twice_at_once
from tests.factories import connect, make_shipment, make_user
from tests.orders.driving import assert_nothing_is_stuck, import_now, notify_now, time_passes
from tests.shipments.parcels import FIRST, SECOND, part_of, wish_for

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = 3


@pytest.fixture
def bought(world, travel):
    """Three orders of one buyer at Amazon, three units each."""
    account = connect(scenarios.NA, sources=("US",))
    for hours in range(ORDERS):
        at = clock.now() - timedelta(hours=9 - hours)
        home = SimAddress(name="Ada", line1="1 Sample St", city="Austin", state="TX", postal_code="78701", country="US")
        world.add_order(scenarios.NA, created=at, updated=at, items=[SimItem(quantity=3)], address=home)
    travel(world, minutes=5)
    import_now(account)
    return account, list(Order.objects.order_by("ordered_at"))


def combination(orders: list[Order]) -> Callable[[], Shipment]:
    ids, wish = [order.pk for order in orders], wish_for()
    seal = combining.plan(ids, wish, now=clock.now()).seal
    return lambda: combining.combine(ids, wish, as_seen=seal, by=None, now=clock.now())


def part(order: Order, units: int, tracking: str) -> Callable[[], Shipment]:
    wish = part_of(order, units, tracking)
    seal = parting.plan(order, wish, now=clock.now()).seal
    return lambda: parting.send(Order.objects.get(pk=order.pk), wish, as_seen=seal, by=None, now=clock.now())


def assert_units_add_up() -> None:
    for item in OrderItem.objects.all():
        packed = ShipmentItem.objects.filter(item=item, shipment__voided_at=None).values_list("quantity", flat=True)
        assert item.quantity_shipped == sum(packed) <= item.quantity


@pytest.mark.parametrize("visit", range(1, ORDERS + 1))
def test_f22_killed_within_a_combination_no_order_has_left(world, bought, visit):
    account, orders = bought
    assert died_at("ship.after_commit", combination(orders), visit=visit)
    left = (Shipment, ShipmentItem, ShipmentNotification, ManualUpdate, Label)
    assert [model.objects.count() for model in left] == [0] * len(left)
    assert set(Order.objects.values_list("status", "told_shipped")) == {("awaiting_shipment", False)}
    combination(orders)()
    notify_now(account)
    assert world.effective_confirmations() == {orders[0].order_number: 1}


def test_f22_killed_after_it_all_orders_have_left_and_the_label_is_drawn_when_opened(world, bought):
    account, orders = bought
    assert died_at("ship.after_commit", combination(orders), visit=ORDERS + 1)
    assert set(Order.objects.values_list("status", flat=True)) == {"shipped"}
    assert (Shipment.objects.count(), ManualUpdate.objects.open().count()) == (ORDERS, ORDERS - 1)
    assert opening.open_label(Label.objects.get(), by=make_user("Support"), now=clock.now()).startswith(b"%PDF")
    time_passes(world, minutes=6)
    assert world.effective_confirmations() == {orders[0].order_number: 1}
    assert_nothing_is_stuck()


def test_two_people_combine_the_same_orders_at_once(world, bought):
    account, orders = bought
    assert at_once(combination(orders), combination(list(reversed(orders)))) == [0, REFUSED]
    assert Shipment.objects.count() == ORDERS and ShipmentNotification.objects.count() == 1
    assert_units_add_up()
    notify_now(account)
    assert world.effective_confirmations() == {orders[0].order_number: 1}


def test_one_combines_while_another_ships_one_of_the_orders(world, bought):
    account, orders = bought
    assert at_once(combination(orders), part(orders[1], 3, SECOND)) == [0, REFUSED]
    assert Shipment.objects.count() in {1, ORDERS}
    assert_units_add_up()
    notify_now(account)
    assert len(world.effective_confirmations()) == 1


@pytest.mark.parametrize("units", [1, 2])
def test_two_people_send_a_first_part_at_once(world, bought, units):
    """The second read that Amazon would be told of its parcel: that is not so any more, so it is refused."""
    account, orders = bought
    assert at_once(part(orders[0], units, FIRST), part(orders[0], units, SECOND)) == [0, REFUSED]
    assert_units_add_up()
    assert (Shipment.objects.count(), OrderItem.objects.get(order=orders[0]).quantity_shipped) == (1, units)
    notify_now(account)
    assert world.effective_confirmations() == {orders[0].order_number: 1}


def test_two_people_void_the_same_parcel_at_once(world, bought):
    account, orders = bought
    lead = combination(orders)()

    def void() -> None:
        voiding.void(Shipment.objects.get(pk=lead.pk), by=None, now=clock.now())

    assert twice_at_once(void) == [0, REFUSED]
    assert_units_add_up()
    assert set(OrderItem.objects.values_list("quantity_shipped", flat=True)) == {0}
    assert set(Order.objects.values_list("status", flat=True)) == {"awaiting_shipment"}
    assert set(ManualUpdate.objects.values_list("done_how", flat=True)) == {"voided"}


def test_a_notice_that_leaves_while_its_parcel_is_voided_stops_the_void_or_never_leaves(world, bought):
    """The page said that Amazon knows nothing: so it is, or the parcel stays as it is."""
    account, orders = bought
    sent = make_shipment(orders[0])
    seal = voidwords.seal(voidwords.of(sent, now=clock.now()))

    def void() -> None:
        voiding.void(Shipment.objects.get(pk=sent.pk), by=None, now=clock.now(), as_seen=seal)

    ends = at_once(void, lambda: notify_now(account))
    sent.refresh_from_db()
    state = ShipmentNotification.objects.get().state
    if sent.voided_at is None:
        assert (ends, state) == ([0, REFUSED], "confirmed")
        assert world.effective_confirmations() == {orders[0].order_number: 1}
    else:
        assert (ends, state) == ([0, 0], "withdrawn")
        assert world.effective_confirmations() == {}
    assert_units_add_up()
