"""What became of a mail to a buyer, in few words: for the timeline, and for whoever shows mails.

The codes are written by the app that mails; here because the timeline is read without it.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from orders.models import Order

OUTCOMES = {
    "AmazonForbids": gettext_noop("Amazon forbids this mail: it mails the buyer itself"),
    "SenderNotApproved": gettext_noop("not sent: the sender is not confirmed as approved in Seller Central"),
    "NoAddress": gettext_noop("not sent: the order has no e-mail address"),
    "BadAddress": gettext_noop("not sent: the e-mail address cannot be used"),
    "Erased": gettext_noop("not sent: the personal data is erased"),
    "Voided": gettext_noop("not sent: the parcel was voided"),
    "NoLabel": gettext_noop("not sent: there is no return label to attach"),
    "ServerRefused": gettext_noop("failed: the mail server refused it for good"),
    "GaveUp": gettext_noop("failed: the mail server took no mail for 24 hours"),
    "Unknown": gettext_noop("interrupted: nobody knows whether it left"),
}
FAILED = ("ServerRefused", "GaveUp", "Unknown")


def kind(code: str) -> str:
    """The kind of a mail in words; the kinds belong to the app on the far side of the relation."""
    kinds = Order._meta.get_field("mails").related_model.Kind
    return str(kinds(code).label) if code in kinds.values else code


def outcome(code: str) -> str:
    """A reason, else a state, in words; '' for neither."""
    if code in OUTCOMES:
        return _(OUTCOMES[code])
    states = Order._meta.get_field("mails").related_model.State
    return str(states(code).label) if code in states.values else ""
