"""What clients send of orders, read strictly. The limits are those of the form staff type into."""

from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError as ModelError
from django.utils.translation import gettext as _
from rest_framework import serializers

from orderhub.rest.serializers import IdField, StrictSerializer
from orderhub.validators import one_line
from orders import deciding
from orders.api.shapes import OptionShape
from orders.entering import Entry
from orders.forms_entering import FIRST_YEAR, LAST_YEAR, MOST_GRAMS, MOST_UNITS, NAMELESS
from orders.models import Order
from stores import countries

MOST_LINES = 200
PARAGRAPHS = ("gift_message", "buyer_notes", "delivery_instructions")
LENGTHS = {
    "recipient_name": 120, "recipient_company": 120, "street1": 120, "street2": 120, "street3": 120, "city": 80,
    "district": 80, "state": 80, "postal_code": 20, "phone": 40, "buyer_name": 120, "buyer_company": 120,
    "purchase_order_number": 120,
}  # fmt: skip


def _one_line(text: str) -> None:
    try:
        one_line(text)
    except ModelError as error:
        raise serializers.ValidationError(error.messages) from None


def _text(most: int, **given) -> serializers.CharField:
    return serializers.CharField(
        max_length=most, validators=[_one_line], **({"required": False, "allow_blank": True, "default": ""} | given)
    )


def _kept(most: int) -> serializers.CharField:
    """A text that stays as it is where it is not sent."""
    return serializers.CharField(max_length=most, validators=[_one_line], required=False, allow_blank=True)


def _amount() -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=14, decimal_places=4, min_value=0, required=False, allow_null=True, default=None
    )


def _instant(**given) -> serializers.DateTimeField:
    return Instant(required=False, allow_null=True, default=None, **given)


class Instant(serializers.DateTimeField):
    """With an offset, in a year that can be meant."""

    def to_internal_value(self, value):
        if not isinstance(value, str) or not (value.endswith(("Z", "z")) or "+" in value[10:] or "-" in value[10:]):
            raise serializers.ValidationError(_("Write an instant with its offset, such as 2026-11-20T08:46:27Z."))
        found = super().to_internal_value(value)
        if not FIRST_YEAR <= found.year < LAST_YEAR:
            raise serializers.ValidationError(_("This date is too far away. Check the year."))
        return found

    def enforce_timezone(self, value):
        return value.astimezone(ZoneInfo("UTC"))


class LineInput(StrictSerializer):
    """A line of a new order."""

    sku = _text(120)
    asin = _text(20)
    title = _text(500)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_UNITS)
    unit_price = _amount()
    tax = _amount()
    discount = _amount()
    weight_g = serializers.IntegerField(
        min_value=0, max_value=MOST_GRAMS, required=False, allow_null=True, default=None
    )
    warehouse_location = _text(60)
    options = OptionShape(many=True, required=False, default=list, max_length=50)

    def validate(self, given: dict) -> dict:
        if not (given["sku"] or given["asin"] or given["title"]):
            raise serializers.ValidationError({"sku": [NAMELESS]})
        return given | {"options": [dict(one) for one in given["options"]]}


class PersonInput(StrictSerializer):
    """Buyer and recipient of a new order."""

    country = serializers.ChoiceField(choices=sorted(countries.CODES), required=False, allow_blank=True, default="")
    buyer_email = serializers.EmailField(max_length=254, required=False, allow_blank=True, default="")

    def get_fields(self):
        texts = {name: _text(most) for name, most in LENGTHS.items()}
        long = {
            name: serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
            for name in PARAGRAPHS
        }
        return super().get_fields() | texts | long


class NewOrder(StrictSerializer):
    """An order for a manual or Handmade store. Without a number it is given one."""

    store_id = IdField()
    order_number = _text(60)
    status = serializers.ChoiceField(
        choices=[Order.Status.AWAITING_SHIPMENT, Order.Status.AWAITING_PAYMENT, Order.Status.ON_HOLD],
        required=False, default=Order.Status.AWAITING_SHIPMENT,
    )  # fmt: skip
    ordered_at = _instant()
    ship_by = _instant()
    deliver_by = _instant()
    service_level = serializers.ChoiceField(
        choices=Order.ServiceLevel.values, required=False, allow_blank=True, default=""
    )
    requested_service = _text(60)
    payment_method = _text(120)
    currency = serializers.RegexField("^[A-Z]{3}$")
    shipping_total = _amount()
    custom_field_1 = _text(120)
    custom_field_2 = _text(120)
    custom_field_3 = _text(120)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, default=list, max_length=50
    )
    items = LineInput(many=True, min_length=1, max_length=MOST_LINES)
    person = PersonInput(required=False)

    def entry(self, tags: dict[int, str]) -> Entry:
        """`tags`: ids and names of those that exist."""
        given = dict(self.validated_data)
        for name in ("store_id", "tags"):
            given.pop(name)
        number, status, lines = given.pop("order_number"), given.pop("status"), given.pop("items")
        person = dict(given.pop("person", {}))
        return Entry(number, given, person, [dict(line) for line in lines], status, tags)


class ItemChange(StrictSerializer):
    """What a client adds to a line: what the buyer chose."""

    id = IdField()
    options = OptionShape(many=True, max_length=50)


class OrderChange(StrictSerializer):
    """What a client may change of any order. What is not named stays as it is."""

    custom_field_1 = _kept(120)
    custom_field_2 = _kept(120)
    custom_field_3 = _kept(120)
    weight_g = serializers.IntegerField(
        min_value=1, max_value=MOST_GRAMS, required=False, allow_null=True, help_text="null: the lines decide again."
    )
    assigned_to = serializers.CharField(
        max_length=150, required=False, allow_blank=True, help_text="A user name; empty: nobody."
    )
    own_status = serializers.CharField(max_length=60, required=False, allow_blank=True)
    items = ItemChange(many=True, required=False, max_length=MOST_LINES)


class HoldInput(StrictSerializer):
    """Why an order waits, as a code, and until when; without an end a person or a client ends it."""

    reason = serializers.ChoiceField(choices=sorted(deciding.HOLD_REASONS))
    until = _instant()


class AnswerInput(StrictSerializer):
    """The answer to a buyer's wish to cancel."""

    answer = serializers.ChoiceField(choices=["ship", "cancel"])


class TagsInput(StrictSerializer):
    """Names of tags that exist."""

    tags = serializers.ListField(child=serializers.CharField(max_length=60), min_length=1, max_length=50)


class NoteInput(StrictSerializer):
    """A note of staff. One that names the buyer is erased with the order."""

    text = serializers.CharField(max_length=4000)
