"""The form of an order entered by hand: its head and its lines. A file's cells go through the same fields."""

from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub.validators import one_line
from orders import typed
from orders.models import Order
from stores import countries

MOST_UNITS = 100_000
MOST_GRAMS = 1_000_000
WEIGHT_IN_ALL = 2_000_000_000  # grams, below what the column holds
FIRST_YEAR, LAST_YEAR = 2000, 2100
PERSON = (
    "recipient_name", "recipient_company", "street1", "street2", "street3", "postal_code", "city", "district", "state",
    "country", "phone", "buyer_name", "buyer_email", "buyer_company", "purchase_order_number", "gift_message",
    "buyer_notes", "delivery_instructions",
)  # fmt: skip
OWN = (
    "ordered_at", "ship_by", "deliver_by", "service_level", "requested_service", "payment_method", "currency",
    "shipping_total", "custom_field_1", "custom_field_2", "custom_field_3",
)  # fmt: skip
DATES = ("ordered_at", "ship_by", "deliver_by")
LINE = (
    "sku",
    "asin",
    "title",
    "quantity",
    "unit_price",
    "tax",
    "discount",
    "weight_g",
    "warehouse_location",
    "options",
)


def _off(**attrs) -> dict:
    return {"autocomplete": "off", "spellcheck": "false"} | attrs


def _text(label, most: int, **given) -> forms.CharField:
    widget = given.pop("widget", forms.TextInput(attrs=_off()))
    required = given.pop("required", False)
    return forms.CharField(
        label=label, required=required, max_length=most, widget=widget, validators=[one_line], **given
    )


def _paragraph(label) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=2000, widget=forms.Textarea(attrs=_off(rows=2, cols=30))
    )


class InstantField(forms.CharField):
    """A date with or without a time, in any way typed.instant() reads. Naive until the store's zone is known."""

    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs=_off(type="datetime-local"))

    def to_python(self, value) -> datetime | None:
        if isinstance(value, datetime):
            return value
        text = super().to_python(value)
        if not text:
            return None
        when, _either_way = typed.instant(text)
        if not FIRST_YEAR <= when.year < LAST_YEAR:
            raise ValidationError(_now("This date is too far away. Check the year."))
        return when

    def run_validators(self, value) -> None:
        """None of a text's own."""


class AmountField(forms.CharField):
    """Money as people write it in either language; never below zero."""

    widget = forms.TextInput(attrs=_off(inputmode="decimal", size=7))

    def to_python(self, value):
        text = super().to_python(value)
        if not text:
            return None
        amount = typed.number(text)
        if amount < 0:
            raise ValidationError(_now("Write this amount without a minus: a discount is taken off by itself."))
        return amount

    def run_validators(self, value) -> None:
        """None of a text's own."""


class OptionsField(forms.CharField):
    """`name=value`, one a line."""

    widget = forms.Textarea(attrs=_off(rows=1, cols=16))

    def to_python(self, value) -> list[dict[str, str]]:
        return typed.options(super().to_python(value))

    def has_changed(self, initial, data) -> bool:
        return (initial or "") != (data or "")

    def run_validators(self, value) -> None:
        """None of a text's own."""


class CodeField(forms.CharField):
    """A code in capital letters, typed in any case."""

    def to_python(self, value) -> str:
        text = super().to_python(value)
        return text.upper() if text.isascii() else text  # ß would become SS


def _currency(code: str) -> None:
    if not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise ValidationError(_now("Type the three letters of the currency, such as EUR or USD."))


def _country(code: str) -> None:
    if code not in countries.CODES:
        raise ValidationError(_now("Type the two letters of the country, such as US, GB or FR."))


class HeadForm(forms.Form):
    """Everything but the lines. Which store, and whether the number is free there, is decided with the store at hand."""

    use_required_attribute = False

    order_number = _text(_("order number"), 60)
    order_number.help_text = _("Empty: OrderHub gives one.")
    status = forms.ChoiceField(label=_("status"), choices=Order.Status.choices, required=False)
    ordered_at = InstantField(label=_("ordered at"), required=False)
    ship_by = InstantField(label=_("ship by"), required=False)
    deliver_by = InstantField(label=_("deliver by"), required=False)
    service_level = forms.ChoiceField(
        label=_("service level"), choices=[("", "–"), *Order.ServiceLevel.choices], required=False
    )
    requested_service = _text(_("requested service"), 60)
    payment_method = _text(_("payment method"), 120)
    currency = CodeField(
        label=_("currency"), validators=[_currency], widget=forms.TextInput(attrs=_off(maxlength=3, size=4)),
        error_messages={"required": _("Type the three letters of the currency, such as EUR or USD.")},
    )  # fmt: skip
    shipping_total = AmountField(label=_("shipping paid"), required=False)
    recipient_name = _text(_("recipient"), 120)
    recipient_company = _text(_("company"), 120)
    street1 = _text(_("street"), 120)
    street2 = _text(_("street (2)"), 120)
    street3 = _text(_("street (3)"), 120)
    postal_code = _text(_("postal code"), 20)
    city = _text(_("city"), 80)
    district = _text(_("district"), 80)
    state = _text(_("state"), 80)
    country = CodeField(
        label=_("country"), required=False, validators=[_country], help_text=_("Two letters, such as US or FR."),
        widget=forms.TextInput(attrs=_off(maxlength=2, size=4)),
    )  # fmt: skip
    phone = _text(_("phone"), 40)
    buyer_name = _text(_("buyer"), 120)
    buyer_email = forms.EmailField(
        label=_("e-mail"), required=False, max_length=254, widget=forms.TextInput(attrs=_off(inputmode="email"))
    )
    buyer_company = _text(_("buyer's company"), 120)
    purchase_order_number = _text(_("purchase order number"), 120)
    gift_message = _paragraph(_("gift message"))
    buyer_notes = _paragraph(_("note from the buyer"))
    delivery_instructions = _paragraph(_("delivery instructions"))
    custom_field_1 = _text(_("custom field 1"), 120)
    custom_field_2 = _text(_("custom field 2"), 120)
    custom_field_3 = _text(_("custom field 3"), 120)


class LineForm(forms.Form):
    """One line. `item`: the row it corrects, none for a new one. An empty form is no line."""

    use_required_attribute = False

    item = forms.IntegerField(required=False, widget=forms.HiddenInput)
    sku = _text("SKU", 120, widget=forms.TextInput(attrs=_off(size=12)))
    asin = CodeField(label="ASIN", required=False, max_length=20, widget=forms.TextInput(attrs=_off(size=11)))
    asin.validators.append(one_line)
    title = _text(_("title"), 500, widget=forms.TextInput(attrs=_off(size=22)))
    quantity = forms.IntegerField(
        label=_("quantity"), min_value=1, max_value=MOST_UNITS,
        widget=forms.TextInput(attrs=_off(inputmode="numeric", size=4)),
        error_messages={"required": _("Type how many units were ordered.")},
    )  # fmt: skip
    unit_price = AmountField(label=_("unit price"), required=False)
    tax = AmountField(label=_("tax"), required=False)
    discount = AmountField(label=_("discount"), required=False)
    weight_g = forms.IntegerField(
        label=_("weight of one in grams"), required=False, min_value=0, max_value=MOST_GRAMS,
        widget=forms.TextInput(attrs=_off(inputmode="numeric", size=5)),
    )  # fmt: skip
    warehouse_location = _text(_("storage location"), 60, widget=forms.TextInput(attrs=_off(size=7)))
    options = OptionsField(label=_("options"), required=False)

    @cached_property
    def changed_data(self) -> list[str]:
        """Only what is typed counts: a line made empty is no line any more."""
        return [name for name in super().changed_data if name != "item"]

    def clean(self) -> dict:
        given = super().clean()
        if not self.errors and not (given.get("sku") or given.get("asin") or given.get("title")):
            self.add_error("sku", NAMELESS)
        return given


NAMELESS = _("Name the product: SKU, ASIN or title.")
