"""Webhooks through the API: each key its own, secrets once, and sentences for what is wrong."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock
from orderhub.webhooks import batches, feeding, subscribing
from orderhub.webhooks.models import Delivery, Endpoint
from privacy.models import SecurityEvent
from tests.api.client import ApiClient
from tests.factories import make_key, make_order
from tests.webhooks.conftest import send, tell
from tests.webhooks.test_feeding import line

pytestmark = pytest.mark.django_db


@pytest.fixture
def given(store):
    feeding.feed(now=clock.now())
    key, token = make_key(store)
    return key, ApiClient(token)


@pytest.fixture
def client(given) -> ApiClient:
    return given[1]


WISH = {"url": "https://hooks.example.com/in?token=s3cret", "events": ["order.imported"], "name": "ours"}


def test_a_webhook_is_made_once_and_its_secret_shown_once(client):
    first = client.post("webhooks", WISH, Idempotency_Key="one")
    again = client.post("webhooks", WISH, Idempotency_Key="one")
    assert (first.status_code, again.status_code, Endpoint.objects.count()) == (201, 201, 1)
    assert first.json()["secret"] == Endpoint.objects.get().secret and len(first.json()["secret"]) > 40
    shown = client.get(f"webhooks/{first.json()['id']}").content + client.get("webhooks").content + again.content
    assert b"whsec_" not in shown and b"s3cret" not in shown + first.content
    assert first.json()["url_shown"] == "https://hooks.example.com"
    assert SecurityEvent.objects.filter(kind="webhook", reason="made").count() == 1


def test_url_and_secret_are_encrypted(client):
    client.post("webhooks", WISH)
    with connection.cursor() as cursor:
        cursor.execute("SELECT url, secret FROM webhooks_endpoint")
        stored = str(cursor.fetchall())
    assert "s3cret" not in stored and "whsec" not in stored


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"url": "http://hooks.example.com/"}, "/url", "https address"),
        ({"url": "https://169.254.169.254/latest"}, "/url", "https address"),
        ({"events": ["order.exploded"]}, "/events", "order.imported"),
        ({"events": []}, "/events", ""),
        ({"events": ["ORDER_NOTIFY"]}, "/events", "order.imported"),
        ({"store_ids": [99999]}, "/store_ids", "your key sees"),
        ({"secret": "mine"}, "/secret", "not known"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(client, change, pointer, words):
    answer = client.post("webhooks", WISH | change)
    assert (answer.status_code, Endpoint.objects.count()) == (422, 0)
    [error] = answer.json()["errors"]
    assert error["pointer"] == pointer and words in error["detail"]


def test_events_need_the_scope_of_what_they_are_about(store):
    client = ApiClient(make_key(store, scopes=["webhooks:manage", "orders:read"])[1])
    assert client.post("webhooks", WISH).status_code == 201
    refused = client.post("webhooks", WISH | {"events": ["shipment.created"]})
    assert "shipments:read" in refused.json()["errors"][0]["detail"]
    assert ApiClient(make_key(store, scopes=["orders:read"])[1]).get("webhooks").status_code == 403


def test_another_keys_webhooks_are_not_there(client, store):
    made = client.post("webhooks", WISH).json()["id"]
    line(make_order(store))
    feeding.feed(now=clock.now())
    event_id = Delivery.objects.get().event_id
    other = ApiClient(make_key(store)[1])
    assert other.get("webhooks").json()["results"] == []
    asked = [
        other.get(f"webhooks/{made}"), other.patch(f"webhooks/{made}", {"active": False}), other.delete(f"webhooks/{made}"),
        other.post(f"webhooks/{made}/test"), other.get(f"webhooks/{made}/deliveries"),
        other.post(f"webhooks/{made}/deliveries/{event_id}/redeliver"),
    ]  # fmt: skip
    assert {answer.status_code for answer in asked} == {404}
    assert Endpoint.objects.get().active


def test_it_is_changed_switched_and_deleted(client):
    made = client.post("webhooks", WISH).json()["id"]
    changed = client.patch(f"webhooks/{made}", {"events": ["order.shipped"], "name": "new", "active": False})
    assert (changed.status_code, changed.json()["events"], changed.json()["disabled_because"]) == (
        200, ["order.shipped"], "by_hand",
    )  # fmt: skip
    assert client.patch(f"webhooks/{made}", {"url": "https://else.example.com"}).status_code == 422
    assert client.patch(f"webhooks/{made}", {"active": True}, If_Match='"stale"').status_code == 412
    assert client.patch(f"webhooks/{made}", {"active": True}).json()["active"] is True
    assert (client.delete(f"webhooks/{made}").status_code, Endpoint.objects.count()) == (204, 0)
    assert list(SecurityEvent.objects.filter(kind="webhook").order_by("pk").values_list("reason", flat=True)) == [
        "made", "changed", "off", "on", "deleted",
    ]  # fmt: skip


def test_a_test_message_and_one_sent_again(client, store, receive):
    receiver = receive(200, 500, 200)
    made = client.post("webhooks", WISH | {"url": receiver.url}).json()["id"]
    tested = client.post(f"webhooks/{made}/test")
    assert (tested.json()["type"], tested.json()["state"], tested.json()["last_status"]) == ("ping", "delivered", 200)
    line(make_order(store))
    tell()
    failed = client.get(f"webhooks/{made}/deliveries?state=waiting").json()["results"]
    assert [(row["type"], row["last_status"], row["attempts"]) for row in failed] == [("order.imported", 500, 1)]
    again = client.post(f"webhooks/{made}/deliveries/{failed[0]['event_id']}/redeliver")
    assert (again.status_code, again.json()["state"]) == (200, "waiting")
    send()
    assert receiver.ids[1] == receiver.ids[2] == failed[0]["event_id"]
    assert [row["state"] for row in client.get(f"webhooks/{made}/deliveries").json()["results"]] == ["delivered"] * 2
    assert client.get(f"webhooks/{made}/deliveries?state=lost").status_code == 422
    assert client.post(f"webhooks/{made}/deliveries/{'-' * 36}/redeliver").status_code == 404


def test_no_more_than_twenty_for_one_key(given):
    key, client = given
    for number in range(subscribing.MOST):
        subscribing.make(key, url=f"https://a{number}.example.com/", names=["order.imported"], now=clock.now())
    answer = client.post("webhooks", WISH)
    assert answer.status_code == 409 and "at most 20" in answer.json()["detail"]


def test_lists_take_as_many_statements_for_many_rows_as_for_few(given, store):
    key, client = given

    def statements(path: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path).status_code == 200
        return len(asked)

    def more(count: int) -> None:
        for number in range(count):
            subscribing.make(key, url=f"https://a{number}.example.com/", names=["order.imported"], now=clock.now())
            line(make_order(store))
        feeding.feed(now=clock.now())

    more(1)
    client.get("webhooks")  # the first request of a key writes when it came
    first = Endpoint.objects.get().pk
    paths = ("webhooks", f"webhooks/{first}/deliveries")
    few = [statements(path) for path in paths]
    more(6)
    assert [statements(path) for path in paths] == few
    assert len(client.get(paths[1]).json()["results"]) == 7


def test_shipstation_subscribing_twice_is_one_endpoint_and_a_batch_is_its_keys_own(given, store, receive):
    key, _client = given
    wish = {"url": receive().url, "event": "ORDER_NOTIFY", "store_id": store.pk, "name": "", "now": clock.now()}
    there = subscribing.subscribe(key, **wish)
    assert subscribing.subscribe(key, **wish).pk == there.pk
    assert [row.pk for row in subscribing.endpoints_of(key)] == [there.pk]
    order = make_order(store)
    line(order)
    tell()
    batch = Delivery.objects.get().event_id.hex
    assert batches.order_ids(batch, key) == [order.pk]
    assert batches.order_ids(batch, make_key(store)[0]) == batches.order_ids("x", key) == []
    other = make_key(store)[0]
    assert not subscribing.unsubscribe(other, there.pk, now=clock.now())
    assert subscribing.unsubscribe(key, there.pk, now=clock.now())
    assert not subscribing.unsubscribe(key, there.pk, now=clock.now())
