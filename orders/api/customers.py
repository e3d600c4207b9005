"""Customers. Who they are needs the scope that reads names, and is logged as on the pages of staff."""

from django.db.models import Exists, OuterRef
from rest_framework import serializers

from orderhub.rest import scopes
from orderhub.rest.filtering import instant
from orderhub.rest.serializers import SparseSerializer
from orderhub.rest.views import ClientViewSet, Listed, Shown
from orders import customers_showing
from orders.api.reading import WHAT
from orders.models import Customer, Order

PERSON = ("name", "email", "phone", "user_name")


class CustomerPersonShape(serializers.Serializer):
    """Who the customer is. The marker where it is erased."""

    name = serializers.CharField(read_only=True)
    email = serializers.CharField(read_only=True)
    phone = serializers.CharField(read_only=True)
    user_name = serializers.CharField(read_only=True)


class CustomerShape(SparseSerializer):
    """A buyer of one merchant. `person` is null unless the key has the scope orders:read_pii."""

    id = serializers.IntegerField(read_only=True)
    orders = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    last_order_at = serializers.DateTimeField(read_only=True, allow_null=True)
    redacted_at = serializers.DateTimeField(read_only=True, allow_null=True)
    person = serializers.SerializerMethodField()

    def get_orders(self, customer: Customer) -> int:
        return self.context["cards"][customer.pk].orders

    def get_person(self, customer: Customer) -> CustomerPersonShape(allow_null=True):
        card = self.context["cards"][customer.pk]
        if not self.context["names"]:
            return None
        return {name: getattr(card, name).removeprefix("« ").removesuffix(" »") for name in PERSON}


class CustomerViewSet(Listed, Shown, ClientViewSet):
    """Customers with an order in one of the key's stores."""

    queryset = Customer.objects.all()
    serializer_class = CustomerShape
    sorts = ("-id", "id")
    filters = {"last_order_after": instant("last_order_at__gte"), "last_order_before": instant("last_order_at__lt")}
    scopes = {"list": scopes.CUSTOMERS_READ, "retrieve": scopes.CUSTOMERS_READ}
    store_lookup = ""

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):  # being described, nobody asks
            return Customer.objects.none()
        here = Order.objects.filter(customer=OuterRef("pk"), store__in=self.key.store_ids)
        return super().get_queryset().filter(Exists(here))

    def get_serializer(self, *args, **kwargs):
        """The cards of all rows are read, and their views logged, at once."""
        rows = args[0] if args else []
        rows = rows if kwargs.get("many") else [rows] if rows else []
        names = bool(rows) and self.key.may(scopes.ORDERS_READ_PII) and "person" in (kwargs.get("only") or ("person",))
        cards = self._cards(rows, logged=names)
        kwargs["context"] = self.get_serializer_context() | {"cards": cards, "names": names}
        return self.get_serializer_class()(*args, **kwargs)

    def _cards(self, rows, *, logged: bool) -> dict:
        if logged:
            return customers_showing.cards(self.key.user, rows, what=WHAT)
        return customers_showing.cards_unlogged(self.key.user, list(rows), revealed=False) if rows else {}
