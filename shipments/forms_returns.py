"""The form of a return label. It only parses; shipments.returning decides."""

from django import forms
from django.utils.translation import gettext_lazy as _

from shipments import carriers
from shipments.returning import ReturnWish


class ReturnForm(forms.Form):
    """What a person types for one return. `may_mail`: whether this person may also have it mailed."""

    use_required_attribute = False

    carrier = forms.ChoiceField(
        label=_("carrier"),
        choices=lambda: [("", _("Choose…")), *carriers.choices()],
        error_messages={"required": _("Choose the carrier of the return.")},
    )
    service = forms.CharField(label=_("service"), max_length=80, required=False)
    tracking_number = forms.CharField(
        label=_("tracking number"), max_length=60,
        error_messages={"required": _("Type the tracking number that the carrier gave for the return.")},
    )  # fmt: skip
    mail = forms.BooleanField(label=_("mail the label to the buyer"), required=False, initial=True)

    def __init__(self, *args, may_mail: bool, **kwargs):
        super().__init__(*args, **kwargs)
        for name, offered in self.fields.items():
            offered.widget.attrs |= {"autocomplete": "off"}
            if name in {"service", "tracking_number"}:
                offered.widget.attrs["spellcheck"] = "false"
        if not may_mail:
            del self.fields["mail"]

    def wish(self) -> ReturnWish:
        typed = self.cleaned_data
        return ReturnWish(typed["carrier"], typed["tracking_number"], service=typed["service"])

    @property
    def wants_mail(self) -> bool:
        return bool(self.cleaned_data.get("mail"))
