"""A store's own names beside our statuses: made on the store's page, worn by an order while both mean the same."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import Order, OrderEvent
from stores import statusmap
from stores.models import MarketplaceStatus


def label(order: Order) -> str:
    """The name to show beside the status; '' where there is none, or the order has moved on since.

    Needs `own_status` loaded to cost no query.
    """
    own = order.own_status if order.own_status_id else None
    return own.name if own is not None and own.status == order.status else ""


def choices(order: Order) -> list[MarketplaceStatus]:
    """Names of the order's store that mean its present status; one query."""
    return list(order.store.status_map.filter(status=order.status))


def names_for(orders: Collection[Order]) -> list[str]:
    """Names that at least one of these orders could wear, each once; one query."""
    rows = MarketplaceStatus.objects.filter(
        store__in={order.store_id for order in orders}, status__in={order.status for order in orders}
    )
    return sorted(
        {statusmap.key(name): name for name in rows.values_list("name", flat=True)}.values(), key=str.casefold
    )


def wear(order: Order, name: str, *, by, now: datetime) -> None:
    """Show this name beside the order's status; '' for none. Safe to repeat.

    RuleViolation where the order's store has no such name for the status the order has by now.
    """
    with transaction.atomic():
        present = Order.objects.select_for_update(of=("self",)).select_related("own_status").get(pk=order.pk)
        own = _named(present, name) if name else None
        if (own.name if own else "") == label(present):
            return
        Order.objects.filter(pk=order.pk).update(own_status=own)
        OrderEvent.objects.create(
            order=order, kind=OrderEvent.Kind.OWN_STATUS, at=now, actor=by, params={"own": own.name if own else ""}
        )
    order.own_status = own


def _named(order: Order, name: str) -> MarketplaceStatus:
    for row in MarketplaceStatus.objects.filter(store=order.store_id, status=order.status):
        if statusmap.key(row.name) == statusmap.key(name):
            return row
    raise RuleViolation(
        _("Its store has no own status “%(name)s” that means “%(status)s”. Make it on the store's page.")
        % {"name": name, "status": order.get_status_display()}
    )
