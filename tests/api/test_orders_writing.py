"""Entering and changing orders over the API: what is taken, what is refused whole, and what stays erased."""

import uuid
from datetime import timedelta

import pytest

from orderhub import clock
from orderhub.models import IdempotentRequest
from orders.models import ItemPersonalData, Order, OrderEvent, OrderPersonalData, Tag
from privacy import sweeping
from privacy.markers import AMAZON
from privacy.models import SecurityEvent
from privacy.models.event import EventCode
from tests.api.client import ApiClient
from tests.factories import make_key, make_order, make_store, make_user
from tests.orders.entries import make_manual_store

pytestmark = pytest.mark.django_db
NEW = {
    "order_number": "C-1", "currency": "EUR", "ordered_at": "2026-11-20T08:00:00Z", "shipping_total": "4.90",
    "items": [{"sku": "MUG-1", "title": "Mug", "quantity": 2, "unit_price": "9.95", "options": [{"name": "Colour", "value": "Red"}]}],
    "person": {"recipient_name": "Zoé Martin", "street1": "3 rue des Lilas", "city": "Lyon", "country": "FR"},
}  # fmt: skip


@pytest.fixture
def store():
    return make_manual_store()


@pytest.fixture
def client(store):
    return ApiClient(make_key(store)[1])


def new(store, **more) -> dict:
    return NEW | {"store_id": store.pk} | more


def test_r20_an_order_is_entered_and_shown_as_it_is_read(client, store):
    made = client.post("orders", new(store))
    assert made.status_code == 201, made.content
    order = Order.objects.get()
    assert made["Location"].endswith(f"/api/v1/orders/{order.pk}")
    assert made.json() == client.get(f"orders/{order.pk}").json()
    assert (made.json()["order_total"], made.json()["person"]["street1"]) == ("24.8000", "3 rue des Lilas")
    event = order.events.get(kind=OrderEvent.Kind.FROM_CLIENT)
    assert event.actor.is_client


def test_r20_what_the_buyer_chose_for_a_handmade_line_goes_with_the_erasure():
    store = make_manual_store("handmade")
    client = ApiClient(make_key(store)[1])
    order = Order.objects.get(pk=client.post("orders", new(store)).json()["id"])
    assert order.items.get().options == []
    assert client.get(f"orders/{order.pk}").json()["items"][0]["options"] == [{"name": "Colour", "value": "Red"}]
    erase(order)
    shown = client.get(f"orders/{order.pk}").json()
    assert shown["items"][0]["options"] == [{"name": "–", "value": AMAZON}]
    assert shown["person"]["recipient_name"] == AMAZON
    assert shown["redacted_at"] and shown["redaction_reason"]
    assert ItemPersonalData.objects.get().customization == AMAZON


def erase(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(
        redaction_due_at=clock.now() - timedelta(minutes=5), redaction_rule="import"
    )
    sweeping.sweep()
    order.refresh_from_db()
    assert order.pii_state == Order.PiiState.REDACTED


def test_b28_an_idempotency_key_is_its_clients_own(client, store):
    value = uuid.uuid4().hex
    first = client.post("orders", new(store), Idempotency_Key=value)
    again = client.post("orders", new(store), Idempotency_Key=value)
    assert (again.status_code, again.json()) == (200, first.json())
    assert client.post("orders", new(store, order_number="C-2"), Idempotency_Key=value).status_code == 422
    other = ApiClient(make_key(store)[1]).post("orders", new(store, order_number="C-3"), Idempotency_Key=value)
    assert other.status_code == 201
    assert Order.objects.count() == 2


def test_l35_a_repetition_shows_the_order_as_it_is_by_now():
    store = make_manual_store("handmade")
    client, value = ApiClient(make_key(store)[1]), uuid.uuid4().hex
    made = client.post("orders", new(store), Idempotency_Key=value)
    erase(Order.objects.get(pk=made.json()["id"]))
    again = client.post("orders", new(store), Idempotency_Key=value)
    assert again.json()["person"]["recipient_name"] == AMAZON
    assert "Martin" not in again.content.decode()
    assert "Martin" not in repr(list(IdempotentRequest.objects.values()))


def test_a_create_that_failed_may_be_sent_again_with_the_same_key(client, store):
    value = uuid.uuid4().hex
    client.post("orders", new(store))
    assert client.post("orders", new(store), Idempotency_Key=value).status_code == 409
    assert client.post("orders", new(store, order_number="C-9"), Idempotency_Key=value).status_code == 201


def test_a_create_without_the_header_is_told_so(client, store):
    answer = client.send("POST", "orders", new(store))
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:orderhub:problem:idempotency-key-missing")


def test_orders_of_a_marketplace_cannot_be_entered():
    store = make_store()
    answer = ApiClient(make_key(store)[1]).post("orders", new(store))
    assert answer.status_code == 409
    assert not Order.objects.exists()


FOREIGN = sorted(
    {field.name for model in (Order, OrderPersonalData) for field in model._meta.concrete_fields}
    - set(NEW) - {"status", "ship_by", "deliver_by", "service_level", "requested_service", "payment_method"}
    - {"custom_field_1", "custom_field_2", "custom_field_3", "weight_g", "assigned_to", "own_status"}
) + ["scopes", "is_staff", "store", "account", "due_at"]  # fmt: skip


def test_b04_what_is_ours_to_write_is_refused_whole(client, store):
    order = Order.objects.get(pk=client.post("orders", new(store)).json()["id"])
    before = Order.objects.filter(pk=order.pk).values().get()
    for name in FOREIGN:
        for answer in (
            client.post("orders", new(store, order_number="C-2") | {name: "x"}),
            client.patch(f"orders/{order.pk}", {name: "x", "custom_field_1": "changed"}),
        ):
            assert answer.status_code == 422, name
            assert answer.json()["errors"][0] == {
                "pointer": f"/{name}", "detail": "This field is not known here, or cannot be written.", "code": "unknown",
            }  # fmt: skip
    for nested in ({"items": [NEW["items"][0] | {"quantity_shipped": 2}]}, {"person": {"marker": "x"}}):
        assert client.post("orders", new(store, order_number="C-2", **nested)).status_code == 422
    assert client.post("orders", [new(store)]).status_code == 422
    assert Order.objects.filter(pk=order.pk).values().get() == before
    assert Order.objects.count() == 1


def test_if_match_keeps_from_writing_over_others(client, store):
    order = client.post("orders", new(store))
    path, etag = f"orders/{order.json()['id']}", order["ETag"]
    changed = client.patch(path, {"custom_field_1": "A"}, If_Match=etag)
    assert (changed.status_code, changed.json()["custom_field_1"]) == (200, "A")
    assert client.patch(path, {"custom_field_1": "B"}, If_Match=etag).status_code == 412
    assert client.get(path, If_None_Match=changed["ETag"]).status_code == 304
    assert client.get(path).json()["custom_field_1"] == "A"


def test_custom_fields_need_their_grant_and_are_not_written_over_the_marketplaces():
    order = make_order()
    client = ApiClient(make_key(order.store)[1])
    assert client.patch(f"orders/{order.pk}", {"custom_field_1": "A"}).status_code == 409
    type(order.store).objects.update(custom_fields_enabled=True, custom_field_1="order_number")
    assert client.patch(f"orders/{order.pk}", {"custom_field_1": "A"}).status_code == 409
    assert client.patch(f"orders/{order.pk}", {"custom_field_2": "A"}).json()["custom_field_2"] == "A"


def test_r76_a_whole_record_posted_back_after_the_erasure_stays_erased():
    order = make_order()
    type(order.store).objects.update(custom_fields_enabled=True)
    key, token = make_key(order.store)
    client, path = ApiClient(token), f"orders/{order.pk}"
    item = order.items.get().pk
    engraved = {"items": [{"id": item, "options": [{"name": "Engraving", "value": "For Ada"}]}], "custom_field_1": "A"}
    assert client.patch(path, engraved).status_code == 200
    erase(order)
    answer = client.patch(path, engraved | {"custom_field_1": "B"})
    assert (answer.status_code, answer.json()["custom_field_1"]) == (200, "B")
    assert answer["Warning"].startswith("299")
    assert answer.json()["items"][0]["options"] == [{"name": "–", "value": AMAZON}]
    assert order.events.get(kind=OrderEvent.Kind.BLOCKED_WRITE).params == {"client": key.name}
    assert SecurityEvent.objects.get(code=EventCode.ERASED_DATA_OFFERED).user == key.user
    back = client.patch(path, {"items": [{"id": item, "options": answer.json()["items"][0]["options"]}]})
    assert back.status_code == 200 and "Warning" not in back
    assert order.events.filter(kind=OrderEvent.Kind.BLOCKED_WRITE).count() == 1


def test_a_change_is_made_whole_or_not_at_all(client, store):
    order = client.post("orders", new(store)).json()
    wrong = {"custom_field_1": "A", "weight_g": 500, "items": [{"id": 999_999, "options": []}]}
    assert client.patch(f"orders/{order['id']}", wrong).status_code == 409
    assert client.get(f"orders/{order['id']}").json() == order


def test_deeds_are_those_of_the_buttons(client, store):
    order, path = client.post("orders", new(store)).json(), f"orders/{Order.objects.get().pk}"
    Tag.objects.create(name="Fragile")
    support = make_user("Support")
    assert client.post(f"{path}/hold", {"reason": "stock"}).json()["status"] == "on_hold"
    assert client.post(f"{path}/hold", {"reason": "Ada is away"}).status_code == 422
    assert client.post(f"{path}/release").json()["status"] == "awaiting_shipment"
    assert client.post(f"{path}/release").status_code == 409
    assert client.post(f"{path}/tag", {"tags": ["fragile"]}).json()["tags"] == ["Fragile"]
    assert client.post(f"{path}/untag", {"tags": ["Fragile"]}).json()["tags"] == []
    assert client.post(f"{path}/tag", {"tags": ["No such"]}).status_code == 422
    changed = client.patch(path, {"assigned_to": support.username, "weight_g": 750}).json()
    assert (changed["assigned_to"], changed["weight_g"]) == (support.username, 750)
    assert client.post(f"{path}/notes", {"text": "Two boxes"}).json()[0]["text"] == "Two boxes"
    assert client.post(f"{path}/cancellation", {"answer": "ship"}).status_code == 409
    kinds = [line["kind"] for line in client.get(f"{path}/timeline").json()]
    assert kinds[-1] == "from_client" and {"held", "released", "tagged", "noted", "assigned", "weighed"} <= set(kinds)
    assert client.get(f"{path}/privacy-clock").json()["state"] == "no_date"
    assert order["modified_at"] < client.get(path).json()["modified_at"]


def test_a_note_that_names_the_buyer_is_hidden_from_who_reads_no_names():
    order = make_order()
    ApiClient(make_key(order.store)[1]).post(f"orders/{order.pk}/notes", {"text": "Call Ada Example"})
    blind = ApiClient(make_key(order.store, scopes=["orders:read"])[1]).get(f"orders/{order.pk}/notes")
    assert blind.json()[0]["hidden"] is True
    assert "Example" not in blind.content.decode()
