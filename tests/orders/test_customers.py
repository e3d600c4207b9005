"""R103–R106, A10–A12: who is one customer, and who never is. What the import hands over is attached as it stands."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from orderhub import clock
from orders import customers
from orders.models import Customer, Order
from stores.simulator import scenarios
from tests.factories import make_account, make_merchant, make_order, make_store
from tests.orders.buyers import REAL, RELAY, attach, attached, by_hand

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(noon):
    return make_store()


def test_an_order_gets_a_customer_who_is_what_the_order_says(store):
    order = attached(store, person={"buyer_username": "ada"})
    row = Customer.objects.get()
    assert order.customer == row
    assert (row.merchant, row.account, row.name, row.email) == (store.merchant, store.account, "Ada Example", RELAY)
    assert (row.phone, row.user_name, row.last_order_at) == ("+1 555 0100", "ada", order.ordered_at)
    assert (row.email_from_amazon, row.phone_from_amazon, row.marker) == (True, True, "")
    assert len(row.match_key) == 64 and RELAY not in row.match_key


def test_two_orders_of_one_address_are_one_customer_in_any_case_of_letters(store):
    first, second = attached(store), attached(store, person={"buyer_email": RELAY.upper()})
    assert first.customer == second.customer
    assert Customer.objects.count() == 1


def test_two_orders_on_one_page_are_one_customer(store):
    first, second = make_order(store), make_order(store)
    attach(first, second)
    assert first.customer == second.customer is not None


@pytest.mark.parametrize(
    ("given", "person"),
    [
        ({}, {"buyer_email": ""}),
        ({"fulfilled_by": "AFN"}, {}),
        ({"pii_state": "redacting"}, {}),
    ],
)
def test_no_address_no_amazon_parcel_and_nothing_erased_makes_a_customer(store, given, person):
    order = attached(store, person=person, **given)
    assert order.customer is None
    assert not Customer.objects.exists()


def test_the_same_relay_text_at_two_accounts_is_two_customers(noon):
    merchant = make_merchant()
    first = make_store("US", account=make_account(scenarios.NA, merchant=merchant))
    second = make_store("FR", account=make_account(scenarios.EU, merchant=merchant))
    assert attached(first).customer != attached(second).customer


def test_the_same_real_address_at_two_accounts_is_two_customers(noon):
    merchant = make_merchant()
    first = make_store("US", account=make_account(scenarios.NA, merchant=merchant))
    second = make_store("FR", account=make_account(scenarios.EU, merchant=merchant))
    one, two = attached(first, person={"buyer_email": REAL}), attached(second, person={"buyer_email": REAL})
    again = attached(second, person={"buyer_email": REAL})
    assert one.customer != two.customer
    assert two.customer == again.customer
    assert [row.account for row in Customer.objects.order_by("pk")] == [first.account, second.account]


def test_the_same_real_address_at_two_merchants_is_two_customers_with_unlike_keys(noon):
    one = attached(make_store("US", account=make_account(scenarios.NA)), person={"buyer_email": REAL})
    two = attached(make_store("FR", account=make_account(scenarios.EU)), person={"buyer_email": REAL})
    assert one.customer != two.customer
    assert one.customer.match_key != two.customer.match_key


def test_a_real_address_joins_an_order_by_hand_to_the_merchants_amazon_customer(store):
    amazon = attached(store, person={"buyer_email": REAL})
    entered = by_hand(store.merchant)
    assert entered.customer == amazon.customer
    assert entered.customer.account == store.account


def test_an_amazon_order_takes_on_the_customer_entered_by_hand(store):
    entered = by_hand(store.merchant)
    assert entered.customer.account is None and not entered.customer.phone_from_amazon
    amazon = attached(store, person={"buyer_email": REAL})
    assert amazon.customer == entered.customer
    assert Customer.objects.get().account == store.account


def test_the_newest_order_wins_and_blank_never_overwrites(store):
    now = clock.now()
    attached(store, ordered_at=now - timedelta(days=2), person={"buyer_name": "Old", "phone": "1"})
    attached(store, ordered_at=now - timedelta(days=1), person={"buyer_name": "New", "phone": ""})
    attached(store, ordered_at=now - timedelta(days=9), person={"buyer_name": "Oldest", "buyer_username": "ada"})
    row = Customer.objects.get()
    assert (row.name, row.phone, row.user_name) == ("New", "1", "ada")
    assert row.last_order_at == now - timedelta(days=1)


def test_on_one_page_too_the_newest_order_wins(store):
    now = clock.now()
    new = make_order(store, ordered_at=now - timedelta(days=1), person={"buyer_name": "New"})
    old = make_order(store, ordered_at=now - timedelta(days=2), person={"buyer_name": "Old"})
    attach(new, old)
    assert Customer.objects.get().name == "New"


def test_an_order_keeps_its_customer_when_its_address_changes(store):
    order = attached(store)
    order.person.buyer_email, order.person.buyer_name = "other@marketplace.amazon.com", "Ada Changed"
    attach(order)
    row = Customer.objects.get()
    assert (order.customer, row.email, row.name) == (row, RELAY, "Ada Changed")


@pytest.mark.parametrize("count", [1, 40])
def test_a_page_costs_three_statements_at_most_whatever_it_holds(store, count):
    old = [attached(store, person={"buyer_email": f"old{n}@marketplace.amazon.com"}) for n in range(count)]
    again = [
        make_order(
            store, ordered_at=clock.now(), person={"buyer_email": f"old{n}@marketplace.amazon.com", "phone": "2"}
        )
        for n in range(count)
    ]
    new = [make_order(store, person={"buyer_email": f"new{n}@marketplace.amazon.com"}) for n in range(count)]
    for order in old:
        order.person.buyer_name = "Changed"
    pairs = [(order, order.person) for order in [*old, *again, *new]]
    with transaction.atomic(), CaptureQueriesContext(connection) as seen:
        customers.attach(pairs, store.account, now=clock.now())
    split = 1 if connection.vendor == "sqlite" and count > 1 else 0  # at 999 parameters a statement
    assert len(seen) <= 6 + split  # of them three for the keys of new and of changed customers
    assert Customer.objects.count() == 2 * count
    assert {row.phone for row in Customer.objects.all() if row.email.startswith("old")} == {"2"}
    assert all(order.customer for order, _person in pairs)


def test_found_by_exact_address_only(store):
    row = attached(store, person={"buyer_email": REAL}).customer
    other = attached(store).customer
    assert list(customers.with_address(f" {REAL.upper()} ")) == [row]
    assert list(customers.with_address(RELAY)) == [other]
    assert not customers.with_address("ada@example.or").exists()
    assert not customers.with_address("").exists()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one writer in at a time")
@pytest.mark.django_db(transaction=True)
def test_two_writers_of_one_address_make_one_customer(noon):
    store = make_store()
    orders = [make_order(store) for _n in range(2)]
    gate, failed = threading.Barrier(2), []

    def write(order):
        try:
            gate.wait()
            attach(order)
        except Exception as error:
            failed.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[order]) for order in orders]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert failed == []
    assert Customer.objects.count() == 1
    assert set(Order.objects.values_list("customer", flat=True)) == {Customer.objects.get().pk}


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one writer in at a time")
@pytest.mark.django_db(transaction=True)
def test_a_customer_erased_at_the_same_moment_is_not_revived(noon):
    """The erasure holds the row while the order comes in: the order waits, then gets a customer of its own (R106)."""
    store = make_store()
    old, order = attached(store), make_order(store)
    done = threading.Event()

    def write():
        try:
            attach(order)
        finally:
            done.set()
            connection.close()

    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=old.customer_id)
        thread = threading.Thread(target=write)
        thread.start()
        assert not done.wait(0.5)
        Customer.objects.filter(pk=old.customer_id).update(
            marker="EXPURGÉ (Amazon)", name="", phone="", match_key="", redacted_at=noon
        )
    thread.join()
    order.refresh_from_db()
    assert order.customer_id not in {None, old.customer_id}
    assert Customer.objects.get(pk=old.customer_id).name == ""
