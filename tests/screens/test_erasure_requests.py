"""R110 on the screen: support asks from an order or a customer, the privacy officer decides."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock, jobs
from orders import erasure_requests
from orders.models import Customer, Order
from privacy import requests
from privacy.models import PersonalDataRequest, SecurityEvent
from privacy.models.event import EventCode
from tests.factories import PERSON, make_order, make_user
from tests.orders.buyers import attached
from tests.privacy.rows import shop
from tests.screens.storepages import sign_in

pytestmark = pytest.mark.django_db
LIST = "/admin/privacy/personaldatarequest/"
OTHERS = ["Support", "Customer success", "Administrator", "Warehouse"]


@pytest.fixture(autouse=True)
def book(settings, tmp_path):
    settings.ERASURE_LEDGER_FILE = tmp_path / "erasures.jsonl"


@pytest.fixture
def order(noon) -> Order:
    return make_order(shop())


def asked(*orders: Order) -> PersonalDataRequest:
    rows = Order.objects.filter(pk__in=[order.pk for order in orders])
    return erasure_requests.ask(erasure_requests.scope_of(rows), "buyer", by=make_user("Support"), now=clock.now())


def decide(client, row, word: str):
    with jobs.inline():
        return client.post(f"{LIST}{row.pk}/{word}/", follow=True)


# -- asking


@pytest.mark.parametrize("role", ["Support", "Customer success"])
def test_who_works_on_orders_asks_from_the_page_of_an_order(client, order, role):
    sign_in(client, role)
    door = f"/admin/orders/order/{order.pk}/erasure/"
    assert door in client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    page = client.get(door).content.decode()
    assert "1 order is still to be sent." in page and "cannot be undone" in page
    assert not PersonalDataRequest.objects.exists()  # reading asks for nothing
    answer = client.post(door, {"reason": "buyer"}, follow=True).content.decode()
    row = PersonalDataRequest.objects.get()
    assert f"Request #{row.pk} is with the privacy officer" in answer
    assert f"Erasure asked for, request #{row.pk}" in answer  # its timeline
    order.refresh_from_db()
    assert (row.order_ids, row.reason, order.pii_state) == ([order.pk], "buyer", "present")


def test_without_a_reason_or_twice_the_page_says_why(client, order):
    sign_in(client, "Support")
    door = f"/admin/orders/order/{order.pk}/erasure/"
    assert "Say who wants the data erased." in client.post(door).content.decode()
    client.post(door, {"reason": "buyer"})
    assert "asks for this already" in client.post(door, {"reason": "buyer"}).content.decode()
    assert PersonalDataRequest.objects.count() == 1


@pytest.mark.parametrize("role", ["Warehouse", "Administrator"])
def test_others_do_not_ask(client, order, role):
    sign_in(client, role)
    for page in (f"order/{order.pk}", "customer/1"):
        for ask in (client.get, client.post):
            assert ask(f"/admin/orders/{page}/erasure/", {"reason": "buyer"}).status_code == 403
    assert '/erasure/">Ask' not in client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert not PersonalDataRequest.objects.exists()


def test_from_a_customer_all_its_orders_are_asked_for(client, noon):
    store = shop()
    orders = [attached(store, person={"buyer_email": "ada@example.org"}) for _ in range(2)]
    customer = Customer.objects.get()
    sign_in(client, "Support")
    door = f"/admin/orders/customer/{customer.pk}/erasure/"
    assert door in client.get(f"/admin/orders/customer/{customer.pk}/change/").content.decode()
    assert "2 orders are still to be sent." in client.get(door).content.decode()
    client.post(door, {"reason": "authority"})
    assert PersonalDataRequest.objects.get().order_ids == [order.pk for order in orders]


def test_an_erased_order_and_customer_offer_no_request(client, noon):
    order = attached(shop(), redaction_due_at=noon)
    jobs.run("privacy.redact_due")
    sign_in(client, "Support")
    for page in (f"order/{order.pk}", f"customer/{order.customer_id}"):
        assert '/erasure/">Ask' not in client.get(f"/admin/orders/{page}/change/").content.decode()
    assert "Nothing is left to erase here." in client.get(f"/admin/orders/order/{order.pk}/erasure/").content.decode()


# -- deciding


def test_the_officer_agrees_and_it_is_erased_at_once(client, order):
    row = asked(order)
    sign_in(client, "Privacy officer")
    assert f"{LIST}{row.pk}/change/" in client.get(LIST).content.decode()
    page = client.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "still to be sent" in page and "Agree and erase" in page and order.order_number in page
    answer = decide(client, row, "approve").content.decode()
    assert "1 order is being erased." in answer
    order.refresh_from_db()
    row.refresh_from_db()
    assert (order.pii_state, order.redaction_reason, row.state) == ("redacted", "rgpd", "done")
    page = client.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "1 order is erased already." in page and "Agree and erase" not in page


def test_the_order_says_that_it_was_erased_on_request(client, order):
    row = asked(order)
    sign_in(client, "Privacy officer")
    decide(client, row, "approve")
    sign_in(client, "Support")
    page = client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert "Because somebody asked for it" in page and "« EXPURGÉ (RGPD) »" in page
    assert "Personal data was erased on request." in page


def test_the_officer_refuses(client, order):
    row = asked(order)
    sign_in(client, "Privacy officer")
    assert "keep their own dates" in decide(client, row, "refuse").content.decode()
    order.refresh_from_db()
    assert order.pii_state == "present"
    assert "decided already" in decide(client, row, "approve").content.decode()


def test_a_large_request_says_what_is_missing_until_a_second_officer_agrees(client, noon, monkeypatch):
    monkeypatch.setattr(requests, "ONE_PERSON", 1)
    orders = [make_order(shop()) for _ in range(2)]
    row = asked(*orders)
    sign_in(client, "Privacy officer")
    assert "second privacy officer must agree" in decide(client, row, "approve").content.decode()
    page = client.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "You agreed." in page and "Agree and erase" not in page
    sign_in(client, "Privacy officer")
    assert "2 orders are being erased." in decide(client, row, "approve").content.decode()
    assert set(Order.objects.values_list("pii_state", flat=True)) == {"redacted"}


@pytest.mark.parametrize("role", OTHERS)
def test_r109_nobody_else_sees_or_decides_requests(client, order, role):
    row = asked(order)
    sign_in(client, role, is_superuser=True)
    assert client.get(LIST).status_code == 403
    assert client.get(f"{LIST}{row.pk}/change/").status_code == 403
    for word in ("approve", "refuse"):
        assert client.post(f"{LIST}{row.pk}/{word}/").status_code == 403
    row.refresh_from_db()
    assert row.state == "asked"


def test_reading_decides_nothing(client, order):
    row = asked(order)
    sign_in(client, "Privacy officer")
    for word in ("approve", "refuse"):
        assert client.get(f"{LIST}{row.pk}/{word}/").status_code == 302
    row.refresh_from_db()
    assert row.state == "asked"


def test_nothing_of_the_person_is_on_the_pages_or_in_the_log(client, order):
    row = asked(order)
    sign_in(client, "Privacy officer")
    pages = client.get(LIST).content.decode() + client.get(f"{LIST}{row.pk}/change/").content.decode()
    decide(client, row, "approve")
    sign_in(client, "Support")
    pages += client.get(f"/admin/orders/order/{order.pk}/erasure/").content.decode()
    told = str(list(SecurityEvent.objects.values())) + str(list(PersonalDataRequest.objects.values()))
    for name in ("recipient_name", "street1", "phone", "buyer_email"):
        assert PERSON[name] not in pages + told
    codes = [EventCode.ERASURE_ASKED, EventCode.ERASURE_DECIDED, EventCode.ERASED]
    assert list(SecurityEvent.objects.order_by("pk").values_list("code", flat=True)) == codes


def test_pages_cost_the_same_for_few_and_many(client, noon):
    sign_in(client, "Privacy officer")

    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        return len(seen)

    one = asked(make_order(shop()))
    client.get("/admin/")
    few = queries(LIST), queries(f"{LIST}{one.pk}/change/")
    many = asked(*(make_order(shop()) for _ in range(8)))
    for _ in range(5):
        asked(make_order(shop(), ordered_at=noon - timedelta(days=1)))
    assert (queries(LIST), queries(f"{LIST}{many.pk}/change/")) == few
    assert max(few) <= 14
