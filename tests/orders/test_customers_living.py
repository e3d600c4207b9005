"""Customers over time: orders come, are joined and erased in any order, and the rules R103–R106 hold after every step."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderhub import clock, jobs
from orderhub.errors import RuleViolation
from orders.customers_joining import join
from orders.models import Customer, Order
from privacy import markers
from stores.simulator import scenarios
from tests.factories import connect, make_order, make_store, make_user
from tests.orders.buyers import ELSEWHERE, attach, hand_store
from tests.orders.driving import import_now

pytestmark = pytest.mark.django_db
FAR = timedelta(days=60)
STEPS = st.lists(
    st.tuples(st.sampled_from(["amazon", "by hand", "join", "erase", "again", "erase"]), st.integers(0, 5)), max_size=14
)


class Life:
    """A merchant with one Amazon store and one without; three addresses, one of them real and in use at both."""

    def __init__(self):
        self.store = make_store()
        self.hand = hand_store(self.store.merchant)
        self.user = make_user("Support")
        self.gone: dict[int, tuple] = {}

    def amazon(self, n: int) -> None:
        email = "ada@example.org" if n % 3 == 0 else f"buyer{n % 3}@marketplace.amazon.com"
        attach(make_order(self.store, person={"buyer_email": email}, redaction_due_at=clock.now() + FAR))

    def by_hand(self, n: int) -> None:
        attach(make_order(self.hand, person={"buyer_email": f"{'ada' if n % 2 else 'bob'}@example.org"}, **ELSEWHERE))

    def join(self, n: int) -> None:
        rows = list(Customer.objects.order_by("pk"))
        if len(rows) > 1:
            kept, other = rows[n % len(rows)], rows[(n + 1) % len(rows)]
            erased = bool(kept.marker or other.marker)
            try:
                join(kept, other, by=self.user, now=clock.now())
            except RuleViolation:
                assert erased, "only the erased are refused within one account"
            else:
                assert not erased

    def erase(self, n: int) -> None:
        standing = list(Order.objects.filter(origin_marketplace="amazon").exclude(pii_state="redacted").order_by("pk"))
        for order in standing[n % 2 :: 2]:
            Order.objects.filter(pk=order.pk).update(redaction_due_at=clock.now())
        assert ", 0 failed" in jobs.run("privacy.redact_due")

    def again(self, n: int) -> None:
        """Amazon sends an order we have once more, with its person."""
        orders = list(Order.objects.select_related("store__account", "person").order_by("pk"))
        if orders:
            order = orders[n % len(orders)]
            order.person.buyer_name = "Ada Again"
            attach(order)

    def check(self) -> None:
        for row in Customer.objects.all():
            orders = list(row.orders.select_related("person"))
            amazon = [order for order in orders if order.origin_marketplace == "amazon"]
            standing = [order for order in amazon if order.pii_state != "redacted"]
            whole = bool(amazon) and not standing and len(amazon) == len(orders)
            assert bool(row.marker) is whole, (row.pk, len(amazon), len(standing), len(orders))
            if amazon and not standing and not whole:
                assert not markers.is_relay(row.email) and not (row.phone and row.phone_from_amazon)
            if row.marker:
                held = (row.name, row.phone, row.user_name, row.match_key)
                assert set(held) <= {"", markers.AMAZON}
                known = (*held, row.email, frozenset(order.pk for order in orders))
                assert self.gone.setdefault(row.pk, known) == known, "an erased customer came back"
        assert not set(self.gone) - set(Customer.objects.values_list("pk", flat=True))


@settings(
    max_examples=25, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS)
def test_the_rules_hold_after_every_step(noon, steps):
    undo = transaction.savepoint()
    life = Life()
    for deed, n in steps:
        getattr(life, deed.replace(" ", "_"))(n)
        life.check()
    transaction.savepoint_rollback(undo)


def test_an_import_gives_orders_their_customers_and_the_erasure_takes_them(simulate, noon):
    simulate(scenarios.backlog(now=noon, orders=20))
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    orders = Order.objects.filter(fulfilled_by="MFN").exclude(person__buyer_email="")
    assert orders.count() == 20 and not orders.filter(customer=None).exists()
    assert set(Customer.objects.values_list("account", "merchant")) == {(account.pk, account.merchant_id)}
    assert not Order.objects.filter(fulfilled_by="AFN", customer__isnull=False).exists()
    before = Customer.objects.count()
    import_now(account)
    assert Customer.objects.count() == before
    Order.objects.exclude(fulfilled_by="AFN").update(redaction_due_at=noon)
    jobs.run("privacy.redact_due")
    assert set(Customer.objects.values_list("marker", flat=True)) == {markers.AMAZON}


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one writer in at a time")
@pytest.mark.django_db(transaction=True)
def test_joined_crosswise_at_once_one_is_done_and_one_refused(noon):
    life = Life()
    life.amazon(1)
    life.by_hand(2)
    first, second = Customer.objects.order_by("pk")
    gate, outcomes = threading.Barrier(2), []

    def run(kept, other):
        try:
            gate.wait()
            join(kept, other, by=life.user, now=noon)
            outcomes.append("joined")
        except Exception as error:
            outcomes.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in ((first, second), (second, first))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(outcomes) == ["RuleViolation", "joined"]
    assert set(Order.objects.values_list("customer", flat=True)) == {Customer.objects.get().pk}


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one writer in at a time")
@pytest.mark.django_db(transaction=True)
def test_joining_waits_for_an_import_of_the_same_orders(noon):
    """Both lock orders before customers: whoever comes second waits, nobody is killed for a deadlock."""
    life = Life()
    life.amazon(1)
    life.by_hand(2)
    kept, other = Customer.objects.order_by("pk")
    order = Order.objects.select_related("store__account", "person").get(customer=kept)
    done, outcomes = threading.Event(), []

    def run():
        try:
            join(kept, other, by=life.user, now=noon)
            outcomes.append("joined")
        except Exception as error:
            outcomes.append(type(error).__name__)
        finally:
            done.set()
            connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=order.pk)
        thread.start()
        assert not done.wait(0.3)
        order.person.buyer_name = "Ada Changed"
        attach(order)
    thread.join()
    assert outcomes == ["joined"]
    assert Customer.objects.get().name == "Ada Changed"
