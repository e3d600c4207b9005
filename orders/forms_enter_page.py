"""The page on which an order is entered or corrected: the head with its store, and the lines as a set."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orders import correcting, entering, typed
from orders.entering import Entry
from orders.forms_entering import DATES, OWN, PERSON, HeadForm, LineForm
from orders.models import Order
from stores.forms_store import focus_mistake
from stores.models import Store

MOST_LINES = 20
LINES_SHOWN = 3  # empty lines ready to be filled in
NEEDED = ("recipient_name", "street1", "city", "country")  # what a label cannot do without
NEW = (Order.Status.AWAITING_SHIPMENT, Order.Status.AWAITING_PAYMENT)
SECTIONS = (  # as they stand on the page
    (
        _("Order"), "",
        ("store", "order_number", "status", "ordered_at", "ship_by", "deliver_by", "service_level",
         "requested_service", "payment_method", "currency", "shipping_total"),
    ),
    (
        _("Ship to"), "",
        ("recipient_name", "recipient_company", "street1", "street2", "street3", "postal_code", "city", "district",
         "state", "country", "phone"),
    ),
    (
        _("Buyer"), _("A company or a purchase order number makes it a business order, a gift message a gift."),
        ("buyer_name", "buyer_email", "buyer_company", "purchase_order_number", "gift_message", "buyer_notes",
         "delivery_instructions"),
    ),
    (
        _("Custom fields"), _("For your work: they stay when names and addresses are erased, so write none here."),
        ("custom_field_1", "custom_field_2", "custom_field_3"),
    ),
)  # fmt: skip


class StoreField(forms.ModelChoiceField):
    """A store by its merchant, its name and the zone its dates are in."""

    def label_from_instance(self, store: Store) -> str:
        return f"{store.merchant} · {store.name} ({store.time_zone})"


class EnterForm(HeadForm):
    """`order`: the one to be corrected. Its store stays, and `seen` tells how far its timeline was when it was read."""

    store = StoreField(
        Store.objects.none(), label=_("store"), error_messages={"required": _("Choose the store.")},
        help_text=_("Dates are in the time zone of the store."),
    )  # fmt: skip
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, order: Order | None = None, **given):
        super().__init__(*args, **given)
        self.fields["store"].queryset = entering.stores()
        statuses = NEW if order is None else correcting.statuses(order)
        self.fields["status"].choices = [(code, Order.Status(code).label) for code in statuses]
        if order is not None:
            del self.fields["store"]
            self.fields["order_number"].help_text = ""
            self.fields["ordered_at"].required = True
        for name in NEEDED:
            self.fields[name].required = True

    def sections(self) -> list[dict]:
        return [
            {"title": title, "note": note, "fields": [self[name] for name in names if name in self.fields]}
            for title, note, names in SECTIONS
        ]

    def entry(self, lines: list[dict], store: Store) -> Entry:
        """What was typed, once both forms are valid."""
        given = self.cleaned_data
        order = {name: given[name] for name in OWN}
        order |= {name: typed.aware(order[name], store.zone) for name in DATES if order[name]}
        person = {name: given[name] for name in PERSON}
        return Entry(given["order_number"], order, person, lines, given["status"] or Order.Status.AWAITING_SHIPMENT)

    def focus(self, lines: forms.BaseFormSet) -> None:
        """Put the cursor into the first field that was refused, as they stand on the page."""
        found = self.is_bound and focus_mistake(self, [name for *_words, names in SECTIONS for name in names])
        if self.is_bound and not found:
            any(focus_mistake(form, list(form.fields)) for form in lines.forms)


class Lines(forms.BaseFormSet):
    """The lines of the page: at least one is filled in."""

    def clean(self) -> None:
        if not any(self.errors) and not self.filled():
            raise ValidationError(_now("Type at least one line: what was ordered, and how many."))

    def filled(self) -> list[dict]:
        """What was typed, line by line, without those left or made empty."""
        return [form.cleaned_data for form in self.forms if form.has_changed() and form.cleaned_data]


LineFormSet = forms.formset_factory(
    LineForm, formset=Lines, extra=LINES_SHOWN, max_num=MOST_LINES, absolute_max=MOST_LINES
)  # fmt: skip
