"""A worker is killed by SIGKILL at every named place of importing, shipping and notifying; the next run finishes."""

import random

import pytest

from orderhub import clock, failpoints
from orders.jobs import import_account
from orders.models import Order, OrderItem, OrderPersonalData
from shipments import confirming
from shipments.jobs import notify_account
from shipments.models import Shipment, ShipmentNotification
from stores.connecting import connector_for
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.end_to_end.killing import died_at, job, twice_at_once
from tests.factories import connect, make_shipment
from tests.orders.driving import (
    assert_amazon_knows_once,
    assert_every_order_is_here_once,
    assert_nothing_is_stuck,
    import_now,
    notify_now,
    ship_everything,
    time_passes,
)

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = 210  # three pages
IMPORT = [name for name in failpoints.NAMES if name.startswith("import.")]
PER_PAGE = ("import.after_answer", "import.inside_page", "import.between_pages")
NOTIFY = [name for name in failpoints.NAMES if name.startswith("notify.")]
SHIP = [name for name in failpoints.NAMES if name.startswith("ship.")]
RECONCILE = "notify.in_reconcile"


@pytest.fixture
def served(simulate):
    def start(orders: int, *, strict: bool = False):
        world = simulate(scenarios.backlog(now=NOON, orders=orders))
        world.strict_resend = strict
        return world, connect(scenarios.NA, sources=("US",))

    return start


@pytest.mark.sampled(3)
@pytest.mark.parametrize("place", [*IMPORT, *(f"{name}:2" for name in PER_PAGE)])
def test_f01_an_import_killed_anywhere_loses_and_doubles_nothing(served, place):
    world, account = served(ORDERS)
    name, _, visit = place.partition(":")
    before = account.imported_until
    assert died_at(name, job(import_account, account), visit=int(visit or 1))
    account.refresh_from_db()
    written = Order.objects.count()
    assert written % 100 == 0 or written == ORDERS  # whole pages only
    assert account.imported_until == before or name == "import.after_cursor"
    assert OrderPersonalData.objects.count() == written
    time_passes(world, minutes=6)
    assert_every_order_is_here_once(world)
    assert OrderItem.objects.count() == ORDERS
    assert_nothing_is_stuck()
    account.refresh_from_db()
    assert account.imported_until > before
    assert world.calls("searchOrders") <= 9


@pytest.mark.sampled(3)
@pytest.mark.parametrize("strict", [False, True], ids=["edits", "strict"])
@pytest.mark.parametrize("name", NOTIFY)
def test_f01_a_notice_killed_anywhere_reaches_amazon_once(served, name, strict):
    world, account = served(4, strict=strict)
    import_now(account)
    shipped = ship_everything()
    if name == RECONCILE:
        assert died_at("notify.after_send", job(notify_account, account))
        world.clock.set(clock.advance(minutes=3))
    assert died_at(name, job(notify_account, account))
    assert all(count == 1 for count in world.effective_confirmations().values())
    time_passes(world, minutes=30)
    assert len(shipped) == 4
    assert_amazon_knows_once(world, shipped)
    assert_nothing_is_stuck()


@pytest.mark.parametrize("name", SHIP)
def test_f01_a_shipment_whose_maker_is_killed_is_told_to_amazon(served, name):
    world, account = served(1)
    import_now(account)
    order = Order.objects.get()
    assert died_at(name, lambda: make_shipment(order))
    assert Shipment.objects.count() == 1
    assert Order.objects.get().status == Order.Status.SHIPPED
    time_passes(world, minutes=3)
    assert_amazon_knows_once(world, [order])
    assert_nothing_is_stuck()


def test_f06_a_notice_that_kills_its_worker_three_times_waits_for_a_person(served):
    world, account = served(2)
    import_now(account)
    shipped = ship_everything()
    poison, other = ShipmentNotification.objects.order_by("next_attempt_at", "pk")
    for place in ("notify.after_claim", RECONCILE, RECONCILE):
        assert died_at(place, job(notify_account, account))
        world.clock.set(clock.advance(minutes=2))
    assert "began three times" in notify_now(account)  # the job itself is slowed down first
    world.clock.set(clock.advance(minutes=16))
    notify_now(account)
    poison.refresh_from_db()
    assert (poison.state, poison.error_code) == ("needs_attention", "Poison")
    other.refresh_from_db()
    assert other.state == "confirmed"
    confirming.retry(poison, now=clock.now())
    time_passes(world, minutes=6)
    assert_amazon_knows_once(world, shipped)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("seed", [3, 11])
def test_f02_killed_again_and_again_at_random_places(served, seed):
    world, account = served(120, strict=bool(seed % 2))
    chance = random.Random(seed)
    died = 0
    for _round in range(8):
        func, names = chance.choice([(import_account, IMPORT), (notify_account, NOTIFY)])
        died += died_at(chance.choice(names), job(func, account), visit=chance.choice([1, 1, 2]))
        for order in Order.objects.shippable().order_by("pk")[:2]:
            make_shipment(order, tracking_number=f"1Z{order.pk:010d}", with_label=False)
        world.clock.set(clock.advance(minutes=chance.choice([1, 2, 16])))
    assert died >= 3
    time_passes(world, minutes=45)
    for row in ShipmentNotification.objects.filter(state__in=ShipmentNotification.State.STUCK):
        assert row.error_code == "Poison"
        confirming.retry(row, now=clock.now())
    time_passes(world, minutes=21)
    assert_every_order_is_here_once(world)
    assert_amazon_knows_once(world, list(Order.objects.filter(status=Order.Status.SHIPPED)))
    assert_nothing_is_stuck()


def test_f33_two_processes_that_notify_at_once_without_a_lease_tell_amazon_once(served):
    world, account = served(6)
    import_now(account)
    shipped = ship_everything()

    def notify_without_lease() -> None:
        confirming.notify_due(account, connector_for(account), now=clock.now())

    assert twice_at_once(notify_without_lease) == [0, 0]
    time_passes(world, minutes=6)
    assert_amazon_knows_once(world, shipped)
    assert world.calls("confirmShipment") == len(shipped)
    assert_nothing_is_stuck()
