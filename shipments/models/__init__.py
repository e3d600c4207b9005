"""Parcels, their labels, and what the marketplaces were told of them."""

from shipments.models.batch import LabelBatch, LabelBatchRow
from shipments.models.carrier import CarrierSetting
from shipments.models.feed import Feed
from shipments.models.mail import OutgoingMail
from shipments.models.manual import ManualUpdate
from shipments.models.notification import ShipmentNotification
from shipments.models.purchase import LabelPurchase
from shipments.models.shipment import Label, Shipment, ShipmentItem

__all__ = [
    "CarrierSetting", "Feed", "Label", "LabelBatch", "LabelBatchRow", "LabelPurchase", "ManualUpdate", "OutgoingMail",
    "Shipment", "ShipmentItem", "ShipmentNotification",
]  # fmt: skip
