"""Due dates brought forward after a store's periods were shortened (R112): orders and labels that wait, only ever earlier."""

import time
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from orderhub.jobs import BUDGET_S
from orders.models import Order, OrderItem
from orders.retention import facts_from, periods_for
from privacy import retention
from shipments.models import Label, Shipment
from stores.models import Store
from stores.models.store import RETENTION_MOST

BATCH = 200


def shortened() -> list[int]:
    """Stores that keep data for less than the rules allow; all of them where the installation does."""
    rule = retention.Periods()
    own = (settings.RETENTION_UNSHIPPED_DAYS, settings.RETENTION_SHIPPED_DAYS, settings.RETENTION_LABEL_DAYS)
    everywhere = any(days < most for days, most in zip(own, (rule.unshipped, rule.shipped, rule.label), strict=True))
    wanted = Q()
    for name, _most in RETENTION_MOST:
        wanted |= Q(**{f"{name}__isnull": False})
    rows = Store.objects.all() if everywhere else Store.objects.filter(wanted)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def bring_forward(store: Store, *, now: datetime, after: int = 0, budget_s: float = BUDGET_S) -> tuple[int, int | None]:
    """Bring the dates of a store's orders forward, from the id `after` on: how many moved, and the last id where time
    ran out. A constant number of queries for each batch. Safe to repeat: a date never moves later."""
    ends_at, moved, periods = time.monotonic() + budget_s, 0, periods_for(store)
    while True:
        with transaction.atomic():
            batch = list(_rows(store, after).select_for_update(of=("self",), no_key=True)[:BATCH])
            moved += _move(batch, periods, now)
        if len(batch) < BATCH:
            return moved, None
        after = batch[-1].pk
        if time.monotonic() > ends_at:
            return moved, after


def _rows(store: Store, after: int) -> QuerySet[Order]:
    """Orders that hold a person still, or have a label that does, with what the rules ask of them."""
    labels = Label.objects.filter(shipment__order=OuterRef("pk"), redacted_at__isnull=True)
    holds = ~Q(pii_state=Order.PiiState.REDACTED) | Q(Exists(labels))
    rows = Order.objects.filter(holds, store=store, pk__gt=after, fulfilled_by=Order.FulfilledBy.MERCHANT)
    units = OrderItem.objects.only("order_id", "quantity", "quantity_shipped")
    return rows.order_by("pk").prefetch_related(Prefetch("items", units), "shipments__labels")


def _move(batch: list[Order], periods: retention.Periods, now: datetime) -> int:
    orders, labels = [], []
    for order in batch:
        facts = facts_from(
            order, order.shipments.all(), [(item.quantity, item.quantity_shipped) for item in order.items.all()]
        )
        due = retention.order_due(facts, periods)
        if not order.masked and order.redaction_due_at is not None and order.redaction_due_at > due.at:
            order.redaction_due_at, order.redaction_rule = due.at, due.rule
            order.modified_at = max(order.modified_at, now)
            orders.append(order)
        for shipment, parcel in zip(order.shipments.all(), facts.parcels, strict=True):
            labels += _earlier(shipment, retention.label_due(parcel, due, periods))
    Order.objects.bulk_update(orders, ["redaction_due_at", "redaction_rule", "modified_at"])
    Label.objects.bulk_update(labels, ["due_at", "due_rule"])
    return len({order.pk for order in orders} | {label.shipment.order_id for label in labels})


def _earlier(shipment: Shipment, due: retention.Due) -> list[Label]:
    found = [label for label in shipment.labels.all() if label.redacted_at is None and label.due_at > due.at]
    for label in found:
        label.due_at, label.due_rule = due.at, due.rule
    return found
