"""What a mail's state means for the person who looks at it, and what to do next. No address is named."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from orderhub.wording import utc
from shipments.mails import deciding, delivering, gateway
from shipments.models import OutgoingMail

Kind, State = OutgoingMail.Kind, OutgoingMail.State
LEVELS = {
    State.PENDING: "info", State.SENDING: "info", State.SENT: "ok", State.REFUSED: "warn", State.FAILED: "bad",
    State.CANCELLED: "muted",
}  # fmt: skip
FINAL = (deciding.AMAZON_FORBIDS, deciding.ERASED, deciding.VOIDED)  # asking again would change nothing


@dataclass(frozen=True)
class MailWords:
    """A mail as a person reads it. `link`: where it is mended, '' where nowhere; `again`: the button, '' for none."""

    state: str
    level: str
    meaning: str
    link: str = ""
    again: str = ""


def of(mail: OutgoingMail) -> MailWords:
    """Needs the order's store at hand."""
    level = "muted" if mail.reason == deciding.AMAZON_FORBIDS else LEVELS[mail.state]
    link = ""
    if mail.reason == deciding.SENDER_NOT_APPROVED:
        link = reverse("admin:stores_store_change", args=[mail.order.store_id]) + "#sender"
    return MailWords(mail.get_state_display(), level, _meaning(mail), link, _again(mail))


def _again(mail: OutgoingMail) -> str:
    if not gateway.may_go_again(mail) or mail.reason in FINAL:
        return ""
    return _("Send it once more") if mail.state == State.SENT else _("Send again")


def _meaning(mail: OutgoingMail) -> str:
    match mail.state:
        case State.PENDING if mail.failing_since:
            told = _("The mail server took no mail. OrderHub tries again by itself: %(at)s.")
            return told % {"at": utc(mail.next_attempt_at)}
        case State.PENDING:
            return _("It leaves within a minute. There is nothing to do.")
        case State.SENDING:
            return _("It is being handed to the mail server. Look again in a few minutes.")
        case State.SENT:
            return _("Handed to the mail server on %(at)s.") % {"at": utc(mail.sent_at)}
    return _why(mail)


def _why(mail: OutgoingMail) -> str:
    match mail.reason:
        case deciding.AMAZON_FORBIDS:
            return _("Amazon forbids this mail: it mails the buyer itself. There is nothing to do.")
        case deciding.SENDER_NOT_APPROVED:
            told = _(
                "Amazon delivers mails only from a sender that the seller approved. Add %(address)s to the approved senders in Seller Central, confirm it on the store's page, then send again."
            )
            return told % {"address": mail.order.store.sender}
        case deciding.NO_ADDRESS:
            return _("The order has no e-mail address. Write to the buyer in another way.")
        case deciding.BAD_ADDRESS:
            return _("The e-mail address of the order cannot be used. Correct it, then send again.")
        case deciding.ERASED:
            return _("The personal data of the order is erased: nobody can be mailed about it any more.")
        case deciding.VOIDED:
            return _("The parcel was voided before the mail left. There is nothing to do.")
        case deciding.NO_LABEL:
            return _("There is no return label to attach: its address is erased or cannot be read. Make a new one.")
        case delivering.SERVER_REFUSED:
            return _(
                "The mail server refused it for good: the buyer's address or the sender does not exist. Check both, then send again."
            )
        case delivering.GAVE_UP:
            return _("The mail server took no mail for 24 hours. Tell your administrator, then send again.")
        case delivering.UNKNOWN:
            return _(
                "OrderHub was interrupted while sending it: nobody knows whether it left. Send it again if the buyer did not get it; should both leave, the buyer gets it twice."
            )
    return ""
