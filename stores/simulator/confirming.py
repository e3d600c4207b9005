"""Confirming a shipment: one set of rules for call and feed. Texts are ours, code words Amazon's."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stores.simulator.answers import Answer, invalid, not_found
from stores.simulator.clock import whole_milliseconds
from stores.simulator.marketplaces import MARKETPLACES
from stores.simulator.orders import SimOrder, SimPackage
from stores.simulator.request import Request
from stores.simulator.searching import ORDER_ID
from stores.simulator.world import World

MAX_EDITS = 20
_POSITIVE = re.compile(r"0*[1-9][0-9]{0,19}")
_UNMATCHED = (
    "Failed to create package: no matching package was found, or the order is already fulfilled. "
    "(errorMetric: PackageToUpdateNotFound)"
)


@dataclass(frozen=True)
class Confirmation:
    """One package. `items` None: everything that is still open."""

    reference: str
    carrier: str
    tracking: str
    shipped_at: datetime
    items: dict[str, int] | None
    carrier_name: str = ""
    service: str = ""
    cod: str = ""
    channel: str = "call"

    @property
    def carrier_shown(self) -> str:
        return self.carrier_name if self.carrier == "Other" else self.carrier


class NotConfirmed(Exception):
    """The reason in Amazon's code word plus a sentence."""


def confirm(world: World, order: SimOrder, wish: Confirmation, at: datetime) -> None:
    """Create the package, or edit it where its reference is known. NotConfirmed leaves all as it was."""
    _check_order(order, wish)
    known = order.package(wish.reference)
    if known is None:
        _create(world, order, wish, at)
    elif world.strict_resend and order.status == "SHIPPED":
        raise NotConfirmed(_UNMATCHED)
    else:
        _edit(world, order, known, wish, at)


def _check_order(order: SimOrder, wish: Confirmation) -> None:
    if order.status == "CANCELLED":
        raise NotConfirmed("NonexistentOrderItem: Failed to find order item list by order ID.")
    if order.fulfilled_by != "MERCHANT":
        raise NotConfirmed("The order is fulfilled by Amazon and cannot be confirmed by the seller.")
    if "FBM_SHIP_PLUS" in order.programs:
        raise NotConfirmed("The order is in FBM Ship+; its shipment confirms itself.")
    if order.status not in ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED"):
        raise NotConfirmed("The order is still pending and cannot be shipped.")
    if wish.cod and (wish.cod != "DirectPayment" or order.marketplace != "JP"):
        raise NotConfirmed("codCollectionMethod is not allowed for this order.")
    if any(order.item(item_id) is None for item_id in wish.items or {}):
        raise NotConfirmed("OrderItemId is invalid, please obtain the value through getOrderItems or Manage Orders.")


def _quantities(order: SimOrder, wish: Confirmation) -> dict[str, int]:
    """What the package holds; refused where more would leave than was ordered."""
    room = {
        item.item_id: item.quantity - order.shipped_elsewhere_than(wish.reference, item.item_id) for item in order.items
    }
    items = wish.items if wish.items is not None else {item_id: count for item_id, count in room.items() if count > 0}
    if not items or any(count > room[item_id] for item_id, count in items.items()):
        raise NotConfirmed(_UNMATCHED)
    return dict(items)


def _create(world: World, order: SimOrder, wish: Confirmation, at: datetime) -> None:
    items = _quantities(order, wish)
    package = SimPackage(
        wish.reference, wish.carrier_shown, wish.tracking, wish.shipped_at, at, items, service=wish.service
    )
    order.packages.append(package)
    order.recount()
    world.record_confirmation(order, package, wish.channel, "created", at)


def _edit(world: World, order: SimOrder, package: SimPackage, wish: Confirmation, at: datetime) -> None:
    if package.edits >= MAX_EDITS:
        raise NotConfirmed("InvalidPackageVersion: the package has reached the maximum number of allowed updates.")
    package.items = _quantities(order, wish)
    package.carrier, package.tracking, package.service = wish.carrier_shown, wish.tracking, wish.service
    package.ship_time = wish.shipped_at
    package.edits += 1
    order.recount()
    world.record_confirmation(order, package, wish.channel, "edited", at)


# --- the call
def confirm_shipment(world: World, request: Request) -> Answer:
    """`POST /orders/v0/orders/{orderId}/shipmentConfirmation`: 204, or a 400 that changed nothing."""
    order_id = request.path_values["orderId"]
    if not ORDER_ID.fullmatch(order_id):
        raise invalid("Invalid order id.")
    market_id, wish = _parsed(request)
    order = world.orders.get(order_id)
    if order is None or order.seller_id != request.seller.seller_id:
        raise not_found("The order was not found.")
    if market_id != MARKETPLACES[order.marketplace].id:
        raise invalid("marketplaceId is not the marketplace of the order.")
    try:
        confirm(world, order, wish, world.clock.now())
    except NotConfirmed as reason:
        raise invalid(str(reason)) from None
    return Answer(204)


def _parsed(request: Request) -> tuple[str, Confirmation]:
    try:
        data = json.loads(request.body)
    except ValueError:
        raise invalid("The request body is not JSON.") from None
    if not isinstance(data, dict) or not isinstance(data.get("packageDetail"), dict):
        raise invalid("packageDetail is required.")
    package = data["packageDetail"]
    reference = package.get("packageReferenceId")
    if not isinstance(reference, str) or not _POSITIVE.fullmatch(reference):
        raise invalid("PackageReferenceId is invalid, must be a positive numeric value.")
    wish = Confirmation(
        reference=reference,
        carrier=_text(package, "carrierCode"),
        tracking=_text(package, "trackingNumber"),
        shipped_at=ship_date(package.get("shipDate")),
        items=_items(package.get("orderItems")),
        carrier_name=_text(package, "carrierName", required=package.get("carrierCode") == "Other"),
        service=_text(package, "shippingMethod", required=False),
        cod=_text(data, "codCollectionMethod", required=False),
    )
    return _text(data, "marketplaceId"), wish


def _text(data: dict[str, Any], name: str, *, required: bool = True) -> str:
    value = data.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()):
        raise invalid(f"{name} is missing or invalid.")
    return value


def ship_date(value: Any) -> datetime:
    """A date-time with a zone. Amazon does not say what it thinks of dates before the order or ahead."""
    try:
        return whole_milliseconds(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        raise invalid("Invalid Input", "shipDate is not an ISO 8601 date-time.") from None


def _items(lines: Any) -> dict[str, int]:
    if not isinstance(lines, list) or not lines:
        raise invalid(
            "OrderItemId is invalid, please obtain the value through getOrderItems or Manage Orders.",
            "orderItems must be a list.",
        )
    items: dict[str, int] = {}
    for line in lines:
        item_id = line.get("orderItemId") if isinstance(line, dict) else None
        count = line.get("quantity") if isinstance(line, dict) else None
        if not isinstance(item_id, str) or type(count) is not int or count < 1:
            raise invalid("OrderItemId is invalid, or its quantity is not a positive number.")
        items[item_id] = items.get(item_id, 0) + count
    return items
