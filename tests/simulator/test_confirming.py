"""confirmShipment: what is accepted, what is refused, and what the ledger says happened."""

import pytest

from stores.simulator import scenarios

from .asking import InProcess, OverHttp


def status(us, order) -> str:
    return us.order(order.order_id, "FULFILLMENT").json["order"]["fulfillment"]["fulfillmentStatus"]


def line(order, index, quantity=1) -> dict:
    return {"orderItemId": order.items[index].item_id, "quantity": quantity}


def test_a_good_confirmation_ships_the_order_and_is_in_the_ledger(world, us, order):
    reply = us.confirm(order, "71")
    assert (reply.status, reply.body) == (204, b"")
    assert status(us, order) == "SHIPPED"
    entry = world.ledger[0]
    assert entry["order_id"] == order.order_id and entry["package_reference"] == "71"
    assert (entry["channel"], entry["effect"], entry["carrier"]) == ("call", "created", "USPS")
    assert entry["items"] == {order.items[0].item_id: 2, order.items[1].item_id: 1}
    package = us.order(order.order_id).json["order"]["packages"][0]
    assert package["packageReferenceId"] == "71" and package["trackingNumber"].startswith("9400")


def test_confirming_moves_the_orders_update_time(world, us, order):
    world.clock.advance(seconds=60)
    us.confirm(order)
    assert order.updated == world.clock.now()


def test_the_same_reference_again_is_an_edit_not_a_second_confirmation(world, us, order):
    us.confirm(order)
    assert us.confirm(order, trackingNumber="CORRECTED").status == 204
    assert [entry["effect"] for entry in world.ledger] == ["created", "edited"]
    assert world.effective_confirmations() == {order.order_id: 1}
    assert [p["trackingNumber"] for p in us.order(order.order_id).json["order"]["packages"]] == ["CORRECTED"]


def test_a_strict_amazon_refuses_the_same_reference_on_a_shipped_order(world, us, order):
    world.strict_resend = True
    us.confirm(order)
    again = us.confirm(order)
    assert again.status == 400 and "PackageToUpdateNotFound" in again.text
    assert len(world.ledger) == 1


def test_another_reference_on_a_shipped_order_is_refused(world, us, order):
    us.confirm(order, "1")
    again = us.confirm(order, "2")
    assert again.status == 400 and "PackageToUpdateNotFound" in again.text
    assert world.effective_confirmations() == {order.order_id: 1}


def test_a_split_order_is_partly_shipped_in_between(world, us, order):
    us.confirm(order, "1", orderItems=[line(order, 0, 1)])
    assert status(us, order) == "PARTIALLY_SHIPPED"
    item = us.order(order.order_id).json["order"]["orderItems"][0]["fulfillment"]
    assert (item["quantityFulfilled"], item["quantityUnfulfilled"]) == (1, 1)
    us.confirm(order, "2", orderItems=[line(order, 0, 1), line(order, 1, 1)])
    assert status(us, order) == "SHIPPED"
    assert world.effective_confirmations() == {order.order_id: 2}


def test_more_than_was_ordered_is_refused(world, us, order):
    reply = us.confirm(order, orderItems=[line(order, 0, 3)])
    assert reply.status == 400 and "PackageToUpdateNotFound" in reply.text
    assert world.ledger == [] and status(us, order) == "UNSHIPPED"


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": 1},
        {"reference": "0"},
        {"reference": "-3"},
        {"reference": "A1"},
        {"orderItems": {"orderItemId": "1", "quantity": 1}},
        {"orderItems": []},
        {"orderItems": [{"orderItemId": "99999999999999", "quantity": 1}]},
        {"orderItems": [{"orderItemId": "1", "quantity": "1"}]},
        {"marketplaceId": "A2EUQ1WTGCTBG2"},
        {"marketplaceId": None},
        {"carrierCode": None},
        {"carrierCode": "Other"},
        {"trackingNumber": None},
        {"shipDate": "02/21/2026"},
        {"shipDate": None},
        {"codCollectionMethod": "DirectPayment"},
    ],
    ids=str,
)
def test_a_request_against_the_rules_is_refused_and_changes_nothing(world, us, order, changes):
    reply = us.confirm(order, **changes)
    assert (reply.status, reply.code) == (400, "InvalidInput")
    assert world.ledger == [] and order.packages == []


def test_other_needs_the_carriers_name_and_keeps_it(world, us, order):
    assert us.confirm(order, carrierCode="Other", carrierName="Swift Badger").status == 204
    assert world.ledger[0]["carrier"] == "Swift Badger"


@pytest.mark.parametrize(
    "fields",
    [
        {"fulfilled_by": "AMAZON"},
        {"programs": ("FBM_SHIP_PLUS",)},
        {"status": "CANCELLED"},
        {"status": "PENDING"},
    ],
    ids=str,
)
def test_an_order_that_is_not_the_sellers_to_ship_is_refused(world, us, fields):
    order = world.add_order(scenarios.NA, **fields)
    reply = us.confirm(order)
    assert reply.status == 400 and world.ledger == []
    assert ("NonexistentOrderItem" in reply.text) == (fields.get("status") == "CANCELLED")


def test_an_unknown_order_and_another_sellers_are_not_found(world, us, order):
    assert InProcess(world).sign_in(scenarios.EU).confirm(order).status == 404
    order.order_id = "112-0000000-0000000"
    assert us.confirm(order).status == 404


def test_cash_on_delivery_is_confirmed_in_japan_only(world):
    order = world.add_order(scenarios.JP)
    japan = InProcess(world).sign_in(scenarios.JP)
    fields = {"marketplaceId": "A1VC38T7YXB528", "carrierCode": "YAMATO"}
    assert japan.confirm(order, **fields, codCollectionMethod="Later").status == 400
    assert japan.confirm(order, **fields, codCollectionMethod="DirectPayment").status == 204


def test_an_order_shipped_in_seller_central_is_not_in_the_ledger(world, us, order):
    world.ship_elsewhere(order.order_id, "UPS", "1Z999")
    assert status(us, order) == "SHIPPED"
    assert us.order(order.order_id).json["order"]["packages"][0]["trackingNumber"] == "1Z999"
    assert "PackageToUpdateNotFound" in us.confirm(order).text
    assert world.ledger == []


def test_a_package_cannot_be_edited_for_ever(us, order):
    statuses = [us.confirm(order, trackingNumber=f"T{n}").status for n in range(10)]
    us.app.world.throttling = False
    statuses += [us.confirm(order, trackingNumber=f"T{n}").status for n in range(12)]
    assert statuses == [204] * 21 + [400]
    assert "InvalidPackageVersion" in us.confirm(order).text


def test_ten_confirmations_at_once_then_two_a_second(world, us, order):
    assert [us.confirm(order).status for _ in range(11)] == [204] * 10 + [429]
    world.clock.advance(seconds=0.5)
    assert us.confirm(order).status == 204


def test_an_answer_500_after_the_effect_counts_once(world, us, order):
    world.faults.arm("confirmShipment", "500_after")
    assert us.confirm(order).status == 500
    assert status(us, order) == "SHIPPED"
    assert us.confirm(order).status == 204
    assert world.effective_confirmations() == {order.order_id: 1}
    assert world.calls("confirmShipment") == 2 and world.calls("confirmShipment", status=500) == 1


def test_parallel_confirmations_of_one_order_have_one_effect(world, http, served, order):
    from concurrent.futures import ThreadPoolExecutor

    def send(number):
        asker = OverHttp(served.base_url)
        asker.token = http.token
        return asker.confirm(order, str(number)).status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(send, range(1, 9)))
    assert statuses == [204] + [400] * 7
    assert world.effective_confirmations() == {order.order_id: 1}
