"""R103–R106, A11, A12: a customer goes with the last of its Amazon orders, and only then; nothing brings it back."""

import itertools
import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from orderhub import clock, jobs
from orders.customers_erasing import CUSTOMERS
from orders.models import Customer, Order
from orders.personal_data import PERSONS
from privacy import markers
from privacy.fields import sealed_values
from privacy.models import ErasureCertificate
from tests.factories import make_order, make_store
from tests.orders.buyers import ELSEWHERE, REAL, RELAY, attach, attached, by_hand, hand_store

pytestmark = pytest.mark.django_db
MARKER = markers.AMAZON
VALUES = ("name", "email", "phone", "user_name", "match_key", "marker")
ADA = {"buyer_username": "ada"}


def sweep() -> str:
    return jobs.run("privacy.redact_due")


def values(row: Customer) -> tuple[str, ...]:
    return Customer.objects.values_list(*VALUES).get(pk=row.pk)


def due(order: Order) -> Order:
    Order.objects.filter(pk=order.pk).update(redaction_due_at=clock.now())
    return order


@pytest.fixture
def store(noon):
    return make_store()


def test_r103_a_customer_of_amazon_goes_with_its_only_order(store, noon):
    order = due(attached(store, person=ADA | {"buyer_email": REAL}))
    sweep()
    assert values(order.customer) == (MARKER, MARKER, MARKER, MARKER, "", MARKER)
    assert Customer.objects.get().redacted_at == noon
    fields = ErasureCertificate.objects.get(order_id=order.pk).fields
    assert {"customer.name", "customer.email", "customer.phone", "customer.user_name"} <= set(fields)


def test_a_relay_address_stays_and_an_empty_field_stays_empty(store):
    order = due(attached(store, person={"phone": ""}))
    sweep()
    assert values(order.customer) == (MARKER, RELAY, "", "", "", MARKER)


def test_r103_not_before_the_last_order(store):
    first, second = due(attached(store)), attached(store)
    sweep()
    assert values(first.customer)[0] == "Ada Example"
    due(second)
    sweep()
    assert values(first.customer)[0] == MARKER


def test_both_orders_in_one_batch(store):
    orders = [due(attached(store)) for _n in range(2)]
    sweep()
    assert values(orders[0].customer)[0] == MARKER


def test_r104_one_order_from_elsewhere_keeps_the_customer_and_its_amazon_order_still_goes(store):
    amazon = due(attached(store, person=ADA | {"buyer_email": REAL}))
    entered = by_hand(store.merchant, person={"phone": "+33 1"}, ordered_at=clock.now())
    assert entered.customer == amazon.customer
    before = values(amazon.customer)
    sweep()
    assert values(amazon.customer) == before
    amazon.refresh_from_db()
    assert (amazon.pii_state, amazon.person.marker) == ("redacted", MARKER)


def test_r105_what_came_from_amazon_goes_from_a_mixed_customer_with_its_last_amazon_order(store):
    first, second = due(attached(store)), attached(store)
    row = first.customer
    Order.objects.filter(pk=make_order(hand_store(store.merchant), **ELSEWHERE).pk).update(customer=row)
    sweep()
    assert values(row)[:3] == ("Ada Example", RELAY, "+1 555 0100")
    due(second)
    sweep()
    assert values(row) == ("Ada Example", "", "", "", "", "")
    assert {"customer.email", "customer.phone"} <= set(ErasureCertificate.objects.get(order_id=second.pk).fields)


def test_r106_a_new_order_of_a_redacted_buyer_is_a_new_customer(store):
    old = due(attached(store))
    sweep()
    gone = values(old.customer)
    new = attached(store)
    assert new.customer not in {None, old.customer}
    assert values(old.customer) == gone
    assert values(new.customer)[0] == "Ada Example"


def test_r106_an_import_of_the_erased_order_brings_nothing_back(store):
    order = due(attached(store))
    sweep()
    gone = values(order.customer)
    order.refresh_from_db()
    order.person.buyer_name = "Ada Again"  # as Amazon would send it
    attach(order)
    assert values(order.customer) == gone
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("column", ["name", "email", "phone", "user_name", "match_key"])
@pytest.mark.parametrize("text", ["Ada Example", markers.RGPD])
def test_the_database_refuses_a_value_on_an_erased_customer(store, column, text):
    row = due(attached(store, person=ADA | {"buyer_email": REAL})).customer
    sweep()
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=row.pk).update(**sealed_values(row, **{column: text}))


def test_an_address_that_only_looks_like_a_relay_goes(store):
    dressed = '"Ada" <x@marketplace.amazon.fr>'
    order = due(attached(store, person={"buyer_email": dressed}))
    sweep()
    assert values(order.customer)[1] == MARKER


# -- every mixture, against the rule said in one line


def expected(orders: list[tuple[str, bool]], erased_now: set[int]) -> str:
    """'whole', 'mixed' or 'kept'. `orders`: (origin, erased before) each; `erased_now`: places in the list."""
    left = [n for n, (origin, gone) in enumerate(orders) if origin == "amazon" and not gone and n not in erased_now]
    if left or not any(origin == "amazon" for origin, _gone in orders):
        return "kept"
    return "mixed" if any(origin != "amazon" for origin, _gone in orders) else "whole"


KINDS = [("amazon", False), ("amazon", True), ("manual", False)]
MIXTURES = [mix for size in (1, 2, 3) for mix in itertools.combinations_with_replacement(KINDS, size)]


@pytest.mark.parametrize("mixture", MIXTURES, ids=lambda mix: "+".join(f"{o}{'!' * gone}" for o, gone in mix))
def test_every_mixture_of_orders_follows_the_rule(store, mixture):
    """Orders erased before belonged to the same customer; the batch is the first Amazon order that stands."""
    others, now = hand_store(store.merchant), clock.now()
    row = attached(store).customer
    Order.objects.all().delete()
    made = []
    for origin, gone in mixture:
        given = {} if origin == "amazon" else ELSEWHERE
        order = make_order(store if origin == "amazon" else others, **given)
        if gone:
            PERSONS.overwrite([order.pk], marker=MARKER, now=now)
            Order.objects.filter(pk=order.pk).update(pii_state="redacted", redacted_at=now)
        Order.objects.filter(pk=order.pk).update(customer=row)
        made.append(order.pk)
    batch = {n for n, (origin, gone) in enumerate(mixture) if origin == "amazon" and not gone}
    batch = {min(batch)} if batch else set()
    ids = [made[n] for n in batch]
    PERSONS.overwrite(ids, marker=MARKER, now=now)
    CUSTOMERS.overwrite(ids, marker=MARKER, now=now)
    name, email, phone, _user, key, marker = values(row)
    outcome = expected(list(mixture), batch) if batch else "kept"
    assert (name == MARKER, email == "", phone == "", key == "", marker == MARKER) == {
        "whole": (True, False, False, True, True),
        "mixed": (False, True, True, True, False),
        "kept": (False, False, False, False, False),
    }[outcome]
    assert CUSTOMERS.leftovers(ids, now=now) == set()
    assert CUSTOMERS.overwrite(ids, marker=MARKER, now=now) == {}  # a second run finds nothing
    assert (name, email, phone, _user, key, marker) == values(row)


# -- completeness and cost


def test_what_was_left_is_found(store):
    order = due(attached(store))
    with transaction.atomic():
        PERSONS.overwrite([order.pk], marker=MARKER, now=clock.now())
    assert CUSTOMERS.leftovers([order.pk], now=clock.now()) == {order.pk}
    mixed = make_order(hand_store(store.merchant), **ELSEWHERE)
    Order.objects.filter(pk=mixed.pk).update(customer=order.customer)
    assert CUSTOMERS.leftovers([order.pk], now=clock.now()) == {order.pk}


@pytest.mark.parametrize("count", [1, 30])
def test_a_batch_costs_the_same_statements_whatever_it_holds(store, count):
    orders = []
    for n in range(count):
        orders.append(attached(store, person={"buyer_email": f"one{n}@marketplace.amazon.com"}))
        mixed = attached(store, person={"buyer_email": f"two{n}@marketplace.amazon.com"})
        Order.objects.filter(pk=make_order(hand_store(store.merchant), **ELSEWHERE).pk).update(customer=mixed.customer)
        orders.append(mixed)
    ids = [order.pk for order in orders]
    PERSONS.overwrite(ids, marker=MARKER, now=clock.now())
    with transaction.atomic(), CaptureQueriesContext(connection) as seen:
        held = CUSTOMERS.overwrite(ids, marker=MARKER, now=clock.now())
    assert (len(seen), len(held)) == (6, 2 * count)  # one of them for their keys
    with CaptureQueriesContext(connection) as seen:
        assert CUSTOMERS.leftovers(ids, now=clock.now()) == set()
    assert len(seen) <= 3


def test_no_canary_of_a_customer_is_left_anywhere(store):
    canaries = {
        "buyer_name": "ZQname1QZ",
        "buyer_username": "ZQuser1QZ",
        "phone": "ZQphone1QZ",
        "buyer_email": "zqmail1qz@example.org",
    }
    due(attached(store, person=canaries | {"recipient_name": "ZQname1QZ"}))
    sweep()
    seen = [str(row) for model in (Customer, Order, ErasureCertificate) for row in model.objects.values_list()]
    seen += [str(row.person.__dict__) + str(row) + repr(row) for row in Order.objects.all()]
    assert not [text for text in seen if "ZQ" in text or "zqmail" in text]


# -- at the same moment


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one writer in at a time")
@pytest.mark.django_db(transaction=True)
def test_two_erasures_of_one_customers_orders_at_once_leave_it_erased(noon):
    """Each sees the other's order as being erased only: the one that comes second must see its person as gone."""
    store = make_store()
    orders = [attached(store) for _n in range(2)]
    Order.objects.update(pii_state="redacting", redaction_due_at=noon - timedelta(days=1))
    gate, failed = threading.Barrier(2), []

    def erase(order):
        try:
            with transaction.atomic():
                PERSONS.overwrite([order.pk], marker=MARKER, now=noon)
                gate.wait()
                CUSTOMERS.overwrite([order.pk], marker=MARKER, now=noon)
        except Exception as error:
            failed.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=erase, args=[order]) for order in orders]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert failed == []
    assert values(orders[0].customer)[0] == MARKER


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one writer in at a time")
@pytest.mark.django_db(transaction=True)
def test_an_order_that_comes_in_during_the_erasure_keeps_its_customer(noon):
    """The import has the row first: the erasure waits for it and then counts the new order."""
    store = make_store()
    old, new = due(attached(store)), make_order(store)
    ready, done = threading.Event(), threading.Event()

    def erase():
        try:
            ready.wait()
            with transaction.atomic():
                PERSONS.overwrite([old.pk], marker=MARKER, now=noon)
                CUSTOMERS.overwrite([old.pk], marker=MARKER, now=noon)
        finally:
            done.set()
            connection.close()

    thread = threading.Thread(target=erase)
    thread.start()
    with transaction.atomic():
        attach(new)
        ready.set()
        assert not done.wait(0.5)
    thread.join()
    assert new.customer == old.customer
    assert values(old.customer)[0] == "Ada Example"
