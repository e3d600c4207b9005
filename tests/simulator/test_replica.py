"""The fault of a lagging copy: older answers behind newer ones, to whoever saw them before and nobody else."""

from datetime import timedelta

from stores.simulator import scenarios

from .asking import InProcess
from .conftest import NOON


def _add(world):
    at = NOON - timedelta(hours=1)
    return world.add_order(scenarios.NA, created=at, updated=at, seller_order_id="first")


def _changed(world, order, **changes):
    world.clock.advance(seconds=600)
    world.update(order.order_id, **changes)
    world.clock.advance(seconds=600)


def _aliases(answer) -> list[str]:
    return [order["orderAliases"][0]["aliasId"] for order in answer.json["orders"]]


def test_an_echo_says_what_was_said_before_behind_what_is_true(world, us):
    order = _add(world)
    us.search()
    _changed(world, order, seller_order_id="second")
    world.faults.arm("searchOrders", "stale_echo")
    assert _aliases(us.search()) == ["second", "first"]
    assert _aliases(us.search()) == ["second"]


def test_nothing_is_echoed_that_did_not_change_or_was_never_told(world, us):
    order = _add(world)
    world.faults.arm("searchOrders", "stale_echo", times=None)
    assert _aliases(us.search()) == _aliases(us.search()) == ["first"]
    _changed(world, order, seller_order_id="second")
    assert _aliases(InProcess(world).sign_in(scenarios.EU).search()) == []
    assert _aliases(us.search(includedData="FULFILLMENT")) == ["second"]  # never told with these datasets


def test_the_copy_remembers_a_bounded_number_of_orders(world, us):
    from stores.simulator import replica

    for _order in range(3):
        _add(world)
    us.search()
    kept = world.replica._newest[scenarios.NA.seller_id, frozenset()]
    assert len(kept) == 3 <= replica.LIMIT


def test_none_takes_a_field_away_and_lines_have_extras_too(world, us):
    order = _add(world)
    order.extra = {"orderAliases": None, "salesChannel": {"marketplaceName": None}}
    order.items[0].extra = {"product": {"title": None}, "measurement": {"unit": "COUNT", "value": 1}}
    said = us.order(order.order_id).json["order"]
    assert "orderAliases" not in said and set(said["salesChannel"]) == {"channelName", "marketplaceId"}
    assert "title" not in said["orderItems"][0]["product"] and said["orderItems"][0]["measurement"]["value"] == 1
