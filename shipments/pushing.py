"""Sending notices again on somebody's wish, where that does not make the wait longer (R57, R58)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orderhub.wording import utc
from shipments import confirming, errorcatalogue, mirroring, outbox
from shipments.models import ShipmentNotification
from stores import notifying
from stores.models import AmazonAccount

State = ShipmentNotification.State


class Gate:
    """Whether Amazon's limits let anything through now; each account's bucket is looked at once."""

    def __init__(self, now: datetime):
        self.now = now
        self._open: dict[int, datetime] = {}

    def why_not(self, notice: ShipmentNotification) -> str:
        """Why pushing this throttled notice now would not help, with the time it goes by itself; or ''."""
        account = notice.order.store.account
        if account is None or not is_throttled(notice):
            return ""
        opens = self._opens(account)
        if opens <= self.now:
            return ""
        at = utc(max(opens, notice.next_attempt_at))
        return _("Amazon is asked at %(at)s: pushing earlier lengthens the wait.") % {"at": at}

    def _opens(self, account: AmazonAccount) -> datetime:
        if account.pk not in self._open:
            self._open[account.pk] = notifying.expected_at(account, self.now, now=self.now)
        return self._open[account.pk]


def is_throttled(notice: ShipmentNotification) -> bool:
    """Whether it waits because of Amazon's limits, and of nothing else. BigCommerce's have their own rule."""
    if notice.state != State.RETRY_AT or notice.channel != notice.Channel.AMAZON:
        return False
    return errorcatalogue.find(notice.error_code).kind == errorcatalogue.Kind.THROTTLING


def push(notice: ShipmentNotification, *, by, now: datetime, gate: Gate) -> None:
    """Send a notice at the next sweep, on somebody's wish; the order's timeline says whose.

    RuleViolation, with what to do, where it must not be sent, or where the marketplace would refuse it again.
    """
    if refusal := gate.why_not(notice):
        raise RuleViolation(refusal)
    with transaction.atomic():
        (mirroring if notice.channel == notice.Channel.BIGCOMMERCE else confirming).retry(notice, now=now)
        outbox.note(
            notice.order, {"channel": notice.channel, "state": notice.state, "change": "pushed"}, now=now, by=by
        )
