"""Customers on screens: who sees which, what is logged, what is in no address; R64, R65, F70, B02."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from orderhub import clock, jobs
from orders.models import Customer, Order, OrderEvent
from privacy import access, markers
from privacy.models import AccessLog
from stores.simulator import scenarios
from tests.factories import make_account, make_merchant, make_order, make_store, make_user
from tests.orders.buyers import REAL, RELAY, attached, by_hand

pytestmark = pytest.mark.django_db
LIST = "admin:orders_customer_changelist"
PERSONAL = ("Ada Example", RELAY, "+1 555 0100", "ada-user")
SENTENCE = "it must not be used commercially"


@pytest.fixture
def store(noon):
    return make_store()


@pytest.fixture
def order(store):
    return attached(store, person={"buyer_username": "ada-user"})


def page_of(row: Customer) -> str:
    return reverse("admin:orders_customer_change", args=[row.pk])


def html_of(client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def logged() -> list[tuple]:
    return list(AccessLog.objects.order_by("pk").values_list("order_id", "what"))


@pytest.mark.parametrize("role", list(access.ROLES))
def test_each_role_sees_what_it_may_and_only_that_is_logged(client, order, role):
    client.force_login(make_user(role))
    if role in {access.WAREHOUSE, access.ADMINISTRATOR}:
        assert client.get(reverse(LIST)).status_code == client.get(page_of(order.customer)).status_code == 403
        return
    rows, page = html_of(client, reverse(LIST)), html_of(client, page_of(order.customer))
    allowed = role == access.SUPPORT
    assert [text in page for text in PERSONAL] == [allowed] * 4
    assert [text in rows for text in PERSONAL[:2]] == [allowed] * 2
    assert (">hidden<" in rows) is not allowed
    assert logged() == ([(order.pk, "customer list"), (order.pk, "customer page")] if allowed else [])
    assert order.order_number in page


def test_a_superuser_without_a_role_sees_no_customer(client, order):
    client.force_login(make_user(is_superuser=True))
    html = html_of(client, reverse(LIST)) + html_of(client, page_of(order.customer))
    assert not [text for text in PERSONAL if text in html]


def test_f70_a_relay_address_is_marked_and_the_ban_is_said(client, order, store):
    client.force_login(make_user(access.SUPPORT))
    html = html_of(client, page_of(order.customer))
    assert SENTENCE in html and ">relay<" in html
    assert ">relay<" in html_of(client, reverse(LIST))
    real = attached(store, person={"buyer_email": REAL})
    html = html_of(client, page_of(real.customer))
    assert REAL in html and SENTENCE not in html and ">relay<" not in html


def test_r64_r65_there_is_no_door_that_takes_addresses_out_or_asks_what_is_behind_them(client, order):
    client.force_login(make_user(access.SUPPORT))
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    for _prefix, (_space, resolver) in get_resolver().namespace_dict.items():
        names |= {name for name in resolver.reverse_dict if isinstance(name, str)}
    ours = {name for name in names if "customer" in name and name.startswith("orders_")}
    assert ours <= {
        f"orders_customer_{deed}"
        for deed in ("changelist", "change", "add", "delete", "history", "find", "join", "reveal", "erasure")
    }
    assert 'name="action"' not in html_of(client, reverse(LIST))


def test_an_erased_customer_says_so_and_shows_the_marker(client, order, noon):
    Order.objects.update(redaction_due_at=noon)
    jobs.run("privacy.redact_due")
    client.force_login(make_user(access.SUPPORT))
    html = html_of(client, page_of(order.customer))
    assert f"« {markers.AMAZON} »" in html and RELAY in html
    assert "Erased on 20 Nov 2026, 12:00 UTC" in html
    assert not [text for text in ("Ada Example", "+1 555 0100", "ada-user") if text in html]
    assert "Ada Example" not in html_of(client, reverse(LIST))
    assert logged() == []


def test_nothing_is_shown_from_the_moment_the_erasure_begins(client, order):
    Order.objects.update(pii_state="redacting")
    client.force_login(make_user(access.SUPPORT))
    html = html_of(client, page_of(order.customer)) + html_of(client, reverse(LIST))
    assert "Ada Example" not in html and "+1 555 0100" not in html
    assert logged() == []


def test_filters_narrow_and_no_other_lookup_can_guess(client, order, store, noon):
    other = attached(make_store("FR", account=make_account(scenarios.EU)), redaction_due_at=noon)
    jobs.run("privacy.redact_due")
    client.force_login(make_user(access.SUPPORT))

    def found(query):
        html = html_of(client, reverse(LIST) + query)
        return [row.pk for row in (order.customer, other.customer) if f">#{row.pk}</a>" in html]

    assert found(f"?merchant={store.merchant_id}") == found(f"?account={store.account_id}") == [order.customer_id]
    assert found("?state=erased") == [other.customer_id]
    assert found("?state=kept") == [order.customer_id]
    assert client.get(reverse(LIST) + "?email__startswith=a").status_code in {302, 400}
    assert client.get(reverse(LIST) + "?name__startswith=A").status_code in {302, 400}


# -- by address


def find(client, email: str):
    return client.post(reverse("admin:orders_customer_find"), {"email": email})


def test_the_exact_address_finds_the_customer_and_is_in_no_url_or_message(client, order):
    client.force_login(make_user(access.SUPPORT))
    answer = find(client, f" {RELAY.upper()}")
    assert answer.url == page_of(order.customer)
    assert logged() == [(order.pk, "customer search")]
    answer = client.post(reverse("admin:orders_customer_find"), {"email": "abc123"}, follow=True)
    assert answer.redirect_chain == [(reverse(LIST), 302)]
    text = answer.content.decode()
    assert "No customer has exactly this address" in text and 'value="abc123"' not in text


def test_several_records_of_one_address_are_listed_apart(client, noon):
    merchant = make_merchant()
    first = attached(make_store("US", account=make_account(scenarios.NA, merchant=merchant)))
    second = attached(make_store("FR", account=make_account(scenarios.EU)))
    client.force_login(make_user(access.SUPPORT))
    answer = find(client, RELAY)
    html = answer.content.decode()
    assert answer.status_code == 200 and page_of(first.customer) in html and page_of(second.customer) in html
    assert sorted(logged()) == [(first.pk, "customer search"), (second.pk, "customer search")]


@pytest.mark.parametrize("role", [access.ADMINISTRATOR, access.WAREHOUSE])
def test_who_may_not_look_for_people_may_not_ask_for_an_address(client, order, role):
    client.force_login(make_user(role))
    assert find(client, RELAY).status_code == 403
    assert logged() == []


def test_a_get_of_the_search_leads_to_the_list(client, order):
    client.force_login(make_user(access.SUPPORT))
    assert client.get(reverse("admin:orders_customer_find") + "?email=x").url == reverse(LIST)


# -- joining


def join(client, kept: Customer, other: Customer | int):
    pk = other if isinstance(other, int) else other.pk
    return client.post(reverse("admin:orders_customer_join", args=[kept.pk]), {"with": pk}, follow=True)


def test_the_preview_changes_nothing_and_says_that_there_is_no_way_back(client, order, store):
    other = by_hand(store.merchant).customer
    client.force_login(make_user(access.SUPPORT))
    url = reverse("admin:orders_customer_join", args=[order.customer_id])
    html = html_of(client, f"{url}?with=%23{other.pk}")
    assert "This cannot be undone." in html and f"1 order moves from #{other.pk} to #{order.customer_id}." in html
    assert Customer.objects.count() == 2 and not OrderEvent.objects.exists()


def test_joining_moves_the_orders_fills_blanks_and_is_on_the_timeline(client, order, store):
    entered = by_hand(store.merchant, person={"buyer_name": "A. Example", "buyer_username": "x", "phone": "9"})
    kept = entered.customer
    Customer.objects.filter(pk=kept.pk).update(phone="")
    user = make_user(access.SUPPORT)
    client.force_login(user)
    answer = join(client, kept, order.customer)
    assert "orders moved: 1." in answer.content.decode()
    row = Customer.objects.get()
    assert (row.pk, row.name, row.email, row.account) == (kept.pk, "A. Example", REAL, store.account)
    assert (row.phone, row.phone_from_amazon) == ("+1 555 0100", True)
    assert set(Order.objects.values_list("customer", flat=True)) == {kept.pk}
    events = OrderEvent.objects.filter(kind="merged")
    assert {event.order_id for event in events} == {order.pk, entered.pk}
    assert {event.actor for event in events} == {user}
    assert events[0].params == {"customer": kept.pk, "joined": order.customer_id}


def test_a_joined_customer_loses_what_came_from_amazon_with_its_last_amazon_order(client, order, store, noon):
    entered = by_hand(store.merchant, person={"phone": ""})
    client.force_login(make_user(access.SUPPORT))
    join(client, order.customer, entered.customer)
    Order.objects.filter(pk=order.pk).update(redaction_due_at=noon)
    jobs.run("privacy.redact_due")
    row = Customer.objects.get()
    assert (row.marker, row.name, row.email, row.phone, row.match_key) == ("", "Ada Example", "", "", "")


def refused_pairs(order, store):
    merchant_mate = make_store("FR", account=make_account(scenarios.EU, merchant=store.merchant))
    stranger = make_store("JP", account=make_account(scenarios.JP))
    erased = attached(store, person={"buyer_email": "gone@marketplace.amazon.com"}, redaction_due_at=clock.now())
    return {
        "different Amazon accounts": attached(merchant_mate).customer,
        "different merchants": attached(stranger).customer,
        "erased": erased.customer,
        "same record": order.customer,
    }


def test_joining_is_refused_across_merchants_and_accounts_and_with_the_erased(client, order, store):
    pairs = refused_pairs(order, store)
    jobs.run("privacy.redact_due")
    client.force_login(make_user(access.SUPPORT))
    before = list(Order.objects.order_by("pk").values_list("pk", "customer"))
    for words, other in pairs.items():
        for answer in (
            join(client, order.customer, other),
            client.get(
                reverse("admin:orders_customer_join", args=[order.customer_id]), {"with": other.pk}, follow=True
            ),
        ):
            assert words in answer.content.decode()
    assert "There is no customer with this number" in join(client, order.customer, 999_999).content.decode()
    assert list(Order.objects.order_by("pk").values_list("pk", "customer")) == before
    assert Customer.objects.count() == 4


@pytest.mark.parametrize("role", [access.PRIVACY, access.WAREHOUSE])
def test_joining_needs_its_right(client, order, store, role):
    other = by_hand(store.merchant).customer
    client.force_login(make_user(role))
    assert join(client, order.customer, other).status_code == 403
    assert Customer.objects.count() == 2


def test_after_joining_a_new_order_of_the_given_up_address_is_a_new_record(client, order, store):
    kept = by_hand(store.merchant).customer
    client.force_login(make_user(access.SUPPORT))
    join(client, kept, order.customer)
    assert attached(store).customer != kept


# -- the order's page, and what pages cost


def test_the_orders_page_leads_to_its_customer(client, order, store):
    attached(store)
    client.force_login(make_user(access.SUPPORT))
    html = html_of(client, reverse("admin:orders_order_change", args=[order.pk]))
    assert page_of(order.customer) in html and "(2 orders)" in html
    client.force_login(make_user(access.WAREHOUSE))
    assert page_of(order.customer) not in html_of(client, reverse("admin:orders_order_change", args=[order.pk]))


def cost(client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as seen:
        html_of(client, url)
    return len(seen)


def test_the_list_and_the_page_cost_the_same_whatever_they_show(client, order, store):
    client.force_login(make_user(access.SUPPORT))
    few = cost(client, reverse(LIST)), cost(client, page_of(order.customer))
    for n in range(12):
        attached(store, person={"buyer_email": f"more{n}@marketplace.amazon.com"})
        attached(store)
    many = cost(client, reverse(LIST)), cost(client, page_of(order.customer))
    assert many == few
    assert few[0] <= 22 and few[1] <= 18


def test_a_customer_without_orders_shows_nothing(client, order):
    row = order.customer
    Order.objects.update(customer=None)
    client.force_login(make_user(access.SUPPORT))
    assert "Ada Example" not in html_of(client, page_of(row))
    assert make_order(order.store).customer is None
