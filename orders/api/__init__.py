"""Orders, products and customers for API clients."""

from orders.api.orders import OrderViewSet
from orders.api.tags import TagViewSet

RESOURCES = {"orders": OrderViewSet, "tags": TagViewSet}
