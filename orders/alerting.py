"""The alert on an order: raised by a rule or by the import, taken off by whoever has dealt with it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import Order, OrderEvent


def dealt_with(order: Order, seen: str, *, by, now: datetime) -> None:
    """Take the alert off. `seen`: its text as it was read; RuleViolation where there is none, or another one by now."""
    with transaction.atomic():
        if not seen or not Order.objects.filter(pk=order.pk, alert=seen).update(alert=""):
            raise RuleViolation(_("The alert changed meanwhile, or somebody dealt with it. Look at the order again."))
        OrderEvent.objects.create(order=order, kind=OrderEvent.Kind.ALERT_SEEN, at=now, actor=by)
    order.alert = ""
