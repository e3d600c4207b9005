"""Forms of BigCommerce stores: connecting, a new token, and the link with its two answers. There is no field for an address."""

from django import forms
from django.utils.translation import gettext_lazy as _

from orderhub.validators import one_line
from stores.connectors.bigcommerce.client import STORE_HASH
from stores.forms_store import SAME_NAME, focus_mistake
from stores.models import Merchant, Store

OFF = {"autocomplete": "off", "spellcheck": "false", "class": "vTextField"}


def _token_field(**given) -> forms.CharField:
    return forms.CharField(
        label=_("Access token"), widget=forms.PasswordInput(render_value=False, attrs=OFF), max_length=200,
        help_text=_("It is shown once, when the API account is created. OrderHub keeps it encrypted and never shows it again."),
        error_messages={"required": _("Paste the access token of the API account.")}, **given,
    )  # fmt: skip


class ShopForm(forms.Form):
    """A BigCommerce store to connect."""

    merchant = forms.ModelChoiceField(
        Merchant.objects.all(), label=_("Merchant"), error_messages={"required": _("Choose the merchant.")}
    )
    name = forms.CharField(
        label=_("Name"), required=False, max_length=120, widget=forms.TextInput(attrs=OFF), validators=[one_line]
    )
    name.help_text = _("Empty: its name at BigCommerce.")
    store_hash = forms.RegexField(
        rf"\A{STORE_HASH.pattern}\Z", label=_("Store hash"), widget=forms.TextInput(attrs=OFF), strip=True,
        help_text=_("The part after “stores/” in the API path: small letters and digits."),
        error_messages={
            "required": _("Type the store hash."),
            "invalid": _("A store hash is 4 to 24 small letters and digits: the part after “stores/” in the API path."),
        },
    )  # fmt: skip
    token = _token_field()

    def clean(self) -> dict:
        typed = super().clean()
        name, merchant = typed.get("name"), typed.get("merchant")
        if name and merchant and merchant.stores.filter(name__iexact=name).exists():
            self.add_error("name", SAME_NAME)
        return typed

    def focus(self) -> None:
        """Put the cursor into the first field that was refused; otherwise into the token, which was not kept."""
        if not focus_mistake(self, list(self.fields)):
            self.fields["token"].widget.attrs["autofocus"] = True


class ShopTokenForm(forms.Form):
    """Verify again: with the token that is there, or with another one."""

    token = _token_field(required=False)


class LinkForm(forms.Form):
    """The link and the two questions it asks."""

    shop = forms.ModelChoiceField(
        Store.objects.none(),
        label=_("BigCommerce store"),
        error_messages={"required": _("Choose the BigCommerce store.")},
    )
    told_by = forms.ChoiceField(
        label=_("Who tells Amazon of parcels?"), choices=Store.ToldBy.choices, widget=forms.RadioSelect,
        help_text=_("Only one may: told twice, Amazon takes the second for another parcel."),
        error_messages={"required": _("Say who tells Amazon of parcels: OrderHub or the connector, never both.")},
    )  # fmt: skip
    mails_off = forms.BooleanField(
        label=_("Status mails are off for Amazon orders"), required=False,
        help_text=_("In BigCommerce: Settings, Order notifications; or for the Amazon channel alone."),
    )  # fmt: skip

    def __init__(self, *args, store: Store, **kwargs):
        initial = {
            "shop": store.linked_store_id,
            "told_by": store.amazon_told_by,
        }  # the tick is somebody's word, for each shop
        super().__init__(*args, initial=initial, auto_id="link_%s", **kwargs)
        shops = Store.objects.filter(platform=Store.Platform.BIGCOMMERCE, merchant=store.merchant_id)
        self.fields["shop"].queryset = shops.order_by("name")
        self.answered = store.linked_store_id if store.linked_mails_off_at else None
        if self.answered:
            self._ask_only_for_others()

    def _ask_only_for_others(self) -> None:
        """The question about mails is answered for the linked shop; it is put where another one can be chosen."""
        if self.fields["shop"].queryset.exclude(pk=self.answered).exists():
            self.fields["mails_off"].help_text = _(
                "Only if you choose another BigCommerce store: the question is put anew for it."
            )
        else:
            del self.fields["mails_off"]

    def clean(self) -> dict:
        """The answer given for a shop counts as long as the link leads there."""
        typed = super().clean()
        shop = typed.get("shop")
        self.keeps_answer = bool(shop and shop.pk == self.answered and not typed.get("mails_off"))
        return typed

    def focus(self) -> None:
        """Put the cursor into the first field that was refused."""
        focus_mistake(self, list(self.fields))
