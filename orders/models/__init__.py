"""Orders, their lines and products, what is personal about them, and what happened to them."""

from orders.models.customer import Customer
from orders.models.event import OrderEvent
from orders.models.history import HistoryRead
from orders.models.note import OrderNote, SavedView, Tag
from orders.models.order import Order, OrderItem
from orders.models.person import BuyerWord, ItemPersonalData, OrderPersonalData
from orders.models.product import CatalogueItem, Product
from orders.models.rule import AutomationRule, RuleFiring
from orders.models.skipped import QuarantinedOrder, SkippedOrder

__all__ = [
    "AutomationRule",
    "BuyerWord",
    "CatalogueItem",
    "Customer",
    "HistoryRead",
    "ItemPersonalData",
    "Order",
    "OrderEvent",
    "OrderItem",
    "OrderNote",
    "OrderPersonalData",
    "Product",
    "QuarantinedOrder",
    "RuleFiring",
    "SavedView",
    "SkippedOrder",
    "Tag",
]
