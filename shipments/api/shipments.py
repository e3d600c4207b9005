"""Parcels: listed, sent and voided, as the buttons of the order's page do."""

from django.db.models import Prefetch, Q
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from orderhub.rest import scopes
from orderhub.rest.filtering import flag, instant, number, text
from orderhub.rest.serializers import IdField, SparseSerializer, StrictSerializer
from orderhub.rest.views import ClientViewSet, Listed, Shown
from orders.models import Order
from shipments import dispatching, voiding
from shipments.models import Label, Shipment, ShipmentItem

GRAMS = 1_000_000


class PackedShape(serializers.Serializer):
    """Units of one line in a parcel."""

    item_id = serializers.IntegerField(read_only=True)
    quantity = serializers.IntegerField(read_only=True)


class LabelShape(SparseSerializer):
    """A label. Its file: /labels/{id}/file. From `due_at` on the address is not on it any more."""

    id = serializers.IntegerField(read_only=True)
    shipment_id = serializers.IntegerField(read_only=True)
    kind = serializers.CharField(read_only=True)
    format = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    due_at = serializers.DateTimeField(read_only=True)
    due_rule = serializers.CharField(read_only=True)
    redacted_at = serializers.DateTimeField(read_only=True, allow_null=True)


class ShipmentShape(SparseSerializer):
    """A parcel of one order."""

    id = serializers.IntegerField(read_only=True)
    order_id = serializers.IntegerField(read_only=True)
    store_id = serializers.IntegerField(source="order.store_id", read_only=True)
    order_number = serializers.CharField(source="order.order_number", read_only=True)
    carrier = serializers.CharField(read_only=True)
    service = serializers.CharField(read_only=True)
    tracking_number = serializers.CharField(read_only=True)
    tracked = serializers.BooleanField(read_only=True)
    tracking_status = serializers.CharField(read_only=True)
    ship_date = serializers.DateField(read_only=True)
    delivered_at = serializers.DateTimeField(read_only=True, allow_null=True)
    weight_g = serializers.IntegerField(read_only=True, allow_null=True)
    cost = serializers.DecimalField(max_digits=18, decimal_places=4, read_only=True, allow_null=True)
    cost_currency = serializers.CharField(read_only=True)
    provider = serializers.CharField(read_only=True)
    is_return = serializers.BooleanField(read_only=True)
    combined_with_id = serializers.IntegerField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)
    voided_at = serializers.DateTimeField(read_only=True, allow_null=True)
    items = PackedShape(many=True, read_only=True)
    labels = LabelShape(many=True, read_only=True)


class PartInput(StrictSerializer):
    """Units of one line that leave in this parcel."""

    item_id = IdField()
    quantity = serializers.IntegerField(min_value=1, max_value=100_000)


class ParcelInput(StrictSerializer):
    """A parcel to send. `ship_date`: a day in the store's time zone, today without it."""

    order_id = IdField()
    carrier = serializers.CharField(max_length=40, help_text="A code of ours, such as ups, or any name.")
    service = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    tracking_number = serializers.CharField(max_length=60)
    ship_date = serializers.DateField(required=False, allow_null=True, default=None)
    weight_g = serializers.IntegerField(min_value=1, max_value=GRAMS, required=False, allow_null=True, default=None)
    items = PartInput(many=True, required=False, help_text="A part of the order; all that is left without it.")
    note_to_buyer = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    label = serializers.BooleanField(required=False, default=True)


class ShipmentViewSet(Listed, Shown, ClientViewSet):
    """Parcels of the key's stores."""

    queryset = Shipment.objects.select_related("order").prefetch_related(
        Prefetch("items", ShipmentItem.objects.order_by("pk")), Prefetch("labels", Label.objects.order_by("pk"))
    )
    serializer_class = ShipmentShape
    sorts = ("-id", "id", "-created_at", "created_at")
    filters = {
        "order_id": number("order_id"), "store_id": number("order__store_id"), "tracking_number": text("tracking_number"),
        "carrier": text("carrier"), "is_return": flag("is_return"),
        "voided": flag(lambda gone: Q(voided_at__isnull=not gone)), "created_after": instant("created_at__gte"),
        "created_before": instant("created_at__lt"), "delivered_after": instant("delivered_at__gte"),
    }  # fmt: skip
    creates = frozenset({"create"})
    scopes = {
        **dict.fromkeys(("list", "retrieve"), scopes.SHIPMENTS_READ),
        **dict.fromkeys(("create", "void"), scopes.SHIPMENTS_WRITE),
    }
    store_lookup = "order__store_id"

    @extend_schema(summary="Send an order, or a part of it", request=ParcelInput, responses={201: ShipmentShape})
    def create(self, request):
        """The parcel, its label, the notice to the marketplace and the erasure clock come together or not at all."""
        given = ParcelInput(data=request.data)
        given.is_valid(raise_exception=True)
        told = given.validated_data
        order = order_of(self.key, told["order_id"])
        parts = {part["item_id"]: part["quantity"] for part in told.get("items", ())}
        if parts and set(parts) - set(order.items.values_list("pk", flat=True)):
            raise serializers.ValidationError({"items": [_("This order has no such line.")]})
        wish = dispatching.ParcelWish(
            carrier=told["carrier"], service=told["service"], tracking_number=told["tracking_number"],
            ship_date=told["ship_date"] or self.now.astimezone(order.store.zone).date(), weight_g=told["weight_g"],
            with_label=told["label"], items=parts or None, note_to_buyer=told["note_to_buyer"],
        )  # fmt: skip
        made, fresh = self.make_once(lambda: [dispatching.ship(order, wish, now=self.now, by=request.user).pk])
        return self.show(self.get_queryset().get(pk=made[0]), status=201 if fresh else 200)

    @extend_schema(summary="Void a parcel", request=None, responses=ShipmentShape)
    @action(detail=True, methods=["post"])
    def void(self, request, pk) -> Response:
        """Its units wait to be sent again. What a marketplace was told stays told."""
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        shipment = self.get_object()
        self.check_match(shipment)
        voiding.void(shipment, by=request.user, now=self.now)
        return self.show(self.get_object())


def order_of(key, pk: int) -> Order:
    """An order the key sees. ValidationError where it sees none of this id."""
    found = Order.objects.filter(store__in=key.store_ids, pk=pk)
    order = found.select_related("store__merchant", "store__account").first()
    if order is None:
        raise serializers.ValidationError({"order_id": [_("Your key sees no such order.")]})
    return order
