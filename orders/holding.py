"""Holds that end by themselves: until when, and the release of those whose time has come."""

import time
from datetime import date, datetime, timedelta
from datetime import time as time_of_day

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import Order, OrderEvent
from orders.models.order import CANCEL_HOLD
from stores.models import Store

BATCH = 500
LONGEST = timedelta(days=366)


def until(store: Store, day: str, hour: str) -> datetime | None:
    """The instant a person typed as an ISO day and `HH:MM`, in the store's time zone; None where both are empty.

    A day without a time begins at 00:00. RuleViolation for what is no day or time.
    """
    day, hour = day.strip(), hour.strip()
    if not day and not hour:
        return None
    if not day:
        raise RuleViolation(_("Give the day as well: a time alone does not say when the hold ends."))
    try:
        there = datetime.combine(date.fromisoformat(day), time_of_day.fromisoformat(hour or "00:00"), store.zone)
    except ValueError as error:
        raise RuleViolation(_("Write the day like 2026-11-24 and the time like 14:05.")) from error
    return there


def check(until: datetime | None, *, now: datetime) -> None:
    """RuleViolation for an end that has passed or is more than a year away."""
    if until is None:
        return
    if until <= now:
        raise RuleViolation(_("This moment has passed: choose a later one, or hold without an end."))
    if until > now + LONGEST:
        raise RuleViolation(_("A hold ends within a year: choose an earlier day, or hold without an end."))


def release_due(*, now: datetime, budget_s: float) -> tuple[int, bool]:
    """Release the orders whose hold ends at `now` or before; how many, and whether the budget (seconds) cut it short.

    An order whose buyer asks to cancel waits for the answer to that. Batches of BATCH, a constant number of statements
    each; whatever is killed or runs twice releases an order once, because the batch is locked and read anew.
    """
    released, ends_at = 0, time.monotonic() + budget_s
    while True:
        count = _release_batch(now)
        released += count
        if count < BATCH:
            return released, False
        if time.monotonic() > ends_at:
            return released, True


def _release_batch(now: datetime) -> int:
    with transaction.atomic():
        due = Order.objects.filter(
            status=Order.Status.ON_HOLD, hold_until__lte=now, cancel_requested_at__isnull=True
        ).exclude(hold_reason=CANCEL_HOLD)
        locked = due.select_for_update(skip_locked=True).order_by("hold_until", "pk").values_list("pk", flat=True)
        ids = list(locked[:BATCH])
        due.filter(pk__in=ids).update(status=Order.Status.AWAITING_SHIPMENT, hold_reason="", hold_until=None)
        OrderEvent.objects.bulk_create(
            OrderEvent(order_id=pk, kind=OrderEvent.Kind.RELEASED, at=now, params={"code": "HoldEnded"}) for pk in ids
        )
    return len(ids)
