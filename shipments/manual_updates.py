"""Orders whose parcel somebody confirms in Seller Central: put on the list, ticked off, seen done, reminded of.

Instants are UTC. An order stands on the list once; everything here is safe to repeat.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from orderhub.errors import RuleViolation
from orderhub.models import User
from orders.models import OrderEvent
from privacy import access
from shipments.models import ManualUpdate, Shipment
from stores import digest

DoneHow = ManualUpdate.DoneHow
FIRST_REMINDER = timedelta(hours=4)
BEFORE_SHIP_BY = timedelta(hours=2)  # later, and the order counts as shipped late before anybody acts
AGAIN = timedelta(days=1)
SLACK = timedelta(minutes=30)  # the job is hourly, and never on the second
UNDO_FOR = timedelta(minutes=10)
ROLES = (access.SUPPORT, access.SUCCESS)
RECEIPT = f"{digest.DAILY}manual updates"


def add(shipment: Shipment, *, now: datetime) -> ManualUpdate:
    """Put the order of a parcel on the list, or back on it. Call in the parcel's transaction, with the order locked."""
    fresh = {
        "shipment": shipment, "created_at": now, "remind_at": first_reminder(shipment, now=now),
        "done_at": None, "done_how": "", "done_by": None,
    }  # fmt: skip
    update, _new = ManualUpdate.objects.update_or_create(order=shipment.order, defaults=fresh)
    _note([shipment.order_id], "waits", now=now)
    return update


def first_reminder(shipment: Shipment, *, now: datetime) -> datetime:
    """Four hours from now, or two hours before the order counts as late, whichever is earlier; never in the past."""
    usual, ship_by = now + FIRST_REMINDER, shipment.order.ship_by
    return max(now, min(usual, ship_by - BEFORE_SHIP_BY)) if ship_by else usual


def was_done(order_id: int) -> bool:
    """Whether Amazon knows of the order's parcel by somebody's hand."""
    return ManualUpdate.objects.filter(order=order_id, done_how__in=[DoneHow.BY_HAND, DoneHow.SEEN]).exists()


def tick_off(ids: Collection[int], *, by, now: datetime) -> int:
    """Somebody confirmed these in Seller Central; returns how many were open still."""
    return _close(ManualUpdate.objects.filter(pk__in=ids), DoneHow.BY_HAND, by=by, now=now)


def seen(order_ids: Collection[int], now: datetime) -> int:
    """Amazon reports these orders as shipped: nothing is left to do for them. Returns how many were open."""
    return _close(ManualUpdate.objects.filter(order__in=order_ids), DoneHow.SEEN, by=None, now=now)


def _close(rows, how: str, *, by, now: datetime) -> int:
    with transaction.atomic():
        waiting = rows.open().select_for_update().order_by("pk")
        found = dict(waiting.values_list("pk", "order"))
        if found:
            ManualUpdate.objects.open().filter(pk__in=found).update(done_at=now, done_how=how, done_by=by)
            _note(found.values(), how, by=by, now=now)
    return len(found)


def why_no_undo(update: ManualUpdate, *, now: datetime) -> str:
    """Why a tick cannot be taken back, as a sentence that says what to do instead; or ''."""
    if update.done_how == DoneHow.BY_HAND and now < update.done_at + UNDO_FOR:
        return ""
    if update.done_at is None:
        return _("This order is not ticked off.")
    if update.done_how != DoneHow.BY_HAND:
        return _("Nobody ticked this order off: there is nothing to take back.")
    return _("A tick can be taken back for ten minutes only. Look at the order in Seller Central.")


def undo(update: ManualUpdate, *, by, now: datetime) -> None:
    """Take a tick back: the order waits again, reminders included. RuleViolation where it is too late for that."""
    if refusal := why_no_undo(update, now=now):
        raise RuleViolation(refusal)
    with transaction.atomic():
        same = ManualUpdate.objects.filter(pk=update.pk, done_how=DoneHow.BY_HAND, done_at=update.done_at)
        if not same.update(done_at=None, done_how="", done_by=None):
            raise RuleViolation(_("Somebody changed this meanwhile: look at it again."))
        _note([update.order_id], "undone", by=by, now=now)


def _note(order_ids: Collection[int], outcome: str, *, now: datetime, by=None) -> None:
    OrderEvent.objects.bulk_create(
        OrderEvent(order_id=pk, kind=OrderEvent.Kind.MANUAL_UPDATE, at=now, actor=by, params={"outcome": outcome})
        for pk in order_ids
    )


# -- the reminder


def remind(now: datetime) -> str:
    """Mail those who can do it how many orders wait, at most once a day each; a sentence for the job runs.

    What is due moves on once mails left: a run killed on the way mails those it left out. What falls due between two
    mails of a day stays due, and starts the next one.
    """
    due = list(ManualUpdate.objects.open().filter(remind_at__lte=now).values_list("pk", flat=True))
    if not due:
        return "nothing to remind of"
    waiting = ManualUpdate.objects.open()
    count, late = waiting.count(), waiting.filter(order__ship_by__lt=now + BEFORE_SHIP_BY).count()
    digest.forget_receipts(RECEIPT, before=now - AGAIN + SLACK)
    delivery = digest.deliver(
        digest.recipients(ROLES), lambda user, server: _mail_to(user, count, late, server), key=RECEIPT, now=now
    )
    if delivery.done and delivery.sent:
        ManualUpdate.objects.open().filter(pk__in=due).update(remind_at=now + AGAIN)
    return f"{count} orders wait: {delivery.sentence()}"


def _mail_to(user: User, count: int, late: int, connection) -> EmailMessage:
    """Counts only: which orders they are is on the list, for those who sign in."""
    with override(user.language):
        waits = ngettext(
            "%(count)d order waits to be confirmed by hand in Seller Central: Amazon was told of another order in its parcel only.",
            "%(count)d orders wait to be confirmed by hand in Seller Central: Amazon was told of another order in their parcel only.",
            count,
        ) % {"count": count}
        urgent = ngettext(
            "%(count)d of them is late, or will be within two hours.",
            "%(count)d of them are late, or will be within two hours.", late,
        ) % {"count": late}  # fmt: skip
        listed = _("In OrderHub, under “More”, the list is called “Updates by hand in Amazon”.")
        subject = ngettext(
            "OrderHub: %(count)d order to update by hand in Amazon",
            "OrderHub: %(count)d orders to update by hand in Amazon", count,
        ) % {"count": count}  # fmt: skip
        body = "\n\n".join([waits, *([urgent] if late else []), listed])
        return EmailMessage(
            subject, f"{body}\n", to=[user.email], headers={"Auto-Submitted": "auto-generated"}, connection=connection
        )
