"""What version 1 lists besides orders and parcels, what it refuses politely, and what every answer carries."""

import json
import uuid

import pytest

from orderhub.shipstation import dispatching, refusals
from tests.factories import make_order, make_store, make_user
from tests.shipments.postoffice import SHIP_FROM
from tests.shipstation.caller import RATE, Caller

pytestmark = pytest.mark.django_db
NAMES = (
    "orderId", "orderIds", "shipmentId", "storeId", "carrierCode", "weight", "dimensions", "shipDate", "storeName",
    "target_url", "event", "store_id", "name", "weightOz", "tagId", "userId", "trackingNumber", "items", "shipTo",
)  # fmt: skip
ODD = json.dumps({name: {"value": [None, {"units": 5}]} for name in NAMES})


def test_carriers_are_listed_once_by_the_codes_of_version_1():
    found = Caller(make_store(), scopes=["customers:read"]).get("/carriers")
    codes = [row["code"] for row in found]
    assert {"stamps_com", "ups", "fedex", "royal_mail", "colissimo"} <= set(codes) and len(codes) == len(set(codes))
    assert {type(row["shippingProviderId"]) for row in found} == {int}


def test_one_carrier_at_both_of_its_addresses_and_what_it_offers():
    caller = Caller(make_store())
    one = caller.get("/carriers/getcarrier", carrierCode="stamps_com")
    assert one["name"] == "USPS" and caller.get("/carriers", carrierCode="stamps_com") == one
    services = caller.get("/carriers/listservices", carrierCode="stamps_com")
    assert {"usps_priority_mail", "usps_priority_mail_international"} <= {row["code"] for row in services}
    assert caller.get("/carriers/listpackages", carrierCode="ups")[0]["code"] == "package"
    answer = caller.send("GET", "/carriers/listservices", carrierCode="pigeon")
    assert answer.status_code == 400 and set(answer.json()["ModelState"]) == {"carrierCode"}


def test_tolerance_7_users_have_numbers_as_guids_and_are_those_who_work_on_orders():
    support, _other = make_user("Support", first_name="Ada", last_name="Lake"), make_user("Administrator")
    found = Caller(make_store()).get("/users", showInactive="false")
    assert [(row["userName"], row["name"]) for row in found] == [(support.username, "Ada Lake")]
    assert str(uuid.UUID(found[0]["userId"])) == found[0]["userId"]


def test_each_store_has_one_warehouse_that_is_changed_on_its_page():
    store = make_store(ship_from=SHIP_FROM)
    caller = Caller(store)
    found = caller.get("/warehouses")
    assert [(row["warehouseId"], row["isDefault"]) for row in found] == [(store.pk, True)]
    assert found[0]["originAddress"]["street1"] == "7 Harbour Road" and found[0]["originAddress"]["street3"] == ""
    assert caller.get(f"/warehouses/{store.pk}") == found[0]
    for method, path in (
        ("POST", "/warehouses/createwarehouse"),
        ("PUT", "/warehouses/1"),
        ("DELETE", "/warehouses/1"),
    ):
        answer = caller.send(method, path, {})
        assert answer.status_code == 501 and "page" in answer.json()["Message"]


def test_what_is_not_offered_is_refused_in_the_form_of_version_1():
    caller = Caller(make_store())
    for method, path in refusals.NOT_OFFERED:
        answer = caller.send(method, path, {})
        assert answer.status_code == 501 and len(answer.json()["Message"]) > 20, path


def test_another_method_is_405_and_another_address_404_both_in_the_form_of_version_1():
    caller = Caller(make_store())
    answer = caller.send("DELETE", "/Stores/Marketplaces/")
    assert answer.status_code == 405 and answer["Allow"] == "GET" and answer.json()["Message"]
    answer = caller.send("GET", "/no/such/place")
    assert answer.status_code == 404 and answer.json()["Message"]


def test_every_route_answers_with_the_three_headers_whatever_it_answers():
    order = make_order()
    caller = Caller(order.store)
    seen = set()
    for method, name in [*dispatching.declared(), *dispatching.aliases()]:
        for body in ("", "{}", "not json", "[1]", "7", ODD):
            answer = caller.send(method, name.replace("{id}", "1"), body)  # asserts the headers
            assert answer.status_code != 500, (method, name, answer.content)
            assert "json" in answer["Content-Type"]
            seen.add(answer.status_code)
    assert {200, 400, 404, 501} <= seen and RATE


def test_the_sign_no_text_has_is_refused_before_a_database_is_asked():
    order = make_order()
    caller = Caller(order.store)
    for path in ("/shipments?orderNumber=%00", "/products?sku=a%00", "/orders?itemKeyword=%00"):
        assert caller.send("GET", path).status_code == 400, path
    for name in ("carrierCode", "trackingNumber"):
        wish = {"orderId": order.pk, "carrierCode": "ups", "trackingNumber": "1Z999AA10123456784"} | {name: "a\0"}
        assert caller.send("POST", "/orders/createlabelfororder", wish).status_code == 400
