"""Parcels, their labels, and what the marketplaces were told of them."""

from shipments.models.notification import ShipmentNotification
from shipments.models.shipment import Label, Shipment, ShipmentItem

__all__ = ["Label", "Shipment", "ShipmentItem", "ShipmentNotification"]
