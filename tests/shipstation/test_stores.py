"""Stores over version 1: listed, refreshed, changed, switched."""

import pytest
from django.contrib.admin.models import LogEntry

from orderhub import clock
from privacy.models import SecurityEvent
from stores import forms_store
from stores.models import AmazonAccount, MarketplaceStatus, Store
from tests.factories import make_account, make_store
from tests.shipments.postoffice import manual_store
from tests.shipstation.caller import Caller

pytestmark = pytest.mark.django_db
FIELDS = {
    "storeId", "storeName", "marketplaceId", "marketplaceName", "accountName", "email", "integrationUrl", "active",
    "companyName", "phone", "publicEmail", "website", "refreshDate", "lastRefreshAttempt", "createDate", "modifyDate",
    "autoRefresh",
}  # fmt: skip


def test_a_store_has_every_field_of_version_1_and_no_other():
    store = make_store()
    found = Caller(store).get("/stores")
    assert [set(row) for row in found] == [FIELDS]
    assert (found[0]["storeId"], found[0]["marketplaceId"], found[0]["marketplaceName"]) == (store.pk, 2, "Amazon")
    assert found[0]["autoRefresh"] is True and len(found[0]["createDate"]) == 27


def test_one_store_by_itself_says_what_its_statuses_mean():
    store = make_store()
    MarketplaceStatus.objects.create(store=store, name="Backordered", status="on_hold")
    found = Caller(store).get(f"/stores/{store.pk}")
    assert set(found) == FIELDS | {"statusMappings"}
    assert found["statusMappings"] == [{"orderStatus": "on_hold", "statusKey": "Backordered"}]


def test_inactive_stores_are_listed_where_they_are_asked_for():
    account = make_account()
    live, idle = make_store("US", account=account), make_store("CA", account=account, active=False)
    caller = Caller(live, idle, manual := manual_store())
    assert [row["storeId"] for row in caller.get("/stores")] == [live.pk, manual.pk]
    assert len(caller.get("/stores", showInactive="true")) == 3
    assert [row["storeId"] for row in caller.get("/stores", marketplaceId=0)] == [manual.pk]


def test_b01_the_store_of_another_client_is_not_there():
    account = make_account()
    caller, other = Caller(make_store("US", account=account)), make_store("CA", account=account)
    for method, path, body in (
        ("GET", f"/stores/{other.pk}", None), ("PUT", f"/stores/{other.pk}", {"storeName": "Mine"}),
        ("PUT", "/stores/storeId", {"storeId": other.pk}), ("POST", "/stores/deactivate", {"storeId": other.pk}),
        ("POST", "/stores/refreshstore", {"storeId": other.pk}), ("GET", f"/warehouses/{other.pk}", None),
        ("GET", f"/stores/getrefreshstatus?storeId={other.pk}", None),
    ):  # fmt: skip
        assert caller.send(method, path, body).status_code == 404, path
    other.refresh_from_db()
    assert other.active and other.name != "Mine"


def test_the_kinds_of_stores_name_amazon_by_its_number():
    found = {row["name"]: row for row in Caller(make_store(), scopes=["orders:read"]).get("/stores/marketplaces")}
    assert found["Amazon"]["marketplaceId"] == 2 and found["Amazon"]["canRefresh"] is True


@pytest.mark.parametrize("address", ["POST /stores/refreshstore", "GET /stores/refreshstore", "POST /Stores/Refresh/"])
def test_a_refresh_makes_the_import_of_the_account_due(address):
    store = make_store()
    later = clock.now().replace(year=2099)
    AmazonAccount.objects.update(next_poll_at=later)
    answer = Caller(store).send(*address.split(), storeId=store.pk)
    assert answer.json()["success"] is True
    assert AmazonAccount.objects.get().next_poll_at <= clock.now()


def test_a_refresh_without_a_store_is_of_all_stores_and_of_no_other_client():
    mine, other = make_account(), make_account(selling_partner_id="A2ANOTHERSELLER")
    later = clock.now().replace(year=2099)
    AmazonAccount.objects.update(next_poll_at=later)
    Caller(make_store(account=mine), manual_store()).post("/stores/refreshstore", {"refreshDate": "2026-11-01"})
    other.refresh_from_db()
    assert other.next_poll_at == later
    assert AmazonAccount.objects.filter(next_poll_at__lt=later).get() == mine


def test_what_cannot_be_refreshed_says_why():
    store, by_hand = make_store(account=make_account(status="paused")), manual_store()
    caller = Caller(store, by_hand)
    for pk in (store.pk, by_hand.pk):
        answer = caller.send("POST", "/stores/refreshstore", {"storeId": str(pk)})
        assert answer.status_code == 400 and len(answer.json()["Message"]) > 20


def test_the_state_of_a_refresh():
    store = make_store()
    caller = Caller(store)
    found = caller.get("/stores/getrefreshstatus", storeId=store.pk)
    assert set(found) == {"storeId", "refreshStatusId", "refreshStatus", "lastRefreshAttempt", "refreshDate"}
    assert (found["refreshStatusId"], found["lastRefreshAttempt"]) == (2, None)
    AmazonAccount.objects.update(window_after=clock.now(), last_poll_at=clock.now())
    assert caller.get("/stores/getrefreshstatus", storeId=store.pk)["refreshStatus"] == "Updating orders"
    assert caller.send("GET", "/stores/getrefreshstatus").status_code == 400


def test_a_store_that_comes_back_as_it_was_read_changes_nothing():
    store = make_store(brand_name="Lake", brand_phone="+1 555 0100", ship_from={"name": "Lake", "city": "Portland"})
    caller, before = Caller(store), Store.objects.filter(pk=store.pk).values().get()
    assert not forms_store.with_changes(store, {}).changed_data
    caller.put(f"/stores/{store.pk}", caller.get(f"/stores/{store.pk}") | {"unheardOf": 1})
    assert Store.objects.filter(pk=store.pk).values().get() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("path", ["/stores/{pk}", "/stores/storeId"])
def test_a_store_is_changed_as_on_its_page_also_where_the_number_stands_in_the_body(path):
    store = make_store(brand_from_email="shop@lake.example", active=True)
    caller = Caller(store)
    Store.objects.update(approved_sender="shop@lake.example", approved_sender_confirmed_at=clock.now())
    sent = caller.get(f"/stores/{store.pk}") | {
        "storeName": "The Lake", "publicEmail": "post@lake.example", "website": "https://lake.example", "active": False,
    }  # fmt: skip
    found = caller.put(path.format(pk=store.pk), sent)
    store.refresh_from_db()
    assert (found["storeName"], store.name, store.brand_site) == ("The Lake", "The Lake", "https://lake.example")
    assert store.approved_sender == "" and store.active  # another sender is confirmed anew; switching has its own door
    assert LogEntry.objects.get().user == caller.key.user
    assert SecurityEvent.objects.filter(code="store_changed", user=caller.key.user).count() == 1


def test_what_the_page_refuses_is_refused_by_the_clients_name_of_the_field():
    store = make_store()
    answer = Caller(store).send("PUT", f"/stores/{store.pk}", {"website": "no address", "storeName": ""})
    assert answer.status_code == 400 and set(answer.json()["ModelState"]) == {"website", "storeName"}
    store.refresh_from_db()
    assert store.brand_site == ""


def test_stores_are_switched_off_and_on_and_both_stand_in_the_history():
    store = make_store()
    caller = Caller(store)
    for path, active in (("/stores/deactivate", False), ("/stores/deactivate", False), ("/stores/reactivate", True)):
        assert caller.post(path, {"storeId": str(store.pk)})["success"] is True
        store.refresh_from_db()
        assert store.active is active
    assert LogEntry.objects.count() == 2


def test_amazon_japan_is_switched_by_its_grant_only():
    store = make_store("JP")
    answer = Caller(store).send("POST", "/stores/reactivate", {"storeId": store.pk})
    assert answer.status_code == 400 and "customer success" in answer.json()["Message"]
    store.refresh_from_db()
    assert not store.active
