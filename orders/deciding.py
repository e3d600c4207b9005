"""What a person decides about an order, each with its line on the timeline, together."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from orderhub.errors import RuleViolation
from orders import holding
from orders.models import Order, OrderEvent
from orders.models.order import CANCEL_HOLD

ADDRESS_HOLD = gettext_noop("Address to be written in Roman characters")
# Reasons are chosen, not typed: a typed one could name a person, and holds are not erased. Stored in English.
HOLD_REASONS = {
    "check": gettext_noop("To be checked"),
    "address": gettext_noop("Address to be checked"),
    "roman": ADDRESS_HOLD,
    "stock": gettext_noop("Out of stock"),
    "buyer": gettext_noop("Waiting for the buyer's answer"),
    "payment": gettext_noop("Payment to be checked"),
}


def hold(order: Order, reason: str, *, by, now: datetime, until: datetime | None = None) -> None:
    """Put on hold for one of HOLD_REASONS' codes. RuleViolation for an order that does not wait to be sent.

    `until`: when a job releases it, a later instant; None for a hold that a person ends.
    """
    text = HOLD_REASONS.get(reason)
    if text is None:
        raise RuleViolation(_("Choose a reason from the list."))
    holding.check(until, now=now)
    ends = {"until": until.isoformat()} if until else {}
    with transaction.atomic():
        order.hold(text, until=until)
        _note(order, OrderEvent.Kind.HELD, by=by, now=now, reason=reason, **ends)


def release(order: Order, *, by, now: datetime) -> None:
    """Back to awaiting shipment. RuleViolation if it is not on hold, or waits to be cancelled at Amazon."""
    if held_for_cancellation(order):
        raise RuleViolation(_("The buyer asked to cancel this order: answer that on its page instead."))
    with transaction.atomic():
        order.release()
        _note(order, OrderEvent.Kind.RELEASED, by=by, now=now)


def held_for_cancellation(order: Order) -> bool:
    """Whether somebody answered "do not send" and the order waits to be cancelled at Amazon."""
    return order.status == Order.Status.ON_HOLD and order.hold_reason == CANCEL_HOLD


def held_for_address(order: Order) -> bool:
    """Whether it waits for its address to be written in Roman characters."""
    return order.status == Order.Status.ON_HOLD and order.hold_reason == ADDRESS_HOLD


def address_is_written(order: Order, *, by, now: datetime) -> None:
    """End the wait for an address in Roman characters; an order held for another reason, or not held, stays as it is."""
    if held_for_address(order):
        release(order, by=by, now=now)


def answer_cancellation(order: Order, *, ship_anyway: bool, by, now: datetime) -> None:
    """Answer the buyer's wish to cancel. RuleViolation if there is none, or the order no longer waits.

    "Ship anyway" also takes back an earlier "do not send"; a hold for another reason stays.
    """
    if order.cancel_requested_at is None:
        raise RuleViolation(_("The buyer does not ask to cancel this order."))
    with transaction.atomic():
        order.decide_cancellation(ship_anyway=ship_anyway)
        answer = "ship" if ship_anyway else "cancel"
        _note(order, OrderEvent.Kind.CANCEL_DECIDED, by=by, now=now, answer=answer)
        if ship_anyway and held_for_cancellation(order):
            order.release()
            _note(order, OrderEvent.Kind.RELEASED, by=by, now=now)


def _note(order: Order, kind: str, *, by, now: datetime, **params: str) -> None:
    OrderEvent.objects.create(order=order, kind=kind, params=params, at=now, actor=by)
