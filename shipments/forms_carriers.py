"""The form of one carrier: what this installation says otherwise of it."""

import re

from django import forms
from django.core.validators import URLValidator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub.validators import one_line
from shipments.carriers import Carrier
from shipments.models import CarrierSetting

NUMBER = "{n}"


class CarrierForm(forms.ModelForm):
    """Blank means: as in the table that comes with OrderHub. `carrier`: that table's row."""

    class Meta:
        model = CarrierSetting
        fields = ["amazon", "tracking_url", "hidden"]

    def __init__(self, *args, carrier: Carrier, **kwargs):
        super().__init__(*args, **kwargs)
        amazon, url = self.fields["amazon"], self.fields["tracking_url"]
        amazon.help_text = _now(
            "Exactly as in Amazon's list of carriers, capitals included; “Other” where Amazon does not list it. If left empty: %(amazon)s."
        ) % {"amazon": carrier.amazon}
        url.help_text = _now(
            "The address of the page, https://…, with {n} where the tracking number goes. Never the buyer's postcode. If left empty: %(url)s"
        ) % {"url": carrier.url or _now("no page")}
        self.fields["hidden"].help_text = _(
            "Nobody can choose it for new parcels. Parcels that left with it, and rules that name it, stay as they are."
        )
        for field in (amazon, url):
            field.validators.append(one_line)
            field.widget.attrs |= {"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}

    def clean_tracking_url(self) -> str:
        """https, and the number in it once; nothing else is ever put into the address."""
        url = self.cleaned_data["tracking_url"].strip()
        if not url:
            return ""
        if url.count(NUMBER) != 1 or re.search(r"[{}]", url.replace(NUMBER, "")):
            raise forms.ValidationError(_now("Write {n} once, where the tracking number goes, and no other braces."))
        host, _slash, rest = url.removeprefix("https://").partition("/")
        try:
            URLValidator(schemes=["https"])(url.replace(NUMBER, "1Z"))
        except forms.ValidationError:
            raise forms.ValidationError(_now("Type a whole address that starts with https://.")) from None
        if NUMBER in host or "@" in host or not rest:
            raise forms.ValidationError(_now("The tracking number goes behind the name of the site, after a slash."))
        return url
