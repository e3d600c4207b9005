"""What a marketplace's own statuses mean in a store (R40). Upper and lower case are one."""

from django.db.models import Count

from stores.models import CanonicalStatus, Store

# What Amazon defines itself, and the import decides: no store may give these another meaning.
AMAZON_WORDS = frozenset(
    {
        "PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE",
    }
)  # fmt: skip
MOST_OFFERED = 20
WAITING = (
    CanonicalStatus.AWAITING_PAYMENT,
    CanonicalStatus.AWAITING_SHIPMENT,
    CanonicalStatus.PENDING_FULFILLMENT,
    CanonicalStatus.ON_HOLD,
)


def key(name: str) -> str:
    """What two spellings of one status have in common."""
    return name.strip().casefold()


def as_map(store: Store) -> dict[str, str]:
    """Our status by the key of the marketplace's. One query, none where `status_map` is prefetched."""
    return {key(row.name): row.status for row in store.status_map.all()}


def unmapped(store: Store) -> list[tuple[str, int]]:
    """Statuses of orders that wait here which nobody gave a meaning yet, with how many wait; two queries."""
    waiting = store.orders.filter(status__in=WAITING).exclude(custom_status="").order_by()
    seen = waiting.values_list("custom_status").annotate(Count("pk"))
    known = as_map(store)
    return sorted((name, count) for name, count in seen if key(name) not in known)[:MOST_OFFERED]
