"""Orders, their lines, what is personal about them, and what happened to them."""

from orders.models.event import OrderEvent
from orders.models.order import Order, OrderItem
from orders.models.person import OrderPersonalData
from orders.models.skipped import QuarantinedOrder, SkippedOrder

__all__ = ["Order", "OrderEvent", "OrderItem", "OrderPersonalData", "QuarantinedOrder", "SkippedOrder"]
