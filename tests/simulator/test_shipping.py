"""Labels sold by the simulated Amazon: against Amazon's model, and where it must say no."""

import base64
import io
import json
from decimal import Decimal

import pypdf
import pytest

from stores.simulator import scenarios

from .asking import InProcess, Reply
from .models import faults, needs_models

MODEL = "shippingV2.json"
SENDER = {
    "name": "Maple Lane", "addressLine1": "1 Depot Road", "city": "Portland", "stateOrRegion": "OR",
    "countryCode": "US", "postalCode": "97205",
}  # fmt: skip


def rates_body(order, **package) -> dict:
    parcel = {
        "dimensions": {"length": 20, "width": 15, "height": 5, "unit": "CENTIMETER"},
        "weight": {"unit": "GRAM", "value": 800}, "insuredValue": {"unit": "USD", "value": 0},
        "packageClientReferenceId": "oh-1",
        "items": [{"itemIdentifier": item.item_id, "quantity": item.quantity} for item in order.items],
    }  # fmt: skip
    channel = {"channelType": "AMAZON", "amazonOrderDetails": {"orderId": order.order_id}}
    return {"shipFrom": SENDER, "packages": [parcel | package], "channelDetails": channel}


def quote(us: InProcess, order, **package) -> dict:
    reply = us.ask("POST", "/shipping/v2/shipments/rates", data=rates_body(order, **package))
    assert reply.status == 200, reply.body
    return reply.json["payload"]


def purchase_body(found: dict, which: int = 0, kind: str = "PDF") -> dict:
    return {
        "requestToken": found["requestToken"], "rateId": found["rates"][which]["rateId"],
        "requestedDocumentSpecification": {
            "format": kind, "size": {"width": 4, "length": 6, "unit": "INCH"}, "needFileJoining": False,
            "requestedDocumentTypes": ["LABEL"],
        },
    }  # fmt: skip


def buy(us: InProcess, body: dict, key: str = "") -> Reply:
    headers = {"x-amz-access-token": us.token, "Content-Type": "application/json"}
    if key:
        headers["x-amzn-IdempotencyKey"] = key
    return us.send("POST", "/shipping/v2/shipments", json.dumps(body).encode(), headers)


@needs_models
def test_every_answer_fits_amazons_model(us, order, world):
    asked = rates_body(order)
    assert faults(MODEL, "GetRatesRequest", asked) == []
    found = us.ask("POST", "/shipping/v2/shipments/rates", data=asked).json
    assert faults(MODEL, "GetRatesResponse", found) == []
    body = purchase_body(found["payload"])
    assert faults(MODEL, "PurchaseShipmentRequest", body) == []
    bought = buy(us, body).json
    assert faults(MODEL, "PurchaseShipmentResponse", bought) == []
    parcel = bought["payload"]
    where = f"/shipping/v2/shipments/{parcel['shipmentId']}"
    file = us.ask("GET", f"{where}/documents", packageClientReferenceId="oh-1", format="ZPL").json
    assert faults(MODEL, "GetShipmentDocumentsResponse", file) == []
    followed = {
        "trackingId": parcel["packageDocumentDetails"][0]["trackingId"],
        "carrierId": found["payload"]["rates"][0]["carrierId"],
    }
    for hours in (0, 30, 30):
        world.clock.advance(seconds=hours * 3600)
        us.sign_in(scenarios.NA)
        assert faults(MODEL, "GetTrackingResponse", us.ask("GET", "/shipping/v2/tracking", **followed).json) == []
    assert us.ask("GET", "/shipping/v2/tracking", **followed).json["payload"]["summary"]["status"] == "Delivered"
    refused = us.ask("PUT", f"{where}/cancel")
    assert refused.status == 400 and faults(MODEL, "ErrorList", refused.json) == []
    heavy = quote(us, world.add_order(scenarios.NA), weight={"unit": "KILOGRAM", "value": 40}, items=[{"quantity": 1}])
    assert heavy["rates"] == [] and len(heavy["ineligibleRates"]) == 4
    assert faults(MODEL, "GetRatesResult", heavy) == []


def test_a_purchase_confirms_the_order_once_however_often_it_is_sent(us, order, world):
    body = purchase_body(quote(us, order))
    first, again = buy(us, body, "k1"), buy(us, body, "k1")
    assert first.json["payload"]["shipmentId"] == again.json["payload"]["shipmentId"]
    assert [entry["effect"] for entry in world.parcels.ledger] == ["bought"]
    assert [(entry["channel"], entry["effect"]) for entry in world.ledger] == [("buy_shipping", "created")]
    assert world.orders[order.order_id].status == "SHIPPED"
    assert buy(us, body, "k2").status == 400  # another wish, and the order has left


def test_a_rate_lives_ten_minutes(us, order, world):
    body = purchase_body(quote(us, order))
    world.clock.advance(seconds=601)
    assert buy(us, body).code == "TOKEN_EXPIRED"
    assert world.parcels.ledger == [] and world.orders[order.order_id].status == "UNSHIPPED"


@pytest.mark.parametrize(("kind", "starts"), [("PDF", b"%PDF"), ("PNG", b"\x89PNG"), ("ZPL", b"^XA")])
def test_the_label_is_a_real_file(us, order, kind, starts):
    document = buy(us, purchase_body(quote(us, order), kind=kind)).json["payload"]["packageDocumentDetails"][0]
    content = base64.b64decode(document["packageDocuments"][0]["contents"])
    assert content.startswith(starts)
    if kind == "PDF":
        assert order.address.country in pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()


def test_no_money_no_label(us, order, world):
    world.parcels.balance[scenarios.NA.seller_id] = Decimal("1.00")
    assert buy(us, purchase_body(quote(us, order))).code == "InsufficientFunds"
    assert world.parcels.ledger == []


@pytest.mark.parametrize(
    "change",
    [
        {"weight": {"unit": "GRAM", "value": 0}}, {"weight": None}, {"dimensions": {"unit": "CENTIMETER"}},
        {"items": []}, {"packageClientReferenceId": ""}, {"insuredValue": None},
    ],
)  # fmt: skip
def test_an_incomplete_parcel_has_no_rates(us, order, change):
    reply = us.ask("POST", "/shipping/v2/shipments/rates", data=rates_body(order, **change))
    assert (reply.status, reply.code) == (400, "InvalidInput")


def test_a_cancelled_label_is_void_and_its_money_back(us, order, world):
    world.parcels.balance[scenarios.NA.seller_id] = Decimal("50.00")
    shipment_id = buy(us, purchase_body(quote(us, order))).json["payload"]["shipmentId"]
    assert us.ask("PUT", f"/shipping/v2/shipments/{shipment_id}/cancel").json == {"payload": {}}
    assert us.ask("PUT", f"/shipping/v2/shipments/{shipment_id}/cancel").status == 200
    assert [entry["effect"] for entry in world.parcels.ledger] == ["bought", "voided"]
    assert world.parcels.balance[scenarios.NA.seller_id] == Decimal("50.00")
    reply = us.ask("GET", f"/shipping/v2/shipments/{shipment_id}/documents", packageClientReferenceId="oh-1")
    assert reply.status == 404


def test_another_seller_sees_nothing_of_it(us, order, world):
    shipment_id = buy(us, purchase_body(quote(us, order))).json["payload"]["shipmentId"]
    other = InProcess(world).sign_in(scenarios.EU)
    assert other.ask("PUT", f"/shipping/v2/shipments/{shipment_id}/cancel").status == 404
