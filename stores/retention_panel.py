"""The section of a store's page on how long personal data is kept: read by all who see the store, changed by one role."""

from django import forms
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


def facts(user, store: Store, form: RetentionForm | None = None) -> dict:
    """`rows`: each period as it counts for the store, and the rule's. `form`: what was typed and refused."""
    may = retaining.may_change(user)
    return {
        "rows": [_row(store, name, most) for name, most in RETENTION_MOST],
        "strict": store.redaction_strict,
        "form": (form or of(store)) if may else None,
        "wrong": form is not None,
    }


def _row(store: Store, name: str, most: int) -> dict:
    own = getattr(store, name)
    return {
        "label": Store._meta.get_field(name).verbose_name,
        "days": most if own is None else own,
        "why": _now("the rule") if own is None else _now("shorter than the rule: %(most)d days") % {"most": most},
    }
