"""How far a parcel got, and what that does to the erasure clock. R78, R79, R80, R81, R86; design, settled questions."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock, jobs
from orders.models import Order, OrderEvent
from shipments import buying, tracking
from shipments.models import Label, Shipment
from shipments.models.shipment import TrackingStatus
from shipments.providers.base import Scan
from tests.factories import make_order, make_shipment
from tests.shipments.shop import buy_label, offers_for, open_shop, order_at, track_now

pytestmark = pytest.mark.django_db
DELIVERED = TrackingStatus.DELIVERED
NOV = {day: datetime(2026, 11, day, tzinfo=UTC) for day in (20, 21, 22, 23, 25, 28)}
THIRTY = timedelta(days=30)


def tracked(**given) -> Shipment:
    """A parcel whose service reports its scans, its term of delivery the one that can govern: it leaves later."""
    shipment = make_shipment(**{"ship_date": NOV[28].date()} | given)
    Shipment.objects.filter(pk=shipment.pk).update(tracked=True)
    label_term = shipment.created_at + timedelta(days=44)  # as a tracked service has it
    Label.objects.filter(shipment=shipment).update(due_at=label_term, due_rule="label")
    shipment.refresh_from_db()
    return shipment


def due_of(shipment: Shipment) -> tuple[datetime, str]:
    order = Order.objects.get(pk=shipment.order_id)
    return order.redaction_due_at, order.redaction_rule


def later(world=None, **delta) -> datetime:
    instant = clock.advance(**delta)
    if world is not None:
        world.clock.set(instant)
    return instant


def test_r78_a_delivery_brings_the_clock_of_order_and_label_forward(noon):
    shipment = tracked()
    now = later(days=9)
    assert tracking.apply(shipment, [Scan(DELIVERED, NOV[23])], now=now)
    assert due_of(shipment) == (NOV[23] + THIRTY, "delivery")
    label = Label.objects.get(shipment=shipment)
    assert (label.due_at, label.due_rule) == (NOV[23] + THIRTY, "delivery")


def test_an_earlier_correction_is_obeyed_and_a_later_one_is_ignored_by_the_clock(noon):
    shipment = tracked()
    now = later(days=9)
    tracking.apply(shipment, [Scan(DELIVERED, NOV[23])], now=now)
    tracking.apply(shipment, [Scan(DELIVERED, NOV[25])], now=now)
    assert (shipment.delivered_at, due_of(shipment)[0]) == (NOV[25], NOV[23] + THIRTY)
    tracking.apply(shipment, [Scan(DELIVERED, NOV[22])], now=now)
    assert (shipment.delivered_at, due_of(shipment)[0]) == (NOV[22], NOV[22] + THIRTY)
    tracking.apply(shipment, [Scan(DELIVERED, NOV[22]), Scan(DELIVERED, NOV[25])], now=now)
    assert (shipment.delivered_at, due_of(shipment)[0]) == (NOV[25], NOV[22] + THIRTY)


def test_the_timeline_says_delivered_once(noon):
    shipment = tracked()
    now = later(days=9)
    for day in (25, 23, 25, 22):
        tracking.apply(shipment, [Scan(DELIVERED, NOV[day])], now=now)
    event = OrderEvent.objects.get(order=shipment.order, kind=OrderEvent.Kind.DELIVERED)
    assert event.params["due"] == NOV[25].isoformat()


def test_r79_of_an_untracked_service_the_delivery_is_shown_and_moves_no_date(noon):
    shipment = make_shipment()
    before = (due_of(shipment), Label.objects.get().due_at)
    now = later(days=5)
    assert tracking.apply(shipment, [Scan(DELIVERED, NOV[21])], now=now)
    assert shipment.delivered_at == NOV[21]
    assert (due_of(shipment), Label.objects.get().due_at) == before


def test_a_status_never_goes_back(noon):
    shipment = tracked()
    now = later(days=9)
    life = [status for status in TrackingStatus.values if status]
    for status in (TrackingStatus.IN_TRANSIT, TrackingStatus.PRE_TRANSIT, TrackingStatus.ACCEPTED):
        tracking.apply(shipment, [Scan(status, NOV[22])], now=now)
    assert shipment.tracking_status == TrackingStatus.IN_TRANSIT
    seen = []
    for status in (*life, *reversed(life)):
        tracking.apply(shipment, [Scan(status, NOV[22])], now=now)
        seen.append(tracking.RANK[Shipment.objects.get().tracking_status])
    assert seen == sorted(seen)


def test_the_row_decides_not_the_shipment_in_hand(noon):
    shipment = tracked()
    stale = Shipment.objects.get(pk=shipment.pk)
    now = later(days=9)
    tracking.apply(shipment, [Scan(DELIVERED, NOV[22])], now=now)
    tracking.apply(stale, [Scan(TrackingStatus.ACCEPTED, NOV[21])], now=now)
    assert Shipment.objects.get().tracking_status == DELIVERED


def test_a_scan_from_the_future_is_a_mistake(noon):
    shipment = tracked()
    assert not tracking.apply(shipment, [Scan(DELIVERED, noon + timedelta(days=2))], now=noon)
    assert Shipment.objects.get().delivered_at is None


def test_an_erased_order_stays_erased_whatever_is_reported(noon):
    shipment = tracked()
    Order.objects.filter(pk=shipment.order_id).update(pii_state=Order.PiiState.REDACTING, redaction_due_at=NOV[20])
    tracking.apply(shipment, [Scan(DELIVERED, NOV[23])], now=later(days=9))
    assert due_of(shipment)[0] == NOV[20]


def test_orders_in_one_parcel_arrive_together(noon):
    lead = tracked()
    other = make_order(lead.order.store)
    rider = tracked(order=other, tracking_number="1ZRIDER0001", with_label=False)
    Shipment.objects.filter(pk=rider.pk).update(combined_with=lead)
    tracking.apply(lead, [Scan(DELIVERED, NOV[23])], now=later(days=9))
    assert set(Shipment.objects.values_list("delivered_at", flat=True)) == {NOV[23]}
    assert due_of(rider) == (NOV[23] + THIRTY, "delivery")
    assert OrderEvent.objects.filter(kind=OrderEvent.Kind.DELIVERED).count() == 2


# -- the job


def test_a_bought_parcel_is_followed_to_the_door(world):
    account = open_shop()
    shipment = buy_label(order_at(world, account))
    seen = []
    for hours in (0, 1, 6, 6, 18, 16, 6):
        later(world, hours=hours)
        track_now(account)
        seen.append(Shipment.objects.get().tracking_status)
    assert seen == [
        "pre_transit", "pre_transit", "accepted", "in_transit", "in_transit", "out_for_delivery", "delivered",
    ]  # fmt: skip
    shipment.refresh_from_db()
    assert shipment.delivered_at == shipment.created_at + timedelta(hours=52)
    assert OrderEvent.objects.filter(kind=OrderEvent.Kind.DELIVERED).count() == 1
    asked = world.calls("getTracking")
    later(world, hours=2)
    assert "0 parcels" in track_now(account) and world.calls("getTracking") == asked


def test_the_hourly_job_wakes_accounts_that_have_parcels_under_way_only(world):
    account = open_shop()
    shipment = buy_label(order_at(world, account))
    with jobs.inline():
        assert jobs.run("shipments.track_shipments") == "1 accounts"
    assert world.calls("getTracking") == 1
    with jobs.inline():
        assert jobs.run("shipments.track_shipments") == "0 accounts"
    Shipment.objects.filter(pk=shipment.pk).update(voided_at=clock.now(), tracking_checked_at=None)
    with jobs.inline():
        assert jobs.run("shipments.track_shipments") == "0 accounts"


def test_what_is_not_bought_or_not_tracked_is_never_asked_for(world):
    account = open_shop()
    make_shipment(order_at(world, account), with_label=False)
    assert "0 parcels" in track_now(account)


def test_a_busy_amazon_ends_the_run_and_loses_nothing(world):
    account = open_shop()
    for _number in range(3):
        buy_label(order_at(world, account))
    later(world, hours=7)
    world.faults.arm("getTracking", "429", after=1)
    track_now(account)
    assert Shipment.objects.filter(tracking_status="accepted").count() == 1
    later(world, hours=1)
    track_now(account)
    assert Shipment.objects.filter(tracking_status="accepted").count() == 3


def test_one_parcel_amazon_does_not_know_stops_no_other(world):
    account = open_shop()
    first, _second = buy_label(order_at(world, account)), buy_label(order_at(world, account))
    first.purchase.__class__.objects.filter(shipment=first).update(tracking_number="NOTKNOWN")
    later(world, hours=7)
    track_now(account)
    assert sorted(Shipment.objects.values_list("tracking_status", flat=True)) == ["", "accepted"]


def test_a_letter_is_not_followed_and_keeps_the_shorter_term(world):
    account = open_shop()
    order = order_at(world, account)
    parcel, rates = offers_for(order, weight_g=50)
    letter = next(rate for rate in rates if "Letter" in rate.service)
    shipment = buying.buy(order, letter, parcel=parcel, now=clock.now())
    assert due_of(shipment) == (shipment.created_at + THIRTY, "creation")
    assert "0 parcels" in track_now(account)


def test_following_costs_the_same_few_queries_however_many_parcels(world):
    account = open_shop()
    counts = {}
    for most in (1, 3):
        while Shipment.objects.count() < most:
            buy_label(order_at(world, account))
        Shipment.objects.update(tracking_checked_at=None)
        tracking.follow(account, now=clock.now())  # what is to be learnt is learnt
        Shipment.objects.update(tracking_checked_at=None)
        world.requests.clear()
        with CaptureQueriesContext(connection) as seen:
            tracking.follow(account, now=clock.now())
        counts[most] = len([query for query in seen if "ratebucket" not in query["sql"]])
        assert world.calls("getTracking") == most
    assert counts[1] == counts[3] <= 3
