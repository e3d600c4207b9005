"""The form that measures a parcel before a label is bought for it. It only parses; shipments.quoting decides."""

from datetime import datetime, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.models import Order
from shipments import quoting
from shipments.forms import DateInput

AHEAD_DAYS = 14


def _number(label, most: int) -> forms.IntegerField:
    attrs = {"inputmode": "numeric", "autocomplete": "off"}
    return forms.IntegerField(
        label=label, min_value=1, max_value=most, widget=forms.TextInput(attrs=attrs), localize=False
    )


class MeasureForm(forms.Form):
    """Weight in grams, sides in mm, and the day it leaves, in the store's time zone."""

    use_required_attribute = False

    weight_g = _number(_("weight (g)"), quoting.MOST_WEIGHT_G)
    length_mm = _number(_("length (mm)"), quoting.MOST_SIDE_MM)
    width_mm = _number(_("width (mm)"), quoting.MOST_SIDE_MM)
    height_mm = _number(_("height (mm)"), quoting.MOST_SIDE_MM)
    ship_date = forms.DateField(label=_("ship date"), widget=DateInput, localize=False, input_formats=["%Y-%m-%d"])

    def __init__(self, data=None, *, order: Order, now: datetime):
        self.today = now.astimezone(order.store.zone).date()
        super().__init__(data, prefix="parcel", initial=quoting.preset(order) | {"ship_date": self.today})

    def clean_ship_date(self):
        """Today or soon: nobody hands over a parcel yesterday."""
        day = self.cleaned_data["ship_date"]
        if not self.today <= day <= self.today + timedelta(days=AHEAD_DAYS):
            text = _("The ship date must be today or within %(days)d days.") % {"days": AHEAD_DAYS}
            raise forms.ValidationError(text)
        return day
