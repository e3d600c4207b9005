"""Orders with their customers, as an import leaves them."""

from itertools import count

from django.db import transaction

from orderhub import clock
from orders import customers
from orders.models import Order
from stores.models import Merchant, Store
from tests.factories import make_order

REAL = "ada@example.org"
RELAY = "abc123@marketplace.amazon.com"
ELSEWHERE = {"origin_marketplace": "manual", "redaction_due_at": None, "redaction_rule": ""}
_numbers = count(1)


def attach(*orders: Order) -> None:
    """As a page does: everything in one transaction, then the orders are written."""
    with transaction.atomic():
        customers.attach([(order, order.person) for order in orders], orders[0].store.account, now=clock.now())
        for order in orders:
            Order.objects.filter(pk=order.pk).update(customer=order.customer)


def attached(store: Store | None = None, **given) -> Order:
    order = make_order(store, **given)
    attach(order)
    return order


def hand_store(merchant: Merchant) -> Store:
    """A store without an Amazon account."""
    return Store.objects.create(merchant=merchant, name=f"By hand {next(_numbers)}", platform=Store.Platform.MANUAL)


def by_hand(merchant: Merchant, *, email: str = REAL, **given) -> Order:
    """An order that did not come from Amazon, with its customer."""
    person = {"buyer_email": email} | given.pop("person", {})
    return attached(hand_store(merchant), person=person, **(ELSEWHERE | given))
