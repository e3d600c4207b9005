"""Forms of the store screens: they read what was typed; the functions they lead to decide."""

from django import forms
from django.utils.translation import gettext_lazy as _

from stores import marketplaces
from stores.models import FeatureGrant, Merchant, Store
from stores.words import REGION_WORDS, source_words

MERCHANT_NAME_LENGTH = 100  # a store's name is the merchant's plus " · Amazon.com.mx", in 120 characters
SHIP_FROM_LINES = [  # the parts of an address as labels name them, as they stand on the page
    ("name", "company"),
    ("street1", "street2", "street3"),
    ("postal_code", "city"),
    ("state", "country", "phone"),
]
SHIP_FROM = [part for line in SHIP_FROM_LINES for part in line]


def _off(**attrs) -> dict:
    return {"autocomplete": "off", "spellcheck": "false"} | attrs


def _token_field() -> forms.CharField:
    """The token as typed; the page never gets it back, not even after a mistake."""
    return forms.CharField(
        label=_("Authorisation token"),
        widget=forms.PasswordInput(render_value=False, attrs=_off(**{"class": "vTextField"})),
        help_text=_("It begins with Atzr| and is shown once. OrderHub keeps it encrypted and never shows it again."),
        error_messages={"required": _("Paste the authorisation token that Seller Central showed.")},
    )


class VerifyForm(forms.Form):
    """Step 1: whose account it is, and what proves it."""

    merchant = forms.ModelChoiceField(
        Merchant.objects.all(), label=_("Merchant"), required=False, empty_label=_("A new merchant")
    )
    new_merchant = forms.CharField(
        label=_("Name of the new merchant"),
        required=False,
        max_length=MERCHANT_NAME_LENGTH,
        widget=forms.TextInput(attrs=_off(**{"class": "vTextField"})),
    )
    region = forms.ChoiceField(
        label=_("Region"),
        choices=list(REGION_WORDS.items()),
        widget=forms.RadioSelect,
        help_text=_("Europe includes the Middle East, India and South Africa. Far East: Japan, Australia, Singapore."),
        error_messages={"required": _("Choose the region: North America, Europe or Far East.")},
    )
    seller_id = forms.CharField(
        label=_("Seller ID"),
        max_length=40,
        widget=forms.TextInput(attrs=_off(**{"class": "vTextField"})),
        help_text=_("In Seller Central: Settings, Account info, Merchant token. Letters and digits only."),
        error_messages={"required": _("Type the seller ID: Seller Central shows it under Account info.")},
    )
    token = _token_field()

    def clean(self) -> dict:
        typed = super().clean()
        chosen, name = typed.get("merchant"), typed.get("new_merchant", "")
        if chosen and name:
            self.add_error("new_merchant", _("Choose a merchant or name a new one, not both."))
        elif not chosen and not name and "new_merchant" not in self.errors and "merchant" not in self.errors:
            self.add_error("merchant", _("Choose the merchant, or type the name of a new one."))
        elif name and Merchant.objects.filter(name__iexact=name).exists():
            self.add_error("new_merchant", _("A merchant of this name exists already: choose it in the list."))
        return typed


class SourcesField(forms.MultipleChoiceField):
    """Order sources. Connecting refuses what the seller has not got, and says what can be chosen instead."""

    widget = forms.CheckboxSelectMultiple

    def valid_value(self, value: str) -> bool:
        return True


class SourcesForm(forms.Form):
    """Order sources to connect, and how their products are told apart."""

    sources = SourcesField(label=_("Order sources"), error_messages={"required": _("Tick at least one order source.")})
    product_identifier = forms.ChoiceField(
        label=_("Product identifier"),
        choices=Store.Identifier.choices,
        widget=forms.RadioSelect,
        help_text=_("Products are recognised by it. If you are not sure, take SKU."),
        error_messages={"required": _("Choose SKU or ASIN. If you are not sure, take SKU.")},
    )

    def __init__(self, *args, codes: list[str] | tuple[str, ...], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sources"].choices = [(code, source_words(code)) for code in codes]
        self.fields["sources"].initial = [code for code in codes if code != marketplaces.JAPAN]


class RenewForm(forms.Form):
    """A token that takes the place of the old one."""

    token = _token_field()


class GrantForm(forms.Form):
    """A feature switched on or off, and why."""

    feature = forms.ChoiceField(choices=FeatureGrant.Feature.choices, widget=forms.HiddenInput)
    enabled = forms.TypedChoiceField(
        choices=[("on", "on"), ("off", "off")], coerce=lambda word: word == "on", widget=forms.HiddenInput
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        widget=forms.TextInput(attrs=_off(**{"class": "vTextField"})),
        error_messages={"required": _("Say why this feature is changed: the reason is kept.")},
    )


def _address_field(label, max_length: int, **given) -> forms.CharField:
    widget = forms.TextInput(attrs=_off(**{"class": "vTextField"}))
    return forms.CharField(label=label, required=False, max_length=max_length, widget=widget, **given)


class StoreForm(forms.ModelForm):
    """A store's own settings; the ship-from address as separate fields."""

    ship_from_name = _address_field(_("Name"), 120)
    ship_from_company = _address_field(_("Company"), 120)
    ship_from_street1 = _address_field(_("Street"), 120)
    ship_from_street2 = _address_field(_("Street, second line"), 120)
    ship_from_street3 = _address_field(_("Street, third line"), 120)
    ship_from_postal_code = _address_field(_("Postcode"), 20)
    ship_from_city = _address_field(_("City"), 80)
    ship_from_state = _address_field(_("State or region"), 80)
    ship_from_country = _address_field(_("Country code"), 2, help_text=_("Two letters, such as US or FR."))
    ship_from_phone = _address_field(_("Phone"), 40)

    class Meta:
        model = Store
        fields = ["name", "product_identifier", "active", "import_afn", "brand_name"]
        help_texts = {
            "product_identifier": _("Products are recognised by it. If you are not sure, take SKU."),
            "active": _("An inactive store takes no new orders in. Its orders stay."),
            "import_afn": _("Orders that Amazon ships itself (FBA). They come without names and addresses."),
            "brand_name": _("The sender's name on labels. Empty: the merchant's name."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        known = self.instance.ship_from or {}
        for part in SHIP_FROM:
            if f"ship_from_{part}" in self.fields:
                self.fields[f"ship_from_{part}"].initial = known.get(part, "")

    def clean_ship_from_country(self) -> str:
        code = self.cleaned_data["ship_from_country"].upper()
        if code and not (len(code) == 2 and code.isascii() and code.isalpha()):
            raise forms.ValidationError(_("Type the two letters of the country, such as US or FR."))
        return code

    def save(self, commit: bool = True) -> Store:
        if "ship_from_name" in self.cleaned_data:
            kept = {key: text for key, text in (self.instance.ship_from or {}).items() if key not in SHIP_FROM}
            typed = {part: self.cleaned_data[f"ship_from_{part}"] for part in SHIP_FROM}
            self.instance.ship_from = kept | {part: text for part, text in typed.items() if text}
        return super().save(commit)
