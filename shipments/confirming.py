"""Telling Amazon, once.

At most one effective notice an order, and in the end one: the row is unique by constraint; the intent is committed
before the call; an answer not seen is `unknown` and read back before anything is sent again, always under the same
package reference. shipments/planning.py says what goes one by one and what together, shipments/feeding.py sends the
latter, shipments/settling.py records what came of it.
"""

import hashlib
import time
from datetime import datetime, timedelta

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
from shipments import correcting, feeding, planning
from shipments.models import ShipmentNotification
from shipments.outbox import parcel_of
from shipments.settling import (
    ALREADY,
    GONE,
    MAX_STARTS,
    READ_AFTER,
    NotifyReport,
    doubt,
    given_up,
    put_off,
    refuse,
    set_aside,
    settle,
)
from stores.connectors.base import Connector, RemoteOrder
from stores.models import AmazonAccount, Store

State = ShipmentNotification.State
LEASE = timedelta(seconds=90)  # longer than the total time limit of a call
SLOW_S, MOST_SLOW = 5, 2


def notify_due(
    account: AmazonAccount, connector: Connector, *, now: datetime, budget_s: float = BUDGET_S
) -> NotifyReport:
    """Settle and send what is due for one account. Safe to run twice, at once, and to kill at any line.

    CredentialsRejected and TryLater of the sign-in pass through before anything is claimed.
    """
    report, ends_at = NotifyReport(), time.monotonic() + budget_s
    rows = ShipmentNotification.objects.filter(order__store__account=account, channel="amazon")
    _take_back(rows, now=now, report=report)
    if not rows.waiting(now).exists() and not rows.to_reconcile(now).exists():
        return report
    connector.sign_in()
    if not _one_by_one(_reconcile, rows.to_reconcile(now), connector, now=now, report=report, ends_at=ends_at):
        return report
    waiting = _submit(account, connector, rows.waiting(now), now=now, report=report)
    _one_by_one(_send, waiting, connector, now=now, report=report, ends_at=ends_at)
    return report


def _submit(account: AmazonAccount, connector: Connector, waiting, *, now: datetime, report: NotifyReport):
    """Hand over together what is many; returns what is left to be told one by one now."""
    together, of_batches = planning.counts(waiting)
    plan = planning.plan(account, waiting=together, of_batches=of_batches, now=now)
    if plan.submit:
        try:
            feeding.submit(account, connector, waiting, now=now, report=report)
        except TryLater as error:  # of these calls, not of the single one: that has a bucket of its own
            report.wait_s = error.wait_s
    elif plan.hold_all:
        return waiting.exclude(ShipmentNotification.TOGETHER)
    elif plan.hold_batches:
        return waiting.exclude(ShipmentNotification.TOGETHER, shipment__batch_row__isnull=False)
    return waiting


def _one_by_one(step, due, connector: Connector, *, now: datetime, report: NotifyReport, ends_at: float) -> bool:
    """One step for each row; False where the rest of the run would be in vain."""
    slow = 0  # calls in a row that Amazon let hang
    rows = due.select_related("order__store__account", "shipment__order")
    for row in rows.prefetch_related("order__items").iterator(chunk_size=100):
        if time.monotonic() > ends_at:
            report.more = True
            return False
        called = time.monotonic()
        try:
            step(row, connector, now=now, report=report)
        except Throttled as error:
            report.wait_s = error.wait_s
            break
        slow = slow + 1 if time.monotonic() - called > SLOW_S else 0
        if slow == MOST_SLOW:  # each further call would cost its whole time limit, and the job its life
            return False
    return True


def _take_back(rows, *, now: datetime, report: NotifyReport) -> None:
    """What a dead worker left: sent or not, nobody knows, so it is read back. Three times dead: a person looks."""
    for row in rows.filter(state=State.IN_FLIGHT, lease_until__lte=now):
        if row.starts >= MAX_STARTS:
            settle(row, State.NEEDS_ATTENTION, now=now, report=report, error_code="Poison")
        else:
            settle(row, State.UNKNOWN, now=now, report=report, next_attempt_at=now, reads=0, keep_starts=True)


def _send(row: ShipmentNotification, connector: Connector, *, now: datetime, report: NotifyReport) -> None:
    if set_aside(row, now=now, report=report):
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
        put_off(row, error, now=now, report=report)
        if isinstance(error, Throttled):
            raise
    except CredentialsRejected:
        settle(row, State.PENDING, now=now, report=report, next_attempt_at=now, attempts=row.attempts - 1)
        raise
    except RequestRejected as error:
        refuse(row, code=error.code, text=error.detail, now=now, report=report)
    except (OutcomeUnknown, UnexpectedAnswer) as error:
        doubt(row, code=error.code or type(error).__name__, now=now, report=report)
    else:
        settle(row, State.CONFIRMED, now=now, report=report, confirmed_at=now)
    failpoints.reach("notify.after_record")


def _reconcile(row: ShipmentNotification, connector: Connector, *, now: datetime, report: NotifyReport) -> None:
    """Read the order back. Ours is there: confirmed. Shipped without ours: confirmed outside. Else wait, then resend."""
    claim = {"fence": row.fence + 1, "starts": row.starts + 1, "next_attempt_at": now + LEASE}
    if row.starts >= MAX_STARTS:
        settle(row, State.NEEDS_ATTENTION, now=now, report=report, error_code="Poison")
        return
    if not ShipmentNotification.objects.move(row, frm=State.UNKNOWN, **claim):
        return
    for name, value in claim.items():
        setattr(row, name, value)
    failpoints.reach("notify.in_reconcile")
    try:
        remote = connector.order(row.order.order_number)
    except Throttled as error:
        settle(row, State.UNKNOWN, now=now, report=report, next_attempt_at=now + timedelta(seconds=error.wait_s))
        raise
    except (TryLater, UnexpectedAnswer, OutcomeUnknown):
        since = row.failing_since or now
        state = State.NEEDS_ATTENTION if given_up(row, now) else State.UNKNOWN
        again = now + timedelta(minutes=2)
        settle(row, state, now=now, report=report, next_attempt_at=again, failing_since=since)
    except CredentialsRejected:
        settle(row, State.UNKNOWN, now=now, report=report, next_attempt_at=now)
        raise
    except RequestRejected as error:
        settle(
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
    if correcting.is_ours(row, remote):
        settle(row, State.CONFIRMED, now=now, report=report, confirmed_at=now)
    elif remote.status == "SHIPPED" and row.correction_of_id is None:  # a correction finds it shipped, by us
        settle(row, State.CONFIRMED_EXTERNAL, now=now, report=report, confirmed_at=now)
    elif remote.status == "CANCELLED":
        settle(row, State.REJECTED, now=now, report=report, error_code=GONE)
    elif row.reads + 1 < len(READ_AFTER):
        reads = row.reads + 1
        again = now + READ_AFTER[reads]
        settle(row, State.UNKNOWN, now=now, report=report, next_attempt_at=again, reads=reads)
    elif row.correction_of_id is not None and row.error_code == ALREADY[0]:  # Amazon takes corrections for a while only
        settle(row, State.REJECTED, now=now, report=report, error_code=row.error_code, error_text=row.error_text)
    else:  # not to be seen for 15 minutes: it did not arrive, and the same reference makes a repeat an edit
        settle(row, State.RETRY_AT, now=now, report=report, next_attempt_at=now, reads=0)


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
    if row.state == State.IN_FEED:
        raise RuleViolation(_("This notice went to Amazon with others: its result is awaited, and comes by itself."))
    if row.state == State.WITHDRAWN:
        raise RuleViolation(_("The parcel was voided before Amazon was told: send the order again, and it will be."))
    started_before = row.attempts > 0
    changes = {
        "state": State.UNKNOWN if started_before else State.PENDING, "next_attempt_at": now, "failing_since": None,
        "starts": 0, "reads": len(READ_AFTER) - 1 if started_before else 0, "error_code": "", "asked_for": True,
    }  # fmt: skip
    if not ShipmentNotification.objects.move(row, frm=row.state, **changes):
        raise RuleViolation(_("The notice changed meanwhile: look at it again."))
    row.refresh_from_db()
