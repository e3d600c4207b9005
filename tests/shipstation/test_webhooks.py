"""Subscribing to webhooks as clients of version 1 do."""

import pytest

from tests.factories import make_account, make_store
from tests.shipstation.caller import Caller

pytestmark = pytest.mark.django_db
WISH = {"target_url": "https://hooks.example/orders", "event": "ORDER_NOTIFY", "friendly_name": "Mine"}


def test_tolerance_5_subscribing_is_201_with_the_number_under_both_names():
    answer = Caller(make_store()).send("POST", "/webhooks/subscribe", WISH | {"store_id": None})
    assert answer.status_code == 201
    assert answer.json()["id"] == answer.json()["WebHookID"] > 0


def test_tolerance_6_webhooks_are_listed_with_big_initials_and_deleted_once():
    store = make_store()
    caller = Caller(store)
    number = caller.post("/webhooks/subscribe", WISH | {"store_id": str(store.pk)})["id"]
    found = caller.get("/webhooks")["webhooks"]
    assert [{name: row[name] for name in ("WebHookID", "HookType", "StoreID", "Url", "Name", "Active", "MessageFormat")} for row in found] == [
        {"WebHookID": number, "HookType": "ORDER_NOTIFY", "StoreID": store.pk, "Url": WISH["target_url"],
         "Name": "Mine", "Active": True, "MessageFormat": "Json"}
    ]  # fmt: skip
    assert caller.send("DELETE", f"/webhooks/{number}").status_code == 200
    assert caller.send("DELETE", f"/webhooks/{number}").status_code == 404
    assert caller.get("/webhooks") == {"webhooks": []}


def test_a_webhook_belongs_to_its_key():
    store = make_store()
    caller, other = Caller(store), Caller(store)
    number = caller.post("/webhooks/subscribe", WISH)["id"]
    assert other.get("/webhooks") == {"webhooks": []}
    assert other.send("DELETE", f"/webhooks/{number}").status_code == 404


def test_a_webhook_needs_an_address_an_event_and_a_store_of_the_key():
    account = make_account()
    caller, other = Caller(make_store("US", account=account)), make_store("CA", account=account)
    answer = caller.send("POST", "/webhooks/subscribe", {})
    assert answer.status_code == 400 and set(answer.json()["ModelState"]) == {"target_url", "event"}
    assert caller.send("POST", "/webhooks/subscribe", WISH | {"event": "RAIN"}).status_code == 400
    assert caller.send("POST", "/webhooks/subscribe", WISH | {"store_id": other.pk}).status_code == 404
    assert caller.get("/webhooks") == {"webhooks": []}
