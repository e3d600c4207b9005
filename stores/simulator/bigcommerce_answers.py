"""Answers of the simulated BigCommerce: rows as its documents show them, refusals, and what faults make of them."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from stores.simulator import spoiling
from stores.simulator.answers import Answer, Refusal, as_json
from stores.simulator.bigcommerce_world import STATUSES, MirrorLine, MirrorOrder, MirrorShipment
from stores.simulator.faults import Fault
from stores.simulator.orders import SimAddress

TOLD = {
    "tracking_number": 50, "tracking_link": 500, "shipping_provider": 50, "tracking_carrier": 50,
    "shipping_method": 250, "merchant_shipping_cost": 20, "comments": 65_535,
}  # fmt: skip


def refused(status: int, message: str, *, version: str = "v2") -> Refusal:
    """V2 answers an array, V3 an object."""
    if version == "v3":
        return Refusal(as_json({"status": status, "title": message, "type": "about:blank", "detail": ""}, status))
    return Refusal(as_json([{"status": status, "message": message}], status))


def listed(rows: list[dict[str, Any]]) -> Answer:
    """A V2 list: an empty one is a 204."""
    return as_json(rows) if rows else Answer(204)


def _stamp(instant: datetime | None) -> str:
    return format_datetime(instant.astimezone(UTC)) if instant else ""


def _person(address: SimAddress, email: str) -> dict[str, str]:
    first, _, last = address.name.partition(" ")
    return {
        "first_name": first,
        "last_name": last,
        "company": address.company,
        "street_1": address.line1,
        "street_2": address.line2,
        "city": address.city,
        "state": address.state,
        "zip": address.postal_code,
        "country_iso2": address.country,
        "phone": address.phone,
        "email": email,
    }


def order_row(order: MirrorOrder) -> dict[str, Any]:
    total, shipped = order.count()
    return {
        "id": order.order_id,
        "customer_id": 0,
        "date_created": _stamp(order.created),
        "date_shipped": _stamp(order.shipped),
        "status_id": order.status_id,
        "status": STATUSES[order.status_id],
        "items_total": total,
        "items_shipped": shipped,
        "is_deleted": order.archived,
        "channel_id": order.channel_id,
        "order_source": order.order_source,
        "external_source": "",
        "external_id": order.external_id,
        "external_merchant_id": None,
        "external_order_id": order.external_order_id,
        "ebay_order_id": "0",
        "billing_address": _person(next(iter(order.addresses.values())), order.email),
    }


def product_row(order: MirrorOrder, line: MirrorLine) -> dict[str, Any]:
    return {
        "id": line.line_id,
        "order_id": order.order_id,
        "product_id": line.product_id,
        "order_address_id": line.address_id,
        "name": line.name,
        "sku": line.sku,
        "type": line.kind,
        "quantity": line.quantity,
        "quantity_shipped": order.quantity_shipped(line),
        "quantity_refunded": line.quantity_refunded,
        "parent_order_product_id": None,
        "external_id": order.external_order_id or order.external_id,
    }


def address_row(order: MirrorOrder, number: int, address: SimAddress) -> dict[str, Any]:
    total, shipped = order.count(number)
    known = {"id": number, "order_id": order.order_id, "items_total": total, "items_shipped": shipped}
    return known | _person(address, order.email)


def shipment_row(order: MirrorOrder, shipment: MirrorShipment) -> dict[str, Any]:
    person = _person(order.addresses[shipment.address_id], order.email)
    return dict.fromkeys(TOLD, "") | {
        "id": shipment.shipment_id,
        "order_id": order.order_id,
        "customer_id": 0,
        "order_address_id": shipment.address_id,
        "date_created": _stamp(shipment.created),
        **shipment.told,
        "generated_tracking_link": shipment.told.get("tracking_link", ""),
        "items": [{"order_product_id": line, "quantity": count} for line, count in shipment.items.items()],
        "billing_address": person,
        "shipping_address": person,
    }


# --- faults, in BigCommerce's words


def refusal(fault: Fault, operation: str) -> Answer:
    """The answer of a call that never reached its operation. 429: waits only where the fault names them."""
    match fault.kind:
        case "429":
            answer = refused(429, "Too many requests.").answer
            names = {"retry_after": "X-Retry-After", "reset_ms": "X-Rate-Limit-Time-Reset-Ms"}
            answer.headers |= {names[key]: str(value) for key, value in fault.options.items() if key in names}
            return answer
        case "500_before" | "503":
            return refused(int(fault.kind[:3]), "Something went wrong.").answer
        case "403_revoked":  # the API account is deleted
            return refused(401, "Unauthorized.").answer
    return spoiling.refusal(fault, operation)


def spoiled(answer: Answer, fault: Fault) -> Answer:
    """The answer of a call that had its effect, as the caller gets to see it."""
    if fault.kind == "500_after":
        return refused(500, "Something went wrong.").answer
    return spoiling.spoiled(answer, fault)
