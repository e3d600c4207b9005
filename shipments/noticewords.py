"""What a notice's state means for the person who looks at it, and what to do next."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from orderhub.wording import utc
from shipments import errorcatalogue, mirrorwords
from shipments.errorcatalogue import Entry
from shipments.models import ShipmentNotification
from shipments.models.notification import GATHER
from shipments.predicting import Forecast
from stores.models import AmazonAccount

State = ShipmentNotification.State
WAITING = State.WAITING
CAN_RETRY = (*WAITING, *State.STUCK)
SOON = timedelta(minutes=2)
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.: -]*")
TROUBLED = (State.RETRY_AT, State.UNKNOWN, *State.STUCK)
CORRECTION = {  # of a tracking number Amazon was given before
    State.PENDING: gettext_noop("Amazon is given the new tracking number within a minute. There is nothing to do."),
    State.CONFIRMED: gettext_noop("Amazon accepted the new tracking number. It counts the same one parcel."),
    State.REJECTED: gettext_noop(
        "Amazon refused the new tracking number and still shows the old one. Read the reason, then correct it in Seller Central."
    ),
    State.WITHDRAWN: gettext_noop("The new parcel was voided as well, so nothing was sent."),
}


@dataclass(frozen=True)
class NoticeWords:
    """A notice as a person reads it. `next_try`: when OrderHub acts by itself, '' if it does not.

    `code`: the error as a code, and `reason`: what it means; each '' where there is none. `entry`: what the catalogue
    says of it, for a notice that does not go through.
    """

    meaning: str
    next_try: str
    level: str
    can_retry: bool
    code: str
    reason: str
    entry: Entry | None = None


def of(notice: ShipmentNotification, *, now: datetime) -> NoticeWords:
    code = notice.error_code if CODE.fullmatch(notice.error_code) else ""  # a route, say, helps nobody here
    entry = entry_of(notice)
    told = bool(code) and entry is not None and not notice.is_withheld
    return NoticeWords(
        _meaning(notice, now), _next_try(notice, now), notice.level, _can_retry(notice),
        "" if notice.is_withheld else code, _reason(notice, code, entry) if told else "", entry,
    )  # fmt: skip


def entry_of(notice: ShipmentNotification) -> Entry | None:
    """What the catalogue says of a notice that does not go through, or that somebody has to do by hand; else None."""
    by_hand = notice.is_withheld and notice.error_code == notice.STORE_POLICY
    if not by_hand and (notice.state not in TROUBLED or not notice.error_code):
        return None
    return errorcatalogue.find(notice.error_code, notice.error_text, channel=notice.channel)


def _reason(notice: ShipmentNotification, code: str, entry: Entry) -> str:
    """What the code means; of a mirrored order its own words say it more closely."""
    own = mirrorwords.reason(code) if notice.channel == notice.Channel.BIGCOMMERCE else ""
    return own or str(entry.meaning)


def _can_retry(notice: ShipmentNotification) -> bool:
    sendable = (ShipmentNotification.STORE_POLICY, ShipmentNotification.BY_RULE)
    return notice.state in CAN_RETRY or notice.error_code in sendable


def account_stopped(notice: ShipmentNotification) -> bool:
    """Whether nothing can be told to Amazon until somebody authorises the account again."""
    account = notice.order.store.account
    return account is not None and account.status != AmazonAccount.Status.ACTIVE


def _meaning(notice: ShipmentNotification, now: datetime) -> str:
    if notice.channel == notice.Channel.BIGCOMMERCE:
        return mirrorwords.meaning(notice, now)
    if notice.state in WAITING and account_stopped(notice):
        return _("The Amazon account is stopped. OrderHub goes on by itself once it is authorised again.")
    if notice.correction_of_id is not None and notice.state in CORRECTION:
        return _(CORRECTION[notice.state])
    match notice.state:
        case State.PENDING if notice.next_attempt_at > now + GATHER:
            return _("This store's settings tell Amazon of parcels some time after the label. There is nothing to do.")
        case State.PENDING:
            return _("Amazon will be told of this shipment by itself. There is nothing to do.")
        case State.IN_FEED:
            return _(
                "The shipment went to Amazon in one submission with others. Its result is awaited. There is nothing to do."
            )
        case State.WITHDRAWN:
            return _("The parcel was voided before Amazon was told: it knows nothing of it. A new parcel will be told.")
        case State.IN_FLIGHT:
            return _("OrderHub is telling Amazon right now. Look again in two minutes.")
        case State.CONFIRMED:
            return _("Amazon accepted the shipment and has told the buyer.")
        case State.CONFIRMED_EXTERNAL:
            return _("Amazon already had a shipment for this order from elsewhere. OrderHub sent none.")
        case State.MANUAL if notice.error_code == ShipmentNotification.STORE_POLICY:
            return _(
                "This store's settings say that OrderHub never tells Amazon: confirm the shipment in Seller Central, or let OrderHub tell Amazon now."
            )
        case State.MANUAL if notice.error_code == ShipmentNotification.TOLD_BY_CONNECTOR:
            return _(
                "The connector between BigCommerce and Amazon tells Amazon of this shipment. OrderHub sends nothing."
            )
        case State.MANUAL if notice.error_code == ShipmentNotification.TOLD_BY_PROVIDER:
            return _("Amazon’s own label confirms the order to Amazon. OrderHub sends nothing.")
        case State.MANUAL if notice.error_code == ShipmentNotification.BY_RULE:
            return _("An automation rule says that OrderHub does not tell Amazon of this order. It can be told now.")
        case State.MANUAL if notice.done_reason:
            return _("Somebody marked this notice as done by hand. OrderHub sends nothing.")
        case State.MANUAL:
            return _("Somebody told Amazon by hand in Seller Central.")
        case State.RETRY_AT:
            return _("Amazon was busy or could not be reached. OrderHub tries again by itself. There is nothing to do.")
        case State.UNKNOWN:
            return _("Amazon's answer was not seen. OrderHub reads the order at Amazon before it sends anything again.")
        case State.REJECTED:
            return _("Amazon refused the shipment. Read the reason, mend it in Seller Central, then retry.")
        case State.NEEDS_ATTENTION:
            return _("OrderHub tried for too long and stopped. Check the order in Seller Central, then retry.")
    return ""


def _is_held(notice: ShipmentNotification) -> bool:
    return mirrorwords.is_held(notice) if notice.channel == notice.Channel.BIGCOMMERCE else account_stopped(notice)


def _next_try(notice: ShipmentNotification, now: datetime) -> str:
    if notice.state not in WAITING or _is_held(notice):
        return ""
    at = notice.next_attempt_at
    if notice.channel == notice.Channel.BIGCOMMERCE:
        at = max(at, mirrorwords.closed_until(notice) or at)
    return utc(at) if at > now else _("within a minute")


def expected(notice: ShipmentNotification, *, now: datetime) -> str:
    """When Amazon will have been told of this one, as settings and Amazon's limits are now; three queries."""
    account = notice.order.store.account
    told_by_us = notice.channel == notice.Channel.AMAZON and account is not None
    if notice.state not in (State.PENDING, State.RETRY_AT, State.IN_FEED) or account_stopped(notice) or not told_by_us:
        return ""
    found = Forecast(account, now=now).of(notice)
    if found is None:
        return ""
    at = _("within two minutes") if found.at <= now + SOON else utc(found.at)
    return _("%(at)s, together with others") % {"at": at} if found.together else at
