"""What imported orders say of our parcels: deliveries, at a price a page of orders can afford."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock, jobs
from orders.models import Order, OrderEvent
from shipments import remote_parcels
from shipments.models import Shipment
from stores.connectors.base import RemoteOrder, RemotePackage
from stores.simulator import scenarios
from tests.factories import connect, make_order, make_shipment, make_store
from tests.orders.driving import import_now, notify_now

pytestmark = pytest.mark.django_db


def remote(order, *packages, days: float = 5) -> tuple[Order, RemoteOrder]:
    at = clock.now() - timedelta(days=days)
    return Order.objects.get(pk=order.pk), RemoteOrder(
        order.order_number, "ATVPDKIKX0DER", "SHIPPED", "MFN", at, at, (), packages=packages
    )  # fmt: skip


def package(shipment, status="DELIVERED", **given) -> RemotePackage:
    return RemotePackage(
        **{"reference": "1", "tracking_number": shipment.tracking_number, "carrier": "UPS", "status": status} | given
    )


def take_in() -> str:
    with jobs.inline():
        return jobs.run("shipments.take_in_deliveries")


def test_f45_a_parcel_amazon_shows_as_delivered_is_delivered_here(world, travel):
    account = connect(scenarios.NA, sources=("US",))
    made = world.add_order(scenarios.NA, created=clock.now() - timedelta(hours=1))
    travel(world, minutes=5)
    import_now(account)
    shipment = make_shipment(Order.objects.get(), with_label=False)
    notify_now(account)
    travel(world, days=6)
    world.update(made.order_id, service_level="EXPEDITED")  # a change brings the order again
    travel(world, minutes=5)
    import_now(account)
    shipment.refresh_from_db()
    assert shipment.tracking_status == "delivered"
    assert shipment.delivered_at == world.orders[made.order_id].updated
    assert take_in() == "1 deliveries" and take_in() == "0 deliveries"
    assert OrderEvent.objects.filter(kind=OrderEvent.Kind.DELIVERED).count() == 1


def test_r79_such_a_delivery_moves_no_date_of_a_parcel_typed_by_hand(noon):
    shipment = make_shipment()
    before = shipment.order.redaction_due_at
    clock.advance(days=9)
    remote_parcels.seen([remote(shipment.order, package(shipment))], clock.now())
    take_in()
    assert Order.objects.get().redaction_due_at == before
    assert Shipment.objects.get().delivered_at is not None


def test_r78_it_brings_the_clock_of_a_tracked_parcel_forward(noon):
    shipment = make_shipment(ship_date=(noon + timedelta(days=20)).date())
    Shipment.objects.update(tracked=True)
    clock.advance(days=12)
    found = remote(shipment.order, package(shipment))
    remote_parcels.seen([found], clock.now())
    take_in()
    order = Order.objects.get()
    assert (order.redaction_due_at, order.redaction_rule) == (found[1].updated_at + timedelta(days=30), "delivery")


@pytest.mark.parametrize(
    "change", [{"status": "SHIPPED"}, {"tracking_number": "1ZSOMETHINGELSE"}, {"tracking_number": ""}]
)
def test_what_is_not_our_parcel_or_not_delivered_changes_nothing(noon, change):
    shipment = make_shipment()
    remote_parcels.seen([remote(shipment.order, package(shipment, **change))], clock.now())
    assert Shipment.objects.get().delivered_at is None


def test_the_first_word_on_a_delivery_stays(noon):
    shipment = make_shipment()
    clock.advance(days=10)
    for days in (5, 1):
        remote_parcels.seen([remote(shipment.order, package(shipment), days=days)], clock.now())
    assert Shipment.objects.get().delivered_at == clock.now() - timedelta(days=5)


def test_a_page_pays_seven_statements_whatever_is_in_it_and_none_for_orders_of_others(noon):
    store = make_store()
    sent = [
        make_shipment(make_order(store), tracking_number=f"1Z{number:08d}", with_label=False) for number in range(20)
    ]
    others = [make_order(store) for _number in range(5)]
    found = [remote(shipment.order, package(shipment)) for shipment in sent]
    strange = [remote(order, package(sent[0])) for order in others]
    with CaptureQueriesContext(connection) as seen:
        remote_parcels.seen(strange, clock.now())
    assert len(seen) == 0
    with CaptureQueriesContext(connection) as seen:
        remote_parcels.seen(found + strange, clock.now())
    # deliveries: found, written; notices: found, written, on the timeline and on the orders; updates by hand: found
    assert len([query for query in seen if "SAVEPOINT" not in query["sql"]]) <= 7
    assert Shipment.objects.filter(delivered_at__isnull=False).count() == 20
