"""The other resources of the native API: read and worked on by the stores of a key, in as few statements as ever."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock, jobs
from orderhub.rest.scopes import SCOPES
from orders.models import Order, Product
from privacy import sweeping
from privacy.markers import AMAZON
from privacy.models import AccessLog, PersonalDataRequest
from shipments.models import LabelBatch, Shipment, ShipmentNotification
from tests.api.client import ApiClient
from tests.factories import make_key, make_order, make_shipment, make_store
from tests.orders.entries import enter, make_manual_store
from tests.orders.goods import make_product

pytestmark = pytest.mark.django_db
NUMBERS = ("1Z999AA10123456784", "1Z999AA10123456793")
WITHOUT_NAMES = set(SCOPES) - {"orders:read_pii"}


def ups(order, number: str = NUMBERS[0], **more) -> dict:
    return {"order_id": order.pk, "carrier": "ups", "tracking_number": number} | more


@pytest.fixture
def order():
    return make_order()


@pytest.fixture
def client(order):
    return ApiClient(make_key(order.store)[1])


def test_accounts_and_stores_are_those_of_the_key_and_hold_no_token(order, client):
    make_manual_store()
    answer = client.get("accounts").json()["results"]
    assert [row["id"] for row in answer] == [order.store.account_id]
    assert not {name for name in answer[0] if "token" in name or "secret" in name}
    assert [row["id"] for row in client.get("stores").json()["results"]] == [order.store_id]
    assert client.get(f"stores/{order.store_id}").json()["account_id"] == order.store.account_id


def test_products_are_changed_and_counted_as_staff_do(order, client):
    product = make_product(order.store)
    path = f"products/{product.pk}"
    changed = client.patch(path, {"warehouse_location": "B4", "weight_g": 250})
    assert (changed.json()["warehouse_location"], changed.json()["weight_g"]) == ("B4", 250)
    assert client.patch(path, {"weight_g": None}).json()["weight_g"] is None
    assert client.post(f"{path}/stock", {"counted": 7}).json()["stock_counted"] == 7
    assert client.post(f"{path}/stock", {"counted": -1}).status_code == 422
    assert client.patch(path, {"stock_on_hand": 3}).status_code == 422
    assert Product.objects.get(pk=product.pk).stock_on_hand == 7


def test_customers_have_no_names_without_the_scope_and_the_marker_once_erased():
    store = make_manual_store("handmade")
    (order,) = enter(store)
    Order.objects.filter(pk=order.pk).update(redaction_due_at=clock.now() + timedelta(days=1))
    blind = ApiClient(make_key(store, scopes=WITHOUT_NAMES)[1]).get("customers").json()["results"]
    key, token = make_key(store)
    seen = ApiClient(token).get("customers").json()["results"]
    assert [row["person"] for row in blind] == [None] * len(seen)
    assert seen == [] or AccessLog.objects.filter(user=key.user).exists()


def test_a_customer_of_another_store_is_not_there(order, client):
    from orders.models import Customer

    other = Customer.objects.create(merchant=order.store.merchant, name="Bo Berg", match_key="x")
    assert client.get(f"customers/{other.pk}").status_code == 404
    Order.objects.filter(pk=order.pk).update(customer=other)
    assert client.get(f"customers/{other.pk}").json()["person"]["name"] == "Bo Berg"
    assert AccessLog.objects.get().order_id == order.pk


def test_an_order_is_sent_once_and_voided(order, client):
    made = client.post("shipments", ups(order), Idempotency_Key="k-1")
    again = client.post("shipments", ups(order), Idempotency_Key="k-1")
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json()["id"] == again.json()["id"] and Shipment.objects.count() == 1
    assert client.post("shipments", ups(order, NUMBERS[1])).status_code == 409
    notice = client.get(f"notifications?order_id={order.pk}").json()["results"][0]
    assert (notice["state"], notice["can_retry"]) == ("pending", True) and notice["meaning"]
    voided = client.post(f"shipments/{made.json()['id']}/void")
    assert voided.json()["voided_at"]
    assert client.get(f"orders/{order.pk}").json()["status"] == "awaiting_shipment"


def test_a_part_of_an_order_is_sent(client, order):
    order.items.update(quantity=3)
    item = order.items.get().pk
    part = client.post("shipments", ups(order, items=[{"item_id": item, "quantity": 1}]))
    assert part.json()["items"] == [{"item_id": item, "quantity": 1}]
    assert client.get(f"orders/{order.pk}").json()["status"] == "awaiting_shipment"
    assert client.post("shipments", ups(order, items=[{"item_id": 999, "quantity": 1}])).status_code == 422


def test_a_label_is_opened_with_its_own_scope_logged_and_without_the_address_once_due(order, client):
    client.post("shipments", ups(order))
    label = client.get(f"labels?order_id={order.pk}").json()["results"][0]
    path = f"labels/{label['id']}/file"
    assert ApiClient(make_key(order.store, scopes=set(SCOPES) - {"labels:read"})[1]).get(path).status_code == 403
    opened = client.get(path)
    assert (opened["Content-Type"], opened.content[:4]) == ("application/pdf", b"%PDF")
    assert b"Ada Example" in client.get(f"{path}?format=zpl").content
    assert client.get(f"{path}?paper=a5").status_code == 422
    assert AccessLog.objects.filter(order_id=order.pk, what="label").count() == 2
    clock.advance(days=60)
    assert b"Ada Example" not in client.get(f"{path}?format=zpl").content


def test_a_batch_makes_what_it_can_and_says_why_the_rest_is_not_made(order, client):
    other = make_order(order.store, status="on_hold", hold_reason="To be checked")
    rows = [
        {"order_id": one.pk, "tracking_number": number} for one, number in zip((order, other), NUMBERS, strict=True)
    ]
    with jobs.inline():
        made = client.post("batches", {"carrier": "ups", "rows": rows})
    assert made.status_code == 201, made.content
    path = f"batches/{made.json()['id']}"
    states = {row["order_id"]: (row["state"], bool(row["error"])) for row in client.get(path).json()["rows"]}
    assert states == {order.pk: ("done", False), other.pk: ("failed", True)}
    assert client.get(f"{path}/labels").content.startswith(b"%PDF")
    assert client.post("batches", {"carrier": "ups", "rows": rows}).status_code == 409
    assert LabelBatch.objects.count() == 1


def test_a_refused_notice_is_sent_again(order, client):
    make_shipment(order)
    ShipmentNotification.objects.update(state="needs_attention", error_code="InvalidInput")
    notice = ShipmentNotification.objects.get()
    assert client.post(f"notifications/{notice.pk}/retry").json()["state"] == "pending"


def test_erasure_is_asked_for_and_certified(order, client):
    asked = client.post("erasure-requests", {"order_ids": [order.pk], "reason": "buyer"})
    assert (asked.status_code, asked.json()["state"]) == (201, "asked")
    assert PersonalDataRequest.objects.get().asked_by.is_client
    assert client.get("erasure-requests").json()["results"][0]["id"] == asked.json()["id"]
    assert client.post("erasure-requests", {"order_ids": [order.pk + 1], "reason": "buyer"}).status_code == 422
    Order.objects.filter(pk=order.pk).update(redaction_due_at=clock.now() - timedelta(minutes=1))
    sweeping.sweep()
    certificate = client.get(f"certificates?order_id={order.pk}").json()["results"][0]
    assert certificate["rule"] == "import" and "street1" in certificate["fields_erased"]
    assert client.get(f"orders/{order.pk}").json()["person"]["street1"] == AMAZON


def test_b01_nothing_of_another_store_is_there(order, client):
    shipment, product = make_shipment(order), make_product(order.store)
    label, notice = shipment.labels.get(), ShipmentNotification.objects.get()
    other = ApiClient(make_key(make_manual_store())[1])
    for path in (
        f"orders/{order.pk}", f"orders/{order.pk}/timeline", f"orders/{order.pk}/notes", f"orders/{order.pk}/privacy-clock",
        f"shipments/{shipment.pk}", f"labels/{label.pk}", f"labels/{label.pk}/file", f"products/{product.pk}",
        f"notifications/{notice.pk}", f"stores/{order.store_id}", f"accounts/{order.store.account_id}",
    ):  # fmt: skip
        assert client.get(path).status_code == 200, path
        hidden, unknown = other.get(path), other.get(path.replace(path.split("/")[1], "987654"))
        assert hidden.status_code == 404 and hidden.content == unknown.content, path
    for path in (f"shipments/{shipment.pk}/void", f"notifications/{notice.pk}/retry", f"orders/{order.pk}/release"):
        assert other.post(path).status_code == 404
    assert other.post("shipments", ups(order)).status_code == 422


@pytest.mark.parametrize(
    "path", ["shipments", "labels", "notifications", "products", "stores", "accounts", "certificates"]
)
def test_lists_cost_as_many_statements_for_one_row_as_for_eight(path):
    store = make_store()
    client = ApiClient(make_key(store)[1])
    counts = []
    for rows in (1, 7):
        for row in range(rows):
            make_shipment(make_order(store), tracking_number=f"1Z999AA1012345{rows}{row:03d}")
            make_product(store, sku=f"S-{rows}-{row}")
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 10, [query["sql"][:120] for query in captured]


def test_b25_pages_are_small_and_nothing_is_sorted_or_filtered_by_what_is_not_offered(client):
    for query in ("page_size=1000000", "page_size=0", "sort=person__street1", "sort=-redacted_at", "cursor=abc",
                  "person__street1=1", "store__name=x", "status=gone", "modified_after=2026-11-20", "order_number=%00"):  # fmt: skip
        assert client.get(f"orders?{query}").status_code == 422, query
