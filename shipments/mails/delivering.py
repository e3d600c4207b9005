"""Sends the mails that wait. A mail server gives no way to ask later whether a mail left, so nothing is sent twice by
itself: a mail whose sending was cut off is shown to a person, who decides.

A row is claimed before anything is sent, and decided about once more: what changed since it was asked for counts.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.mail import get_connection
from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from orderhub import failpoints, killswitch
from orderhub.errors import RuleViolation
from orders.models import Order, OrderEvent
from shipments.mails import composing, deciding
from shipments.models import OutgoingMail

log = logging.getLogger("orderhub.mail")
Kind, State = OutgoingMail.Kind, OutgoingMail.State
PURPOSE = "shipments.mail.recipient"
BATCH = 200
LEASE = timedelta(minutes=5)  # longer than any worker lives with one mail
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240))
PATIENCE = timedelta(hours=24)
NEVER = 500  # the first reply code of a mail server that means: not this mail, ever

SERVER_REFUSED = "ServerRefused"
GAVE_UP = "GaveUp"
UNKNOWN = "Unknown"


class _NoConnection(Exception):
    """The mail server is away or lets nobody in: nothing was sent, and nothing else can be now."""


@dataclass
class Report:
    """What a sweep did. `more`: the time budget ended before the work did."""

    counts: dict[str, int] = field(default_factory=lambda: {"sent": 0, "refused": 0, "failed": 0, "later": 0})
    more: bool = False

    def sentence(self) -> str:
        return ", ".join(f"{count} {word}" for word, count in self.counts.items())


def send_due(*, now: datetime, budget_s: float) -> Report:
    """Send what waits, longest first, until nothing is left or the budget (seconds) ends.

    Safe to repeat, to run twice at once and to kill anywhere: no mail leaves twice.
    """
    report, ends_at = Report(), time.monotonic() + budget_s
    report.counts["failed"] += _settle_cut_off(now)
    for pk in list(_due(now).values_list("pk", flat=True)[:BATCH]):
        if time.monotonic() > ends_at or killswitch.is_set():
            break
        row = _claim(pk, now=now)
        if row is None:
            continue
        try:
            report.counts[_send(row, now=now)] += 1
        except _NoConnection:
            report.counts["later"] += 1
            return report  # the others wait for the next sweep
    report.more = _due(now).exists()
    return report


def hash_of(address: str, merchant_id: int) -> str:
    """Who got a mail, so that two mails can be compared, and nobody with the table alone can try addresses."""
    return salted_hmac(PURPOSE, f"{merchant_id}|{address.casefold()}", algorithm="sha256").hexdigest()


def _due(now: datetime):
    return OutgoingMail.objects.filter(state=State.PENDING, next_attempt_at__lte=now).order_by("next_attempt_at", "pk")


def _settle_cut_off(now: datetime) -> int:
    """Mails that were being sent when their worker died: whether they left, nobody knows."""
    left = list(OutgoingMail.objects.filter(state=State.SENDING, lease_until__lte=now).select_related("order"))
    return sum(_settle(row, now=now, state=State.FAILED, reason=UNKNOWN) for row in left)


def _claim(pk: int, *, now: datetime) -> OutgoingMail | None:
    """The row, if it is still due: of two workers, one has it."""
    claimed = _due(now).order_by().filter(pk=pk)
    if not claimed.update(
        state=State.SENDING, lease_until=now + LEASE, fence=F("fence") + 1, attempts=F("attempts") + 1
    ):
        return None
    failpoints.reach("mail.after_claim")
    return OutgoingMail.objects.select_related("order__store__merchant", "shipment").get(pk=pk)


def _send(row: OutgoingMail, *, now: datetime) -> str:
    """One attempt; returns a key of Report.counts."""
    row.shipment.order = row.order
    decision = deciding.decide(row.shipment, row.kind, now=now)
    if decision.reason:
        _settle(row, now=now, state=State.REFUSED, reason=decision.reason)
        return "refused"
    label = deciding.return_label(row.shipment, now=now) if row.kind == Kind.RETURN_LABEL else None
    try:
        message = composing.message(row, address=decision.address, label=label)
    except RuleViolation:
        _settle(row, now=now, state=State.REFUSED, reason=deciding.NO_LABEL)
        return "refused"
    return _hand_over(row, message, decision.address, now=now)


def _hand_over(row: OutgoingMail, message, address: str, *, now: datetime) -> str:
    with _connection(row, now=now) as connection:
        message.connection = connection
        try:
            message.send()
        except ValueError:  # a header or an address that no mail can have; nothing was sent
            return _fail(row, deciding.BAD_ADDRESS, now=now)
        except OSError as error:
            code = _reply(error)
            log.error("mail_failed", extra={"mail": row.pk, "error": type(error).__name__, "reply": code})
            if code is None:  # cut off on the way: it may have left
                return _fail(row, UNKNOWN, now=now)
            return _fail(row, SERVER_REFUSED, now=now) if code >= NEVER else _later(row, now=now)
    failpoints.reach("mail.after_send")
    _settle(
        row, now=now, state=State.SENT, reason="", sent_at=now, failing_since=None,
        recipient_hash=hash_of(address, row.order.store.merchant_id),
    )  # fmt: skip
    failpoints.reach("mail.after_record")
    return "sent"


@contextmanager
def _connection(row: OutgoingMail, *, now: datetime) -> Iterator:
    """One connection a mail: what fails before it stands has sent nothing, for certain."""
    connection = get_connection()
    try:
        connection.open()
    except OSError as error:
        log.error("mail_server_away", extra={"mail": row.pk, "error": type(error).__name__})
        _later(row, now=now)
        raise _NoConnection from None
    try:
        yield connection
    finally:
        with suppress(OSError):
            connection.close()


def _reply(error: OSError) -> int | None:
    """The mail server's reply code, or None where the connection ended without one."""
    replies = getattr(error, "recipients", None)
    if isinstance(replies, dict) and replies:
        return min(code for code, _text in replies.values())
    return getattr(error, "smtp_code", None)


def _fail(row: OutgoingMail, reason: str, *, now: datetime) -> str:
    _settle(row, now=now, state=State.FAILED, reason=reason)
    return "failed"


def _later(row: OutgoingMail, *, now: datetime) -> str:
    """Nothing was sent: again after a while, for a day."""
    since = row.failing_since or now
    if now - since >= PATIENCE:
        return _fail(row, GAVE_UP, now=now)
    wait = WAITS[min(row.attempts, len(WAITS)) - 1]
    _still(row).update(
        state=State.PENDING, lease_until=None, failing_since=since, next_attempt_at=min(now + wait, since + PATIENCE)
    )
    return "later"


def _still(row: OutgoingMail):
    """The row as long as this very attempt has it."""
    return OutgoingMail.objects.filter(pk=row.pk, state=State.SENDING, fence=row.fence)


def _settle(row: OutgoingMail, *, now: datetime, state: str, reason: str, **changes) -> bool:
    """End an attempt, with a line on the timeline. Whose order is erased meanwhile keeps no hash."""
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=row.order_id)
        if order.masked:
            changes.pop("recipient_hash", None)
        if not _still(row).update(state=state, reason=reason, lease_until=None, **changes):
            return False
        OrderEvent.objects.create(
            order=order, kind=OrderEvent.Kind.MAIL, at=now,
            params={"mail": str(row.kind), "outcome": str(reason or state)},
        )  # fmt: skip
    return True
