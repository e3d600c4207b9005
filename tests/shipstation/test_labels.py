"""Labels over version 1: drawn for a number of the client's, bought from Amazon, voided."""

import base64

import pytest

from orderhub.rest.scopes import SCOPES
from orders.models import Order
from privacy.models import AccessLog
from shipments.models import Shipment
from tests.factories import make_account, make_order, make_shipment, make_store
from tests.shipments.shop import assert_bought_and_sent_once, open_shop, order_at
from tests.shipstation.caller import Caller

pytestmark = pytest.mark.django_db
NUMBER = "1Z999AA10123456784"


def wish(order: Order, **more) -> dict:
    return {
        "orderId": order.pk, "carrierCode": "ups", "serviceCode": "ups_ground", "packageCode": "package",
        "confirmation": "none", "shipDate": "2026-11-20", "weight": {"value": "12", "units": "ounces"},
        "trackingNumber": NUMBER, "testLabel": False,
    } | more  # fmt: skip


def test_a_label_of_an_order_is_a_pdf_in_base64_and_its_opening_is_logged():
    order = make_order()
    caller = Caller(order.store)
    found = caller.post("/orders/createlabelfororder", wish(order))
    assert set(found) == {"shipmentId", "shipmentCost", "insuranceCost", "trackingNumber", "labelData", "formData"}
    assert base64.b64decode(found["labelData"], validate=True).startswith(b"%PDF")
    parcel = Shipment.objects.get(pk=found["shipmentId"])
    assert (parcel.carrier, parcel.service, parcel.weight_g, parcel.created_by) == (
        "ups",
        "UPS Ground",
        340,
        caller.key.user,
    )
    order.refresh_from_db()
    assert order.status == Order.Status.SHIPPED
    assert AccessLog.objects.filter(what="label", order_id=order.pk, user=caller.key.user).count() == 1


def test_the_same_wish_again_is_the_same_label():
    order = make_order()
    caller = Caller(order.store)
    first, again = (caller.post("/orders/createlabelfororder", wish(order)) for _time in range(2))
    assert first["shipmentId"] == again["shipmentId"] and Shipment.objects.count() == 1
    answer = caller.send("POST", "/orders/createlabelfororder", wish(order, trackingNumber="1Z999AA10123456785"))
    assert answer.status_code == 400 and "already shipped" in answer.json()["Message"]


def test_a_label_answers_with_the_whole_parcel_where_that_is_asked_for():
    order = make_order()
    found = Caller(order.store).post("/shipments/createlabel", wish(order))
    assert found["shipmentItems"][0]["sku"] == "SKU-1" and base64.b64decode(found["labelData"]).startswith(b"%PDF")


def test_what_makes_no_label_says_why_and_sends_nothing():
    order = make_order()
    caller, other = Caller(order.store), make_order(make_store("CA", account=order.store.account))
    for body, status in (
        (wish(order, trackingNumber=None), 400), (wish(order, testLabel=True), 400), (wish(order, carrierCode=""), 400),
        (wish(other), 404), (wish(order, orderId="x"), 404), (wish(order, trackingNumber="!"), 400),
    ):  # fmt: skip
        answer = caller.send("POST", "/orders/createlabelfororder", body)
        assert answer.status_code == status, answer.content
    no_order = {name: value for name, value in wish(order).items() if name != "orderId"}
    assert caller.send("POST", "/shipments/createlabel", no_order).status_code == 501
    without = Caller(order.store, scopes=set(SCOPES) - {"labels:read"})
    assert without.send("POST", "/orders/createlabelfororder", wish(order)).status_code == 403
    assert not Shipment.objects.exists()


@pytest.mark.parametrize("bare", [True, False])
def test_a_label_is_voided_by_an_object_or_a_bare_number(bare):
    parcel = make_shipment()
    caller = Caller(parcel.order.store)
    body = str(parcel.pk) if bare else {"shipmentId": str(parcel.pk)}
    assert caller.post("/shipments/voidlabel", body) == {"approved": True, "message": "Label voided successfully"}
    parcel.refresh_from_db()
    assert parcel.voided_at and parcel.voided_by == caller.key.user
    again = caller.post("/shipments/voidlabel", body)
    assert again["approved"] is False and "voided already" in again["message"]


def test_nobody_here_knows_a_price_of_a_carrier_of_the_clients_own():
    order = make_order(make_store(account=make_account(status="paused")))
    caller = Caller(order.store)
    assert caller.post("/shipments/getrates", {"carrierCode": "ups", "toPostalCode": "78701"}) == []
    assert caller.post("/shipments/getrates", wish(order, carrierCode="amazon_buy_shipping")) == []


def test_what_amazon_offers_is_priced_and_bought_at_that_price_once(world):
    order = order_at(world, open_shop())
    caller = Caller(order.store)
    body = wish(
        order, carrierCode="amazon_buy_shipping", trackingNumber=None, weight={"value": 800, "units": "grams"},
        dimensions={"units": "centimeters", "length": 20, "width": 15, "height": 5},
    )  # fmt: skip
    rates = caller.post("/shipments/getrates", body)
    assert rates and set(rates[0]) == {"serviceName", "serviceCode", "shipmentCost", "otherCost"}
    assert all(rate["shipmentCost"] > 0 for rate in rates)
    unknown = caller.send("POST", "/orders/createlabelfororder", body | {"serviceCode": "pigeon"})
    assert unknown.status_code == 400 and set(unknown.json()["ModelState"]) == {"serviceCode"}
    found = caller.post("/orders/createlabelfororder", body | {"serviceCode": rates[0]["serviceCode"]})
    assert found["shipmentCost"] == rates[0]["shipmentCost"] and found["trackingNumber"]
    assert base64.b64decode(found["labelData"]).startswith(b"%PDF")
    assert_bought_and_sent_once(world, order)
