"""Parcels over version 1: those with a label, those that were marked as shipped, and what the marketplace knows."""

import time

import pytest

from orderhub import clock
from orderhub.rest.scopes import SCOPES
from orders import annotating, people
from orders.models import OrderPersonalData
from privacy.models import AccessLog, SecurityEvent
from shipments import voiding
from tests.factories import make_account, make_order, make_shipment, make_store, make_user
from tests.shipments.notices import State, make_notice
from tests.shipstation.caller import Caller

pytestmark = pytest.mark.django_db
SHIPMENT = {
    "shipmentId", "orderId", "orderKey", "userId", "customerEmail", "orderNumber", "createDate", "shipDate",
    "shipmentCost", "insuranceCost", "trackingNumber", "isReturnLabel", "batchNumber", "carrierCode", "serviceCode",
    "packageCode", "confirmation", "warehouseId", "voided", "voidDate", "marketplaceNotified", "notifyErrorMessage",
    "shipTo", "weight", "dimensions", "insuranceOptions", "advancedOptions", "shipmentItems", "labelData", "formData",
}  # fmt: skip
FULFILLMENT = {
    "fulfillmentId", "orderId", "orderNumber", "userId", "customerEmail", "trackingNumber", "createDate", "shipDate",
    "voidDate", "deliveryDate", "carrierCode", "sellerFillProviderId", "sellerFillProviderName",
    "fulfillmentProviderCode", "fulfillmentServiceCode", "fulfillmentFee", "voidRequested", "voided",
    "marketplaceNotified", "notifyErrorMessage", "shipTo",
}  # fmt: skip


def test_a_shipment_has_every_field_of_version_1_and_no_other():
    parcel = make_shipment(weight_g=340, service="UPS Ground")
    answer = Caller(parcel.order.store).get("/shipments")
    assert (answer["total"], answer["page"], answer["pages"]) == (1, 1, 1)
    (found,) = answer["shipments"]
    assert set(found) == SHIPMENT
    assert (found["shipmentId"], found["orderId"], found["orderNumber"]) == (
        parcel.pk, parcel.order_id, parcel.order.order_number,
    )  # fmt: skip
    assert (found["carrierCode"], found["serviceCode"], found["shipDate"]) == ("ups", "ups_ground", "2026-11-20")
    assert found["weight"]["value"] == pytest.approx(11.99, abs=0.01)
    assert found["shipTo"]["name"] == "Ada Example" and found["customerEmail"] == "abc123@marketplace.amazon.com"
    assert found["shipmentItems"] is None and found["labelData"] is None and found["advancedOptions"]["storeId"]


def test_what_is_in_a_parcel_is_listed_where_it_is_asked_for():
    parcel = make_shipment(make_order(lines=2))
    found = Caller(parcel.order.store).get("/shipments", includeShipmentItems="true")["shipments"][0]
    assert [(row["sku"], row["name"], row["quantity"], row["unitPrice"]) for row in found["shipmentItems"]] == [
        ("SKU-1", "Sample product 1", 1, 9.95), ("SKU-2", "Sample product 2", 1, 9.95),
    ]  # fmt: skip


def test_what_a_buyer_chose_for_a_line_is_shown_with_names_only():
    order = make_order()
    chosen = {order.items.get().pk: [{"name": "Engraving", "value": "For Ada"}]}
    annotating.set_options(order, chosen, by=make_user("Support"), client="Partner", now=clock.now())
    make_shipment(order)
    for scopes, wanted in ((SCOPES, chosen[order.items.get().pk]), (set(SCOPES) - {"orders:read_pii"}, [])):
        found = Caller(order.store, scopes=list(scopes)).get("/shipments", includeShipmentItems="true")
        assert found["shipments"][0]["shipmentItems"][0]["options"] == wanted


def test_what_was_only_marked_as_shipped_is_a_fulfillment():
    store = make_store()
    labelled, marked = make_shipment(make_order(store)), make_shipment(make_order(store), with_label=False)
    caller = Caller(store)
    assert [row["shipmentId"] for row in caller.get("/shipments")["shipments"]] == [labelled.pk]
    (found,) = caller.get("/fulfillments")["fulfillments"]
    assert set(found) == FULFILLMENT and found["fulfillmentId"] == marked.pk
    assert caller.get("/fulfillments", fulfillmentId=labelled.pk)["total"] == 0


def test_names_are_blank_without_their_scope_and_every_view_is_logged():
    parcel = make_shipment()
    AccessLog.objects.all().delete()
    without = Caller(parcel.order.store, scopes=set(SCOPES) - {"orders:read_pii"})
    found = without.get("/shipments")["shipments"][0]
    assert (found["shipTo"]["name"], found["shipTo"]["street1"], found["customerEmail"]) == ("", "", "")
    assert found["shipTo"]["country"] == "US" and not AccessLog.objects.exists()
    caller = Caller(parcel.order.store)
    caller.get("/shipments")
    assert AccessLog.objects.get().user == caller.key.user


def test_a_search_by_name_needs_the_scope_and_its_words_are_in_no_log(caplog):
    store = make_store()
    wanted = make_shipment(make_order(store, person={"recipient_name": "Zebulon Quark"}))
    make_shipment(make_order(store))
    people.index(OrderPersonalData.objects.all())
    caller = Caller(store)
    assert [row["shipmentId"] for row in caller.get("/shipments", recipientName="quark")["shipments"]] == [wanted.pk]
    event = SecurityEvent.objects.get(code="person_searched")
    assert (event.user, event.ids) == (caller.key.user, [wanted.order_id]) and "quark" not in event.reason
    assert "quark" not in caplog.text.lower()
    without = Caller(store, scopes=["shipments:read"])
    assert without.send("GET", "/shipments", recipientName="quark").status_code == 403


def test_filters_narrow_together():
    store = make_store()
    first = make_shipment(make_order(store, person={"country": "FR"}), service="UPS Ground")
    second = make_shipment(make_order(store), carrier="usps", tracking_number="9400111201080805483016")
    caller = Caller(store)
    for query, wanted in (
        ({"orderId": first.order_id}, [first]), ({"orderNumber": second.order.order_number}, [second]),
        ({"carrierCode": "stamps_com"}, [second]), ({"trackingNumber": first.tracking_number.lower()}, [first]),
        ({"recipientCountryCode": "fr"}, [first]), ({"serviceCode": "ups_ground"}, [first]),
        ({"storeId": store.pk}, [first, second]), ({"storeId": 10**9}, []),
        ({"shipDateStart": "2026-11-20", "shipDateEnd": "2026-11-20"}, [first, second]),
        ({"shipDateStart": "2026-11-21"}, []), ({"createDateStart": "2099-01-01 00:00:00"}, []),
        ({"voidDateStart": "2020-01-01"}, []), ({"sortBy": "CreateDate", "sortDir": "DESC"}, [second, first]),
        ({"pageSize": 1, "page": 2}, [second]), ({"page": 7}, []),
    ):  # fmt: skip
        found = [row["shipmentId"] for row in caller.get("/shipments", **query)["shipments"]]
        assert found == [parcel.pk for parcel in wanted], query
    for query in ({"orderId": "x"}, {"sortBy": "Colour"}):
        assert caller.send("GET", "/shipments", **query).status_code == 400


def test_b01_parcels_of_other_stores_are_not_there():
    account = make_account()
    other = make_shipment(make_order(make_store("CA", account=account)))
    caller = Caller(make_store("US", account=account))
    assert caller.get("/shipments")["total"] == caller.get("/shipments", orderId=other.order_id)["total"] == 0
    assert caller.send("POST", "/shipments/voidlabel", {"shipmentId": other.pk}).status_code == 404
    other.refresh_from_db()
    assert other.voided_at is None


@pytest.mark.parametrize(
    ("state", "changes", "notified", "words"),
    [
        (State.CONFIRMED, {}, True, None),
        (State.PENDING, {}, False, None),
        (State.REJECTED, {"error_code": "InvalidInput", "error_text": "Ada Example has moved"}, False, "InvalidInput"),
        (State.MANUAL, {"error_code": "StorePolicy"}, False, None),
        (State.MANUAL, {"error_code": "ToldByProvider"}, True, None),
    ],
)
def test_clients_see_whether_the_marketplace_knows_in_our_words(state, changes, notified, words):
    notice = make_notice(state, **changes)
    found = Caller(notice.order.store).get("/fulfillments")["fulfillments"][0]
    assert found["marketplaceNotified"] is notified
    assert found["notifyErrorMessage"] is words if words is None else words in found["notifyErrorMessage"]
    assert "Ada" not in (found["notifyErrorMessage"] or "")


def test_a_voided_parcel_says_since_when():
    parcel = make_shipment()
    voiding.void(parcel, by=make_user("Support"), now=clock.now())
    caller = Caller(parcel.order.store)
    found = caller.get("/shipments", voidDateStart="2020-01-01")["shipments"][0]
    assert found["voided"] is True and found["voidDate"]


def test_tolerance_9_a_page_costs_as_many_statements_for_one_parcel_as_for_twelve_and_comes_well_within_a_second():
    store = make_store()
    caller = Caller(store)
    make_shipment(make_order(store))
    few = caller.statements("/shipments", includeShipmentItems="true", pageSize=100)
    for _number in range(11):
        make_shipment(make_order(store))
    many = caller.statements("/shipments", includeShipmentItems="true", pageSize=100)
    assert few == many <= 15
    began = time.monotonic()
    assert len(caller.get("/shipments", pageSize=100)["shipments"]) == 12
    assert time.monotonic() - began < 0.5
