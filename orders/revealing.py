"""Showing a person to somebody whose role masks it: a reason first, then three records of it, then the values.

The values are in the answer to that one request. Nothing is kept that would show them a second time.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders import customers_showing
from orders.models import Customer, Order, OrderEvent
from privacy import access, audit, masks
from privacy.models.event import EventCode

RIGHT = "orders.reveal_person"


def may(user) -> bool:
    """Whether this user may ask; a superuser may not by being one."""
    return access.holds(user, RIGHT)


def allow(order: Order, reason: str, *, request, now: datetime) -> str:
    """Record that the request's user sees this order's person for this reason, and return the reason's code.

    RuleViolation for an unknown reason and for an order without anything to show: then nothing is recorded. The row of
    the access log is written by whoever shows the values.
    """
    _check(reason)
    person = getattr(order, "person", None)
    if order.masked or order.by_amazon or person is None or not person.holds_anything:
        raise RuleViolation(_("There is no name or address of this order to show."))
    _record("order", order.pk, order.pk, reason, request=request, now=now)
    return reason


def allow_customer(customer: Customer, reason: str, *, request, now: datetime) -> str:
    """The same for a customer; the timeline of the newest order tells it. RuleViolation where nothing can be shown."""
    _check(reason)
    card = customers_showing.cards_unlogged(request.user, [customer], revealed=True)[customer.pk]
    if not customers_showing.shows_anything(card):
        raise RuleViolation(_("There is no name or address of this customer to show."))
    _record("customer", customer.pk, card.newest, reason, request=request, now=now)
    return reason


def _check(reason: str) -> None:
    if reason not in masks.Reason.values:
        raise RuleViolation(_("Choose a reason first: it is kept with your name and the time."))


def _record(kind: str, pk: int, order_id: int | None, reason: str, *, request, now: datetime) -> None:
    with transaction.atomic():
        audit.record(EventCode.PERSON_REVEALED, request=request, kind=kind, ids=[pk], reason=reason)
        if order_id:
            OrderEvent.objects.create(
                order_id=order_id, kind=OrderEvent.Kind.REVEALED, at=now, actor=request.user,
                params={"user": request.user.get_username(), "reason": reason},
            )  # fmt: skip
