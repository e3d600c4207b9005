"""Parameter rules, windows and page tokens of searchOrders."""

from datetime import timedelta

import pytest

from stores.simulator import scenarios
from stores.simulator.clock import stamp

from .asking import InProcess
from .conftest import NOON


def fill(world, count, **fields):
    start = NOON - timedelta(hours=5)
    return [
        world.add_order(scenarios.NA, created=start, updated=start + timedelta(minutes=n), **fields)
        for n in range(count)
    ]


def ids(reply) -> list[str]:
    return [order["orderId"] for order in reply.json["orders"]]


@pytest.mark.parametrize(
    "query",
    [
        {"createdAfter": "2026-11-01T00:00:00Z", "lastUpdatedAfter": "2026-11-01T00:00:00Z"},
        {"createdAfter": "2026-11-01T00:00:00Z", "lastUpdatedBefore": "2026-11-02T00:00:00Z"},
        {"lastUpdatedAfter": "2026-11-02T00:00:00Z", "lastUpdatedBefore": "2026-11-01T00:00:00Z"},
        {"lastUpdatedBefore": "2026-11-01T00:00:00Z", "lastUpdatedAfter": ""},
        {"lastUpdatedAfter": "2026-11-01"},
        {"lastUpdatedAfter": "2026-12-01T00:00:00Z"},
        {"createdAfter": "TEST_CASE_400"},
        {"maxResultsPerPage": 0},
        {"maxResultsPerPage": 101},
        {"maxResultsPerPage": "ten"},
        {"includedData": "BUYER,HOROSCOPE"},
        {"fulfillmentStatuses": "Unshipped"},
        {"fulfilledBy": "MFN"},
        {"marketplaceIds": ",".join(["ATVPDKIKX0DER"] * 51)},
        {"paginationToken": "no-such-token"},
    ],
)
def test_a_parameter_against_the_rules_is_refused(us, query):
    reply = us.search(**query)
    assert (reply.status, reply.code) == (400, "InvalidInput")


def test_neither_family_is_refused(us):
    assert us.ask("GET", "/orders/2026-01-01/orders").status == 400


def test_a_foreign_marketplace_is_denied(us):
    reply = us.search(marketplaceIds="A1VC38T7YXB528")
    assert (reply.status, reply.code) == (403, "Unauthorized")


def test_the_upper_bound_must_be_two_minutes_old(us):
    assert us.search(lastUpdatedBefore=stamp(NOON - timedelta(seconds=119))).status == 400
    assert us.search(lastUpdatedBefore=stamp(NOON - timedelta(seconds=120))).status == 200


def test_the_bound_comes_back_as_asked_or_as_two_minutes_ago(us):
    assert us.search().json["lastUpdatedBefore"] == "2026-11-23T11:58:00Z"
    asked = us.search(createdAfter="2026-11-01T00:00:00Z", createdBefore="2026-11-02T00:00:00Z").json
    assert asked["createdBefore"] == "2026-11-02T00:00:00Z"
    assert "lastUpdatedBefore" not in asked


def test_an_order_shows_only_once_it_is_two_minutes_old(world, us):
    order = world.add_order(scenarios.NA)
    assert ids(us.search()) == []
    world.clock.advance(seconds=120)
    assert ids(us.search()) == [order.order_id]


def test_both_ends_of_the_window_are_inside_it(world, us):
    orders = fill(world, 3)
    edges = {"lastUpdatedAfter": stamp(orders[1].updated), "lastUpdatedBefore": stamp(orders[1].updated)}
    assert ids(us.search(**edges)) == [orders[1].order_id]


def test_orders_come_oldest_change_first_and_once(world, us):
    orders = fill(world, 7)
    first = us.search(maxResultsPerPage=3)
    second = us.search(maxResultsPerPage=3, paginationToken=first.json["pagination"]["nextToken"])
    third = us.search(maxResultsPerPage=3, paginationToken=second.json["pagination"]["nextToken"])
    assert ids(first) + ids(second) + ids(third) == [order.order_id for order in orders]
    assert "pagination" not in third.json


def test_an_exact_multiple_of_the_page_has_no_empty_last_page(world, us):
    fill(world, 6)
    first = us.search(maxResultsPerPage=3)
    assert (
        "pagination" not in us.search(maxResultsPerPage=3, paginationToken=first.json["pagination"]["nextToken"]).json
    )


def test_page_size_and_datasets_may_change_with_a_token_nothing_else(world, us):
    fill(world, 6)
    token = us.search(maxResultsPerPage=2).json["pagination"]["nextToken"]
    changed = us.search(maxResultsPerPage=4, includedData="FULFILLMENT", paginationToken=token)
    assert len(ids(changed)) == 4 and "fulfillment" in changed.json["orders"][0]
    assert us.search(paginationToken=token, fulfilledBy="MERCHANT").status == 400
    assert us.search(paginationToken=token, lastUpdatedAfter="2026-01-02T00:00:00Z").status == 400


def test_a_token_lives_24_hours_and_serves_its_seller_only(world, us):
    fill(world, 3)
    token = us.search(maxResultsPerPage=2).json["pagination"]["nextToken"]
    assert InProcess(world).sign_in(scenarios.EU).search(paginationToken=token).status == 400
    world.clock.advance(seconds=24 * 3600 - 1)
    assert us.sign_in(scenarios.NA).search(paginationToken=token).status == 200
    world.clock.advance(seconds=1)
    assert us.sign_in(scenarios.NA).search(paginationToken=token).status == 400


def test_the_pages_of_one_search_are_a_snapshot_of_ids(world, us):
    orders = fill(world, 4)
    first = us.search(maxResultsPerPage=2)
    world.update(orders[3].order_id, service_level="NEXT_DAY")
    rest = us.search(maxResultsPerPage=2, paginationToken=first.json["pagination"]["nextToken"])
    assert ids(rest) == [orders[2].order_id, orders[3].order_id]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"fulfillmentStatuses": "PENDING"}, {"pending"}),
        ({"fulfillmentStatuses": "PENDING,UNSHIPPED"}, {"pending", "plain", "canada"}),
        ({"fulfilledBy": "AMAZON"}, {"afn"}),
        ({"marketplaceIds": "A2EUQ1WTGCTBG2"}, {"canada"}),
        ({"marketplaceIds": "A2EUQ1WTGCTBG2,ATVPDKIKX0DER"}, {"plain", "pending", "afn", "canada"}),
    ],
)
def test_filters_choose(world, us, query, expected):
    early = {"created": NOON - timedelta(hours=1), "updated": NOON - timedelta(hours=1)}
    named = {
        "plain": world.add_order(scenarios.NA, **early),
        "pending": world.add_order(scenarios.NA, status="PENDING", **early),
        "afn": world.add_order(scenarios.NA, fulfilled_by="AMAZON", status="SHIPPED", **early),
        "canada": world.add_order(scenarios.NA, marketplace="CA", **early),
    }
    found = set(ids(us.search(**query)))
    assert {name for name, order in named.items() if order.order_id in found} == expected


def test_orders_older_than_two_years_are_shown_in_japan_only(world, us):
    old = {"created": NOON - timedelta(days=800), "updated": NOON - timedelta(days=799)}
    world.add_order(scenarios.NA, **old)
    kept = world.add_order(scenarios.JP, **old)
    since = {"lastUpdatedAfter": "2024-01-01T00:00:00Z"}
    assert ids(us.search(**since)) == []
    assert ids(InProcess(world).sign_in(scenarios.JP).search(**since)) == [kept.order_id]


def test_datasets_come_only_when_asked_for(us, order):
    bare = us.order(order.order_id, "").json["order"]
    assert not {"fulfillment", "buyer", "recipient", "proceeds", "payment", "packages"} & set(bare)
    assert set(bare["orderItems"][0]) == {"orderItemId", "quantityOrdered", "product"}
    full = us.order(order.order_id, "FULFILLMENT,PROCEEDS").json["order"]
    assert full["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert {"fulfillment", "proceeds"} <= set(full) and "buyer" not in full


def test_another_sellers_order_is_not_found(world, order):
    assert InProcess(world).sign_in(scenarios.EU).order(order.order_id).status == 404


def test_the_bucket_of_searches_is_twenty_deep_and_refills_in_three_minutes(world, us):
    statuses = [us.search().status for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    assert us.search().code == "QuotaExceeded"
    assert "x-amzn-RateLimit-Limit" not in us.search().headers
    world.clock.advance(seconds=178)
    assert us.search().status == 429
    world.clock.advance(seconds=1)
    assert us.search().status == 200
    assert world.calls("searchOrders", status=429) == 4
    assert world.calls("searchOrders") == 25


def test_buckets_are_per_seller_and_per_operation(world, us, order):
    assert [us.search().status for _ in range(21)][-1] == 429
    assert us.order(order.order_id).status == 200
    assert InProcess(world).sign_in(scenarios.EU).search().status == 200


def test_throttling_can_be_switched_off(world, us):
    world.throttling = False
    assert {us.search().status for _ in range(30)} == {200}
