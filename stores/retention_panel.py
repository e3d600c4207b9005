"""The section of a store's page on how long personal data is kept: read by all who see the store, changed by one role."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from privacy import holds
from stores import retaining
from stores.models import Store
from stores.models.store import RETENTION_MOST

HELP = {
    "retention_unshipped_days": _("Counted from the import, while an order is not fully shipped."),
    "retention_shipped_days": _("Counted from the ship date, the delivery or the shipment."),
    "retention_label_days": _("Counted from the label, where neither ship date nor delivery says otherwise."),
}


def hold_choices() -> list[tuple[str, object]]:
    """What may be chosen; the first says what counts where a store names no law."""
    usual = holds.of_installation()
    if usual:
        none = _now("As for the whole installation: %(law)s") % {"law": holds.LegalHold(usual).label}
    else:
        none = _now("None: orders are deleted %(months)d months after their date") % {"months": holds.months()}
    return [("", none), *holds.LegalHold.choices]


class RetentionForm(forms.Form):
    """Days, empty for the rule's own, and the profile. stores/retaining.py decides."""

    redaction_strict = forms.BooleanField(
        label=_("Strict profile"),
        required=False,
        help_text=_("Also erases postal code, custom fields, options of lines and every note."),
    )

    legal_hold = forms.ChoiceField(
        label=_("Law that keeps old orders"), required=False, choices=hold_choices, widget=forms.RadioSelect
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
        return retaining.Wish(
            {name: data[name] for name in retaining.PERIODS}, data[retaining.STRICT], data[retaining.HOLD]
        )


def of(store: Store) -> RetentionForm:
    names = (*retaining.PERIODS, retaining.STRICT, retaining.HOLD)
    return RetentionForm(initial={name: getattr(store, name) for name in names})


def facts(user, store: Store) -> dict:
    """`rows`: each period as it counts for the store, and why. `old`: what becomes of its old orders."""
    may = retaining.may_change(user)
    return {"rows": rows(store), "strict": store.redaction_strict, "old": old_orders(store), "may_change": may}


def old_orders(store: Store) -> str:
    """A sentence on the rest of an order, which names nobody."""
    hold, months = store.legal_hold or holds.of_installation(), {"months": holds.months()}
    if not hold:
        return _now("deleted %(months)d months after their date") % months
    told = _now("after %(months)d months only the accounting fields stay: %(law)s")
    return told % (months | {"law": holds.LegalHold(hold).label})


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
