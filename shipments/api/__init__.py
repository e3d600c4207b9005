"""Parcels, labels, batches and notices for API clients."""

from shipments.api.batches import BatchViewSet
from shipments.api.labels import LabelViewSet
from shipments.api.notifications import NotificationViewSet
from shipments.api.shipments import ShipmentViewSet

RESOURCES = {
    "shipments": ShipmentViewSet, "labels": LabelViewSet, "batches": BatchViewSet, "notifications": NotificationViewSet,
}  # fmt: skip
