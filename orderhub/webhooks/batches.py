"""What a message in ShipStation's form points at: a list of ours that holds just what the message is about."""

import uuid

from django.conf import settings

from orderhub.models import ApiKey
from orderhub.webhooks.models import Delivery

_LISTS = {
    "ORDER_NOTIFY": "/orders?importBatch={batch}",
    "ITEM_ORDER_NOTIFY": "/orders?importBatch={batch}",
    "SHIP_NOTIFY": "/shipments?batchId={batch}",
    "ITEM_SHIP_NOTIFY": "/shipments?batchId={batch}&includeShipmentItems=True",
    "FULFILLMENT_SHIPPED": "/fulfillments?batchId={batch}",
    "FULFILLMENT_REJECTED": "/fulfillments?batchId={batch}",
}
MOST_LETTERS = 200  # of the whole address: what clients were promised


def resource_url(delivery: Delivery, resource_type: str) -> str:
    """The address of the list, at most 200 characters where SITE_URL has 100; the store is in it where there is room."""
    batch = _LISTS[resource_type].format(batch=delivery.event_id.hex)
    found = f"{settings.SITE_URL}/shipstation{batch}"
    whole = f"{found}&storeID={delivery.store_id}"
    return whole if delivery.store_id and len(whole) <= MOST_LETTERS else found


def order_ids(event_id: str, key: ApiKey) -> list[int]:
    """The orders of the batch that this key was told of; none for another's or an unknown one. One query."""
    return [order_id for order_id, _shipment in _found(event_id, key)]


def shipment_ids(event_id: str, key: ApiKey) -> list[int]:
    """The parcels of the batch that this key was told of, as above."""
    return [shipment_id for _order, shipment_id in _found(event_id, key) if shipment_id]


def _found(event_id: str, key: ApiKey) -> list[tuple[int, int | None]]:
    try:
        wanted = uuid.UUID(event_id)
    except ValueError:
        return []
    rows = Delivery.objects.filter(event_id=wanted, endpoint__key=key, order_id__isnull=False)
    return list(rows.values_list("order_id", "shipment_id"))
