"""Whose work an order is."""

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import Order, OrderEvent
from privacy import access

RIGHT = "orders.change_order"


def assignable():
    """Members of staff who work on orders, by name: active, and with a role that may change them."""
    roles = [role for role, rights in access.ROLES.items() if RIGHT in rights]
    return get_user_model().objects.filter(is_active=True, groups__name__in=roles).distinct().order_by("username")


def nobodys() -> Q:
    """Orders without anybody, or whose person no longer works here."""
    return Q(assigned_to__isnull=True) | Q(assigned_to__is_active=False)


def worker(order: Order):
    """Who works on it, None where nobody does. Needs `assigned_to` loaded to cost no query."""
    found = order.assigned_to if order.assigned_to_id else None
    return found if found is not None and found.is_active else None


def assign(order_ids: Collection[int], user, *, by, now: datetime) -> int:
    """Give these orders to a member of staff, or to nobody (None); returns how many changed hands. Safe to repeat.

    RuleViolation for somebody who does not work on orders.
    """
    if user is not None and not assignable().filter(pk=user.pk).exists():
        raise RuleViolation(_("Choose somebody who works on orders: support or customer success."))
    with transaction.atomic():
        others = Order.objects.filter(pk__in=order_ids)
        others = others.exclude(assigned_to=None) if user is None else others.exclude(assigned_to=user)
        changed = list(others.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
        Order.objects.filter(pk__in=changed).update(assigned_to=user)
        OrderEvent.objects.bulk_create(
            OrderEvent(
                order_id=pk, kind=OrderEvent.Kind.ASSIGNED, at=now, actor=by,
                params={"user": user.get_username() if user else ""},
            )
            for pk in changed
        )  # fmt: skip
    return len(changed)
