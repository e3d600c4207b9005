"""What imported orders say of parcels of ours. `orders` finds this module by its name, once a page of orders.

A page must stay cheap: what is seen is noted here, set-based; what follows from it is for jobs.
"""

from datetime import datetime

from orders.models import Order
from shipments import correcting, manual_updates, settling
from shipments.models import Shipment, ShipmentNotification
from shipments.models.shipment import TrackingStatus
from stores.connectors.base import RemoteOrder

DELIVERED = "DELIVERED"
State = ShipmentNotification.State
RECOGNISED = (State.PENDING, State.RETRY_AT, State.UNKNOWN, *State.STUCK)
Found = list[tuple[Order, RemoteOrder]]


def seen(found: Found, now: datetime) -> None:
    """Orders we know, with what the marketplace shows of their parcels. Called inside the page's transaction."""
    for reader in READERS:
        reader(found, now)


def deliveries(found: Found, now: datetime) -> None:
    """Note on our parcels that they were delivered; tracking.take_in_deliveries does the rest.

    Amazon gives no instant of a delivery, only the order's last change: the latest it can have been. Only the first
    such word counts, as later changes of the order say nothing new of it. Two statements at most; none where no order
    of the page was sent from here.
    """
    at = {
        (order.pk, package.tracking_number): min(remote.updated_at, now)
        for order, remote in found
        if order.told_shipped or order.shipped_at
        for package in remote.packages
        if package.status == DELIVERED and package.tracking_number
    }
    if not at:
        return
    ours = Shipment.objects.filter(
        order__in={order_id for order_id, _number in at}, tracking_number__in={number for _order_id, number in at},
        delivered_at__isnull=True, voided_at__isnull=True, is_return=False,
    )  # fmt: skip
    arrived = [shipment for shipment in ours if (shipment.order_id, shipment.tracking_number) in at]
    for shipment in arrived:
        shipment.delivered_at = at[shipment.order_id, shipment.tracking_number]
        shipment.tracking_status = TrackingStatus.DELIVERED
    if arrived:
        Shipment.objects.bulk_update(arrived, ["delivered_at", "tracking_status"])


def notices(found: Found, now: datetime) -> None:
    """What Amazon shows as shipped needs no notice any more: ours is there, or somebody shipped it in Seller Central.

    A notice that may be on its way this moment is left alone: its own answer decides. One statement where nothing of
    the page waits to be told, four at most.
    """
    shipped = {order.pk: remote for order, remote in found if remote.status == "SHIPPED" and order.told_shipped}
    if not shipped:
        return
    waiting = ShipmentNotification.objects.filter(
        order__in=shipped, channel="amazon", correction_of__isnull=True, state__in=RECOGNISED
    )
    held = list(waiting.select_related("shipment").select_for_update(of=("self",)).order_by("pk"))
    ours = [row for row in held if correcting.is_ours(row, shipped[row.order_id])]
    others = [row for row in held if row not in ours]
    for rows, state in ((ours, State.CONFIRMED), (others, State.CONFIRMED_EXTERNAL)):
        settling.settle_all(rows, state, now=now)


def by_hand(found: Found, now: datetime) -> None:
    """What somebody was to confirm in Seller Central, and Amazon shows as shipped, is done."""
    shipped = [order.pk for order, remote in found if remote.status == "SHIPPED" and order.told_shipped]
    if shipped:
        manual_updates.seen(shipped, now)


READERS = (deliveries, notices, by_hand)  # each does one thing for the whole page
