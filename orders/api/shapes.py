"""How orders look to API clients. Instants are UTC, money is text with its currency beside it, weights are grams.

The shape is the same before and after an erasure: the values of `person` are the marker then, and `redacted_at` and
`redaction_reason` say since when and why.
"""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orderhub.rest.serializers import SparseSerializer, StrictSerializer
from orders import annotating, own_status, persons, timeline
from orders.models import Order, OrderEvent, OrderItem

CUSTOM_FIELDS = persons.CUSTOM_FIELDS
PERSON = tuple(name for name in persons.EXPORTED if name not in CUSTOM_FIELDS)
MONEY = {"max_digits": 18, "decimal_places": 4, "allow_null": True, "read_only": True}


def _money() -> serializers.DecimalField:
    return serializers.DecimalField(**MONEY)


class OptionShape(StrictSerializer):
    """One choice of the buyer for a line."""

    name = serializers.CharField(max_length=200)
    value = serializers.CharField(max_length=4000, allow_blank=True)


class ItemShape(SparseSerializer):
    """A line of an order."""

    id = serializers.IntegerField(read_only=True)
    line_key = serializers.CharField(source="amazon_item_id", read_only=True)
    sku = serializers.CharField(read_only=True)
    asin = serializers.CharField(read_only=True)
    title = serializers.CharField(read_only=True)
    quantity = serializers.IntegerField(read_only=True)
    quantity_shipped = serializers.IntegerField(read_only=True)
    unit_price = _money()
    tax = _money()
    discount = _money()
    shipping = _money()
    gift_wrap = _money()
    weight_g = serializers.IntegerField(read_only=True, allow_null=True)
    options = serializers.SerializerMethodField()
    warehouse_location = serializers.CharField(read_only=True)
    is_physical = serializers.BooleanField(read_only=True)
    product_id = serializers.IntegerField(read_only=True, allow_null=True)

    @extend_schema_field(OptionShape(many=True))
    def get_options(self, item: OrderItem) -> list[dict[str, str]]:
        """The line's own, and what the buyer chose where the key reads names."""
        erased = item.order.is_erased(now=self.context["now"])
        names = item.order_id in (self.context.get("persons") or ())
        return annotating.shown_options(item, getattr(item, "person", None), names=names, erased=erased)


PersonShape = type(
    "PersonShape",
    (serializers.Serializer,),
    {"__doc__": 'Buyer and recipient. Each value is text; "" where there is none.'}
    | {name: serializers.CharField(read_only=True) for name in PERSON},
)


class OrderShape(SparseSerializer):
    """An order. `person` is null unless the key has the scope orders:read_pii."""

    id = serializers.IntegerField(read_only=True)
    store_id = serializers.IntegerField(read_only=True)
    order_number = serializers.CharField(read_only=True)
    seller_order_id = serializers.CharField(read_only=True)
    origin_marketplace = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(choices=Order.Status.choices, read_only=True)
    custom_status = serializers.CharField(read_only=True)
    own_status = serializers.SerializerMethodField()
    fulfilled_by = serializers.ChoiceField(choices=Order.FulfilledBy.choices, read_only=True)
    programs = serializers.ListField(child=serializers.CharField(), read_only=True)
    is_business = serializers.BooleanField(read_only=True)
    is_prime = serializers.BooleanField(read_only=True)
    is_gift = serializers.BooleanField(read_only=True)
    replaces = serializers.CharField(read_only=True)
    customer_id = serializers.IntegerField(read_only=True, allow_null=True)
    ordered_at = serializers.DateTimeField(read_only=True)
    paid_at = serializers.DateTimeField(read_only=True, allow_null=True)
    ship_by = serializers.DateTimeField(read_only=True, allow_null=True)
    earliest_ship_at = serializers.DateTimeField(read_only=True, allow_null=True)
    deliver_by = serializers.DateTimeField(read_only=True, allow_null=True)
    shipped_at = serializers.DateTimeField(read_only=True, allow_null=True)
    service_level = serializers.CharField(read_only=True)
    requested_service = serializers.CharField(read_only=True)
    payment_method = serializers.CharField(read_only=True)
    currency = serializers.CharField(read_only=True)
    item_total = _money()
    shipping_total = _money()
    tax_total = _money()
    discount_total = _money()
    gift_wrap_total = _money()
    order_total = _money()
    weight_g = serializers.IntegerField(read_only=True, allow_null=True)
    custom_field_1 = serializers.SerializerMethodField()
    custom_field_2 = serializers.SerializerMethodField()
    custom_field_3 = serializers.SerializerMethodField()
    tags = serializers.SerializerMethodField()
    assigned_to = serializers.SerializerMethodField()
    alert = serializers.CharField(read_only=True)
    hold_reason = serializers.CharField(read_only=True)
    hold_until = serializers.DateTimeField(read_only=True, allow_null=True)
    cancel_requested_at = serializers.DateTimeField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(source="first_imported_at", read_only=True)
    modified_at = serializers.DateTimeField(read_only=True)
    redaction_due_at = serializers.DateTimeField(read_only=True, allow_null=True)
    redaction_rule = serializers.CharField(read_only=True)
    redacted_at = serializers.DateTimeField(read_only=True, allow_null=True)
    redaction_reason = serializers.CharField(read_only=True)
    items = ItemShape(many=True, read_only=True)
    person = serializers.SerializerMethodField()

    def get_person(self, order: Order) -> PersonShape(allow_null=True):
        values = self._values(order)
        return None if values is None else {name: values[name] for name in PERSON}

    def get_custom_field_1(self, order: Order) -> str:
        return self._custom(order, "custom_field_1")

    def get_custom_field_2(self, order: Order) -> str:
        return self._custom(order, "custom_field_2")

    def get_custom_field_3(self, order: Order) -> str:
        return self._custom(order, "custom_field_3")

    def get_own_status(self, order: Order) -> str:
        return own_status.label(order)

    def get_tags(self, order: Order) -> list[str]:
        return sorted(tag.name for tag in order.tags.all())

    def get_assigned_to(self, order: Order) -> str:
        return order.assigned_to.get_username() if order.assigned_to else ""

    def _values(self, order: Order) -> dict[str, str] | None:
        """The person as the key may see it; None without the right. Read once a row."""
        persons_of = self.context.get("persons")
        return persons_of.get(order.pk) if persons_of else None

    def _custom(self, order: Order, name: str) -> str:
        """Fed by a personal source it stands with the person."""
        own = getattr(order, name)
        return own or (self._values(order) or {}).get(name, "")


class NoteShape(serializers.Serializer):
    """A note of staff or of a client."""

    at = serializers.DateTimeField(read_only=True)
    author = serializers.CharField(read_only=True)
    text = serializers.CharField(read_only=True)
    hidden = serializers.BooleanField(read_only=True)


class EventShape(serializers.Serializer):
    """A line of the timeline. `params` holds codes, ids and dates, nothing of a person."""

    at = serializers.DateTimeField(read_only=True)
    kind = serializers.CharField(read_only=True)
    params = serializers.DictField(read_only=True)
    actor = serializers.SerializerMethodField()
    sentence = serializers.SerializerMethodField()

    def get_actor(self, event: OrderEvent) -> str:
        return event.actor.get_username() if event.actor else ""

    def get_sentence(self, event: OrderEvent) -> str:
        return timeline.sentence(event)


class TermShape(serializers.Serializer):
    """One term that could end the time: the earliest counts."""

    rule = serializers.CharField(read_only=True)
    days = serializers.IntegerField(read_only=True)
    at = serializers.DateTimeField(read_only=True, allow_null=True)
    standing = serializers.CharField(read_only=True)


class LabelClockShape(serializers.Serializer):
    """A label has a date of its own."""

    label_id = serializers.IntegerField(read_only=True)
    until = serializers.DateTimeField(read_only=True)
    rule = serializers.CharField(read_only=True)
    erased_at = serializers.DateTimeField(read_only=True, allow_null=True)


class ClockShape(serializers.Serializer):
    """The privacy clock of an order."""

    state = serializers.CharField(read_only=True)
    until = serializers.DateTimeField(read_only=True, allow_null=True)
    rule = serializers.CharField(read_only=True)
    began = serializers.DateTimeField(read_only=True)
    erased_at = serializers.DateTimeField(read_only=True, allow_null=True)
    failed = serializers.BooleanField(read_only=True)
    terms = TermShape(many=True, read_only=True)
    labels = LabelClockShape(many=True, read_only=True)
