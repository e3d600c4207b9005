"""The control endpoint: what it tells, what it changes, and whom it obeys."""

import pytest

from stores.simulator import scenarios

from .asking import InProcess
from .conftest import NOON, frozen


@pytest.fixture
def control(world) -> InProcess:
    return InProcess(world)


def test_it_answers_loopback_only(world):
    assert InProcess(world, "10.0.0.8").ask("GET", "/__sim__/ledger").status == 403
    assert InProcess(world, "").ask("GET", "/__sim__/ledger").status == 403
    assert InProcess(world, "::1").ask("GET", "/__sim__/ledger").status == 200


def test_it_tells_what_happened(world, us, control, order):
    us.confirm(order)
    assert control.ask("GET", "/__sim__/ledger").json[0]["order_id"] == order.order_id
    assert control.ask("GET", "/__sim__/requests").json[-1]["operation"] == "confirmShipment"
    listed = control.ask("GET", "/__sim__/orders").json
    assert [(entry["order_id"], entry["status"]) for entry in listed] == [(order.order_id, "SHIPPED")]
    summary = control.ask("GET", "/__sim__/summary").json
    assert (summary["orders"], summary["confirmed"], summary["confirmed_twice"]) == (1, 1, [])


def test_it_tells_nothing_personal():
    world = frozen(scenarios.canary(now=NOON, token=lambda field, number: "ZQcanaryQZ"))
    us = InProcess(world).sign_in(scenarios.NA)
    assert b"ZQcanaryQZ" in us.search(includedData="BUYER").body
    for what in ("ledger", "requests", "orders", "summary"):
        body = us.ask("GET", f"/__sim__/{what}").body
        assert b"ZQ" not in body and b"marketplace.amazon" not in body and b"Atz" not in body


def test_it_arms_and_clears_faults(us, control):
    fault = {"operation": "searchOrders", "kind": "429", "times": 3, "retry_after": 9}
    assert control.ask("POST", "/__sim__/faults", data=fault).json == {"armed": 1}
    assert us.search().headers["Retry-After"] == "9"
    assert control.ask("POST", "/__sim__/faults", data={"clear": True}).json == {"armed": 0}
    assert us.search().status == 200


def test_it_moves_the_clock(world, control):
    control.ask("POST", "/__sim__/clock", data={"set": "2026-12-01T00:00:00Z", "advance": 90, "scale": 0})
    assert world.clock.now().isoformat() == "2026-12-01T00:01:30+00:00"


def test_it_cancels_orders(control, order):
    path = f"/__sim__/orders/{order.order_id}"
    control.ask("POST", f"{path}/request-cancellation", data={"reason": "Too slow"})
    assert order.items[0].cancel_request == "Too slow"
    assert control.ask("POST", f"{path}/cancel").json == {"status": "CANCELLED"}


def test_it_revokes_and_renews_sellers(us, control):
    path = f"/__sim__/sellers/{scenarios.NA.seller_id}"
    control.ask("POST", f"{path}/revoke")
    assert us.search().status == 403
    renewed = control.ask("POST", f"{path}/renew").json["refresh_token"]
    assert us.sign_in(scenarios.NA, renewed).search().status == 200


def test_it_resets_the_scenario_under_the_running_app(world, us, control, order):
    us.confirm(order)
    wish = {"name": "backlog", "now": "2026-11-23T12:00:00Z"}
    assert control.ask("POST", "/__sim__/scenario", data=wish).json["orders"] == 1000
    assert world.ledger == [] and order.order_id not in world.orders
    assert us.sign_in(scenarios.NA).search().json["pagination"]


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("GET", "/__sim__/secrets", None, 404),
        ("POST", "/__sim__/faults", {"operation": "x", "kind": "gremlins"}, 400),
        ("POST", "/__sim__/faults", [], 400),
        ("POST", "/__sim__/orders/112-0000000-0000000/cancel", None, 400),
        ("POST", "/__sim__/sellers/NOBODY/revoke", None, 400),
        ("POST", "/__sim__/clock", {"set": "tomorrow"}, 400),
        ("POST", "/__sim__/scenario", {"name": "utopia"}, 400),
    ],
)
def test_nonsense_is_refused(control, method, path, data, status):
    assert control.ask(method, path, data=data).status == status


def test_it_rotates_the_client_secret(world, control):
    assert control.ask("POST", "/__sim__/secrets", data={"add": "the-new-one"}).json == {"live": 2}
    assert control.ask("POST", "/__sim__/secrets", data={"drop": scenarios.CLIENT_SECRET}).json == {"live": 1}
    assert world.client_secrets == ["the-new-one"]


def test_something_can_happen_between_two_calls(world, us):
    world.after_calls("searchOrders", 1, lambda: world.revoke(scenarios.NA))
    assert [us.search().status for _call in range(3)] == [200, 403, 403]
