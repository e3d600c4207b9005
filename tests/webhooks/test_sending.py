"""Messages: signed, ids only, at least once, and nobody's trouble is another's."""

import hashlib
import hmac
import json
import logging
import socket
import time
from datetime import timedelta

import pytest

from orderhub import clock, failpoints, killswitch
from orderhub.errors import RuleViolation
from orderhub.logs import EventFormatter
from orderhub.webhooks import addresses, feeding, keeping, messages, sending, subscribing
from orderhub.webhooks.models import Delivery, Endpoint, State
from tests.factories import make_order
from tests.stores.test_fetching import TRICKS
from tests.webhooks.conftest import send, tell
from tests.webhooks.test_feeding import line

pytestmark = pytest.mark.django_db


def test_a_message_is_signed_and_says_ids_only(store, endpoint, receive):
    receiver = receive()
    there = endpoint(receiver)
    order = make_order(store)
    line(order)
    tell()
    [(headers, body)] = receiver.got
    row = Delivery.objects.get()
    assert json.loads(body) == {
        "id": str(row.event_id), "type": "order.imported", "created_at": "2026-11-20T12:00:00Z",
        "data": {"order_id": order.pk, "store_id": store.pk, "resource": f"/api/v1/orders/{order.pk}"},
    }  # fmt: skip
    signed = hmac.new(there.secret.encode(), headers["OrderHub-Timestamp"].encode() + b"." + body, hashlib.sha256)
    assert headers["OrderHub-Signature"] == "v1=" + signed.hexdigest()
    assert headers["OrderHub-Event-Id"] == str(row.event_id)
    assert headers["OrderHub-Timestamp"] == str(int(clock.now().timestamp()))
    assert (row.state, row.last_status, row.delivered_at) == (State.DELIVERED, 200, clock.now())


def test_r94_neither_message_nor_log_nor_row_names_anybody(store, endpoint, receive, caplog):
    receiver = receive(500)
    endpoint(receiver, *sending.events.NATIVE)
    order = make_order(store, person={"recipient_name": "Zebedee Canary", "street1": "7 Canary Row"})
    line(order)
    with caplog.at_level(logging.DEBUG):
        tell()
    shown = list(Delivery.objects.values()) + list(Endpoint.objects.values("url_shown", "events"))
    kept = json.dumps(shown, default=str) + "".join(map(EventFormatter().format, caplog.records))
    assert receiver.got and '"status": "500"' in kept
    names = ("Canary", "Zebedee", order.order_number)
    assert not [word for word in (*names, "s3cret") if word in kept]
    assert not [word for word in names if word in caplog.text + str(receiver.got)]


@pytest.mark.parametrize("name", ["ORDER_NOTIFY", "SHIP_NOTIFY", "FULFILLMENT_REJECTED"])
def test_shipstation_a_message_in_its_form_points_at_a_list_of_ours(name, key, store, endpoint, settings):
    settings.SITE_URL = "https://orders.example"
    there = endpoint(None, name, surface="shipstation")
    row = Delivery(endpoint=there, order_id=5, shipment_id=6, store_id=store.pk, happened_at=clock.now())
    told = json.loads(messages.body_of(row, there))
    assert told["resource_type"] == name
    assert told["resource_url"].startswith("https://orders.example/shipstation/")
    assert row.event_id.hex in told["resource_url"] and len(told["resource_url"]) <= 200
    settings.SITE_URL = "https://" + "o" * 84 + ".example"
    assert len(json.loads(messages.body_of(row, there))["resource_url"]) <= 200


def test_a_failure_is_tried_again_with_growing_waits_and_the_same_event(store, endpoint, receive, travel):
    receiver = receive(500, 503, 404, 200)
    endpoint(receiver)
    line(make_order(store))
    tell()
    waits = []
    while (row := Delivery.objects.get()).state == State.WAITING:
        waits.append((row.next_attempt_at - clock.now()).total_seconds())
        send()
        assert len(receiver.got) == len(waits)  # not before its time
        travel(seconds=waits[-1])
        send()
    assert (row.state, row.attempts, len(set(receiver.ids))) == (State.DELIVERED, 4, 1)
    assert 48 <= waits[0] <= 72 and waits[0] < waits[1] < waits[2]
    assert Endpoint.objects.get().failures == 0


def test_after_a_day_a_delivery_is_given_up_and_the_endpoint_with_it(store, endpoint, receive, travel, caplog):
    receiver = receive(500)
    endpoint(receiver)
    line(make_order(store))
    tell()
    for _quarter in range(27 * 4):
        travel(minutes=15)
        send()
    there, row = Endpoint.objects.get(), Delivery.objects.get()
    assert (there.active, there.disabled_because, row.state) == (False, "failing", State.DEAD)
    assert 10 < len(receiver.got) < 40
    assert [record.endpoint for record in caplog.records if record.msg == "webhook_off"] == [there.pk]
    subscribing.switch(there, on=True, by=None, now=clock.now())
    receiver.statuses = [200]
    subscribing.redeliver(row, now=clock.now())
    send()
    assert Delivery.objects.get().state == State.DELIVERED


def test_f42_after_five_failures_in_a_row_there_is_a_pause_then_one_probe(store, endpoint, receive, travel):
    receiver = receive(500)
    there = endpoint(receiver)
    for _each in range(12):
        line(make_order(store))
    tell()
    assert len(receiver.got) == sending.MOST_FAILURES
    send()
    send()
    there.refresh_from_db()
    assert (len(receiver.got), there.failures) == (6, 6)
    for pause in (30, 60, 60):
        assert there.paused_until - clock.now() == timedelta(minutes=pause)
        send()
        travel(minutes=pause)
        before = len(receiver.got)
        send()
        assert len(receiver.got) == before + 1
        there.refresh_from_db()
    travel(minutes=60)
    receiver.statuses = [200]
    send()
    there.refresh_from_db()
    assert (there.failures, there.paused_until, set(Delivery.objects.values_list("state", flat=True))) == (
        0, None, {State.DELIVERED},
    )  # fmt: skip


def test_f42_gone_switches_off_at_once(store, endpoint, receive):
    receiver = receive(410)
    there = endpoint(receiver)
    for _each in range(3):
        line(make_order(store))
    tell()
    there.refresh_from_db()
    assert (len(receiver.got), there.disabled_because) == (1, "gone")
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.DEAD}


def test_one_that_fails_holds_up_nobody(store, endpoint, receive):
    dead = endpoint(receive(500))
    receiver = receive()
    endpoint(receiver)
    for _each in range(6):
        line(make_order(store))
    tell()
    assert len(receiver.got) == 6
    assert Delivery.objects.filter(endpoint=dead, state=State.WAITING).count() == 6


def test_a_receiver_that_hangs_is_let_go_of_in_time(store, endpoint, monkeypatch):
    monkeypatch.setattr(sending, "LIMITS", sending.Limits(connect_s=0.2, read_s=0.2, total_s=0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, says nothing
        endpoint(url=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        for _each in range(5):
            line(make_order(store))
        started = time.monotonic()
        tell()
    assert time.monotonic() - started < 2
    assert Delivery.objects.filter(attempts=1).count() == sending.MOST_FAILURES


@pytest.mark.parametrize("point", ["webhook.after_claim", "webhook.after_send"])
def test_killed_between_claim_and_mark_it_is_sent_again_as_the_same_event(
    point, store, endpoint, receive, travel, monkeypatch
):
    receiver = receive()
    endpoint(receiver)
    line(make_order(store))
    feeding.feed(now=clock.now())
    monkeypatch.setenv("ORDERHUB_FAILPOINT", f"{point}:raise")
    failpoints._visits.clear()
    with pytest.raises(failpoints.Failpoint):
        send()
    monkeypatch.delenv("ORDERHUB_FAILPOINT")
    send()
    assert Delivery.objects.get().state == State.IN_FLIGHT  # another may still be at it
    travel(seconds=76)
    send()
    assert (Delivery.objects.get().state, len(set(receiver.ids))) == (State.DELIVERED, 1)
    assert len(receiver.got) == (2 if point == "webhook.after_send" else 1)


def test_a_slow_sender_does_not_write_over_what_another_did(store, endpoint, receive):
    there = endpoint(receive())
    line(make_order(store))
    feeding.feed(now=clock.now())
    slow = Delivery.objects.get()
    assert sending._claim(slow, clock.now()) and not sending._claim(Delivery.objects.get(), clock.now())
    Delivery.objects.update(attempts=2)  # its lease ended, another took it
    sending._record(there, slow, sending.Outcome(500), clock.now())
    assert Delivery.objects.get().state == State.IN_FLIGHT


def test_the_emergency_stop_counts_as_no_attempt(store, endpoint, receive, monkeypatch):
    receiver = receive()
    endpoint(receiver)
    line(make_order(store))
    feeding.feed(now=clock.now())
    monkeypatch.setattr(killswitch, "_set", True)
    monkeypatch.setattr(killswitch, "is_set", lambda: True)
    send()
    row = Delivery.objects.get()
    assert (receiver.got, row.state, row.attempts, Endpoint.objects.get().failures) == ([], State.WAITING, 0, 0)


def test_b08_no_redirect_is_followed(store, endpoint, receive):
    receiver = receive(302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})
    endpoint(receiver)
    line(make_order(store))
    tell()
    row = Delivery.objects.get()
    assert (len(receiver.got), row.state, row.last_error) == (1, State.WAITING, "Redirect")


def test_a_large_answer_is_not_read(store, endpoint, receive):
    endpoint(receive(200, body=b"x" * 70_000))
    line(make_order(store))
    tell()
    assert Delivery.objects.get().state == State.WAITING


@pytest.mark.parametrize("production", [True, False])
def test_b08_no_trick_of_an_address_reaches_this_network(production, endpoint, receive, settings, monkeypatch):
    """Either it is refused when given, or its name is looked up, found to be inside, and not called."""
    there = endpoint(receive())
    settings.PRODUCTION = production
    refused = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, 1, 6, "", ("10.0.0.1", 443))])
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("connected"))
    for url in TRICKS:
        try:
            addresses.split(url)
        except RuleViolation as error:
            refused.append(url)
            assert "zme-caps" not in str(error)
            continue
        there.url = url
        if not production and addresses.split(url)[0] in {"https://127.0.0.1", "https://localhost"}:
            continue
        row = Delivery(endpoint=there, event="ping", happened_at=clock.now())
        assert sending._post(there, row, clock.now()) == sending.Outcome(0, sending.ADDRESS_REFUSED), url
    assert len(refused) > 40
    for inside in (
        "http://10.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://2130706433/",
        "https://u:p@example.com/",
    ):
        with pytest.raises(RuleViolation):
            addresses.split(inside)


def test_in_production_nothing_goes_to_this_machine_or_in_the_clear(settings):
    settings.PRODUCTION = True
    for url in ("http://127.0.0.1:8000/", "https://localhost/", "http://example.com/", "https://example.com:22/"):
        with pytest.raises(RuleViolation, match="https address"):
            addresses.split(url)
    assert addresses.split("https://Hooks.Example.com:8443/a?b=c") == ("https://hooks.example.com:8443", "/a?b=c")


def test_a_test_message_is_a_delivery_like_others(endpoint, receive):
    receiver = receive()
    there = endpoint(receiver)
    row = sending.ping(there, now=clock.now())
    assert (row.state, json.loads(receiver.got[0][1])["type"]) == (State.DELIVERED, "ping")
    subscribing.switch(there, on=False, by=None, now=clock.now())
    there.refresh_from_db()
    with pytest.raises(RuleViolation, match="switched off"):
        sending.ping(there, now=clock.now())


def test_deliveries_are_kept_for_30_days(store, endpoint, travel):
    endpoint()
    line(make_order(store))
    feeding.feed(now=clock.now())
    travel(days=29)
    assert keeping.prune(now=clock.now()) == 0
    travel(days=2)
    assert (keeping.prune(now=clock.now()), Delivery.objects.count()) == (1, 0)
