"""Why no label was sold, in words. Codes are kept; what Amazon wrote may quote an address and is only looked at."""

import re

from django.utils.translation import gettext as _

from orderhub.errors import ConnectorError, CredentialsRejected, RequestRejected, TryLater
from stores.connectors.amazon.client import AccessDenied

FUNDS, ADDRESS, SIZE, EXPIRED = "Funds", "Address", "Size", "RateOver"
DENIED, SIGN_IN, BUSY, REFUSED, UNKNOWN = "NotAllowed", "SignIn", "Busy", "Refused", "Unknown"
NOT_BOUGHT, LOOK_THERE, NOT_USED, BY_HAND = "NotBought", "LookThere", "NotUsed", "ClosedByHand"
TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105  Amazon's word for rates that are over
_SIGNS = (
    (FUNDS, re.compile(r"fund|payment|balance|credit|charge method", re.I)),
    (SIZE, re.compile(r"weight|dimension|size", re.I)),
    (ADDRESS, re.compile(r"address|postal|shipfrom|shipto", re.I)),
)


def code_of(error: ConnectorError) -> str:
    """Our code for what went wrong, with Amazon's behind a colon where it tells more."""
    match error:
        case TryLater():
            return BUSY
        case AccessDenied():
            return DENIED
        case CredentialsRejected():
            return SIGN_IN
        case RequestRejected() if error.code == TOKEN_EXPIRED:
            return EXPIRED
        case RequestRejected():
            said = f"{error.code} {error.detail}"
            ours = next((code for code, sign in _SIGNS if sign.search(said)), REFUSED)
            return f"{ours}:{error.code}"[:60]
    return UNKNOWN


def sentence(code: str, number: str) -> str:
    """What happened and what to do, from a code. `number`: the order's."""
    ours, _colon, theirs = code.partition(":")
    return _texts().get(ours, _texts()[REFUSED]) % {"number": number, "code": theirs or ours}


def of(error: ConnectorError, number: str) -> str:
    return sentence(code_of(error), number)


def _texts() -> dict[str, str]:
    return {
        FUNDS: _(
            "Amazon did not sell the label for order %(number)s: the payment method of the seller account does not cover it. Check it in Seller Central, then buy again. (%(code)s)"
        ),
        SIZE: _(
            "Amazon did not accept the weight or the size of the parcel for order %(number)s. Measure again, then ask for prices once more. (%(code)s)"
        ),
        ADDRESS: _(
            "Amazon did not accept an address for order %(number)s. Check the ship-from address on the store's page and the buyer's address in Seller Central. (%(code)s)"
        ),
        EXPIRED: _("The prices for order %(number)s are more than ten minutes old. Ask for them again."),
        DENIED: _(
            "Amazon does not let OrderHub buy labels for this seller. Check in Seller Central that the application has the role for shipping labels; until then, type in a tracking number."
        ),
        SIGN_IN: _("Amazon no longer accepts this account's token. Renew it on the store's page, then buy again."),
        BUSY: _(
            "Amazon is busy or could not be reached. No label was bought for order %(number)s: try again in a minute."
        ),
        UNKNOWN: _(
            "Amazon's answer for order %(number)s was not seen. OrderHub asks again by itself, and never buys a second label: look at this page in a minute."
        ),
        NOT_BOUGHT: _(
            "Amazon's answer for order %(number)s was not seen, and Amazon shows no parcel for it: no label was bought. It can be bought again."
        ),
        LOOK_THERE: _(
            "Amazon's answer for order %(number)s was not seen, and Amazon shows a parcel that OrderHub does not know: it is probably the label that was bought. Look in Seller Central. Then close this purchase, and ship the order with the tracking number found there."
        ),
        NOT_USED: _(
            "A label was bought, but order %(number)s could not be sent with it any more. Void the label, so that it costs nothing."
        ),
        BY_HAND: _("This purchase was closed by hand."),
        REFUSED: _(
            "Amazon refused to sell the label for order %(number)s. Choose another service, or buy it in Seller Central. (%(code)s)"
        ),
    }
