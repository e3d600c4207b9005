"""What clients can be told of, by which lines of the timeline, and what a key must be allowed to hear it."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from orderhub.rest import scopes
from orders.models import Order, OrderEvent
from shipments.models.notification import NotificationState

IMPORTED, UPDATED, SHIPPED = "order.imported", "order.updated", "order.shipped"
CANCEL_REQUESTED, CANCELLED, REDACTED = "order.cancel_requested", "order.cancelled", "order.redacted"
PARCEL, VOIDED = "shipment.created", "shipment.voided"
CONFIRMED, REJECTED = "notification.confirmed", "notification.rejected"
EXPIRING, NEEDS_AUTHORIZATION = "account.expiring", "account.needs_authorization"
PING = "ping"

# code: what it means, and the scope without which nobody hears of it
NATIVE = {
    IMPORTED: (_("an order came in"), scopes.ORDERS_READ),
    UPDATED: (_("an order changed in any way a client can see"), scopes.ORDERS_READ),
    SHIPPED: (_("everything of an order was sent"), scopes.ORDERS_READ),
    CANCEL_REQUESTED: (_("a buyer asks to cancel"), scopes.ORDERS_READ),
    CANCELLED: (_("an order was cancelled"), scopes.ORDERS_READ),
    REDACTED: (_("an order's personal data was erased: erase your copy"), scopes.ORDERS_READ),
    PARCEL: (_("a parcel was sent, with a label or marked as shipped"), scopes.SHIPMENTS_READ),
    VOIDED: (_("a parcel was voided"), scopes.SHIPMENTS_READ),
    CONFIRMED: (_("the marketplace knows that an order was sent"), scopes.NOTIFICATIONS_READ),
    REJECTED: (_("the marketplace refused a notice, or somebody must look at it"), scopes.NOTIFICATIONS_READ),
    EXPIRING: (_("an account's authorisation ends in 30, 14, 7 or 1 days"), scopes.STORES_READ),
    NEEDS_AUTHORIZATION: (_("an account stopped: somebody must authorise it again"), scopes.STORES_READ),
}
ACCOUNT_CODES = frozenset({EXPIRING, NEEDS_AUTHORIZATION})

# The names of ShipStation's version 1, each with what it is fired by here. An erasure goes out as a changed order: who
# reads it again writes the markers over its copy.
SHIPSTATION: dict[str, frozenset[str]] = {
    "ORDER_NOTIFY": frozenset({IMPORTED, REDACTED}),
    "ITEM_ORDER_NOTIFY": frozenset({IMPORTED, REDACTED}),
    "SHIP_NOTIFY": frozenset({PARCEL}),
    "ITEM_SHIP_NOTIFY": frozenset({PARCEL}),
    "FULFILLMENT_SHIPPED": frozenset({PARCEL}),
    "FULFILLMENT_REJECTED": frozenset({REJECTED}),
}
WITHOUT_LABEL = "FULFILLMENT_SHIPPED"  # fired by parcels that were marked as shipped only

Kind = OrderEvent.Kind
_ALWAYS = {
    Kind.IMPORTED: (IMPORTED,),
    Kind.ENTERED: (IMPORTED,),
    Kind.FROM_FILE: (IMPORTED,),
    Kind.FROM_CLIENT: (IMPORTED,),
    Kind.SHIPMENT: (SHIPPED, PARCEL),
    Kind.PART_SHIPPED: (PARCEL,),
    Kind.CANCEL_REQUESTED: (CANCEL_REQUESTED,),
    Kind.CANCELLED_AFTER_SHIPPING: (CANCELLED,),
    Kind.REDACTED: (REDACTED,),
    Kind.VOIDED: (VOIDED,),
}
_STATUSES = {Order.Status.SHIPPED: (SHIPPED,), Order.Status.CANCELLED: (CANCELLED,)}
_NOTICES = dict.fromkeys(NotificationState.FINAL, (CONFIRMED,)) | dict.fromkeys(NotificationState.STUCK, (REJECTED,))
KINDS = (*_ALWAYS, Kind.STATUS, Kind.NOTICE)


def codes_of(kind: str, params: Mapping) -> tuple[str, ...]:
    """What this line of a timeline is to clients; nothing for most."""
    match kind:
        case Kind.STATUS:
            return _STATUSES.get(params.get("after"), ())
        case Kind.NOTICE:
            return _NOTICES.get(params.get("state"), ())
        case _:
            return _ALWAYS.get(kind, ())


def codes_for(surface: str, events: list[str]) -> frozenset[str]:
    """Our codes behind what an endpoint chose."""
    if surface == "shipstation":
        return frozenset().union(*(SHIPSTATION.get(name, frozenset()) for name in events))
    return frozenset(events) & NATIVE.keys()


def scope_of(code: str) -> str:
    return NATIVE[code][1]
