"""Which orders a request to erase is about, and what whoever asks or decides must know of them."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import Customer, Order, OrderEvent
from privacy import requests
from privacy.models import PersonalDataRequest

SHOWN = 100  # orders named on a page


@dataclass(frozen=True)
class Scope:
    """Orders as one request would take them. `waiting`: how many of them are still to be sent."""

    orders: list[Order]
    erased: int
    by_amazon: int
    waiting: int

    @property
    def shown(self) -> list[Order]:
        return self.orders[:SHOWN]

    @property
    def more(self) -> int:
        return max(0, len(self.orders) - SHOWN)


def scope_of(rows) -> Scope:
    """What can be erased of these orders (a queryset), and what of them is left out; one query."""
    found = list(rows.select_related("store").order_by("-ordered_at", "-pk")[: requests.MOST + 1])
    standing = [order for order in found if not order.masked and not order.by_amazon]
    return Scope(
        standing,
        erased=sum(order.masked for order in found),
        by_amazon=sum(order.by_amazon for order in found),
        waiting=sum(order.is_open for order in standing),
    )


def of_order(order: Order) -> Scope:
    return scope_of(Order.objects.filter(pk=order.pk))


def of_customer(customer: Customer) -> Scope:
    return scope_of(Order.objects.filter(customer=customer))


def of_request(asked: PersonalDataRequest) -> Scope:
    return scope_of(Order.objects.filter(pk__in=asked.order_ids))


def ask(scope: Scope, reason: str, *, by, now: datetime, request=None) -> PersonalDataRequest:
    """Ask for the erasure of these orders, and put it on their timelines. Nothing is erased before it is decided.

    RuleViolation, with what to do, where nothing is left to erase, or some of it is asked for already.
    """
    ids = [order.pk for order in scope.orders]
    if not ids:
        raise RuleViolation(_("Nothing is left to erase here: no request is needed."))
    with transaction.atomic():
        # Locked: of two people who ask at once, the second sees the first one's request
        list(Order.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk").values_list("pk"))
        if (already := _open_for(ids)) is not None:
            raise RuleViolation(
                _("Request #%(request)d asks for this already, and the privacy officer has it.")
                % {"request": already.pk}
            )
        asked = requests.ask(ids, reason, by=by, now=now, request=request)
        OrderEvent.objects.bulk_create(
            OrderEvent(
                order_id=pk, kind=OrderEvent.Kind.ERASURE_ASKED, at=now, actor=by, params={"request": f"#{asked.pk}"}
            )
            for pk in ids
        )
    return asked


def _open_for(order_ids: list[int]) -> PersonalDataRequest | None:
    """A request about all of these orders that is not at its end. The timeline knows which requests name an order."""
    told = OrderEvent.objects.filter(order__in=order_ids, kind=OrderEvent.Kind.ERASURE_ASKED)
    numbers: dict[int, set[int]] = {}
    for order_id, params in told.values_list("order", "params"):
        number = str(params.get("request", "")).removeprefix("#")
        if number.isdecimal():
            numbers.setdefault(int(number), set()).add(order_id)
    covering = [number for number, known in numbers.items() if known >= set(order_ids)]
    return requests.open_among(covering)
