"""Orders: listed, read, entered and worked on."""

from orderhub.rest import scopes, versions
from orderhub.rest.views import ClientViewSet, Listed, Shown
from orders.api import reading
from orders.api.shapes import OrderShape
from orders.models import Order


class OrderViewSet(Listed, Shown, ClientViewSet):
    """Orders of the key's stores."""

    queryset = Order.objects.all()
    serializer_class = OrderShape
    sorts = ("-modified_at", "modified_at", "-ordered_at", "ordered_at", "-id", "id")
    scopes = {"list": scopes.ORDERS_READ, "retrieve": scopes.ORDERS_READ}

    def get_queryset(self):
        return reading.whole(super().get_queryset())

    def get_serializer(self, *args, **kwargs):
        """Persons are read and logged once for all rows of the answer."""
        rows = args[0] if args else []
        if not kwargs.get("many"):
            rows = [rows] if rows else []
        shown = rows and self._shows_persons(kwargs)
        seen = reading.persons_of(self.key, rows, now=self.now) if shown else {}
        kwargs["context"] = self.get_serializer_context() | {"persons": seen}
        return self.get_serializer_class()(*args, **kwargs)

    def etag_of(self, order: Order) -> str:
        """Every change moves `modified_at`; the due instant erases without one."""
        seen = self.key.may(scopes.ORDERS_READ_PII)
        return versions.etag_of("order", order.pk, order.modified_at, order.is_erased(now=self.now), seen)

    @staticmethod
    def _shows_persons(kwargs: dict) -> bool:
        only = kwargs.get("only") or ("person",)
        return bool({"person", "custom_field_1", "custom_field_2", "custom_field_3"} & set(only))
