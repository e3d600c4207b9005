"""Orders as an API client may read them: what belongs to a page is read for all its rows, and every view of a person is
logged before it is handed out."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from orderhub.models import ApiKey
from orderhub.rest import scopes
from orders import persons
from orders.models import Order, OrderItem
from privacy import access

WHAT = "api"  # as the access log calls it


def whole(orders: QuerySet) -> QuerySet:
    """With everything a row shows: the same few queries for one order and for a hundred."""
    lines = Prefetch("items", OrderItem.objects.select_related("person").order_by("pk"))
    return orders.select_related("store", "person", "own_status", "assigned_to").prefetch_related(lines, "tags")


def persons_of(key: ApiKey, orders: Iterable[Order], *, now: datetime) -> dict[int, dict[str, str]]:
    """What this key may see of each order's person, by order; {} without the scope. Logs the views in one statement.

    Erased orders, and those Amazon ships, show nothing of anybody: no view of them is logged.
    """
    if not key.may(scopes.ORDERS_READ_PII):
        return {}
    found = {order.pk: persons.record_for(key.user, order, now=now) for order in orders}
    seen = [order.pk for order in orders if not order.is_erased(now=now) and _holds(order)]
    access.log_views(key.user, seen, what=WHAT)
    return found


def _holds(order: Order) -> bool:
    """Whether there is anything of a person to be seen; its lines are loaded."""
    person = getattr(order, "person", None)
    chosen = any(item.person.customization for item in order.items.all() if hasattr(item, "person"))
    return chosen or (person is not None and person.holds_anything)
