"""Whether what we hold is what the simulated Amazon holds: nothing missed, nothing doubled, nothing set back.

The expected values are read off the simulator's own orders, not through the product's mapping.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count

from orders.models import Order, OrderEvent, QuarantinedOrder
from stores.models import AmazonAccount
from stores.simulator.orders import SimOrder
from stores.simulator.world import World

STATUS = {
    "PENDING": "awaiting_payment", "UNSHIPPED": "awaiting_shipment", "PARTIALLY_SHIPPED": "awaiting_shipment",
    "SHIPPED": "shipped", "CANCELLED": "cancelled",
}  # fmt: skip
WITH_ADDRESS = ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED")
FRESH = timedelta(minutes=45)  # the cursor's age once all is quiet
AHEAD = timedelta(minutes=5)


class HighWater:
    """The newest word we ever had of each order, and of each account's cursor: neither may go back."""

    def __init__(self) -> None:
        self.updated: dict[str, datetime] = {}
        self.cursors: dict[int, datetime] = {}
        self.violations: list[str] = []

    def look(self, now: datetime) -> None:
        """`now`: Amazon's."""
        for number, updated in Order.objects.values_list("order_number", "amazon_updated_at"):
            if updated < self.updated.get(number, updated):
                self.violations.append(f"{number} went back from {self.updated[number]} to {updated}")
            self.updated[number] = updated
        for key, until in AmazonAccount.objects.values_list("pk", "imported_until"):
            if until < self.cursors.get(key, until):
                self.violations.append(f"the cursor of account {key} went back to {until}")
            if until > now + AHEAD:
                self.violations.append(f"the cursor of account {key} is ahead of Amazon: {until}")
            self.cursors[key] = until


def unequal(world: World, *, now: datetime) -> dict[str, list[str]]:
    """Violations by name, empty lists where there are none. `now`: Amazon's, all faults over and all read."""
    ours = {
        order.order_number: order
        for order in Order.objects.select_related("store", "person").prefetch_related("items").iterator(2000)
    }
    theirs = world.orders
    return {
        "missed": sorted(set(theirs) - set(ours)),
        "not theirs": sorted(set(ours) - set(theirs)),
        "doubled": list(_doubled(len(ours))),
        "out of date": [n for n, order in theirs.items() if n in ours and ours[n].amazon_updated_at != order.updated],
        "different": [text for n, order in theirs.items() if n in ours for text in _differences(order, ours[n])],
        "stuck": list(_stuck(now)),
        "unreadable": list(QuarantinedOrder.objects.values_list("order_number", flat=True)),
    }


def _doubled(orders: int) -> Iterator[str]:
    """Orders in two rows, taken in twice, or whose line of statuses has a hole or a repetition."""
    if Order.objects.count() != orders:
        yield "an order in two rows"
    imported = OrderEvent.objects.filter(kind=OrderEvent.Kind.IMPORTED).values("order__order_number")
    yield from (
        f"{row['order__order_number']} imported {row['times']} times"
        for row in imported.annotate(times=Count("pk")).exclude(times=1)
    )
    told: dict[int, str] = {}
    kinds = (OrderEvent.Kind.IMPORTED, OrderEvent.Kind.STATUS)
    for event in OrderEvent.objects.filter(kind__in=kinds).order_by("pk").iterator(5000):
        before = event.params.get("before")
        if before is not None and before != told.get(event.order_id):
            yield f"order {event.order_id}: a change of status from {before} after {told.get(event.order_id)}"
        told[event.order_id] = event.params.get("after") or event.params.get("status")


def _differences(theirs: SimOrder, ours: Order) -> Iterator[str]:
    for name, (expected, found) in _compared(theirs, ours).items():
        if expected != found:
            yield f"{theirs.order_id} {name}: {expected!r} is {found!r} here"


def _compared(theirs: SimOrder, ours: Order) -> dict[str, tuple]:
    addressed = theirs.status in WITH_ADDRESS
    lines = {i.item_id: (i.sku, i.quantity, i.unit_price, i.tax or None) for i in theirs.items}  # no tax: not sent
    found = {
        "marketplace": (theirs.marketplace, ours.store.marketplace),
        "status": (STATUS[theirs.status], ours.status),
        "seller order id": (theirs.seller_order_id, ours.seller_order_id),
        "service level": (theirs.service_level, ours.service_level),
        "ship by": (theirs.ship_by, ours.ship_by),
        "deliver by": (theirs.deliver_by if addressed else None, ours.deliver_by),
        "total": (theirs.total.quantize(Decimal("0.01")), ours.order_total),
        "lines": (lines, {i.amazon_item_id: (i.sku, i.quantity, i.unit_price, i.tax) for i in ours.items.all()}),
    }
    if addressed:  # else Amazon names nobody, and what we were told before stays
        at = theirs.address
        expected = (theirs.buyer_name, at.name, at.line1, at.city, at.postal_code)
        person = ours.person
        kept = (person.buyer_name, person.recipient_name, person.street1, person.city, person.postal_code)
        found["person"] = (hash(expected), hash(kept))  # the report holds no names, invented ones neither
    if theirs.status in {"UNSHIPPED", "PARTIALLY_SHIPPED"}:
        asked = any(item.cancel_request for item in theirs.items)
        found["asks to cancel"] = (asked, ours.cancel_requested_at is not None)
    return found


def _stuck(now: datetime) -> Iterator[str]:
    for account in AmazonAccount.objects.all():
        if account.status != AmazonAccount.Status.ACTIVE:
            yield f"account {account.pk} is {account.status}"
        if account.page_token or account.window_after:
            yield f"account {account.pk} has half a window"
        if not now - FRESH <= account.imported_until <= now:
            yield f"the cursor of account {account.pk} is at {account.imported_until}, it is {now}"


def counted(found: dict[str, list[str]]) -> Counter[str]:
    return Counter({name: len(texts) for name, texts in found.items() if texts})
