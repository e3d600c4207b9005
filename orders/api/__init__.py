"""Orders, products and customers for API clients."""

from orders.api.orders import OrderViewSet

RESOURCES = {"orders": OrderViewSet}
