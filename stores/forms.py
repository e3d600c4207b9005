"""Forms of the store screens: they read what was typed; the functions they lead to decide."""

from django import forms
from django.utils.translation import gettext_lazy as _

from orderhub.validators import one_line
from stores import marketplaces
from stores.models import Merchant, Store
from stores.words import source_words

MERCHANT_NAME_LENGTH = 100  # a store's name is the merchant's plus " · Amazon.com.mx", in 120 characters


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


class TileForm(forms.Form):
    """Step 1: the country whose tile was chosen."""

    country = forms.ChoiceField(
        choices=marketplaces.CODE_CHOICES,
        error_messages={
            "required": _("Choose the country of the seller account."),
            "invalid_choice": _("Choose the country of the seller account."),
        },
    )


class MerchantForm(forms.Form):
    """Whose account it is: a client company we know, or a new one."""

    merchant = forms.ModelChoiceField(
        Merchant.objects.all(), label=_("Merchant"), required=False, empty_label=_("A new merchant")
    )
    new_merchant = forms.CharField(
        label=_("Name of the new merchant"),
        required=False,
        max_length=MERCHANT_NAME_LENGTH,
        validators=[one_line],
        widget=forms.TextInput(attrs=_off(**{"class": "vTextField"})),
    )

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


class AccountForm(MerchantForm):
    """Step 3: whose account it is, and what proves it. `kept_for`: the seller id whose token is already here."""

    seller_id = forms.CharField(
        label=_("Seller ID"),
        max_length=40,
        widget=forms.TextInput(attrs=_off(**{"class": "vTextField"})),
        help_text=_("In Seller Central: Settings, Account info, Merchant token. Letters and digits only."),
        error_messages={"required": _("Type the seller ID: Seller Central shows it under Account info.")},
    )
    token = _token_field()

    def __init__(self, *args, kept_for: str = "", **kwargs):
        super().__init__(*args, **kwargs)
        self.kept_for = kept_for
        if kept_for:
            self.fields["token"].help_text = _(
                "A token is kept, and is not shown. Leave this empty to go on with it, or paste another one."
            )
            self.fields["token"].required = False

    def clean(self) -> dict:
        typed = super().clean()
        moved = typed.get("seller_id", self.kept_for) != self.kept_for
        if self.kept_for and moved and not typed.get("token") and "token" not in self.errors:
            self.add_error("token", _("Another seller ID needs its own token: paste it."))
        return typed


class SourcesField(forms.MultipleChoiceField):
    """Order sources. Connecting refuses what the seller has not got, and says what can be chosen instead."""

    widget = forms.CheckboxSelectMultiple

    def valid_value(self, value: str) -> bool:
        return True


class ChosenSourcesForm(forms.Form):
    """Order sources to connect, out of those Amazon confirmed."""

    sources = SourcesField(label=_("Order sources"), error_messages={"required": _("Tick at least one order source.")})

    def __init__(self, *args, codes: list[str] | tuple[str, ...], declare_plan: bool = False, **kwargs):
        """`declare_plan`: Amazon did not tell the selling plan, so whoever connects says it (R1)."""
        super().__init__(*args, **kwargs)
        self.fields["sources"].choices = [(code, source_words(code)) for code in codes]
        self.fields["sources"].initial = [code for code in codes if code != marketplaces.JAPAN]
        if declare_plan:
            self.fields["professional"] = forms.BooleanField(
                label=_("The seller has a Professional selling plan"),
                error_messages={
                    "required": _("Ask the seller and tick this: Amazon gives access to Professional plans only.")
                },
            )


def _identifier_field(label) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=Store.Identifier.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose SKU or ASIN. If you are not sure, take SKU.")},
    )


class IdentifiersForm(forms.Form):
    """How products are told apart, for each order source by itself (R10)."""

    def __init__(self, *args, codes: list[str] | tuple[str, ...], known: dict[str, str] | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        for code in codes:
            self.fields[code] = _identifier_field(marketplaces.BY_CODE[code].label)
            self.fields[code].initial = (known or {}).get(code, Store.Identifier.SKU)


class SourcesForm(ChosenSourcesForm):
    """Order sources added later, with one identifier for all of them."""

    product_identifier = _identifier_field(_("Product identifier"))
    product_identifier.help_text = _("Products are recognised by it. If you are not sure, take SKU.")


class RenewForm(forms.Form):
    """A token that takes the place of the old one."""

    token = _token_field()
