"""The forms of a parcel that holds a part of an order, or several orders. They only parse."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from django import forms
from django.forms.boundfield import BoundField

from orders.models import OrderItem
from shipments.dispatching import ParcelWish
from shipments.forms import ParcelForm


class PartForm(ParcelForm):
    """A parcel with the units of each line that go into it.

    A first part starts empty, as somebody must choose; a later one with all that is left.
    """

    def __init__(self, *args, lines: Iterable[OrderItem], **kwargs):
        super().__init__(*args, **kwargs)
        self.lines = [line for line in lines if line.quantity > line.quantity_shipped]
        later = any(line.quantity_shipped for line in lines)
        for line in self.lines:
            left = line.quantity - line.quantity_shipped
            self.fields[f"units-{line.pk}"] = forms.IntegerField(
                label=line.sku or line.asin or line.title, min_value=0, max_value=left, required=False,
                initial=left if later else None,
                widget=forms.NumberInput(attrs={"autocomplete": "off", "inputmode": "numeric", "placeholder": "0"}),
            )  # fmt: skip

    @property
    def rows(self) -> list[tuple[OrderItem, int, BoundField]]:
        """Each line, how many units of it are left, and its field."""
        return [(line, line.quantity - line.quantity_shipped, self[f"units-{line.pk}"]) for line in self.lines]

    @property
    def parcel_fields(self) -> list[BoundField]:
        return [field for field in self.visible_fields() if not field.name.startswith("units-")]

    @property
    def units(self) -> Mapping[int, int]:
        """What was typed, by line."""
        return {line.pk: self.cleaned_data.get(f"units-{line.pk}") or 0 for line in self.lines}

    def wish(self, **for_all: str) -> ParcelWish:
        return replace(super().wish(**for_all), items=self.units)
