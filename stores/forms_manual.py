"""The form of a store without a marketplace behind it: its orders are entered by hand or come from files."""

from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from orderhub.validators import one_line
from stores.forms import MerchantForm
from stores.forms_store import SAME_NAME, focus_mistake
from stores.models import Store

OFF = {"autocomplete": "off", "spellcheck": "false", "class": "vTextField"}
PLATFORMS = (
    (Store.Platform.HANDMADE, _("Amazon Handmade: erased and mailed like Amazon's orders")),
    (Store.Platform.MANUAL, _("Other orders: by phone, from a fair, of a shop of one's own")),
)


def zones() -> list[tuple[str, str]]:
    """Places of the time zone database, UTC first."""
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [(name, name.replace("_", " ")) for name in ("UTC", *places)]


class ManualStoreForm(MerchantForm):
    """Whose store it is, and how its orders are read. The currency is each order's own."""

    platform = forms.ChoiceField(
        label=_("Kind of store"), choices=PLATFORMS, widget=forms.RadioSelect,
        error_messages={"required": _("Choose what kind of orders it takes.")},
    )  # fmt: skip
    name = forms.CharField(
        label=_("Name"), max_length=120, widget=forms.TextInput(attrs=OFF), validators=[one_line],
        error_messages={"required": _("Type a name that tells the store apart.")},
    )  # fmt: skip
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zones, initial="Europe/Paris",
        help_text=_("Dates typed without a zone, and deadlines, are in it."),
    )  # fmt: skip
    product_identifier = forms.ChoiceField(
        label=_("Product identifier"), choices=Store.Identifier.choices, initial=Store.Identifier.SKU,
        help_text=_("Products are recognised by it. If you are not sure, take SKU."),
    )  # fmt: skip
    field_order = ["platform", "merchant", "new_merchant", "name", "time_zone", "product_identifier"]

    def clean(self) -> dict:
        typed = super().clean()
        name, merchant = typed.get("name"), typed.get("merchant")
        if name and merchant and merchant.stores.filter(name__iexact=name).exists():
            self.add_error("name", SAME_NAME)
        return typed

    def focus(self) -> None:
        focus_mistake(self, self.field_order)
