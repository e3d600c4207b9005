"""What clients are told of, and who of them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock
from orderhub.webhooks import events, feeding
from orderhub.webhooks.models import Delivery, FeedCursor
from orders.models import Order, OrderEvent
from privacy import erasure
from shipments.voiding import void
from stores.models import AmazonAccount
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import make_account, make_key, make_order, make_shipment, make_store

pytestmark = pytest.mark.django_db
Kind = OrderEvent.Kind


def line(order: Order, kind: str = Kind.IMPORTED, **params) -> OrderEvent:
    return OrderEvent.objects.create(order=order, kind=kind, at=clock.now(), params=params)


def told(endpoint=None) -> list[str]:
    rows = Delivery.objects.order_by("pk")
    return list((rows.filter(endpoint=endpoint) if endpoint else rows).values_list("event", flat=True))


@pytest.mark.parametrize(
    ("kind", "params", "code"),
    [
        (Kind.IMPORTED, {}, events.IMPORTED),
        (Kind.FROM_FILE, {}, events.IMPORTED),
        (Kind.FROM_CLIENT, {}, events.IMPORTED),
        (Kind.STATUS, {"before": "x", "after": "shipped"}, events.SHIPPED),
        (Kind.STATUS, {"before": "x", "after": "cancelled"}, events.CANCELLED),
        (Kind.CANCEL_REQUESTED, {}, events.CANCEL_REQUESTED),
        (Kind.NOTICE, {"state": "confirmed"}, events.CONFIRMED),
        (Kind.NOTICE, {"state": "rejected"}, events.REJECTED),
        (Kind.NOTICE, {"state": "needs_attention"}, events.REJECTED),
        (Kind.NOTICE, {"state": "withheld"}, None),
        (Kind.STATUS, {"after": "on_hold"}, None),
        (Kind.NOTED, {}, None),
    ],
)
def test_a_line_of_the_timeline_is_told_as(kind, params, code):
    assert events.codes_of(kind, params) == ((code,) if code else ())


def test_every_code_of_the_table_is_offered_and_every_offer_has_a_scope(key):
    assert {code for codes in events._ALWAYS.values() for code in codes} <= events.NATIVE.keys()
    assert {events.scope_of(code) for code in events.NATIVE} <= set(key.scopes)
    assert all(codes <= events.NATIVE.keys() for codes in events.SHIPSTATION.values())


def test_f71_a_parcel_marked_as_shipped_is_told_and_so_is_its_voiding(store, endpoint):
    endpoint(None, "order.shipped", "shipment.created", "shipment.voided")
    parcel = make_shipment(make_order(store), with_label=False)
    feeding.feed(now=clock.now())
    assert sorted(told()) == ["order.shipped", "shipment.created"]
    assert set(Delivery.objects.values_list("shipment_id", flat=True)) == {parcel.pk}
    void(parcel, now=clock.now(), by=None)
    feeding.feed(now=clock.now())
    assert told()[-1] == "shipment.voided"


def test_r97_an_erasure_is_told(store, endpoint, travel):
    endpoint(None, "order.redacted")
    order = make_order(store)
    travel(days=15)
    erasure.redact_due(now=clock.now())
    feeding.feed(now=clock.now())
    assert [(row.event, row.order_id) for row in Delivery.objects.all()] == [("order.redacted", order.pk)]


def test_f42_any_change_a_client_can_see_is_told_once_however_often_it_is_looked_at(store, endpoint, travel):
    endpoint(None, "order.updated")
    order = make_order(store, modified_at=clock.now())
    feeding.feed(now=clock.now())
    assert told() == []  # it only came in
    travel(minutes=1)
    Order.objects.filter(pk=order.pk).update(modified_at=clock.now())
    for _again in range(3):
        feeding.feed(now=clock.now())
    assert told() == ["order.updated"]
    travel(minutes=1)
    line(order, Kind.NOTED)
    feeding.feed(now=clock.now())
    assert told() == ["order.updated"] * 2


def test_the_feeder_run_twice_tells_once(store, endpoint):
    endpoint()
    line(make_order(store))
    assert feeding.feed(now=clock.now()) == 1
    FeedCursor.objects.update(position=0, reached=0)
    feeding.feed(now=clock.now())
    assert told() == ["order.imported"]


def test_a_line_whose_id_was_given_before_and_committed_after_is_told(store, endpoint, travel):
    endpoint()
    order = make_order(store)
    early = line(order)
    late_id, late = early.pk, OrderEvent(order=order, kind=Kind.IMPORTED, at=clock.now(), params={})
    early.delete()
    line(make_order(store))  # a higher id, committed first
    feeding.feed(now=clock.now())
    travel(minutes=4)
    late.pk = late_id
    late.save(force_insert=True)
    feeding.feed(now=clock.now())
    assert sorted(Delivery.objects.values_list("source", flat=True))[0] == f"event:{late_id}:order.imported"
    assert len(told()) == 2
    for _minutes in range(3):
        travel(minutes=6)
        feeding.feed(now=clock.now())
    cursor = FeedCursor.objects.get()
    assert cursor.position == cursor.reached  # and at rest nothing is read again


def test_only_who_was_there_before_hears_of_it_and_only_of_its_stores(store, endpoint, travel):
    other = make_store(account=make_account(scenarios.EU), marketplace="FR")
    first = endpoint(store_ids=[store.pk])
    foreign = endpoint(key=make_key(other)[0])
    line(make_order(store))
    travel(minutes=1)
    later = endpoint()
    feeding.feed(now=clock.now())
    assert (told(first), told(foreign), told(later)) == (["order.imported"], [], [])


@pytest.mark.parametrize(
    "change", [{"revoked_at": NOON}, {"expires_at": NOON}, {"scopes": ["webhooks:manage"]}, {"store_ids": []}]
)
def test_a_key_that_lost_what_it_had_hears_nothing_more(change, key, store, endpoint):
    endpoint()
    type(key).objects.filter(pk=key.pk).update(**change)
    line(make_order(store))
    feeding.feed(now=clock.now())
    assert told() == []


def test_shipstation_a_parcel_with_a_label_is_no_fulfilment(store, endpoint):
    every = endpoint(None, "SHIP_NOTIFY", surface="shipstation")
    only = endpoint(None, "FULFILLMENT_SHIPPED", surface="shipstation")
    make_shipment(make_order(store))
    parcel = make_shipment(make_order(store), with_label=False, tracking_number="1Z999AA10123456785")
    feeding.feed(now=clock.now())
    assert len(told(every)) == 2
    assert [row.shipment_id for row in Delivery.objects.filter(endpoint=only)] == [parcel.pk]


def test_an_account_that_ends_is_told_once_at_each_threshold_and_once_when_it_stops(store, endpoint, travel):
    endpoint(None, "account.expiring", "account.needs_authorization")
    rows = AmazonAccount.objects.filter(pk=store.account_id)
    rows.update(authorization_expires_at=NOON + timedelta(days=32))
    for _day in range(32):
        feeding.feed(now=clock.now())
        feeding.feed(now=clock.now())
        travel(days=1)
    assert told() == ["account.expiring"] * 4
    rows.update(status="expired")
    feeding.feed(now=clock.now())
    feeding.feed(now=clock.now())
    assert told()[4:] == ["account.needs_authorization"]


def test_as_many_statements_for_many_lines_as_for_few(store, endpoint):
    for _each in range(2):
        endpoint(None, "order.imported", "order.shipped", "order.updated")
    order = make_order(store)

    def statements(count: int) -> int:
        OrderEvent.objects.bulk_create(
            OrderEvent(order=order, kind=Kind.IMPORTED, at=clock.now(), params={}) for _line in range(count)
        )
        with CaptureQueriesContext(connection) as asked:
            feeding.feed(now=clock.now())
        return len(asked)

    statements(1)  # from here on there is something to be read again
    assert statements(3) == statements(20)
    assert told().count("order.imported") == 2 * 24


def test_a_catch_up_goes_on_where_its_time_ended(store, endpoint, monkeypatch):
    endpoint()
    monkeypatch.setattr(feeding, "BATCH", 2)
    order = make_order(store)
    for _line in range(5):
        line(order)
    feeding.feed(now=clock.now(), budget_s=-1)
    assert len(told()) == 2
    feeding.feed(now=clock.now(), budget_s=-1)
    feeding.feed(now=clock.now(), budget_s=-1)
    assert len(told()) == 5
