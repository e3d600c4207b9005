"""Telling Amazon, once.

At most one effective notice an order, and in the end one: the row is unique by constraint; the intent is committed
before the call; an answer not seen is `unknown` and read back before anything is sent again, always under the same
package reference. Every transition is a conditional UPDATE on state and start number, so a worker that wakes up after
its lease cannot write.
"""

import hashlib
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import uniform

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub import failpoints
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
from orders.models import Order, OrderEvent
from shipments.models import ShipmentNotification
from shipments.outbox import amazon_ship_instant, carrier_for_amazon, why_withheld
from stores.connectors.base import Connector, Parcel, RemoteOrder
from stores.models import AmazonAccount, Store

State = ShipmentNotification.State
LEASE = timedelta(seconds=90)  # longer than the total time limit of a call
READ_AFTER = (
    timedelta(minutes=2),
    timedelta(minutes=3),
    timedelta(minutes=10),
)  # 2, 5 and 15 minutes after the call
GIVE_UP_AFTER = timedelta(hours=24)
MAX_STARTS = 3
SLOW_S, MOST_SLOW = 5, 2
CASH_ON_DELIVERY = "CashOnDelivery"
ALREADY = ("PackageToUpdateNotFound", "already fulfilled")
EDITED_MEANWHILE = "InvalidPackageVersion"
GONE = "NonexistentOrderItem"


@dataclass
class NotifyReport:
    """What a sweep did, by resulting state. `wait_s`: how long Amazon asked to wait, if it did."""

    states: Counter = field(default_factory=Counter)
    wait_s: float = 0.0
    more: bool = False

    def sentence(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.states.items())) or "nothing to send"
        return told + (f"; throttled, again in {self.wait_s:.0f} s" if self.wait_s else "")


def notify_due(
    account: AmazonAccount, connector: Connector, *, now: datetime, budget_s: float = BUDGET_S
) -> NotifyReport:
    """Settle and send what is due for one account. Safe to run twice, at once, and to kill at any line.

    CredentialsRejected and TryLater of the sign-in pass through before anything is claimed.
    """
    report, started = NotifyReport(), time.monotonic()
    rows = ShipmentNotification.objects.filter(order__store__account=account, channel="amazon")
    _take_back(rows, now=now, report=report)
    if not rows.waiting(now).exists() and not rows.to_reconcile(now).exists():
        return report
    connector.sign_in()
    slow = 0  # calls in a row that Amazon let hang
    for step, due in ((_reconcile, rows.to_reconcile(now)), (_send, rows.waiting(now))):
        for row in due.select_related("order__store__account", "shipment").iterator(chunk_size=100):
            if time.monotonic() - started > budget_s:
                report.more = True
                return report
            called = time.monotonic()
            try:
                step(row, connector, now=now, report=report)
            except Throttled as error:
                report.wait_s = error.wait_s
                break
            slow = slow + 1 if time.monotonic() - called > SLOW_S else 0
            if slow == MOST_SLOW:  # each further call would cost its whole time limit, and the job its life
                return report
    return report


def _take_back(rows, *, now: datetime, report: NotifyReport) -> None:
    """What a dead worker left: sent or not, nobody knows, so it is read back. Three times dead: a person looks."""
    for row in rows.filter(state=State.IN_FLIGHT, lease_until__lte=now):
        if row.starts >= MAX_STARTS:
            _settle(row, State.NEEDS_ATTENTION, now=now, report=report, error_code="Poison")
        else:
            _settle(row, State.UNKNOWN, now=now, report=report, next_attempt_at=now, reads=0, keep_starts=True)


def parcel_of(row: ShipmentNotification) -> Parcel:
    """What Amazon is told: the first parcel, and all lines of the order whatever part of it left."""
    order, shipment = row.order, row.shipment
    code, name = carrier_for_amazon(shipment)
    return Parcel(
        order_number=order.order_number,
        marketplace_id=order.store.market.id,
        reference=row.package_reference,
        carrier_code=code,
        carrier_name=name,
        service=shipment.service,
        tracking_number=shipment.tracking_number,
        shipped_at=amazon_ship_instant(shipment),
        items=tuple(order.items.filter(quantity__gt=0).order_by("pk").values_list("amazon_item_id", "quantity")),
        cash_on_delivery=CASH_ON_DELIVERY in order.payment_method and order.store.marketplace == "JP",
    )


def _send(row: ShipmentNotification, connector: Connector, *, now: datetime, report: NotifyReport) -> None:
    withheld = why_withheld(row.order, now)  # the settings may have changed since the parcel was made
    if withheld == row.TOLD_BY_CONNECTOR or (withheld and not row.asked_for):
        _settle(row, State.MANUAL, now=now, report=report, withheld=withheld)
        return
    parcel = parcel_of(row)
    digest = hashlib.blake2b(repr(parcel).encode(), digest_size=16).hexdigest()
    intent = {
        "state": State.IN_FLIGHT, "fence": row.fence + 1, "starts": row.starts + 1, "attempts": row.attempts + 1,
        "lease_until": now + LEASE, "request_hash": digest, "error_code": "", "error_text": "",
    }  # fmt: skip
    if not ShipmentNotification.objects.move(row, frm=row.state, **intent):
        return
    for name, value in intent.items():
        setattr(row, name, value)
    failpoints.reach("notify.after_claim")
    try:
        connector.confirm(parcel)
        failpoints.reach("notify.after_send")
    except TryLater as error:  # throttled, or provably not sent: no attempt is spent
        _put_off(row, error, now=now, report=report)
        if isinstance(error, Throttled):
            raise
    except CredentialsRejected:
        _settle(row, State.PENDING, now=now, report=report, next_attempt_at=now, attempts=row.attempts - 1)
        raise
    except RequestRejected as error:
        _refused(row, error, now=now, report=report)
    except (OutcomeUnknown, UnexpectedAnswer) as error:
        _doubt(row, error, now=now, report=report)
    else:
        _settle(row, State.CONFIRMED, now=now, report=report, confirmed_at=now)
    failpoints.reach("notify.after_record")


def _put_off(row, error: TryLater, *, now: datetime, report: NotifyReport) -> None:
    changes = {"attempts": row.attempts - 1, "error_code": error.code[:60]}
    if not isinstance(error, Throttled):
        changes["failing_since"] = row.failing_since or now
        if _given_up(row, now):
            _settle(row, State.NEEDS_ATTENTION, now=now, report=report, **changes)
            return
    wait_s = max(error.wait_s, 1) * uniform(1, 1.2)
    _settle(
        row,
        State.RETRY_AT,
        now=now,
        report=report,
        next_attempt_at=now + timedelta(seconds=wait_s),
        **changes,
    )


def _given_up(row, now: datetime) -> bool:
    return row.failing_since is not None and now - row.failing_since > GIVE_UP_AFTER


def _refused(row, error: RequestRejected, *, now: datetime, report: NotifyReport) -> None:
    """A clear no. Two of Amazon's refusals do not mean it: shipped already, and edited meanwhile."""
    text = error.detail
    said = {"error_code": _code_of(error), "error_text": text[:300]}
    if any(word in text for word in ALREADY):  # and where reading never shows it, a person looks after a day
        state = State.NEEDS_ATTENTION if _given_up(row, now) else State.UNKNOWN
        since = row.failing_since or now
        _settle(row, state, now=now, report=report, next_attempt_at=now, reads=0, failing_since=since, **said)
    elif EDITED_MEANWHILE in text and row.attempts <= 1:
        again = now + timedelta(minutes=5)
        _settle(row, State.RETRY_AT, now=now, report=report, next_attempt_at=again, **said)
    else:
        _settle(row, State.REJECTED, now=now, report=report, **said)


def _code_of(error: RequestRejected) -> str:
    text = error.detail
    return next((word for word in (ALREADY[0], GONE, EDITED_MEANWHILE) if word in text), error.code)[:60]


def _doubt(row, error, *, now: datetime, report: NotifyReport) -> None:
    since = row.failing_since or now
    if _given_up(row, now):
        _settle(row, State.NEEDS_ATTENTION, now=now, report=report, error_code=error.code[:60])
        return
    _settle(
        row, State.UNKNOWN, now=now, report=report, next_attempt_at=now + READ_AFTER[0], reads=0, failing_since=since,
        error_code=(error.code or type(error).__name__)[:60],
    )  # fmt: skip


def _reconcile(row: ShipmentNotification, connector: Connector, *, now: datetime, report: NotifyReport) -> None:
    """Read the order back. Ours is there: confirmed. Shipped without ours: confirmed outside. Else wait, then resend."""
    claim = {"fence": row.fence + 1, "starts": row.starts + 1, "next_attempt_at": now + LEASE}
    if row.starts >= MAX_STARTS:
        _settle(row, State.NEEDS_ATTENTION, now=now, report=report, error_code="Poison")
        return
    if not ShipmentNotification.objects.move(row, frm=State.UNKNOWN, **claim):
        return
    for name, value in claim.items():
        setattr(row, name, value)
    failpoints.reach("notify.in_reconcile")
    try:
        remote = connector.order(row.order.order_number)
    except Throttled as error:
        _settle(row, State.UNKNOWN, now=now, report=report, next_attempt_at=now + timedelta(seconds=error.wait_s))
        raise
    except (TryLater, UnexpectedAnswer, OutcomeUnknown):
        since = row.failing_since or now
        state = State.NEEDS_ATTENTION if _given_up(row, now) else State.UNKNOWN
        again = now + timedelta(minutes=2)
        _settle(row, state, now=now, report=report, next_attempt_at=again, failing_since=since)
    except CredentialsRejected:
        _settle(row, State.UNKNOWN, now=now, report=report, next_attempt_at=now)
        raise
    except RequestRejected as error:
        _settle(
            row,
            State.NEEDS_ATTENTION,
            now=now,
            report=report,
            error_code=error.code[:60],
            error_text=error.detail[:300],
        )
    else:
        _judge(row, remote, now=now, report=report)


def _judge(row: ShipmentNotification, remote: RemoteOrder, *, now: datetime, report: NotifyReport) -> None:
    ours = any(
        package.reference == row.package_reference
        or (package.tracking_number and package.tracking_number == row.shipment.tracking_number)
        for package in remote.packages
    )
    if ours:
        _settle(row, State.CONFIRMED, now=now, report=report, confirmed_at=now)
    elif remote.status == "SHIPPED":
        _settle(row, State.CONFIRMED_EXTERNAL, now=now, report=report, confirmed_at=now)
    elif remote.status == "CANCELLED":
        _settle(row, State.REJECTED, now=now, report=report, error_code=GONE)
    elif row.reads + 1 < len(READ_AFTER):
        reads = row.reads + 1
        again = now + READ_AFTER[reads]
        _settle(row, State.UNKNOWN, now=now, report=report, next_attempt_at=again, reads=reads)
    else:  # not to be seen for 15 minutes: it did not arrive, and the same reference makes a repeat an edit
        _settle(row, State.RETRY_AT, now=now, report=report, next_attempt_at=now, reads=0)


def _settle(
    row: ShipmentNotification, state: str, *, now: datetime, report: NotifyReport | None, keep_starts: bool = False,
    withheld: str = "", **changes,
) -> None:  # fmt: skip
    """Record an outcome, with its line on the timeline, unless another holder took the row over."""
    changes |= {"state": state, "lease_until": None}
    if not keep_starts:
        changes["starts"] = 0
    if state in State.FINAL:
        changes |= {"failing_since": None, "error_code": withheld, "error_text": ""}
    elif (
        changes.get("error_text")
        and Order.objects.filter(pk=row.order_id, pii_state__in=Order.PiiState.MASKED).exists()
    ):
        changes["error_text"] = ""  # Amazon's words may repeat an address, and this order's is erased
    failpoints.reach("notify.after_answer")
    with transaction.atomic():
        if not ShipmentNotification.objects.move(row, frm=row.state, **changes):
            return
        if state in (*State.FINAL, *State.STUCK):
            OrderEvent.objects.create(
                order_id=row.order_id, kind=OrderEvent.Kind.NOTICE, at=now,
                params={
                    "channel": row.channel, "state": "withheld" if withheld else state,
                    "code": changes.get("error_code", ""),
                },
            )  # fmt: skip
    for name, value in changes.items():
        setattr(row, name, value)
    if report is not None:
        report.states[state] += 1


def retry(row: ShipmentNotification, *, now: datetime) -> None:
    """Send a stuck, waiting or withheld notice at the next sweep. What may have been sent is read back first.

    RuleViolation for what Amazon knows already, is being told, or must hear from somebody else. Safe to repeat.
    """
    if row.order.store.amazon_told_by == Store.ToldBy.CONNECTOR:
        raise RuleViolation(
            _(
                "The connector between BigCommerce and Amazon tells Amazon of this store's parcels: told twice, Amazon counts two."
            )
        )
    if row.is_final and not row.is_withheld:
        raise RuleViolation(_("Amazon already knows about this shipment: nothing to send again."))
    if row.state == State.IN_FLIGHT:
        raise RuleViolation(_("This notice is being sent right now: look again in two minutes."))
    started_before = row.attempts > 0
    changes = {
        "state": State.UNKNOWN if started_before else State.PENDING, "next_attempt_at": now, "failing_since": None,
        "starts": 0, "reads": len(READ_AFTER) - 1 if started_before else 0, "error_code": "", "asked_for": True,
    }  # fmt: skip
    if not ShipmentNotification.objects.move(row, frm=row.state, **changes):
        raise RuleViolation(_("The notice changed meanwhile: look at it again."))
    row.refresh_from_db()
