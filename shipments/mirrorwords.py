"""What a notice to a linked BigCommerce store means, and what to do next."""

from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from orderhub.wording import utc
from shipments import mirroring, mirrorplan
from shipments.models import ShipmentNotification
from stores.models import BigCommerceCredentials

State = ShipmentNotification.State
WAITING = State.WAITING
REASONS = {
    mirroring.NOT_FOUND: gettext_noop(
        "No order in BigCommerce has this order number as its external order ID. Check in BigCommerce whether the connector has copied it."
    ),
    mirroring.SEVERAL: gettext_noop(
        "Several orders in BigCommerce have this order number, and OrderHub does not guess. Archive the wrong ones in BigCommerce, then retry."
    ),
    mirroring.GONE: gettext_noop(
        "The order was in BigCommerce when it was told, and is not there any more. If it was deleted on purpose there is nothing to do."
    ),
    "MirrorIncomplete": gettext_noop("The order is incomplete in BigCommerce. Complete it there, then retry."),
    "MirrorRefunded": gettext_noop(
        "The order is refunded in BigCommerce. If the parcel left all the same, set the order to Awaiting Fulfillment there, then retry."
    ),
    "MirrorCancelled": gettext_noop(
        "The order is cancelled in BigCommerce. If the parcel left all the same, set the order to Awaiting Fulfillment there, then retry."
    ),
    "MirrorDeclined": gettext_noop(
        "The order is declined in BigCommerce. If the parcel left all the same, set the order to Awaiting Fulfillment there, then retry."
    ),
    "MirrorUnverified": gettext_noop(
        "The order waits for a manual check in BigCommerce. Finish the check there, then retry."
    ),
    "MirrorDisputed": gettext_noop("The order is disputed in BigCommerce. Settle the dispute there, then retry."),
    "MirrorPartlyRefunded": gettext_noop(
        "The order is partly refunded in BigCommerce, and OrderHub does not guess which units left. Add the shipment there by hand."
    ),
    mirrorplan.OTHER_STATUS: gettext_noop(
        "The order has a status in BigCommerce that OrderHub does not know. Look at it there, then retry."
    ),
    mirroring.POISON: gettext_noop(
        "OrderHub broke off several times while it told BigCommerce. Compare the order in BigCommerce with the parcel here, and tell your administrator."
    ),
}
SHOP_SAYS = gettext_noop(
    "BigCommerce refused the shipment twice. Compare the order in BigCommerce with the parcel here: it may have changed."
)


def reason(code: str) -> str:
    """What an error code of this channel means; '' where nothing is to be said of it."""
    if code in REASONS:
        return _(REASONS[code])
    return _(SHOP_SAYS) if code.startswith(mirroring.SAID) else ""


class Standing(NamedTuple):
    """What a notice waits for. `status`: of the linked store's token, None where none is linked. `closed_until`: when
    BigCommerce may be asked again, None where it may be now."""

    waits_for_amazon: bool
    status: str | None
    closed_until: datetime | None


def standing(notice: ShipmentNotification) -> Standing:
    """One query for a notice that was not read with its standing."""
    names = ("waits_for_amazon", "shop_status", "shop_closed_until")
    if not hasattr(notice, names[0]):
        found = ShipmentNotification.objects.with_mirror_standing().filter(pk=notice.pk)
        known = found.values_list(*names).first() or (False, None, None)
        for name, value in zip(names, known, strict=True):
            setattr(notice, name, value)
    return Standing(*(getattr(notice, name) for name in names))


def closed_until(notice: ShipmentNotification) -> datetime | None:
    """When the whole store may be asked again, None where it may be now."""
    return standing(notice).closed_until


def is_held(notice: ShipmentNotification) -> bool:
    """Whether nothing happens by itself at any hour we could name."""
    found = standing(notice)
    if found.status != BigCommerceCredentials.Status.ACTIVE:
        return True
    return found.waits_for_amazon and notice.state != State.UNKNOWN


def is_stopped(notice: ShipmentNotification) -> bool:
    """Whether BigCommerce can be told nothing until somebody acts."""
    return standing(notice).status != BigCommerceCredentials.Status.ACTIVE


def meaning(notice: ShipmentNotification, now: datetime) -> str:
    if notice.state in WAITING and (held := _held(notice)):
        return held
    match notice.state:
        case State.PENDING if until := closed_until(notice):
            return _("BigCommerce asks to wait until %(at)s. OrderHub then goes on by itself.") % {"at": utc(until)}
        case State.PENDING:
            return _("BigCommerce will be told of this shipment within a minute. There is nothing to do.")
        case State.IN_FLIGHT:
            return _("OrderHub is telling BigCommerce right now. Look again in two minutes.")
        case State.CONFIRMED:
            return _("The order in BigCommerce has the shipment and its tracking number.")
        case State.CONFIRMED_EXTERNAL:
            return _("The order in BigCommerce was already shipped there from elsewhere. OrderHub added nothing.")
        case State.MANUAL:
            return _("Somebody added the shipment in BigCommerce by hand.")
        case State.RETRY_AT if notice.error_code == mirroring.NOT_FOUND:
            return _not_found(notice)
        case State.RETRY_AT:
            return _(
                "BigCommerce was busy or could not be reached. OrderHub tries again by itself. There is nothing to do."
            )
        case State.UNKNOWN:
            return _(
                "BigCommerce's answer was not seen. OrderHub looks at the order there before it sends anything again."
            )
        case State.REJECTED:
            return _("BigCommerce does not take the shipment. Read the reason, mend it in BigCommerce, then retry.")
        case State.NEEDS_ATTENTION:
            return _("OrderHub could not settle this by itself. Check the order in BigCommerce, then retry.")
        case State.WITHDRAWN:
            return _("The parcel was voided before BigCommerce was told: it knows nothing of it. A new parcel is told.")
    return ""


def _held(notice: ShipmentNotification) -> str:
    waits_for_amazon, status, _closed = standing(notice)
    if status is None:
        return _(
            "The store is linked to no BigCommerce store any more. OrderHub goes on by itself once it is linked again."
        )
    if status != BigCommerceCredentials.Status.ACTIVE:
        return _(
            "BigCommerce refuses the access token. OrderHub goes on by itself once the BigCommerce store is verified again, on its page under Stores."
        )
    if waits_for_amazon and notice.state != State.UNKNOWN:
        return _("Amazon is told first. BigCommerce follows by itself once the notice to Amazon is settled.")
    return ""


def _not_found(notice: ShipmentNotification) -> str:
    since = notice.failing_since
    until = utc(since + mirroring.LOOK_FOR) if since else ""
    return _(
        "BigCommerce does not have this order yet: its connector may be late. OrderHub looks every hour until %(until)s."
    ) % {"until": until}


def retried(notice: ShipmentNotification) -> str:
    """What a pressed retry leads to."""
    if is_stopped(notice):
        return _("BigCommerce is told again once its access token is verified: %(numbers)s")
    if is_held(notice):
        return _("BigCommerce is told once the notice to Amazon is settled: %(numbers)s")
    if until := closed_until(notice):
        return _("BigCommerce is asked again at %(at)s: %(numbers)s") % {"at": utc(until), "numbers": "%(numbers)s"}
    return _("BigCommerce is asked again within a minute: %(numbers)s")
