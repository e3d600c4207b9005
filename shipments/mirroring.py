"""Telling the linked BigCommerce store of a parcel: after Amazon, once, and whatever becomes of either (R21, R22).

BigCommerce takes the same shipment twice, so every run reads first: the mirror of the order, what is sent of it, and
only then what is left is added. The intent is committed before each write; an answer not seen is `unknown`, and read
back over a quarter of an hour before anything is sent again. Transitions are those of shipments/settling.py.
"""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from random import uniform

from django.utils.translation import gettext as _

from orderhub import clock, failpoints
from orderhub.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RequestRejected,
    RuleViolation,
    Throttled,
    TryLater,
    UnexpectedAnswer,
)
from orderhub.jobs import BUDGET_S
from orderhub.wording import utc
from shipments import mirrorplan, outbox
from shipments.models import ShipmentNotification
from shipments.settling import MAX_STARTS, READ_AFTER, NotifyReport, given_up, settle
from stores.connectors.bigcommerce.mirrors import Mirror
from stores.connectors.bigcommerce.telling import MirrorConnector
from stores.models import BigCommerceCredentials, Store

State = ShipmentNotification.State
LEASE = timedelta(seconds=90)  # longer than what one row's calls may take from an intent on
LOOK_AGAIN = timedelta(hours=1)  # for a mirror that is not there yet: its connector may be late
LOOK_FOR = timedelta(hours=48)
ONCE_MORE = timedelta(minutes=5)  # after a first refusal: somebody may have shipped there between our look and our call
LONGEST = timedelta(hours=1)  # between two tries at a store that does not answer
MOST_FAILED = 2  # rows in a row that could not be settled: the store is down, not the order odd
THROTTLED = ShipmentNotification.MIRROR_THROTTLED
NOT_FOUND, SEVERAL, GONE = ShipmentNotification.MIRROR_NOT_FOUND, "MirrorTwice", "MirrorGone"
POISON = "Poison"
SAID = "BigCommerce"  # before the status of a refusal, as `error_code`


class TakenOver(Exception):
    """Another holder has the row, or its parcel was voided meanwhile: whatever we read of it no longer counts."""


def due(now: datetime):
    """Rows to settle now, of stores whose token BigCommerce takes. Where Amazon comes first they are not due before."""
    rows = ShipmentNotification.objects.filter(
        channel=ShipmentNotification.Channel.BIGCOMMERCE,
        order__store__linked_store__bigcommerce__status=BigCommerceCredentials.Status.ACTIVE,
    )
    left = rows.filter(state=State.IN_FLIGHT, lease_until__lte=now)
    return (rows.waiting(now).after_amazon() | rows.to_reconcile(now) | left).order_by()


def mirror_due(shop: Store, connector: MirrorConnector, *, now: datetime, budget_s: float = BUDGET_S) -> NotifyReport:
    """Settle what is due for one BigCommerce store. Safe to run twice, at once, and to kill at any line.

    CredentialsRejected passes through, its row as untouched as the others.
    """
    report, ends_at, failed = NotifyReport(), time.monotonic() + budget_s, 0
    rows = ShipmentNotification.objects.of_mirror(shop)
    _take_back(rows, now=now, report=report)
    report.wait_s = _closed_s(rows, now)
    if report.wait_s:
        return report
    for due in (rows.to_reconcile(now), rows.waiting(now).after_amazon()):
        for row in due.select_related("order", "shipment").iterator(chunk_size=100):
            if time.monotonic() > ends_at:
                report.more = True
                return report
            try:
                reached = _Telling(row, shop, connector, now=now, report=report).run()
            except Throttled as error:  # the whole store waits: its quota is one
                report.wait_s = error.wait_s
                return report
            failed = 0 if reached else failed + 1
            if failed == MOST_FAILED:
                return report
    return report


def _take_back(rows, *, now: datetime, report: NotifyReport) -> None:
    """What a dead worker left: sent or not, nobody knows, so it is read back. Three times dead: a person looks."""
    for row in rows.filter(state=State.IN_FLIGHT, lease_until__lte=now):
        if row.starts >= MAX_STARTS:
            settle(row, State.NEEDS_ATTENTION, now=now, report=report, error_code=POISON)
        else:
            settle(row, State.UNKNOWN, now=now, report=report, next_attempt_at=now, reads=0, keep_starts=True)


def _closed_s(rows, now: datetime) -> float:
    """Seconds the store asked us to stay away, kept on the row that was refused."""
    until = rows.closing_mirrors(now).values_list("next_attempt_at", flat=True).first()
    return (until - now).total_seconds() if until else 0.0


class _Telling:
    """One run about one row. `wrote`: BigCommerce took something in this run, so that it must show when read."""

    def __init__(self, row, shop: Store, connector: MirrorConnector, *, now: datetime, report: NotifyReport):
        self.row, self.shop, self.connector = row, shop, connector
        self.now, self.report = now, report
        self.before, self.wrote = row.state, False

    def run(self) -> bool:
        """Bring the row as far as it gets now; False where BigCommerce gave no usable answer. Throttled and
        CredentialsRejected pass through, with the row put back."""
        try:
            if self._claim():
                self._converge()
        except TakenOver:
            return True
        except Throttled as error:
            wait_s = max(error.wait_s, 1) * uniform(1, 1.2)
            self._settle(self._waiting(), error_code=THROTTLED, next_attempt_at=self._in(wait_s))
            raise
        except CredentialsRejected:
            self._settle(State.UNKNOWN if self.wrote else self.before, next_attempt_at=self.now)
            raise
        except RequestRejected as error:
            self._refused(error)
        except OutcomeUnknown as error:
            self._doubt(error)
            return False
        except (TryLater, UnexpectedAnswer) as error:
            self._unreached(error)
            return False
        failpoints.reach("notify.after_record")
        return True

    # -- the way

    def _claim(self) -> bool:
        """Take the row for reading. One that keeps killing its worker, or whose parcel is no more, is settled instead."""
        row = self.row
        if row.starts >= MAX_STARTS:
            self._settle(State.NEEDS_ATTENTION, error_code=POISON)
            return False
        if row.shipment.voided_at is not None and not row.attempts and not self._pass_on():
            return False
        code = "" if row.error_code == THROTTLED else row.error_code
        since = None if row.state == State.PENDING else row.failing_since  # taken up anew with another parcel
        self._move(
            fence=row.fence + 1, starts=row.starts + 1, next_attempt_at=clock.now() + LEASE, error_code=code,
            failing_since=since,
        )  # fmt: skip
        if row.state == State.UNKNOWN:
            failpoints.reach("notify.in_reconcile")
        return True

    def _converge(self) -> None:
        mirror = self._find()
        if mirror is None:
            return
        standing = self.connector.standing(mirror.order_id)
        plan = mirrorplan.decide(standing, self.row.shipment.tracking_number)
        if plan.parts and self.row.state == State.UNKNOWN and self._wait_and_see():
            return
        if plan.parts and self.row.shipment.voided_at is not None:
            if plan.ours:  # a part of it was told, and stays (R47)
                self._settle(State.CONFIRMED, confirmed_at=self.now)
                return
            if not self._pass_on():
                return
            plan = mirrorplan.decide(standing, self.row.shipment.tracking_number)
        if not plan.parts and not plan.ours:
            self._settle(State.CONFIRMED_EXTERNAL, confirmed_at=self.now)
        elif plan.parts and (code := mirrorplan.refusal(mirror.status_id)):
            self._settle(State.REJECTED, error_code=code)
        else:
            self._add(mirror, plan)
            self._settle(State.CONFIRMED, confirmed_at=self.now)

    def _find(self) -> Mirror | None:
        """The mirrored order, its id kept; or None, with the row settled. Of several none is guessed."""
        row, number = self.row, self.row.order.order_number
        if row.remote_id:
            known = self.connector.order(int(row.remote_id))
            if known is not None and number in known.numbers:
                return known
        channel = self.shop.bigcommerce.amazon_channel_id
        found = self.connector.find(number, channel_id=channel, bought_at=row.order.ordered_at)
        if len(found) == 1:
            if row.remote_id != str(found[0].order_id):
                self._move(remote_id=str(found[0].order_id), failing_since=None, error_code="")
            return found[0]
        if found:
            self._settle(State.NEEDS_ATTENTION, error_code=SEVERAL)
        elif row.attempts:
            self._settle(State.NEEDS_ATTENTION, error_code=GONE)
        else:
            self._look_again()
        return None

    def _look_again(self) -> None:
        since = self.row.failing_since if self.row.error_code == NOT_FOUND else None
        since = since or self.now
        state = State.RETRY_AT if self.now - since < LOOK_FOR else State.NEEDS_ATTENTION
        again = self.now + LOOK_AGAIN
        self._settle(state, error_code=NOT_FOUND, failing_since=since, next_attempt_at=again)

    def _wait_and_see(self) -> bool:
        """What may have been sent may still arrive; after the third look it did not."""
        reads = self.row.reads + 1
        if reads >= len(READ_AFTER):
            return False
        self._settle(State.UNKNOWN, reads=reads, next_attempt_at=self.now + READ_AFTER[reads])
        return True

    def _add(self, mirror: Mirror, plan: mirrorplan.Plan) -> None:
        """The shipments that are missing, and the status where BigCommerce leaves it behind."""
        told = mirrorplan.told_of(self.row.order, self.row.shipment)
        for part in plan.parts:
            self._write((part, told), lambda part=part: self.connector.ship(mirror.order_id, part, told))
        after = self.connector.order(mirror.order_id) if plan.parts else mirror
        if plan.whole and after is not None and after.status_id in mirrorplan.BEFORE_SHIPPED:
            self._write(("shipped",), lambda: self.connector.set_shipped(mirror.order_id))

    def _write(self, request: tuple, call: Callable[[], None]) -> None:
        """One write, its intent committed before."""
        row = self.row
        self._move(
            state=State.IN_FLIGHT, fence=row.fence + 1, attempts=row.attempts + 1, lease_until=clock.now() + LEASE,
            request_hash=hashlib.blake2b(repr(request).encode(), digest_size=16).hexdigest(),
        )  # fmt: skip
        failpoints.reach("notify.after_claim")
        try:
            call()
        except (TryLater, CredentialsRejected):  # without effect: no attempt is spent
            row.attempts -= 1
            raise
        self.wrote = True
        failpoints.reach("notify.after_send")

    # -- the ends

    def _waiting(self) -> str:
        """Where a row goes that could not be settled: whatever may have been sent is read back over a while."""
        return State.UNKNOWN if self.wrote or self.row.state == State.UNKNOWN else State.RETRY_AT

    def _refused(self, error: RequestRejected) -> None:
        """A clear no: looked at once more, then a person's. BigCommerce's words may name the buyer and are not kept."""
        code = f"{SAID}{error.code}"[:60]
        if self.row.error_code == code:
            self._settle(State.REJECTED, error_code=code)
        else:
            self._settle(self._waiting(), error_code=code, next_attempt_at=self.now + ONCE_MORE)

    def _doubt(self, error: OutcomeUnknown) -> None:
        code = (error.code or "NoAnswer")[:60]
        if self._given_up():
            self._settle(State.NEEDS_ATTENTION, error_code=code)
            return
        again, since = self.now + READ_AFTER[0], self.row.failing_since or self.now
        self._settle(State.UNKNOWN, error_code=code, next_attempt_at=again, reads=0, failing_since=since)

    def _unreached(self, error: TryLater | UnexpectedAnswer) -> None:
        """No usable answer. Each wait is as long as it has lasted so far, an hour at most; what we wait for stays known."""
        row = self.row
        code = NOT_FOUND if row.error_code == NOT_FOUND else error.code[:60]
        since = row.failing_since or self.now
        if self._given_up():
            self._settle(State.NEEDS_ATTENTION, error_code=code)
            return
        wait = min(LONGEST, max(self.now - since, timedelta(seconds=getattr(error, "wait_s", 60))))
        again = self._in(wait.total_seconds() * uniform(1, 1.2))
        self._settle(self._waiting(), error_code=code, failing_since=since, next_attempt_at=again)

    def _given_up(self) -> bool:
        if self.row.error_code == NOT_FOUND:
            return self.row.failing_since is not None and self.now - self.row.failing_since >= LOOK_FOR
        return given_up(self.row, self.now)

    def _pass_on(self) -> bool:
        """Of a voided parcel nothing more is sent (R47): the order's next one takes its place, else it is withdrawn."""
        row, voided = self.row, self.row.shipment_id
        outbox.pass_on(row, now=self.now)
        row.refresh_from_db(fields=["state", "shipment", "error_code", "starts"])
        if row.state == State.WITHDRAWN:
            self.report.states[State.WITHDRAWN] += 1
            return False
        if row.shipment_id == voided:
            raise TakenOver
        return True

    # -- the row

    def _in(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)

    def _settle(self, state: str, **changes) -> None:
        if self.wrote and state == State.UNKNOWN:
            changes["reads"] = 0  # what was taken just now may show late: the looks before it count for nothing
        settle(self.row, state, now=self.now, report=self.report, attempts=self.row.attempts, **changes)

    def _move(self, **changes) -> None:
        """Change the row while we hold it and its parcel is the one we look at; TakenOver otherwise."""
        row = self.row
        held = ShipmentNotification.objects.filter(shipment=row.shipment_id)
        if not held.move(row, frm=row.state, **changes):
            raise TakenOver
        for name, value in changes.items():
            setattr(row, name, value)


def retry(row: ShipmentNotification, *, now: datetime) -> None:
    """Look at a stuck or waiting row at the next sweep; what may have been sent is read back first.

    RuleViolation for what BigCommerce knows, is being told, or asked us to wait with. Safe to repeat.
    """
    if row.is_final:
        raise RuleViolation(_("BigCommerce already knows about this shipment: nothing to send again."))
    if row.state == State.WITHDRAWN:
        raise RuleViolation(
            _("This parcel was voided: ship the order again, and BigCommerce is told of the new parcel.")
        )
    if row.state == State.IN_FLIGHT:
        raise RuleViolation(_("This notice is being sent right now: look again in two minutes."))
    if row.error_code == THROTTLED and row.next_attempt_at > now:
        raise RuleViolation(
            _("BigCommerce asks to wait until %(at)s. OrderHub then goes on by itself.")
            % {"at": utc(row.next_attempt_at)}
        )
    sent = row.attempts > 0
    changes = {
        "state": State.UNKNOWN if sent else State.PENDING, "next_attempt_at": now, "failing_since": None, "starts": 0,
        "reads": len(READ_AFTER) - 1 if sent else 0, "error_code": "", "error_text": "", "asked_for": True,
    }  # fmt: skip
    if not ShipmentNotification.objects.move(row, frm=row.state, **changes):
        raise RuleViolation(_("The notice changed meanwhile: look at it again."))
    row.refresh_from_db()
