"""Products and their stock. Weights in grams, sides in millimetres."""

from django.contrib.admin.models import CHANGE, LogEntry
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from orderhub.rest import scopes
from orderhub.rest.filtering import flag, number, text
from orderhub.rest.serializers import SparseSerializer, StrictSerializer
from orderhub.rest.views import ClientViewSet, Listed, Shown
from orders import products, stock
from orders.forms_products import LONGEST, ProductForm
from orders.models import Product
from orders.products import HEAVIEST


def _whole(most: int) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=most, required=False, allow_null=True)


class ProductShape(SparseSerializer):
    """A product of one store. `available`: counted on the shelf less what is ordered; below zero more is ordered."""

    id = serializers.IntegerField(read_only=True)
    store_id = serializers.IntegerField(read_only=True)
    key = serializers.CharField(read_only=True, help_text="SKU or ASIN, whichever the store calls its products by.")
    sku = serializers.CharField(read_only=True)
    asin = serializers.CharField(read_only=True)
    title = serializers.CharField(read_only=True)
    warehouse_location = serializers.CharField(read_only=True)
    weight_g = serializers.IntegerField(read_only=True, allow_null=True)
    length_mm = serializers.IntegerField(read_only=True, allow_null=True)
    width_mm = serializers.IntegerField(read_only=True, allow_null=True)
    height_mm = serializers.IntegerField(read_only=True, allow_null=True)
    is_physical = serializers.BooleanField(read_only=True, allow_null=True)
    stock_counted = serializers.IntegerField(source="on_shelf", read_only=True, allow_null=True)
    stock_to_send = serializers.IntegerField(source="to_send", read_only=True)
    stock_available = serializers.SerializerMethodField()
    stock_confirmed_at = serializers.DateTimeField(read_only=True, allow_null=True)
    stock_listed = serializers.IntegerField(read_only=True, allow_null=True, help_text="For sale at Amazon.")
    stock_fba = serializers.IntegerField(read_only=True, allow_null=True)
    stock_checked_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def get_stock_available(self, product: Product) -> int | None:
        return stock.shelf(product).available


class ProductChange(StrictSerializer):
    """What staff may say of a product. What is not named stays as it is."""

    title = serializers.CharField(max_length=500, required=False, allow_blank=True)
    warehouse_location = serializers.CharField(max_length=60, required=False, allow_blank=True)
    weight_g = _whole(HEAVIEST)
    length_mm = _whole(LONGEST)
    width_mm = _whole(LONGEST)
    height_mm = _whole(LONGEST)


class CountInput(StrictSerializer):
    """How many are on the shelf now, orders not sent yet included."""

    counted = serializers.IntegerField(min_value=0, max_value=1_000_000)


class ProductViewSet(Listed, Shown, ClientViewSet):
    """Products of the key's stores."""

    queryset = Product.objects.all()
    serializer_class = ProductShape
    sorts = ("id", "-id")
    filters = {
        "store_id": number("store_id"), "sku": text("sku"), "asin": text("asin"), "key": text("key"),
        "warehouse_location": text("warehouse_location"), "is_physical": flag("is_physical"),
    }  # fmt: skip
    scopes = {
        **dict.fromkeys(("list", "retrieve"), scopes.PRODUCTS_READ),
        **dict.fromkeys(("partial_update", "count"), scopes.PRODUCTS_WRITE),
    }

    def get_queryset(self):
        return stock.with_shelf(super().get_queryset())

    @extend_schema(summary="Change what staff may say of a product", request=ProductChange, responses=ProductShape)
    def partial_update(self, request, pk):
        """Open orders follow the weight."""
        product = self.get_object()
        self.check_match(product)
        given = ProductChange(data=request.data)
        given.is_valid(raise_exception=True)
        kept = {name: getattr(product, name) for name in ProductForm.Meta.fields}
        told = {name: value for name, value in (kept | given.validated_data).items() if value is not None}
        form = ProductForm(told, instance=product)
        if not form.is_valid():
            raise serializers.ValidationError({name: list(texts) for name, texts in form.errors.items()})
        if names := form.changed_data:
            products.keep_details(product, names, now=self.now)
            labels = [str(Product._meta.get_field(name).verbose_name) for name in names]
            LogEntry.objects.log_actions(
                request.user.pk, [product], CHANGE, [{"changed": {"fields": labels}}], single_object=True
            )
        return self.show(self.get_object())

    @extend_schema(summary="Say how many are on the shelf", request=CountInput, responses=ProductShape)
    @action(detail=True, methods=["post"], url_path="stock")
    def count(self, request, pk) -> Response:
        """Everything sent from now on is taken off it."""
        product, given = self.get_object(), CountInput(data=request.data)
        given.is_valid(raise_exception=True)
        stock.confirm(product, str(given.validated_data["counted"]), by=request.user, now=self.now)
        return self.show(self.get_object())
