"""The erasure clock of orders: facts from rows, the pure function, the row. Shipments are met by reverse accessor."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from orders.models import Order
from privacy import retention
from privacy.retention import Due, Facts, Parcel, Periods
from stores.models import Store


def periods_for(store: Store) -> Periods:
    """Days of each term for a store: the least of the rule, the installation's setting and the store's own (R112)."""
    return Periods(
        unshipped=_least(settings.RETENTION_UNSHIPPED_DAYS, store.retention_unshipped_days),
        shipped=_least(settings.RETENTION_SHIPPED_DAYS, store.retention_shipped_days),
        label=_least(settings.RETENTION_LABEL_DAYS, store.retention_label_days),
    )


def _least(installation: int, own: int | None) -> int:
    return installation if own is None else min(installation, own)


def parcel_of(shipment, *, label_created_at: datetime | None) -> Parcel:
    """One shipment as the rules see it. `label_created_at`: given, as whoever asks may be about to make the label."""
    return Parcel(
        created_at=shipment.created_at,
        tracked=shipment.tracked,
        label_created_at=label_created_at,
        shipped_at=shipment.first_ship_at,
        delivered_at=shipment.first_delivered_at,
        active=shipment.active,
    )


def facts_of(order: Order) -> Facts:
    """What the due-date function must know of an order; two queries."""
    return facts_from(order, order.shipments.all(), order.items.values_list("quantity", "quantity_shipped"))


def facts_from(order: Order, shipments: Iterable, units: Iterable[tuple[int, int]]) -> Facts:
    """The same from what is loaded: every shipment, and of each line its units and how many of them were sent."""
    parcels = tuple(parcel_of(shipment, label_created_at=shipment.label_created_at) for shipment in shipments)
    units = list(units)
    shipped = bool(units) and all(sent >= quantity for quantity, sent in units)
    return Facts(imported_at=order.first_imported_at, fully_shipped=shipped, parcels=parcels)


def recompute(order: Order) -> Due | None:
    """Set the order's due date and rule from the facts; None where nothing is ever due (FBA).

    An order already erased keeps what it has: nothing makes it un-due.
    """
    if order.by_amazon or order.origin_marketplace != "amazon":
        return None
    due = retention.order_due(facts_of(order), periods_for(order.store))
    Order.objects.filter(pk=order.pk).exclude(pii_state__in=Order.PiiState.MASKED).update(
        redaction_due_at=due.at, redaction_rule=due.rule
    )
    order.refresh_from_db(fields=["redaction_due_at", "redaction_rule"])
    return due
