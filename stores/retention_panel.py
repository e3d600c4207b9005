"""The section of a store's page on how long personal data is kept: read by all who see the store, changed by one role."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from stores import retaining
from stores.models import Store
from stores.models.store import RETENTION_MOST

HELP = {
    "retention_unshipped_days": _("Counted from the import, while an order is not fully shipped."),
    "retention_shipped_days": _("Counted from the ship date, the delivery or the shipment."),
    "retention_label_days": _("Counted from the label, where neither ship date nor delivery says otherwise."),
}


class RetentionForm(forms.Form):
    """Days, empty for the rule's own, and the profile. stores/retaining.py decides."""

    redaction_strict = forms.BooleanField(
        label=_("Strict profile"),
        required=False,
        help_text=_("Also erases postal code, custom fields, options of lines and every note."),
    )

    def __init__(self, *args, **given):
        super().__init__(*args, auto_id="retention_%s", **given)
        for name, most in RETENTION_MOST:
            field = forms.IntegerField(
                label=Store._meta.get_field(name).verbose_name, required=False, min_value=retaining.LEAST,
                max_value=most, help_text=HELP[name],
                widget=forms.NumberInput(attrs={"autocomplete": "off", "placeholder": str(most), "class": "oh-short"}),
            )  # fmt: skip
            field.widget.attrs["aria-describedby"] = f"retention_{name}_helptext"
            self.fields[name] = field
        self.order_fields([name for name, _most in RETENTION_MOST])

    @property
    def days(self) -> list[forms.BoundField]:
        return [self[name] for name, _most in RETENTION_MOST]

    def wish(self) -> retaining.Wish:
        data = self.cleaned_data
        return retaining.Wish({name: data[name] for name in retaining.PERIODS}, data[retaining.STRICT])


def of(store: Store) -> RetentionForm:
    return RetentionForm(initial={name: getattr(store, name) for name in (*retaining.PERIODS, retaining.STRICT)})


def facts(user, store: Store) -> dict:
    """`rows`: each period as it counts for the store, and why."""
    return {"rows": rows(store), "strict": store.redaction_strict, "may_change": retaining.may_change(user)}


def rows(store: Store) -> list[dict]:
    counts = periods_of(store)
    return [_row(store, name, most, counts[name]) for name, most in RETENTION_MOST]


def periods_of(store: Store) -> dict[str, int]:
    """Days that count: the least of the rule, the installation's setting and the store's own."""
    installation = (settings.RETENTION_UNSHIPPED_DAYS, settings.RETENTION_SHIPPED_DAYS, settings.RETENTION_LABEL_DAYS)
    found = {}
    for (name, most), days in zip(RETENTION_MOST, installation, strict=True):
        own = getattr(store, name)
        found[name] = min(most, days) if own is None else min(most, days, own)
    return found


def _row(store: Store, name: str, most: int, days: int) -> dict:
    own = getattr(store, name)
    if days == most:
        why = _now("the rule")
    elif own == days:
        why = _now("this store; the rule: %(most)d") % {"most": most}
    else:
        why = _now("the whole installation; the rule: %(most)d") % {"most": most}
    return {"label": Store._meta.get_field(name).verbose_name, "days": days, "why": why, "short": days < most}
