"""Orders over version 1: listed, created, sent back whole, moved."""

from datetime import timedelta

import pytest

from orderhub import clock
from orderhub.models import ApiUse
from orderhub.models.apikey import UseKind
from orderhub.rest.scopes import SCOPES
from orders import people
from orders.models import Order, OrderEvent, Tag
from privacy import sweeping
from privacy.markers import AMAZON
from privacy.models import AccessLog, SecurityEvent
from privacy.models.event import EventCode
from shipments.models import Shipment, ShipmentNotification
from tests.factories import make_key, make_order, make_store, make_user
from tests.orders.entries import make_manual_store
from tests.shipstation.bodies import an_order
from tests.shipstation.caller import Caller

pytestmark = pytest.mark.django_db
CREATE = "/orders/createorder"


@pytest.fixture
def manual():
    return make_manual_store()


def erase(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(redaction_due_at=clock.now() - timedelta(minutes=5))
    sweeping.sweep()
    order.refresh_from_db()
    assert order.pii_state == Order.PiiState.REDACTED


def refused(caller, method: str, path: str, body=None, status: int = 400) -> dict:
    answer = caller.send(method, path, body)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_the_same_order_sent_twice_is_one_and_is_shown_as_it_was_sent(manual):
    caller = Caller(manual)
    first, again = caller.post(CREATE, an_order()), caller.post(CREATE, an_order())
    assert first["orderId"] == again["orderId"] and Order.objects.count() == 1
    assert first == again
    for name in ("orderNumber", "orderKey", "orderStatus", "customerEmail"):
        assert first[name] == an_order()[name]
    assert {name: first["shipTo"][name] for name in an_order()["shipTo"]} == an_order()["shipTo"]
    assert (first["orderTotal"], first["advancedOptions"]["customField1"]) == (24.8, "Shelf 3")
    assert first["items"][0]["options"] == [{"name": "Colour", "value": "Red"}]
    assert Order.objects.get().events.filter(kind=OrderEvent.Kind.FROM_CLIENT).count() == 1
    assert caller.get(f"/orders/{first['orderId']}") == first


def test_a_whole_record_is_read_changed_and_sent_back(manual):
    caller = Caller(manual)
    order = caller.post(CREATE, an_order())
    order["shipTo"]["street1"] = "5 rue des Lilas"
    order["items"][0]["quantity"] = 3
    order["items"].append({"sku": "LID-1", "name": "Lid", "quantity": 1, "unitPrice": 1})
    changed = caller.post(CREATE, order)
    assert changed["orderId"] == order["orderId"]
    assert changed["shipTo"]["street1"] == "5 rue des Lilas"
    assert [item["quantity"] for item in changed["items"]] == [3, 1]
    assert changed["items"][0]["orderItemId"] == order["items"][0]["orderItemId"]


def test_lines_are_known_again_by_the_clients_own_key(manual):
    caller = Caller(manual)
    items = [{"lineItemKey": f"line/{number}", "name": "Print", "quantity": number} for number in (1, 2, 3)]
    first = caller.post(CREATE, an_order(items=items))["items"]
    again = caller.post(CREATE, an_order(items=[*reversed(items), {"name": "Print", "quantity": 4}]))["items"]
    assert [item["lineItemKey"] for item in first] == ["line/1", "line/2", "line/3"]
    ids = {item["lineItemKey"]: (item["orderItemId"], item["quantity"]) for item in first}
    assert {item["lineItemKey"]: (item["orderItemId"], item["quantity"]) for item in again[:3]} == ids
    assert again[3]["lineItemKey"] == "1"


def test_r20_custom_details_of_an_amazon_order_are_added_and_the_rest_is_kept():
    order = make_order()
    caller = Caller(order.store)
    record = caller.get(f"/orders/{order.pk}")
    record["items"][0]["options"] = [{"name": "Engraving", "value": "For Ada"}]
    record["shipTo"]["street1"] = "Another street"
    record["internalNotes"] = "Wrap it twice"
    changed = caller.post(CREATE, record)
    assert changed["items"][0]["options"] == [{"name": "Engraving", "value": "For Ada"}]
    assert changed["shipTo"]["street1"] == "1 Sample Street"
    assert changed["internalNotes"] == "Wrap it twice"
    caller.post(CREATE, changed)
    assert order.notes.count() == 1
    assert order.events.filter(kind=OrderEvent.Kind.OPTIONS).count() == 1


def test_r76_a_cached_original_posted_back_after_the_erasure_stays_erased_and_the_rest_is_saved():
    order = make_order()
    type(order.store).objects.update(custom_fields_enabled=True)
    tag, caller = Tag.objects.create(name="Fragile"), Caller(order.store)
    record = caller.get(f"/orders/{order.pk}")
    record["items"][0]["options"] = [{"name": "Engraving", "value": "For Ada"}]
    record = caller.post(CREATE, record)
    erase(order)
    record["tagIds"], record["advancedOptions"]["customField2"] = [tag.pk], "B7"
    answer = caller.send("POST", CREATE, record)
    shown = answer.json()
    assert answer.status_code == 200 and answer["Warning"].startswith("299")
    assert shown["shipTo"]["name"] == shown["shipTo"]["street1"] == AMAZON
    assert shown["items"][0]["options"] == [{"name": "–", "value": AMAZON}]
    assert (shown["shipTo"]["city"], shown["shipTo"]["country"]) == ("Austin", "US")
    assert (shown["tagIds"], shown["advancedOptions"]["customField2"]) == ([tag.pk], "B7")
    assert "Ada" not in answer.content.decode()
    assert {event.params["client"] for event in order.events.filter(kind="blocked_write")} == {caller.key.name}
    assert SecurityEvent.objects.filter(code=EventCode.ERASED_DATA_OFFERED, user=caller.key.user).exists()


def test_r96_an_erased_record_sent_back_as_it_was_read_is_no_attempt():
    order = make_order()
    caller = Caller(order.store)
    erase(order)
    record = caller.get(f"/orders/{order.pk}")
    answer = caller.send("POST", CREATE, record)
    assert answer.status_code == 200 and "Warning" not in answer
    assert answer.json()["customerEmail"] == "abc123@marketplace.amazon.com"
    assert not order.events.filter(kind="blocked_write").exists()


def test_r20_a_handmade_order_is_created_and_its_options_go_with_it():
    store = make_manual_store("handmade")
    caller = Caller(store)
    made = caller.post(CREATE, an_order(advancedOptions={"storeId": store.pk}))
    order = Order.objects.get()
    assert (order.origin_marketplace, order.items.get().options) == ("amazon", [])
    assert made["items"][0]["options"] == [{"name": "Colour", "value": "Red"}]
    erase(order)
    assert "Red" not in caller.send("GET", f"/orders/{order.pk}").content.decode()


def test_one_bad_order_does_not_sink_the_others(manual):
    caller = Caller(manual)
    answer = caller.post("/orders/createorders", [
        an_order(), an_order(orderNumber="W-2", orderKey="web-0002", orderStatus="lost"),
        an_order(orderNumber="W-3", orderKey="web-0003"), "no order",
    ])  # fmt: skip
    assert answer["hasErrors"] is True
    assert [row["success"] for row in answer["results"]] == [True, False, True, False]
    assert "orderStatus" in answer["results"][1]["errorMessage"]
    assert Order.objects.count() == 2


def test_an_order_without_a_store_to_take_it_is_refused_with_what_to_do():
    caller = Caller(make_store())
    told = refused(caller, "POST", CREATE, an_order())
    assert "manual" in told["ModelState"]["apiOrder.advancedOptions.storeId"][0]
    missing = refused(caller, "POST", CREATE, {"orderNumber": "1"})
    assert set(missing["ModelState"]) == {
        f"apiOrder.{name}" for name in ("orderDate", "orderStatus", "billTo", "shipTo")
    }


def test_b04_what_is_ours_is_not_taken_from_a_client(manual):
    caller = Caller(manual, make_store())
    order = caller.post(CREATE, an_order())
    before = Order.objects.filter(pk=order["orderId"]).values().get()
    extra = dict.fromkeys(
        ("pii_state", "redacted_at", "store", "account", "scopes", "redaction_due_at", "createDate"), "x"
    )
    changed = caller.post(CREATE, order | extra | {"orderId": 99, "customerId": 7, "modifyDate": "2020-01-01"})
    after = Order.objects.filter(pk=order["orderId"]).values().get()
    assert (changed, after) == (order, before)


def test_markers_shapes_and_names_hidden_without_the_scope():
    order = make_order()
    caller = Caller(order.store, scopes=set(SCOPES) - {"orders:read_pii"})
    shown = caller.get(f"/orders/{order.pk}")
    assert (shown["shipTo"]["name"], shown["customerEmail"], shown["shipTo"]["country"]) == ("", "", "US")
    assert not AccessLog.objects.exists()
    assert refused(caller, "GET", "/orders?customerName=Ada", status=403)["Message"]


def test_every_filter_of_the_list():
    account = make_store().account
    order = make_order(account.stores.get(), order_number="111-1", status="on_hold", hold_reason="To be checked")
    other = make_order(make_store("CA", account=account), order_number="222-2", person={"recipient_name": "Bo Berg"})
    Order.objects.filter(pk=order.pk).update(
        ordered_at=clock.now() - timedelta(days=9), modified_at=clock.now() - timedelta(days=9)
    )
    people.index([other.person])
    caller = Caller(order.store, other.store)
    day = (clock.now() - timedelta(days=5)).strftime("%Y-%m-%d")

    def numbers(**query):
        return [row["orderNumber"] for row in caller.get("/orders", **query)["orders"]]

    assert numbers() == ["111-1", "222-2"]
    assert numbers(sortBy="ModifyDate", sortDir="DESC") == ["222-2", "111-1"]
    assert numbers(orderDateEnd=day) == numbers(modifyDateEnd=day) == numbers(orderNumber="111") == ["111-1"]
    assert (
        numbers(orderDateStart=day)
        == numbers(storeId=other.store_id)
        == numbers(orderStatus="awaiting_shipment")
        == ["222-2"]
    )
    assert numbers(itemKeyword="sample", orderStatus="on_hold") == ["111-1"]
    assert numbers(customerName="Berg") == ["222-2"]
    assert numbers(orderStatus="rejected_fulfillment") == []
    assert SecurityEvent.objects.filter(code=EventCode.PERSON_SEARCHED).count() == 1
    page = caller.get("/orders/list", pageSize=1, page=2)
    assert (page["total"], page["pages"], page["page"], len(page["orders"])) == (2, 2, 2, 1)
    assert refused(caller, "GET", "/orders?orderStatus=gone")["ModelState"]
    assert refused(caller, "GET", "/orders?modifyDateStart=yesterday")["ModelState"]


def test_b01_orders_of_other_stores_are_not_there():
    order, other = make_order(), make_manual_store()
    caller, tag = Caller(other), Tag.objects.create(name="Fragile")
    for method, path, body in (
        ("GET", f"/orders/{order.pk}", None), ("DELETE", f"/orders/{order.pk}", None),
        ("POST", "/orders/holduntil", {"orderId": order.pk, "holdUntilDate": "2027-01-01"}),
        ("POST", "/orders/restorefromhold", {"orderId": order.pk}), ("POST", "/orders/addtag", {"orderId": order.pk, "tagId": tag.pk}),
        ("POST", "/orders/markasshipped", {"orderId": order.pk, "carrierCode": "ups", "trackingNumber": "1Z999AA10123456784"}),
        ("POST", "/orders/unassignuser", {"orderIds": [order.pk]}), ("POST", CREATE, an_order(orderId=order.pk, orderKey="")),
    ):  # fmt: skip
        assert refused(caller, method, path, body, status=404)["Message"], path
    before = order.modified_at
    order.refresh_from_db()
    assert order.modified_at == before


def test_marking_as_shipped_tells_the_marketplace_once_however_often_it_is_said():
    order = make_order()
    caller = Caller(order.store)
    body = {"orderId": order.pk, "carrierCode": "ups", "trackingNumber": "1Z999AA10123456784", "shipDate": "None"}
    first, again = caller.post("/orders/markasshipped", body), caller.post("/orders/markshipped", body)
    assert first == again == {"orderId": order.pk, "orderNumber": order.order_number}
    assert Shipment.objects.count() == ShipmentNotification.objects.count() == 1
    assert caller.get(f"/orders/{order.pk}")["orderStatus"] == "shipped"
    missing = refused(caller, "POST", "/orders/markasshipped", body | {"trackingNumber": "None"})
    assert missing["ModelState"]["trackingNumber"]


def test_holds_tags_and_assignments():
    order, user = make_order(), make_user("Support")
    caller, tag = Caller(order.store), Tag.objects.create(name="Fragile", level="warn")
    until = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%d")
    assert caller.post("/orders/holduntil", {"orderId": order.pk, "holdUntilDate": until})["success"]
    later = (clock.now() + timedelta(days=4)).strftime("%Y-%m-%d")
    assert caller.post("/orders/holduntil", {"orderId": order.pk, "holdUntilDate": later})["success"]
    assert caller.get(f"/orders/{order.pk}")["holdUntilDate"].startswith(later)
    assert caller.post("/orders/restorefromhold", {"orderId": order.pk})["success"]
    assert caller.get("/accounts/listtags") == [{"tagId": tag.pk, "name": "Fragile", "color": "#C99700"}]
    assert caller.post("/orders/addtag", {"orderId": order.pk, "tagId": tag.pk})["success"]
    assert caller.get("/orders/listbytag", tagId=tag.pk, orderStatus="awaiting_shipment")["total"] == 1
    assert caller.post("/orders/removetag", {"orderId": order.pk, "tagId": tag.pk})["success"]
    (listed,) = [row for row in caller.get("/users") if row["userName"] == user.username]
    assert caller.post("/orders/assignuser", {"orderId": f"[{order.pk}]", "userId": listed["userId"]})["success"]
    assert caller.get(f"/orders/{order.pk}")["userId"] == listed["userId"]
    assert caller.post("/orders/unassignuser", {"orderIds": [order.pk]})["success"]
    assert caller.get(f"/orders/{order.pk}")["userId"] is None


def test_deleting_cancels_what_was_made_here_and_nothing_else(manual):
    caller, amazons = Caller(manual), make_order()
    made = caller.post(CREATE, an_order())
    answer = caller.send("DELETE", f"/orders/{made['orderId']}").json()
    assert answer["success"] and Order.objects.get(pk=made["orderId"]).status == "cancelled"
    assert refused(Caller(amazons.store), "DELETE", f"/orders/{amazons.pk}")["Message"]


def test_tolerance_1_and_2_numbers_as_text_and_a_country_left_out(manual):
    sent = an_order(amountPaid="24.80", orderKey=None)
    for name in ("billTo", "shipTo"):
        sent[name] = {key: value for key, value in sent[name].items() if key != "country"} | {"residential": "True"}
    sent["items"] = [{"key": "k-1", "sku": "MUG-1", "name": "Mug", "quantity": "2", "unitPrice": "9.99", "options": None,
                      "weight": {"units": "ounces", "value": "3"}}]  # fmt: skip
    sent["dimensions"] = {"weight": None}
    made = Caller(manual).post(CREATE, sent)
    item = made["items"][0]
    assert (item["quantity"], item["unitPrice"], item["weight"]["value"]) == (2, 9.99, 3.0)
    assert len(made["shipTo"]["country"]) == 2


def test_tolerance_4_texts_of_addresses_are_never_null(manual):
    made = Caller(manual).post(CREATE, an_order())
    assert isinstance(made["orderId"], int)
    for name in ("orderKey", "createDate", "modifyDate", "orderNumber", "orderDate", "orderStatus"):
        assert isinstance(made[name], str) and made[name]
    for address in (made["billTo"], made["shipTo"]):
        texts = {name: value for name, value in address.items() if name not in {"residential", "addressVerified"}}
        assert all(isinstance(value, str) for value in texts.values()) and len(texts) == 10
        assert "residential" in address and len(address["country"]) == 2


def test_w8_what_a_client_sends_besides_is_counted(manual):
    caller = Caller(manual)
    sent = an_order(giftWrapColour="blue", orderDate="2026-11-20T08:46:27Z")
    sent["items"][0]["engraver"] = "x"
    sent["advancedOptions"]["priority"] = 1
    caller.post(CREATE, sent)
    caller.post(CREATE, sent | {"Zoé Martin": 1, "JeanMartin": 2, "order2": 3})
    caller.get("/Orders/List")
    counted = {(use.kind, use.name) for use in ApiUse.objects.filter(key=caller.key)}
    for name in ("giftWrapColour", "items[].engraver", "advancedOptions.priority"):
        assert (UseKind.UNKNOWN_FIELD, name) in counted
    assert (UseKind.UNKNOWN_FIELD, "(other)") in counted and "Martin" not in str(counted)
    assert {
        (UseKind.ALIAS, "GET /orders/list"),
        (UseKind.ENDPOINT, "GET /orders"),
        (UseKind.TIME_ZONE, "zulu"),
    } <= counted


def test_lists_cost_as_many_statements_for_one_order_as_for_ten():
    store, caller, counts = make_store(), None, []
    for rows in (1, 9):
        for _row in range(rows):
            make_order(store, lines=2)
        caller = caller or Caller(store)
        counts.append(caller.statements("/orders"))
    assert counts[0] == counts[1] <= 17


def test_a_key_of_another_client_opens_none_of_it(manual):
    caller = Caller(manual)
    made = caller.post(CREATE, an_order())
    other = Caller(make_manual_store())
    refused(other, "GET", f"/orders/{made['orderId']}", status=404)
    assert make_key(manual)[0].user != caller.key.user
