"""Orders that lose their address before anybody sends them: which they are, why they wait, and the daily mail about them.

The erasure is not put off for them: what helps is to send them, or to ask the buyer.
"""

from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db.models import Count, Min, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from orderhub.models import User
from orderhub.wording import day_and_time, utc
from orders import deciding
from orders.filters import DUE_SOON, LIVE, open_orders
from orders.models import Order
from privacy import access
from stores import digest

HORIZONS = (DUE_SOON.days, 7, 14)  # days; the first is what the start page and the mail tell: from day 11 on
ROLES = (access.SUPPORT,)
RECEIPT = f"{digest.DAILY}erased before shipping"
AGAIN = timedelta(days=1)
SLACK = timedelta(minutes=30)  # the job is hourly, and never on the second
WHY = {
    "ready": Q(status=Order.Status.AWAITING_SHIPMENT, cancel_requested_at__isnull=True),
    "hold": Q(status=Order.Status.ON_HOLD),
    "unpaid": Q(status__in=[Order.Status.AWAITING_PAYMENT, Order.Status.PENDING_FULFILLMENT]),
    "cancel": Q(cancel_requested_at__isnull=False),
}


def at_risk(now: datetime, *, days: int) -> Q:
    """Neither sent nor cancelled, and without an address in so many days; what is due already counts."""
    return open_orders() & Q(pii_state__in=LIVE, redaction_due_at__lte=now + timedelta(days=days))


def why_waiting(order: Order) -> list[str]:
    """Why it is not sent yet, in words; its lines must be loaded."""
    found = [_standing_in_the_way(order)]
    if order.cancel_requested_at and not deciding.held_for_cancellation(order):
        found.insert(0, _("The buyer asks to cancel it."))
    lines = list(order.items.all())
    if any(line.quantity_shipped for line in lines):
        left = sum(line.quantity - line.quantity_shipped for line in lines)
        told = ngettext("Partly sent: %(count)d unit is left.", "Partly sent: %(count)d units are left.", left)
        found.append(told % {"count": left})
    return [text for text in found if text] or [_("Nothing stands in its way.")]


def _standing_in_the_way(order: Order) -> str:
    match order.status:
        case Order.Status.ON_HOLD:
            return _on_hold(order)
        case Order.Status.AWAITING_PAYMENT:
            return _("Not paid yet: Amazon will say when it may be sent.")
        case Order.Status.PENDING_FULFILLMENT:
            return _("Being fulfilled elsewhere.")
    return ""


def _on_hold(order: Order) -> str:
    if not order.hold_reason:
        if order.custom_status:
            return _("On hold: Amazon says “%(status)s”.") % {"status": order.custom_status}
        return _("On hold.")
    told = {"reason": _(order.hold_reason)}
    if order.hold_until is None:
        return _("On hold: %(reason)s") % told
    until = day_and_time(order.hold_until.astimezone(order.store.zone))
    return _("On hold until %(until)s: %(reason)s") % (told | {"until": until})


# -- the daily mail


def remind(now: datetime) -> str:
    """Mail support how many orders are about to lose their address, once a day while there are any.

    A sentence for the job runs. Safe to repeat: who was mailed today is not mailed again.
    """
    found = Order.objects.filter(at_risk(now, days=HORIZONS[0])).aggregate(
        count=Count("pk"),
        first=Min("redaction_due_at"),
        today=Count("pk", filter=Q(redaction_due_at__lte=now + timedelta(days=1))),
        ready=Count("pk", filter=WHY["ready"]),
    )
    if not found["count"]:
        return "no unsent order loses its address soon"
    digest.forget_receipts(RECEIPT, before=now - AGAIN + SLACK)
    delivery = digest.deliver(
        digest.recipients(ROLES), lambda user, server: _mail_to(user, found, server), key=RECEIPT, now=now
    )
    return f"{found['count']} unsent orders lose their address soon: {delivery.sentence()}"


def _mail_to(user: User, found: dict, connection) -> EmailMessage:
    """Counts and one instant: which orders they are is on the list, for those who sign in."""
    count = {"count": found["count"]}
    with override(user.language):
        subject = ngettext(
            "OrderHub: %(count)d unsent order is about to lose its address",
            "OrderHub: %(count)d unsent orders are about to lose their address", found["count"],
        ) % count  # fmt: skip
        lines = [
            ngettext(
                "%(count)d order that nobody has sent loses its address within 3 days, the first one on %(at)s.",
                "%(count)d orders that nobody has sent lose their address within 3 days, the first one on %(at)s.",
                found["count"],
            )
            % (count | {"at": utc(found["first"])})
        ]
        for number, told in (
            (found["today"], ngettext("%(count)d within 24 hours.", "%(count)d within 24 hours.", found["today"])),
            (found["ready"], ngettext("%(count)d can be sent at once.", "%(count)d can be sent at once.", found["ready"])),
        ):  # fmt: skip
            lines += [told % {"count": number}] if number else []
        lines.append(_("After that they can only be sent from Seller Central. Nobody can put the erasure off."))
        lines.append(_("In OrderHub, under “More”, the list is called “Erased before shipping”."))
        return EmailMessage(
            subject, "\n\n".join(lines) + "\n", to=[user.email], headers={"Auto-Submitted": "auto-generated"},
            connection=connection,
        )  # fmt: skip
