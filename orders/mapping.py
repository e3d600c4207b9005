"""From a marketplace's order to our columns; pure, no database."""

from collections.abc import Mapping

from orders.models import Order, OrderItem, SkippedOrder
from orders.models.person import LATCHED
from stores import statusmap
from stores.connectors.amazon.mapping import amount
from stores.connectors.base import PERSON_FIELDS, RemoteItem, RemoteOrder
from stores.models import Store

Status = Order.Status
STATUSES = {
    "PENDING_AVAILABILITY": Status.AWAITING_PAYMENT,
    "PENDING": Status.AWAITING_PAYMENT,
    "UNSHIPPED": Status.AWAITING_SHIPMENT,
    "PARTIALLY_SHIPPED": Status.AWAITING_SHIPMENT,
    "SHIPPED": Status.SHIPPED,
    "CANCELLED": Status.CANCELLED,
    "UNFULFILLABLE": Status.CANCELLED,
}
PERSONAL = tuple(name for name in PERSON_FIELDS if name in LATCHED)
_TOTALS = ("item", "shipping", "tax", "discount", "gift_wrap", "order")
ORDER_COLUMNS = [
    "seller_order_id", "status", "custom_status", "decided_status", "programs", "is_business", "is_prime", "is_gift", "replaces",
    "ordered_at", "ship_by", "earliest_ship_at", "deliver_by", "service_level", "payment_method", "currency",
    *(f"{name}_total" for name in _TOTALS), "hold_reason", "cancel_requested_at", "cancel_reason_code",
    "amazon_updated_at", "content_hash", "pii_state",
]  # fmt: skip


def status_of(remote: RemoteOrder, mapped: Mapping[str, str]) -> tuple[str, str]:
    """Our status, and the marketplace's own word where it is not one Amazon defines: its text is shown (R40).

    `mapped`: what such words mean in this store (stores/statusmap.py). One without a meaning waits on hold.
    """
    if remote.fulfilled_by == "AFN":
        return Status.SHIPPED, ""
    known = STATUSES.get(remote.status)
    if known:
        return known, ""
    word = remote.status or "?"
    return mapped.get(statusmap.key(word), Status.ON_HOLD), word


def why_skipped(remote: RemoteOrder, store: Store) -> str:
    """The reason this order is not taken in, or ''."""
    reasons = SkippedOrder.Reason
    if not store.active:
        return reasons.INACTIVE
    if remote.fulfilled_by == "AFN":
        if not store.import_afn:
            return reasons.AFN_OFF
        return "" if remote.status == "SHIPPED" else reasons.AFN_NOT_SHIPPED
    if remote.status in {"SHIPPED", "CANCELLED"}:
        return ""  # taken in without the test of physical goods: nothing is looked up for them
    counted = [item for item in remote.items if item.quantity > 0]
    return reasons.NOT_PHYSICAL if counted and not any(item.is_physical for item in counted) else ""


def fill(order: Order, remote: RemoteOrder) -> None:
    """Copy what the marketplace decides. Not the status, which is a decision, nor anything of a person."""
    order.seller_order_id = remote.seller_order_id
    order.origin_marketplace = "amazon"
    order.fulfilled_by = order.fulfilled_by or remote.fulfilled_by
    order.programs = list(remote.programs)
    order.is_business = "AMAZON_BUSINESS" in remote.programs
    order.is_prime = "PRIME" in remote.programs
    order.is_gift = remote.is_gift
    order.replaces = remote.replaces
    order.ordered_at = remote.created_at
    order.ship_by, order.earliest_ship_at = remote.ship_by, remote.earliest_ship_at
    order.deliver_by = remote.deliver_by
    order.service_level, order.payment_method = remote.service_level, remote.payment_method
    order.currency = remote.currency or order.currency
    for name in _TOTALS:
        total = remote.totals.get(name)
        if total is not None:
            setattr(order, f"{name}_total", total.amount)
    order.amazon_updated_at = remote.updated_at


def item(order: Order, remote: RemoteItem) -> OrderItem:
    return OrderItem(
        order=order,
        amazon_item_id=remote.item_id,
        sku=remote.sku,
        asin=remote.asin,
        title=remote.title,
        quantity=remote.quantity,
        unit_price=amount(remote.unit_price),
        tax=amount(remote.tax),
        discount=amount(remote.discount),
        shipping=amount(remote.shipping),
        gift_wrap=amount(remote.gift_wrap),
        is_physical=remote.is_physical,
    )
