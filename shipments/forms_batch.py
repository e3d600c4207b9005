"""The forms of a batch: what goes for all its rows, and what is typed for one. They only parse."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub.wording import about
from shipments import batchtyping, carriers, quoting
from shipments.forms import NEAR_DAYS, DateInput
from shipments.models import LabelBatch, LabelBatchRow

PASTE = "numbers"


class CommonForm(forms.ModelForm):
    """What goes for every row that says nothing else; other fields where labels are bought."""

    use_required_attribute = False

    carrier = forms.ChoiceField(
        label=_("carrier"), choices=lambda: [("", _("Choose…")), *carriers.choices()], required=False
    )
    ship_date = forms.DateField(
        label=_("ship date"), widget=DateInput, localize=False, required=False, input_formats=["%Y-%m-%d"],
        help_text=_("Empty: the day the labels are made."),
    )  # fmt: skip

    size = forms.CharField(
        label=_("size (mm)"), max_length=40, required=False,
        help_text=_("Length × width × height, for parcels whose products and rules say none."),
        widget=forms.TextInput(attrs={"placeholder": "300 × 200 × 100"}),
    )  # fmt: skip

    class Meta:
        model = LabelBatch
        fields = ["provider", "carrier", "service", "ship_date", "paper"]

    field_order = ["provider", "carrier", "service", "size", "ship_date", "paper"]

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["provider"].required = False
        self.initial["size"] = written_size(self.instance)
        for name in ("carrier", "service") if self.instance.buys else ("size",):
            del self.fields[name]
        for name in {"carrier", "service", "size"} & set(self.fields):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        if "service" in self.fields:
            self.fields["service"].help_text = _("For the rows of this carrier.")
        self.fields["paper"].help_text = _("For the PDF of all labels.")

    def changes(self) -> dict:
        """The columns that were typed and are valid."""
        found = {name: value for name, value in self.cleaned_data.items() if name in self.data}
        if not found.get("provider"):
            found.pop("provider", None)
        return found | found.pop("size", {})

    def clean_size(self) -> dict[str, int | None]:
        try:
            return batchtyping.sides(self.cleaned_data["size"])
        except ValueError as error:
            raise forms.ValidationError(capfirst(str(error))) from None

    def clean_ship_date(self):
        """A day near today: a slip of the year would be told to Amazon, and shorten how long the address is kept."""
        day = self.cleaned_data["ship_date"]
        if day and abs((day - self.today).days) > NEAR_DAYS:
            raise forms.ValidationError(
                _now("The ship date must be within %(days)d days of today.") % {"days": NEAR_DAYS}
            )
        return day


def written_size(found: LabelBatch | LabelBatchRow) -> str:
    """`300 × 200 × 100`, or nothing."""
    sides = (getattr(found, side) for side in quoting.SIDES)
    return " × ".join(str(side) for side in sides if side)


@dataclass
class Rows:
    """What was typed in the rows' own fields. `raw`: as typed, to be shown again where there are `problems`."""

    changes: dict[int, dict] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    raw: dict[int, dict[str, str]] = field(default_factory=dict)


FIELDS = {
    "carrier": "c",
    "service": "s",
    "tracking_number": "n",
    "weight_g": "w",
    "size": "d",
}  # one letter, with the row's id


def read_rows(data: Mapping[str, str], rows: Iterable[LabelBatchRow]) -> Rows:
    """The columns of those rows whose fields were on the page."""
    read = Rows()
    for row in rows:
        raw = {name: data[f"{letter}{row.pk}"] for name, letter in FIELDS.items() if f"{letter}{row.pk}" in data}
        if not raw:
            continue
        try:
            typed = (raw.get(name) for name in ("tracking_number", "service", "weight_g", "size"))
            changes = batchtyping.columns(*typed)
        except ValueError as error:
            read.problems.append(about(row.order.order_number, str(error)))
            read.raw[row.pk] = raw
            continue
        if "carrier" in raw and (raw["carrier"] in carriers.BY_CODE or not raw["carrier"]):
            changes["carrier"] = raw["carrier"]
        read.changes[row.pk] = changes
    return read
