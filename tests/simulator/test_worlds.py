"""Scenarios, the clock, and how orders change by themselves."""

import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from stores.simulator import scenarios
from stores.simulator.clock import SimClock
from stores.simulator.server import serve

from .asking import EVERYTHING, InProcess, OverHttp
from .conftest import NOON, frozen


def token(field, number):
    return f"ZQ{field}{number}QZ"


@pytest.mark.parametrize(
    "build",
    [
        lambda seed: scenarios.demo(now=NOON, seed=seed),
        lambda seed: scenarios.backlog(now=NOON, orders=50, seed=seed),
        lambda seed: scenarios.canary(now=NOON, token=token, seed=seed),
    ],
    ids=["demo", "backlog", "canary"],
)
def test_one_seed_gives_one_world(build):
    assert frozen(build(7)).orders == frozen(build(7)).orders
    assert frozen(build(7)).orders != frozen(build(8)).orders


def test_the_demo_is_large_spread_and_mostly_waits_for_its_seller():
    orders = frozen(scenarios.demo(now=NOON)).orders.values()
    per_market = Counter(order.marketplace for order in orders)
    assert len(orders) >= 300
    assert sum(per_market[code] for code in ("US", "CA", "MX")) > 200
    assert min(per_market[code] for code in ("FR", "DE", "ES", "JP")) >= 15
    assert min(order.created for order in orders) < NOON - timedelta(days=44)
    assert max(order.created for order in orders) > NOON - timedelta(days=1)
    assert all(order.updated <= NOON for order in orders)
    pending = [order for order in orders if order.status == "PENDING"]
    assert len(pending) >= 7 and all(order.created > NOON - timedelta(days=2) for order in pending)
    merchant = [order for order in orders if order.fulfilled_by == "MERCHANT"]
    assert sum(order.status == "UNSHIPPED" for order in merchant) > len(merchant) / 2


def test_an_importer_in_the_past_sees_history_unfold():
    world = scenarios.demo(now=NOON)
    world.throttling, world.clock.scale = False, 0
    seen: dict[str, list[str]] = {}
    since = NOON - timedelta(days=46)
    for day in range(45, -1, -1):
        world.clock.set(NOON - timedelta(days=day) + timedelta(minutes=2))
        us = InProcess(world).sign_in(scenarios.NA)
        for order in changed_since(us, since):
            seen.setdefault(order["orderId"], []).append(order["fulfillment"]["fulfillmentStatus"])
        since = NOON - timedelta(days=day)
    histories = Counter(" ".join(dict.fromkeys(history)) for history in seen.values())
    assert {"UNSHIPPED SHIPPED", "PENDING UNSHIPPED", "UNSHIPPED CANCELLED", "UNSHIPPED"} <= set(histories)
    mine = [order for order in world.orders.values() if order.seller_id == scenarios.NA.seller_id]
    assert set(seen) == {order.order_id for order in mine}
    assert all(seen[order.order_id][-1] == order.status for order in mine)


def changed_since(us, since) -> list[dict]:
    reply = us.search(lastUpdatedAfter=since.isoformat(), includedData="FULFILLMENT").json
    assert "pagination" not in reply
    return reply["orders"]


def test_the_backlog_is_one_sellers_in_one_marketplace_and_unshipped():
    world = frozen(scenarios.backlog(now=NOON, orders=250))
    world.throttling = False
    us = InProcess(world).sign_in(scenarios.NA)
    assert {(o.marketplace, o.status, o.fulfilled_by) for o in world.orders.values()} == {
        ("US", "UNSHIPPED", "MERCHANT")
    }
    page, calls, found = us.search(), 1, set()
    while True:
        found |= {order["orderId"] for order in page.json["orders"]}
        if "pagination" not in page.json:
            break
        page, calls = us.search(paginationToken=page.json["pagination"]["nextToken"]), calls + 1
    assert (len(found), calls) == (250, 3)


def test_later_states_are_dated_to_their_own_instant(world):
    order = world.add_order(
        scenarios.NA,
        pays_at=NOON + timedelta(hours=1),
        asks_cancel_at=(NOON + timedelta(hours=2), "Too slow"),
        ships_at=NOON + timedelta(hours=3),
        ships_with=("UPS", "1Z1"),
        cancels_at=NOON + timedelta(hours=4),
    )
    assert order.status == "PENDING"
    world.clock.advance(seconds=3600 * 2.5)
    assert world.orders[order.order_id].status == "UNSHIPPED"
    assert (order.updated, order.items[0].cancel_request) == (NOON + timedelta(hours=2), "Too slow")
    world.clock.advance(seconds=3600 * 10)
    assert world.orders[order.order_id].status == "SHIPPED"
    assert order.updated == NOON + timedelta(hours=3)
    assert (order.packages[0].carrier, order.packages[0].tracking) == ("UPS", "1Z1")


def test_every_change_by_hand_moves_the_update_time(world):
    order = world.add_order(scenarios.NA, created=NOON - timedelta(days=1), updated=NOON - timedelta(days=1))
    changes = [
        lambda: world.update(order.order_id, service_level="EXPEDITED"),
        lambda: world.request_cancellation(order.order_id, "Changed my mind"),
        lambda: world.cancel(order.order_id),
    ]
    for change in changes:
        world.clock.advance(seconds=60)
        change()
        assert order.updated == world.clock.now()
    assert order.status == "CANCELLED" and order.items[0].cancelled_by == "BUYER"


def test_an_order_added_late_with_an_early_date_counts_as_changed_now(world):
    order = world.add_order(scenarios.NA, created=NOON - timedelta(days=3))
    assert (order.created, order.updated) == (NOON - timedelta(days=3), NOON)


def test_a_shipped_order_cannot_be_cancelled_and_a_typo_is_no_field(world):
    order = world.add_order(scenarios.NA)
    with pytest.raises(ValueError, match="No such field"):
        world.update(order.order_id, stauts="SHIPPED")
    world.ship_elsewhere(order.order_id)
    with pytest.raises(ValueError, match="shipped"):
        world.cancel(order.order_id)


def test_hostile_data_can_be_laid_over_an_answer(world, us):
    extra = {
        "fulfillment": {"fulfillmentStatus": "TELEPORTED"},
        "buyer": {"buyerName": "\ud800"},
        "horoscope": 1,
    }
    order = world.add_order(scenarios.NA, extra=extra)
    data = us.order(order.order_id, EVERYTHING).json["order"]
    assert data["fulfillment"]["fulfillmentStatus"] == "TELEPORTED"
    assert data["fulfillment"]["fulfilledBy"] == "MERCHANT"
    assert (data["buyer"]["buyerName"], data["horoscope"]) == ("\ud800", 1)


def test_the_clock_stands_hurries_and_jumps():
    clock = SimClock(NOON, scale=0)
    assert clock.now() == clock.now() == NOON
    clock.advance(seconds=90)
    assert clock.now() == NOON + timedelta(seconds=90)
    clock.scale = 3600
    time.sleep(0.01)
    assert clock.now() >= NOON + timedelta(seconds=126)
    clock.scale = 0
    clock.set(NOON)
    assert clock.now() == NOON
    with pytest.raises(ValueError, match="time zone"):
        clock.set(datetime(2026, 1, 1))


def test_requests_are_kept_by_names_not_values(world, us, order):
    us.search(marketplaceIds="ATVPDKIKX0DER", includedData="FULFILLMENT")
    entry = world.requests[-1]
    assert entry["params"] == ["includedData", "lastUpdatedAfter", "marketplaceIds"]
    assert (entry["included_data"], entry["seller_id"], entry["status"]) == (
        ["FULFILLMENT"],
        scenarios.NA.seller_id,
        200,
    )
    assert world.calls("searchOrders") == 1 and world.calls("getOrder") == 0


def test_a_served_world_answers_in_pages_of_100():
    world = scenarios.backlog(now=datetime.now(UTC), orders=300)
    world.throttling = False
    with serve(world) as server:
        http = OverHttp(server.base_url).sign_in(scenarios.NA)
        assert len(http.search(includedData=EVERYTHING).json["orders"]) == 100


def test_the_command_serves_a_scenario(tmp_path):
    command = [sys.executable, "-m", "stores.simulator.server", "--port", "0", "--scenario", "backlog"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        base_url = process.stdout.readline().split()[-1]
        assert OverHttp(base_url).ask("GET", "/__sim__/summary").json["orders"] == 1000
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=5)
    assert errors == ""
