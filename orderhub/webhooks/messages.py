"""What is sent: a body of ids, and the headers that prove who sent it. Written anew from the delivery's row each time."""

import hashlib
import hmac
import json
from datetime import datetime

from orderhub.webhooks import batches
from orderhub.webhooks.models import Delivery, Endpoint, Surface


def body_of(delivery: Delivery, endpoint: Endpoint) -> bytes:
    """In the form of the endpoint's API. Ids and codes only: a receiver that wants more asks with its key."""
    if endpoint.surface == Surface.SHIPSTATION:
        kind = endpoint.events[0]
        told = {"resource_url": batches.resource_url(delivery, kind), "resource_type": kind}
    else:
        told = {
            "id": str(delivery.event_id), "type": delivery.event, "created_at": _utc(delivery.happened_at),
            "data": _data(delivery),
        }  # fmt: skip
    return json.dumps(told, separators=(",", ":")).encode()


def headers_of(delivery: Delivery, secret: str, body: bytes, *, now: datetime) -> dict[str, str]:
    """`now` goes out as whole seconds since 1970, and is signed: an old message sent again by others shows its age."""
    timestamp = str(int(now.timestamp()))
    return {
        "Content-Type": "application/json",
        "OrderHub-Event-Id": str(delivery.event_id),
        "OrderHub-Timestamp": timestamp,
        "OrderHub-Signature": f"v1={signature(secret, timestamp, body)}",
    }


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def _data(delivery: Delivery) -> dict:
    ids = {name: getattr(delivery, name) for name in ("order_id", "shipment_id", "account_id", "store_id")}
    found = {name: value for name, value in ids.items() if value is not None}
    return found | ({"resource": resource} if (resource := _resource(found)) else {})


def _resource(ids: dict[str, int]) -> str:
    for name, path in (("shipment_id", "shipments"), ("order_id", "orders"), ("account_id", "accounts")):
        if name in ids:
            return f"/api/v1/{path}/{ids[name]}"
    return ""


def _utc(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
