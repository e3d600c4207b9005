"""Joining two customer records: a decision of staff, within one merchant, that cannot be undone."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import Customer, Order, OrderEvent


def why_not(kept: Customer, other: Customer) -> str:
    """A sentence saying why these two cannot become one, or ''. Two queries at most."""
    if kept.pk == other.pk:
        return _("This is the same record: give the number of another one.")
    if kept.merchant_id != other.merchant_id:
        return _("These customers belong to different merchants, and merchants never share a customer.")
    if kept.marker or other.marker:
        return _("One of them was erased: there is nothing left to join, and a new order makes a new record.")
    if len(_accounts(kept, other)) > 1:
        return _("Both bought on Amazon, at different Amazon accounts: Amazon forbids joining buyers across accounts.")
    return ""


def join(kept: Customer, other: Customer, *, by, now: datetime) -> int:
    """Give the orders of `other` to `kept`, fill what `kept` does not know, remove `other`; returns the orders moved.

    RuleViolation where the rules forbid it. Locks as the import and the erasure do: orders, then customers.
    """
    pair = [kept.pk, other.pk]
    with transaction.atomic():
        orders = list(Order.objects.select_for_update().filter(customer__in=pair).order_by("pk"))
        rows = Customer.objects.select_for_update().order_by("pk").in_bulk(pair)
        if len(rows) < len(set(pair)):
            raise RuleViolation(_("One of the records is gone: somebody joined it meanwhile."))
        kept, other = rows[kept.pk], rows[other.pk]
        if refusal := why_not(kept, other):
            raise RuleViolation(refusal)
        moved = [order.pk for order in orders if order.customer_id == other.pk]
        if Order.objects.filter(customer=other).exclude(pk__in=moved).exists():
            raise RuleViolation(_("An order of this buyer came in this very moment: join them again."))
        Order.objects.filter(pk__in=moved).update(customer=kept)
        other.delete()
        _fill(kept, other)
        params = {"customer": kept.pk, "joined": pair[1]}
        OrderEvent.objects.bulk_create(
            OrderEvent(order=order, kind=OrderEvent.Kind.MERGED, params=params, at=now, actor=by) for order in orders
        )
    return len(moved)


def _accounts(*rows: Customer) -> set[int]:
    """The Amazon accounts these customers are known from."""
    orders = Order.objects.filter(customer__in=rows, store__account__isnull=False).order_by()
    found = set(orders.values_list("store__account", flat=True).distinct())
    return found | ({row.account_id for row in rows} - {None})


def _fill(kept: Customer, other: Customer) -> None:
    """What `kept` lacks comes from `other`, with where it came from; the address brings its key along."""
    kept.account_id = kept.account_id or other.account_id
    kept.name, kept.user_name = kept.name or other.name, kept.user_name or other.user_name
    if not kept.phone:
        kept.phone, kept.phone_from_amazon = other.phone, other.phone_from_amazon
    if not kept.email:
        kept.email, kept.match_key = other.email, other.match_key
        kept.email_from_amazon = other.email_from_amazon
    kept.last_order_at = max(filter(None, [kept.last_order_at, other.last_order_at]), default=None)
    kept.save(update_fields=[
        "account", "name", "user_name", "phone", "phone_from_amazon", "email", "match_key", "email_from_amazon",
        "last_order_at",
    ])  # fmt: skip
