"""What an administrator says of an API key."""

from zoneinfo import available_timezones

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orderhub import apikeys
from orderhub.errors import RuleViolation
from orderhub.models import ApiKey, User
from orderhub.models.apikey import LONGEST, PACIFIC
from orderhub.rest import scopes
from orderhub.wording import badge
from stores.models import Store

GIVING_NAMES = {scopes.ORDERS_READ_PII, scopes.LABELS_READ}
GROUPS = {  # of scopes, by what stands before their colon
    "orders": _("Orders"), "products": _("Products"), "customers": _("Customers"), "stores": _("Stores"),
    "shipments": _("Shipments"), "labels": _("Labels"), "notifications": _("Notices"), "privacy": _("Privacy"),
    "webhooks": _("Webhooks"),
}  # fmt: skip


class KeyForm(forms.Form):
    """A key that there is; `NewKeyForm` for one that is to be made."""

    name = forms.CharField(label=_("client"), max_length=60, help_text=_("Who uses it: a partner, a program."))
    owner = forms.ModelChoiceField(
        User.objects.none(), label=_("responsible"),
        help_text=_("Somebody of yours. Once this person is made inactive, the key opens nothing."),
    )  # fmt: skip
    scopes = forms.MultipleChoiceField(label=_("what it may do"), widget=forms.CheckboxSelectMultiple)
    store_ids = forms.TypedMultipleChoiceField(
        label=_("which stores it sees"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    networks = forms.CharField(
        label=_("networks"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3, "cols": 40}),
        help_text=_("From where it may be used, one a line, such as 192.0.2.0/24. Empty: from anywhere."),
    )  # fmt: skip
    naive_zone = forms.ChoiceField(
        label=_("time zone of instants without one"), initial=PACIFIC,
        help_text=_("Only for ShipStation v1, whose clients mean Pacific time as a rule."),
    )  # fmt: skip
    rate_per_minute = forms.IntegerField(
        label=_("requests a minute"), initial=120,
        validators=[MinValueValidator(1), MaxValueValidator(apikeys.MOST_A_MINUTE)],
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        staff = User.objects.filter(is_active=True, is_staff=True, is_client=False)
        self.fields["owner"].queryset = staff.order_by("username")
        self.fields["scopes"].choices = _scopes()
        self.fields["store_ids"].choices = _stores()
        places = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
        self.fields["naive_zone"].choices = [(name, name) for name in (PACIFIC, "UTC", *places)]

    @classmethod
    def of(cls, key: ApiKey) -> "KeyForm":
        """The form as it opens for this key."""
        shown = {name: getattr(key, name) for name in ("name", "owner", "scopes", "store_ids", "naive_zone")}
        shown |= {"networks": "\n".join(key.networks), "rate_per_minute": key.rate_per_minute}
        return cls(initial=shown)

    def clean_networks(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["networks"].splitlines() if line.strip()]
        try:
            apikeys.read_networks(lines)
        except RuleViolation as error:
            raise forms.ValidationError(str(error)) from error
        return lines


class NewKeyForm(KeyForm):
    """All that, and how long the key lasts."""

    days = forms.IntegerField(
        label=_("days it lasts"), initial=LONGEST.days, help_text=_("At most 365. It cannot be made longer later."),
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST.days)],
    )  # fmt: skip


def _scopes() -> list[tuple]:
    found: dict[str, list] = {}
    for code, sentence in scopes.SCOPES.items():
        mark = badge(gettext("gives names"), "warn") if code in GIVING_NAMES else ""
        words = format_html("<span><code>{}</code> {} {}</span>", code, sentence, mark)
        found.setdefault(code.partition(":")[0], []).append((code, words))
    return [(GROUPS[group], choices) for group, choices in found.items()]


def _stores() -> list[tuple]:
    found: dict[str, list] = {}
    for store in Store.objects.select_related("merchant").order_by("merchant__name", "merchant", "name", "pk"):
        found.setdefault(str(store.merchant), []).append((store.pk, str(store)))
    return list(found.items())
