"""From a marketplace's order to our columns; pure, no database."""

from collections.abc import Iterable, Mapping

from orders import strict_erasing
from orders.models import Order, OrderItem, OrderPersonalData, SkippedOrder
from orders.models.person import LATCHED
from stores import customfields, statusmap
from stores.connectors.amazon.mapping import amount
from stores.connectors.base import PERSON_FIELDS, RemoteItem, RemoteOrder
from stores.models import MAPPED_FIELDS, Store

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
_TOTALS = ("item", "shipping", "tax", "discount", "gift_wrap", "cod_fee", "other", "order")
CUSTOM_FIELDS = MAPPED_FIELDS
MOST_GRAMS = 2**31 - 1  # what the column holds
ORDER_COLUMNS = [
    "seller_order_id", "status", "custom_status", "decided_status", "programs", "is_business", "is_prime", "is_gift", "replaces",
    "replaces_as", "customer", "ordered_at", "paid_at", "ship_by", "earliest_ship_at", "deliver_from", "deliver_by",
    "service_level", "requested_service", "address_type", "payment_method", "currency",
    *(f"{name}_total" for name in _TOTALS), "weight_g", "weight_is_typed", *CUSTOM_FIELDS, "own_status", "assigned_to", "wishes",
    "rules_ran_at", "alert", "hold_reason", "hold_until", "cancel_requested_at", "cancel_reason_code",
    "amazon_updated_at", "content_hash", "pii_state", "modified_at",
]  # fmt: skip
ITEM_COLUMNS = [
    "sku", "asin", "title", "condition", "quantity", "unit_price", "tax", "discount", "shipping", "gift_wrap", "cod_fee",
    "gift_wrap_level", "is_gift", "is_business_price", "promotions", "requirements", "scheduled_from", "scheduled_until",
    "ioss_number", "is_physical",
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
    if STATUSES.get(remote.status) in {Status.SHIPPED, Status.CANCELLED}:
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
    order.replaces, order.replaces_as = remote.replaces, remote.replaces_as
    order.ordered_at = remote.created_at
    order.ship_by, order.earliest_ship_at = remote.ship_by, remote.earliest_ship_at
    order.deliver_from, order.deliver_by = remote.deliver_from, remote.deliver_by
    order.service_level, order.payment_method = remote.service_level, remote.payment_method
    order.requested_service = customfields.SERVICE_LEVELS.get(remote.service_level, remote.service_level)
    order.address_type = remote.address_type or order.address_type
    order.currency = remote.currency or order.currency
    for name in _TOTALS:
        total = remote.totals.get(name)
        if total is not None:
            setattr(order, f"{name}_total", total.amount)
    order.amazon_updated_at = remote.updated_at


def fill_custom_fields(order: Order, person: OrderPersonalData, *, latched: bool) -> None:
    """Custom fields as the store maps them now (R31 to R33). One fed by a person's number is kept with the person.

    A field nobody maps is left alone: rules and people may write it. Of an erased order the person's are left alone, by
    the strict profile all of them.
    """
    if latched and strict_erasing.applies_to(order):
        return
    for name, source in zip(CUSTOM_FIELDS, order.store.mapping, strict=True):
        if not source:
            continue
        text = customfields.value(source, order, person.purchase_order_number)[:120]
        personal = source in customfields.PERSONAL
        setattr(order, name, "" if personal else text)
        if not latched:
            setattr(person, name, text if personal else "")


def weight_of(items: Iterable[OrderItem]) -> int | None:
    """Grams of all lines that are physical; None where one has no weight, of its own or its product's."""
    total = 0
    for found in items:
        if not found.is_physical or not found.quantity:
            continue
        each = found.weight_g or (found.product.weight_g if found.product else None)
        if not each:
            return None
        total += each * found.quantity
    return min(total, MOST_GRAMS) or None


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
        cod_fee=amount(remote.cod_fee),
        condition=remote.condition,
        gift_wrap_level=remote.gift_wrap_level,
        is_gift=remote.is_gift,
        is_business_price=remote.is_business_price,
        promotions=list(remote.promotions),
        requirements=list(remote.requirements),
        scheduled_from=remote.scheduled_from,
        scheduled_until=remote.scheduled_until,
        ioss_number=remote.ioss_number,
        is_physical=remote.is_physical,
    )
