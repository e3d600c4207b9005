"""Orders, products and customers for API clients."""

from orders.api.customers import CustomerViewSet
from orders.api.orders import OrderViewSet
from orders.api.privacy import CertificateViewSet, RequestViewSet
from orders.api.products import ProductViewSet
from orders.api.tags import TagViewSet

RESOURCES = {
    "orders": OrderViewSet, "tags": TagViewSet, "products": ProductViewSet, "customers": CustomerViewSet,
    "certificates": CertificateViewSet, "erasure-requests": RequestViewSet,
}  # fmt: skip
