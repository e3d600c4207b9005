"""Forms of a store's page: they read what was typed; the functions they lead to decide."""

import hashlib
from urllib.parse import urlsplit

from django import forms
from django.core.validators import URLValidator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub.errors import RuleViolation
from orderhub.validators import one_line
from stores import countries, logos, statusmap
from stores.models import (
    MAPPED_FIELDS,
    MOST_DELAY_MINUTES,
    CustomFieldSource,
    FeatureGrant,
    MarketplaceStatus,
    Store,
)

LEAST_DIGITS = 5  # of a phone number
MOST_STATUSES = 100  # a form of more would be refused as too large
SHIP_FROM_LINES = [  # the parts of an address as labels name them, as they stand on the page
    ("name", "company"),
    ("street1",),
    ("street2", "street3"),
    ("postal_code", "city"),
    ("state", "country", "phone"),
]
SAME_NAME = _("This merchant has another store of this name. Choose a name that tells them apart.")
SHIP_FROM = [part for line in SHIP_FROM_LINES for part in line]


def _off(**attrs) -> dict:
    return {"autocomplete": "off", "spellcheck": "false", "class": "vTextField"} | attrs


def _text(label, max_length: int, **given) -> forms.CharField:
    widget = forms.TextInput(attrs=_off())
    return forms.CharField(
        label=label, required=False, max_length=max_length, widget=widget, validators=[one_line], **given
    )


def focus_mistake(form: forms.BaseForm, names: list[str]) -> bool:
    """Put the cursor into the first of these fields that was refused; False where none was."""
    wrong = next((name for name in names if name in form.errors), None)
    if wrong is not None:
        form.fields[wrong].widget.attrs["autofocus"] = True
    return wrong is not None


class GrantForm(forms.Form):
    """A feature switched on or off, and why."""

    feature = forms.ChoiceField(choices=FeatureGrant.Feature.choices, widget=forms.HiddenInput)
    enabled = forms.TypedChoiceField(
        choices=[("on", "on"), ("off", "off")], coerce=lambda word: word == "on", widget=forms.HiddenInput
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        widget=forms.TextInput(attrs=_off()),
        error_messages={"required": _("Say why this feature is changed: the reason is kept.")},
    )


class MappingForm(forms.Form):
    """What the three custom fields hold. Shows the choices; stores/customfields.py reads what was chosen."""

    def __init__(self, sources: tuple[str, ...], *, disabled: bool = False):
        super().__init__(auto_id="map_%s")
        for name, source in zip(MAPPED_FIELDS, sources, strict=True):
            self.fields[name] = forms.ChoiceField(
                label=Store._meta.get_field(name).verbose_name,
                choices=[("", _("nothing")), *CustomFieldSource.choices],
                initial=source,
                required=False,
                disabled=disabled,
            )


def _fingerprint(store: Store) -> str:
    """Tells two states of the form's settings apart."""
    kept = [str(getattr(store, name)) for name in StoreForm.Meta.fields]
    return hashlib.sha256(repr([*kept, sorted((store.ship_from or {}).items())]).encode()).hexdigest()[:16]


class StoreForm(forms.ModelForm):
    """A store's own settings; the ship-from address as separate fields."""

    ship_from_name = _text(_("Name"), 120)
    ship_from_company = _text(_("Company"), 120)
    ship_from_street1 = _text(_("Street"), 120)
    ship_from_street2 = _text(_("Street, second line"), 120)
    ship_from_street3 = _text(_("Street, third line"), 120)
    ship_from_postal_code = _text(_("Postcode"), 20)
    ship_from_city = _text(_("City"), 80)
    ship_from_state = _text(_("State or region"), 80)
    ship_from_country = _text(_("Country code"), 40, help_text=_("Two letters, such as US or FR."))
    ship_from_phone = _text(_("Phone"), 40)
    brand_site = forms.URLField(
        label=_("web site"), required=False, max_length=200, assume_scheme="https", widget=forms.URLInput(attrs=_off())
    )
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_("PNG, JPEG or WebP, up to 1 MB and 4,000 × 4,000 pixels."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )
    notify_delay_minutes = forms.IntegerField(
        label=_("delay in minutes"), required=False, min_value=1, max_value=MOST_DELAY_MINUTES,
        widget=forms.NumberInput(attrs={"list": "usual-delays"}),
        help_text=_("From 1 to 1440. It counts only where a delay is chosen, and ends an hour before the deadline."),
    )  # fmt: skip

    class Meta:
        model = Store
        fields = [
            "name", "active", "product_identifier", "import_afn", "import_customization", "brand_name", "brand_phone",
            "brand_site", "slip_message", "slip_shows_sku", "brand_from_email", "notify_when", "notify_delay_minutes",
            "correct_tracking", "product_title_policy",
            "product_image_policy", "product_weight_policy", "product_dimensions_policy",
            "short_stock",
            "mail_shipped", "mail_delivered",
        ]  # fmt: skip
        widgets = {
            "notify_when": forms.RadioSelect,
            "slip_message": forms.Textarea(attrs={"rows": 3, "maxlength": 300, "class": "vLargeTextField"}),
        }
        help_texts = {
            "product_identifier": _("Products are recognised by it. If you are not sure, take SKU."),
            "active": _("An inactive store takes no new orders in. Its orders stay."),
            "import_afn": _("Orders that Amazon ships itself (FBA). They come without names and addresses."),
            "import_customization": _(
                "Texts and pictures that buyers give for Amazon Custom products. They are shown on the order's page and erased with the order."
            ),
            "correct_tracking": _(
                "After a voided label, Amazon keeps the old number unless somebody corrects it on the order's page. Amazon takes corrections for a while only, and the buyer may be told of a second number. Leave this off unless you need it."
            ),
            "brand_name": _("The sender's name on labels. Empty: the merchant's name."),
            "slip_message": _("Stands at the foot of each packing slip: thanks, or how to return something."),
            "slip_shows_sku": _("Off: buyers see the products' names only."),
            "brand_from_email": _("Empty: the service's own address."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.as_loaded = _fingerprint(self.instance)
        for name in ("name", "brand_name", "brand_phone"):
            if name in self.fields:
                self.fields[name].validators.append(one_line)
        known = self.instance.ship_from or {}
        for part in SHIP_FROM:
            if f"ship_from_{part}" in self.fields:
                self.fields[f"ship_from_{part}"].initial = known.get(part, "")

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        others = Store.objects.filter(merchant=self.instance.merchant_id).exclude(pk=self.instance.pk)
        if name != self.instance.name and others.filter(name__iexact=name).exists():
            raise forms.ValidationError(SAME_NAME)
        return name

    def clean_ship_from_country(self) -> str:
        typed = self.cleaned_data["ship_from_country"]
        code = typed.upper() if typed.isascii() else typed  # ß would become SS, South Sudan
        if code and code not in countries.CODES:
            raise forms.ValidationError(_("Type the two letters of the country, such as US, GB or FR."))
        return code

    def clean_ship_from_phone(self) -> str:
        phone = self.cleaned_data["ship_from_phone"]
        if phone and sum(letter.isdigit() for letter in phone) < LEAST_DIGITS:
            raise forms.ValidationError(_("A phone number has at least 5 digits."))
        return phone

    def clean_brand_site(self) -> str:
        site = self.cleaned_data["brand_site"]
        if site:
            sentence = _("Type an address that begins with https:// or http://.")
            URLValidator(schemes=["http", "https"], message=sentence)(site)
            if "@" in urlsplit(site).netloc:
                raise forms.ValidationError(_("Type the address without a user name."))
        return site

    def clean_slip_message(self) -> str:
        """Line breaks of one kind; a text of blanks is none."""
        return "\n".join(line.rstrip() for line in self.cleaned_data["slip_message"].splitlines()).strip()

    def clean_brand_from_email(self) -> str:
        address = self.cleaned_data["brand_from_email"]
        if not address.isascii() or '"' in address:
            raise forms.ValidationError(_("Type a plain address, without accents or quotation marks."))
        return address

    def clean_logo(self) -> bytes | None:
        """The picture drawn again, ready to be kept."""
        upload = self.cleaned_data["logo"]
        try:
            return logos.cleaned(upload) if upload else None
        except RuleViolation as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict:
        """A delay needs its minutes; the other choices have none. Nobody overwrites what they have not seen."""
        typed = super().clean()
        if self.data.get("as_loaded", self.as_loaded) != self.as_loaded:
            raise forms.ValidationError(
                _(
                    "Somebody else changed these settings meanwhile. Look at what you typed, then save it again if it still stands."
                )
            )
        if typed.get("notify_when") != Store.NotifyWhen.DELAY:
            typed["notify_delay_minutes"] = None
            self.errors.pop("notify_delay_minutes", None)
        elif not typed.get("notify_delay_minutes") and "notify_delay_minutes" not in self.errors:
            self.add_error("notify_delay_minutes", _("Type the delay in minutes, from 1 to 1440."))
        return typed

    def save(self, commit: bool = True) -> Store:
        if "ship_from_name" in self.cleaned_data:
            kept = {key: text for key, text in (self.instance.ship_from or {}).items() if key not in SHIP_FROM}
            typed = {part: self.cleaned_data[f"ship_from_{part}"] for part in SHIP_FROM}
            self.instance.ship_from = kept | {part: text for part, text in typed.items() if text}
        return super().save(commit)


def with_changes(store: Store, changes: dict) -> StoreForm:
    """The form as the store's page would send it with these changes and all else as it is, for those without a page."""
    shown = StoreForm(instance=store)
    kept = {name: shown[name].value() for name in shown.fields}
    return StoreForm({name: value for name, value in (kept | changes).items() if value or value == 0}, instance=store)


class StatusForm(forms.ModelForm):
    """One status of the marketplace and what it means. A row that is only offered may stay as it is."""

    class Meta:
        model = MarketplaceStatus
        fields = ["name", "status"]
        widgets = {"name": forms.TextInput(attrs=_off())}
        error_messages = {"status": {"required": _("Choose what this status means.")}}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.waiting = self.initial.get("waiting", 0)  # orders, of a row that is only offered
        self.fields["name"].show_hidden_initial = True  # what was offered may have changed since the page was opened

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if statusmap.key(name) in {statusmap.key(word) for word in statusmap.AMAZON_WORDS}:
            raise forms.ValidationError(
                _("%(name)s is Amazon's own status: OrderHub knows what it means and nobody can change that."),
                params={"name": name},
            )
        return name


class StatusFormSet(forms.BaseInlineFormSet):
    """The rows of a store: upper and lower case are one status, so no two rows may differ in that only."""

    def clean(self) -> None:
        seen = set()
        for form in self.forms:
            name = form.cleaned_data.get("name") if hasattr(form, "cleaned_data") else None
            if not name or form in self.deleted_forms:
                continue
            if statusmap.key(name) in seen:
                raise forms.ValidationError(_now("%(name)s stands here twice: keep one row.") % {"name": name})
            seen.add(statusmap.key(name))
        if len(seen) > MOST_STATUSES:
            raise forms.ValidationError(_now("A store keeps at most %(most)d statuses.") % {"most": MOST_STATUSES})
        super().clean()
