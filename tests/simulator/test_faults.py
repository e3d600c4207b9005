"""Every kind of fault, over a real socket."""

import json
import socket
import time
from datetime import timedelta
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected

import pytest

from stores.simulator import faults, scenarios

from .asking import InProcess
from .conftest import NOON

BROKEN = (RemoteDisconnected, BadStatusLine, ConnectionResetError)


def fill(world, count):
    early = NOON - timedelta(hours=1)
    return [world.add_order(scenarios.NA, created=early, updated=early) for _ in range(count)]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("429", 429, "QuotaExceeded"),
        ("500_before", 500, "InternalFailure"),
        ("503", 503, "ServiceUnavailable"),
        ("403_revoked", 403, "Unauthorized"),
    ],
)
def test_a_refused_call_has_no_effect(world, http, order, kind, status, code):
    world.faults.arm("confirmShipment", kind)
    reply = http.confirm(order)
    assert (reply.status, reply.code) == (status, code)
    assert world.ledger == []
    assert http.confirm(order).status == 204


def test_a_429_may_say_when_and_how_often(world, http):
    world.faults.arm("searchOrders", "429", retry_after=17, rate=0.0028)
    headers = http.search().headers
    assert (headers["Retry-After"], headers["x-amzn-RateLimit-Limit"]) == ("17", "0.0028")
    world.faults.arm("searchOrders", "429")
    assert not {"Retry-After", "x-amzn-RateLimit-Limit"} & set(http.search().headers)


def test_a_redirect_points_elsewhere(world, http):
    world.faults.arm("getOrder", "redirect", location="https://elsewhere.invalid/x")
    reply = http.order("112-0000000-0000000")
    assert (reply.status, reply.headers["Location"]) == (302, "https://elsewhere.invalid/x")


def test_times_after_and_clear_are_kept(world, http):
    world.faults.arm("searchOrders", "503", times=2, after=1)
    assert [http.search().status for _ in range(4)] == [200, 503, 503, 200]
    world.faults.arm("searchOrders", "503", times=None)
    assert [http.search().status for _ in range(3)] == [503] * 3
    world.faults.clear()
    assert http.search().status == 200


def test_a_star_means_every_operation_and_lwa_too(world, http):
    world.faults.arm("*", "503", times=2)
    assert http.search().status == 503
    assert http.lwa(grant_type="refresh_token", refresh_token=scenarios.NA.refresh_token).status == 503
    assert http.search().status == 200


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        ("500_before", 500, "server_error"),
        ("503", 503, "temporarily_unavailable"),
        ("403_revoked", 400, "invalid_grant"),
    ],
)
def test_lwa_fails_in_its_own_words(world, http, kind, status, error):
    world.faults.arm("lwa", kind)
    reply = http.lwa(grant_type="refresh_token", refresh_token=scenarios.NA.refresh_token)
    assert (reply.status, reply.json["error"]) == (status, error)


def test_an_unknown_kind_is_refused(world):
    with pytest.raises(ValueError, match="Unknown kind"):
        world.faults.arm("searchOrders", "gremlins")


@pytest.mark.parametrize(("kind", "effect"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_timeout_holds_the_line_and_has_its_effect_or_not(world, http, order, kind, effect):
    world.faults.arm("confirmShipment", kind, seconds=30)
    http.timeout = 0.3
    with pytest.raises(TimeoutError):
        http.confirm(order)
    assert len(world.ledger) == effect
    assert world.requests[-1]["status"] is None


def test_a_timeout_ends_with_a_closed_line(world, http, order):
    world.faults.arm("confirmShipment", "timeout_after", seconds=0.2)
    with pytest.raises(BROKEN):
        http.confirm(order)
    assert len(world.ledger) == 1


def test_a_reset_comes_after_the_effect(world, http, order):
    world.faults.arm("confirmShipment", "reset")
    with pytest.raises(ConnectionResetError) as caught:
        http.confirm(order)
    assert not isinstance(caught.value, RemoteDisconnected)  # that would be a polite end
    assert len(world.ledger) == 1


@pytest.mark.parametrize("count", [0, 1, 40])
def test_a_cut_answer_promises_more_than_it_brings(world, http, order, count):
    world.faults.arm("getOrder", "cut", bytes=count)
    with pytest.raises(IncompleteRead) as caught:
        http.order(order.order_id)
    assert len(caught.value.partial) == count


def test_a_cut_may_fall_into_the_head(world, http, order):
    world.faults.arm("confirmShipment", "cut", bytes=7, head=True)
    with pytest.raises(BROKEN):
        http.confirm(order)
    assert len(world.ledger) == 1


def test_truncated_json_has_a_consistent_length(world, http, order):
    whole = http.order(order.order_id).body
    world.faults.arm("getOrder", "truncated_json")
    reply = http.order(order.order_id)
    assert reply.status == 200 and reply.body == whole[: len(whole) // 2]
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.body)


def test_html_empty_wrong_type_and_garbled_answers_look_like_success(world, http, order):
    for kind in ("html", "empty", "wrong_type", "garbled"):
        world.faults.arm("getOrder", kind)
    html, empty, wrong_type, garbled = (http.order(order.order_id) for _ in range(4))
    assert {reply.status for reply in (html, empty, wrong_type, garbled)} == {200}
    assert html.headers["Content-Type"] == "text/html" and b"<html>" in html.body
    assert empty.body == b""
    assert wrong_type.headers["Content-Type"] != "application/json" and wrong_type.json["order"]
    with pytest.raises(ValueError):
        json.loads(garbled.body)


@pytest.mark.parametrize("kind", ["500_after", "html", "empty", "truncated_json", "wrong_type", "garbled"])
def test_an_unreadable_answer_comes_after_the_effect(world, http, order, kind):
    world.faults.arm("confirmShipment", kind)
    assert http.confirm(order).status == (500 if kind == "500_after" else 200)
    assert world.effective_confirmations() == {order.order_id: 1}


def test_a_slow_answer_drips(world, http, order):
    size = len(http.order(order.order_id, "").body)
    world.faults.arm("getOrder", "slow", rate=4000)
    started = time.monotonic()
    assert len(http.order(order.order_id, "").body) == size
    assert time.monotonic() - started > size / 4000 * 0.8


def test_a_drip_never_trips_a_timeout_between_bytes(world, http, served, order):
    world.faults.arm("getOrder", "slow", rate=50)
    connection = socket.create_connection((served.base_url[7:].split(":")[0], served.port), timeout=0.5)
    with connection:
        path = f"/orders/2026-01-01/orders/{order.order_id}"
        connection.sendall(f"GET {path} HTTP/1.0\r\nx-amz-access-token: {http.token}\r\n\r\n".encode())
        ends, received = time.monotonic() + 0.9, 0
        while time.monotonic() < ends:
            received += len(connection.recv(65536))  # TimeoutError here would fail the test
    assert 10 < received < 100


def test_a_huge_answer_is_as_big_as_asked(world, http, order):
    world.faults.arm("getOrder", "huge", bytes=3_000_000)
    reply = http.order(order.order_id)
    assert len(reply.body) == 3_000_000 and reply.json["order"]["orderId"] == order.order_id


def test_the_date_header_may_be_wrong(world, http, order):
    world.faults.arm("getOrder", "date_wrong", seconds=-7200)
    assert http.order(order.order_id).headers["Date"] == "Mon, 23 Nov 2026 10:00:00 GMT"
    assert http.order(order.order_id).headers["Date"] == "Mon, 23 Nov 2026 12:00:00 GMT"


def test_the_returned_bound_may_lie(world, http):
    world.faults.arm("searchOrders", "bound_ahead")
    world.faults.arm("searchOrders", "bound_back")
    bounds = [http.search().json["lastUpdatedBefore"] for _ in range(3)]
    assert bounds == ["2026-11-23T14:58:00Z", "2026-11-23T08:58:00Z", "2026-11-23T11:58:00Z"]


def test_a_page_token_may_go_bad_and_only_tokens_count(world, http):
    fill(world, 3)
    world.faults.arm("searchOrders", "bad_page_token")
    token = http.search(maxResultsPerPage=2).json["pagination"]["nextToken"]
    assert http.search(maxResultsPerPage=2, paginationToken=token).code == "InvalidInput"
    assert http.search(maxResultsPerPage=2, paginationToken=token).status == 200


def test_a_page_may_repeat_under_a_new_token(world, http):
    fill(world, 4)
    world.faults.arm("searchOrders", "repeat_page")
    first = http.search(maxResultsPerPage=2).json
    again = http.search(maxResultsPerPage=2, paginationToken=first["pagination"]["nextToken"]).json
    assert again["orders"] == first["orders"]
    assert again["pagination"]["nextToken"] != first["pagination"]["nextToken"]
    last = http.search(maxResultsPerPage=2, paginationToken=again["pagination"]["nextToken"]).json
    assert last["orders"] != first["orders"] and "pagination" not in last


@pytest.mark.parametrize(("wrap", "count"), [(False, 0), (True, 2)])
def test_pages_may_never_end(world, http, wrap, count):
    fill(world, 2)
    world.faults.arm("searchOrders", "endless", times=None, wrap=wrap)
    token = http.search().json["pagination"]["nextToken"]
    for _ in range(5):
        page = http.search(paginationToken=token).json
        assert len(page["orders"]) == count
        token = page["pagination"]["nextToken"]


def test_a_new_order_may_be_seen_late_though_dated_early(world, http):
    world.faults.arm("searchOrders", "delay_visibility", seconds=900)
    late, punctual = fill(world, 2)
    assert [o["orderId"] for o in http.search().json["orders"]] == [punctual.order_id]
    assert http.order(late.order_id).status == 404
    world.clock.advance(seconds=900)
    shown = {o["orderId"]: o["lastUpdatedTime"] for o in http.search().json["orders"]}
    assert shown[late.order_id] == "2026-11-23T11:00:00Z"


def test_without_a_socket_the_caller_gets_his_clients_error(world, order):
    us = InProcess(world).sign_in(scenarios.NA)
    world.faults.arm("confirmShipment", "timeout_before")
    world.faults.arm("confirmShipment", "reset")
    with pytest.raises(TimeoutError):
        us.confirm(order)
    assert world.ledger == [] and world.calls("confirmShipment") == 1
    with pytest.raises(ConnectionResetError):
        us.confirm(order)
    assert len(world.ledger) == 1


def test_every_kind_is_proved_somewhere_in_these_tests():
    from pathlib import Path

    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [kind for kind in sorted(faults.KINDS) if f'"{kind}"' not in texts] == []
