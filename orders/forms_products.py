"""Forms of products: what a person may say of one, and where several lie."""

import hashlib

from django import forms
from django.contrib.admin.helpers import ActionForm
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub.validators import one_line
from orders.models import Product
from orders.products import HEAVIEST

LONGEST = 100_000  # mm


def _whole(label, most: int) -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"class": "vIntegerField", "autocomplete": "off"})
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=most, widget=widget)


class ProductForm(forms.ModelForm):
    """Grams and millimetres. What was changed by somebody else since the page was opened is not overwritten unseen."""

    weight_g = _whole(_("weight in grams"), HEAVIEST)
    length_mm = _whole(_("length in mm"), LONGEST)
    width_mm = _whole(_("width in mm"), LONGEST)
    height_mm = _whole(_("height in mm"), LONGEST)

    class Meta:
        model = Product
        fields = ["warehouse_location", "weight_g", "length_mm", "width_mm", "height_mm", "title"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.as_loaded = _fingerprint(self.instance)
        for name in ("warehouse_location", "title"):
            self.fields[name].validators.append(one_line)
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}

    def clean(self) -> dict:
        if self.data.get("as_loaded", self.as_loaded) != self.as_loaded:
            raise forms.ValidationError(
                _now("Somebody else changed this product meanwhile. Look at what you typed, then save it again.")
            )
        return super().clean()


def _fingerprint(product: Product) -> str:
    """Tells two states of a product's details apart."""
    kept = [getattr(product, name) for name in ProductForm.Meta.fields]
    return hashlib.sha256(repr(kept).encode()).hexdigest()[:16]


class LocationActionForm(ActionForm):
    """The action of the list, and where the chosen products lie: checked by the action, which can say what is wrong."""

    location = forms.CharField(
        label=_("Storage location:"), required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "maxlength": 60}),
    )  # fmt: skip
