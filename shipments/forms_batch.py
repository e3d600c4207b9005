"""The forms of a batch: what goes for all its rows, and what is typed for one. They only parse."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub.wording import about
from shipments import batching, batchtyping, carriers
from shipments.forms import NEAR_DAYS, DateInput
from shipments.models import LabelBatch, LabelBatchRow

PASTE = "numbers"


class CommonForm(forms.ModelForm):
    """What goes for every row that says nothing else."""

    use_required_attribute = False

    carrier = forms.ChoiceField(
        label=_("carrier"), choices=lambda: [("", _("Choose…")), *carriers.choices()], required=False
    )
    ship_date = forms.DateField(
        label=_("ship date"), widget=DateInput, localize=False, required=False, input_formats=["%Y-%m-%d"],
        help_text=_("Empty: the day the labels are made."),
    )  # fmt: skip

    class Meta:
        model = LabelBatch
        fields = ["provider", "carrier", "service", "ship_date", "paper"]

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        if len(batching.PROVIDERS) > 1:
            self.fields["provider"].choices = [(found, found.label) for found in batching.PROVIDERS]
        else:
            del self.fields["provider"]
        for name in ("carrier", "service"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        self.fields["service"].help_text = _("For the rows of this carrier.")
        self.fields["paper"].help_text = _("For the PDF of all labels.")

    def clean_ship_date(self):
        """A day near today: a slip of the year would be told to Amazon, and shorten how long the address is kept."""
        day = self.cleaned_data["ship_date"]
        if day and abs((day - self.today).days) > NEAR_DAYS:
            raise forms.ValidationError(
                _now("The ship date must be within %(days)d days of today.") % {"days": NEAR_DAYS}
            )
        return day


@dataclass
class Rows:
    """What was typed in the rows' own fields. `raw`: as typed, to be shown again where there are `problems`."""

    changes: dict[int, dict] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    raw: dict[int, dict[str, str]] = field(default_factory=dict)


FIELDS = {"carrier": "c", "service": "s", "tracking_number": "n", "weight_g": "w"}  # one letter, with the row's id


def read_rows(data: Mapping[str, str], rows: Iterable[LabelBatchRow]) -> Rows:
    """The columns of those rows whose fields were on the page."""
    read = Rows()
    for row in rows:
        raw = {name: data[f"{letter}{row.pk}"] for name, letter in FIELDS.items() if f"{letter}{row.pk}" in data}
        if "tracking_number" not in raw:
            continue
        try:
            changes = batchtyping.columns(raw["tracking_number"], raw.get("service"), raw.get("weight_g"))
        except ValueError as error:
            read.problems.append(about(row.order.order_number, str(error)))
            read.raw[row.pk] = raw
            continue
        if raw.get("carrier", "") in carriers.BY_CODE or not raw.get("carrier"):
            changes["carrier"] = raw.get("carrier", "")
        read.changes[row.pk] = changes
    return read
