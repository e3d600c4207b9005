"""The form that sends orders: one row a parcel. It only parses; shipments.dispatching decides."""

from dataclasses import dataclass
from datetime import date, datetime

from django import forms
from django.db.models import F, OuterRef, Prefetch, Subquery
from django.utils.translation import gettext_lazy as _

from orders import deadlines, roman
from orders.models import Order, OrderItem
from orders.rules import words
from orders.vocabulary import Vocabulary
from shipments import buyernotes, carriers
from shipments.dispatching import ParcelWish
from shipments.models import Shipment
from shipments.widgets import CarrierSelect

MOST = 200
NEAR_DAYS = 30
# A row posts four fields, so that 200 rows stay below DATA_UPLOAD_MAX_NUMBER_FIELDS: the box is "no label". What was
# warned of is one field for all of them.
WARNED = "warned"


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self):
        super().__init__(format="%Y-%m-%d")


class ParcelForm(forms.Form):
    """What a person types for one parcel. Errors of a date or carrier are shown in the row."""

    use_required_attribute = False

    carrier = forms.ChoiceField(label=_("carrier"), required=False, widget=CarrierSelect)
    service = forms.CharField(label=_("service"), max_length=80, required=False)
    tracking_number = forms.CharField(label=_("tracking number"), max_length=60, required=False)
    ship_date = forms.DateField(label=_("ship date"), widget=DateInput, localize=False)
    no_label = forms.BooleanField(label=_("no label"), required=False)
    note_to_buyer = forms.CharField(
        label=_("note to the buyer"), max_length=buyernotes.MOST_SIGNS, required=False,
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": buyernotes.MOST_SIGNS}),
        help_text=_("Printed on the packing slip. Erased with the order's address."),
    )  # fmt: skip

    def __init__(self, *args, today: date, noted: bool = False, **kwargs):
        """`noted`: whether a note to the buyer can be typed, as where one order is sent."""
        super().__init__(*args, **kwargs)
        self.today = today
        if not noted:
            del self.fields["note_to_buyer"]
        preset = self.initial.get("carrier", "")
        self.fields["carrier"].choices = [("", _("Choose…")), *carriers.choices(also=preset)]
        for name, field in self.fields.items():
            field.widget.attrs |= {"autocomplete": "off"}
            if name in {"tracking_number", "service"}:
                field.widget.attrs["spellcheck"] = "false"
        self.fields["ship_date"].input_formats = ["%Y-%m-%d"]

    def clean_ship_date(self):
        """A day near today: a slip of the year would be told to Amazon, and shorten how long the address is kept."""
        day = self.cleaned_data["ship_date"]
        if abs((day - self.today).days) > NEAR_DAYS:
            text = _("The ship date must be within %(days)d days of today.") % {"days": NEAR_DAYS}
            raise forms.ValidationError(text)
        return day

    def wish(self, *, carrier: str = "", service: str = "") -> ParcelWish:
        """The parcel as typed. `carrier`: the one chosen for all rows, if any; its service replaces the row's."""
        typed = self.cleaned_data
        left_over = typed["carrier"] != self.initial["carrier"] and typed["service"] == self.initial["service"]
        own_service = "" if left_over else typed["service"]  # the preset service belongs to the preset carrier
        return ParcelWish(
            carrier=carrier or typed["carrier"],
            tracking_number=typed["tracking_number"],
            ship_date=typed["ship_date"],
            service=service if carrier else own_service,
            with_label=not typed["no_label"],
            note_to_buyer=buyernotes.tidy(typed.get("note_to_buyer", "")),
        )


class AllRowsForm(forms.Form):
    """What goes for every row."""

    carrier = forms.ChoiceField(
        label=_("same carrier for all"),
        choices=lambda: [("", _("as chosen in each row")), *carriers.choices()],
        required=False,
        widget=forms.Select(attrs={"autocomplete": "off"}),
    )
    service = forms.CharField(
        label=_("its service, for all"),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def chosen(self) -> dict[str, str]:
        """Carrier and service for every row; blank where each row has its own."""
        found = self.cleaned_data if self.is_valid() else {}
        return {"carrier": found.get("carrier", ""), "service": found.get("service", "")}


@dataclass
class Row:
    """One order of the form. `error`: why it was not sent, in words. `unreadable`: its address allows no label.

    `wishes`: what rules wish for its parcel besides carrier and service, in words. `doubt`: why its number may be
    mistyped, and `token`, by which the next press of the button knows that this was told.
    """

    order: Order
    form: ParcelForm
    deadline: deadlines.Deadline | None
    refusal: str = ""
    error: str = ""
    unreadable: bool = False
    wishes: tuple[str, ...] = ()
    doubt: str = ""
    token: str = ""

    def warn(self, doubt: str, token: str) -> None:
        """Show the doubt beside the number, and say it with the field to those who do not see it."""
        self.doubt, self.token = doubt, token
        self.form.fields["tracking_number"].widget.attrs["aria-describedby"] = self.doubt_id

    @property
    def doubt_id(self) -> str:
        return f"doubt-{self.order.pk}"

    @property
    def noted(self) -> bool:
        return "note_to_buyer" in self.form.fields

    @property
    def lines(self) -> str:
        return ", ".join(f"{item.quantity} × {item.sku or item.asin or '?'}" for item in self.order.items.all())


def warned_of(data) -> frozenset[str]:
    """The tokens of the numbers this person was warned of and sends all the same."""
    return frozenset(data.get(WARNED, "").split(",")) - {""}


def rows_for(ids: list[int], *, now: datetime, data=None) -> list[Row]:
    """Rows in the order of their deadlines, preset from rules and from what each store used last.

    Three queries whatever their number, four where a rule names a store to ship from.
    """
    last = Shipment.objects.filter(order__store=OuterRef("store")).order_by("-pk")
    orders = (
        Order.objects.filter(pk__in=ids[:MOST])
        .select_related("store", "store__merchant")
        .prefetch_related(Prefetch("items", OrderItem.objects.order_by("pk")))
        .annotate(
            ship_city=F("person__city"),
            ship_country=F("person__country"),
            last_carrier=Subquery(last.values("carrier")[:1]),
            last_service=Subquery(last.values("service")[:1]),
        )
        .order_by(F("ship_by").asc(nulls_last=True), "pk")
    )
    unreadable, options = roman.unreadable(ids[:MOST]), Vocabulary()
    noted = len(ids) == 1
    return [_row(order, now, data, options, unreadable=order.pk in unreadable, noted=noted) for order in orders]


def _row(order: Order, now: datetime, data, options: Vocabulary, *, unreadable: bool, noted: bool) -> Row:
    today = now.astimezone(order.store.zone).date()
    preset = _preset(order) | {"ship_date": today}
    form = ParcelForm(data, prefix=f"o{order.pk}", initial=preset, today=today, noted=noted)
    refusal = order.why_not_shippable()
    told = tuple(words.wishes(order.wishes, options))
    return Row(order, form, deadlines.of(order, now=now), refusal=refusal, unreadable=unreadable, wishes=told)


def _preset(order: Order) -> dict[str, str]:
    """What rules wished for; else what the store used last. A service goes with its carrier only."""
    last = order.last_carrier or ""
    carrier = order.wishes.get("carrier", last)
    known = (order.last_service or "") if carrier == last else ""
    return {"carrier": carriers.in_table(carrier).code, "service": order.wishes.get("service", known)}
