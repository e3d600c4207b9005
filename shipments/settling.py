"""How a notice moves from state to state: every transition is a conditional UPDATE on state and start number.

So a worker that wakes up after its lease cannot write, and a line on the timeline comes with each end, once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import uniform

from django.db import transaction

from orderhub import failpoints
from orderhub.errors import Throttled, TryLater
from orders.models import Order, OrderEvent
from shipments import outbox
from shipments.models import ShipmentNotification

State = ShipmentNotification.State
READ_AFTER = (
    timedelta(minutes=2),
    timedelta(minutes=3),
    timedelta(minutes=10),
)  # 2, 5 and 15 minutes after the call
GIVE_UP_AFTER = timedelta(hours=24)
MAX_STARTS = 3
ALREADY = ("PackageToUpdateNotFound", "already fulfilled")
EDITED_MEANWHILE = "InvalidPackageVersion"
GONE = "NonexistentOrderItem"
INTERNAL = "InternalServiceError"  # Amazon's word where the account is to blame, not the notice (R56)
WORDS = (ALREADY[0], GONE, EDITED_MEANWHILE, INTERNAL)


@dataclass
class NotifyReport:
    """What a sweep did, by resulting state. `wait_s`: how long Amazon asked to wait, if it did."""

    states: Counter = field(default_factory=Counter)
    wait_s: float = 0.0
    more: bool = False

    def sentence(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.states.items())) or "nothing to send"
        return told + (f"; throttled, again in {self.wait_s:.0f} s" if self.wait_s else "")


def settle(
    row: ShipmentNotification, state: str, *, now: datetime, report: NotifyReport | None = None,
    keep_starts: bool = False, withheld: str = "", **changes,
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
                } | ({"change": "corrected"} if row.correction_of_id else {}),
            )  # fmt: skip
    for name, value in changes.items():
        setattr(row, name, value)
    if report is not None:
        report.states[state] += 1


def settle_all(rows: Sequence[ShipmentNotification], state: str, *, now: datetime) -> None:
    """Record that the marketplace knows of all of these, whose rows the caller's transaction holds; two statements."""
    if not rows:
        return
    ShipmentNotification.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=state, confirmed_at=now, failing_since=None, starts=0, error_code="", error_text=""
    )
    OrderEvent.objects.bulk_create(
        OrderEvent(
            order_id=row.order_id, kind=OrderEvent.Kind.NOTICE, at=now,
            params={"channel": row.channel, "state": state, "code": ""},
        )
        for row in rows
    )  # fmt: skip


def given_up(row: ShipmentNotification, now: datetime) -> bool:
    return row.failing_since is not None and now - row.failing_since > GIVE_UP_AFTER


def put_off(row: ShipmentNotification, error: TryLater, *, now: datetime, report: NotifyReport) -> None:
    """Throttled, or provably not sent: no attempt is spent, and throttling alone never ends in attention (R52)."""
    changes = {"attempts": row.attempts - 1, "error_code": error.code[:60]}
    if not isinstance(error, Throttled):
        changes["failing_since"] = row.failing_since or now
        if given_up(row, now):
            settle(row, State.NEEDS_ATTENTION, now=now, report=report, **changes)
            return
    wait_s = max(error.wait_s, 1) * uniform(1, 1.2)
    again = now + timedelta(seconds=wait_s)
    settle(row, State.RETRY_AT, now=now, report=report, next_attempt_at=again, **changes)


def refuse(
    row: ShipmentNotification, *, code: str, text: str, now: datetime, report: NotifyReport | None = None
) -> None:
    """A clear no. Two of Amazon's refusals do not mean it: shipped already, and edited meanwhile."""
    code = next((word for word in WORDS if word in text), code)[:60]
    said = {"error_code": code, "error_text": text[:300]}
    if any(word in text for word in ALREADY):  # and where reading never shows it, a person looks after a day
        state = State.NEEDS_ATTENTION if given_up(row, now) else State.UNKNOWN
        since = row.failing_since or now
        settle(row, state, now=now, report=report, next_attempt_at=now, reads=0, failing_since=since, **said)
    elif EDITED_MEANWHILE in text and row.attempts <= 1:
        again = now + timedelta(minutes=5)
        settle(row, State.RETRY_AT, now=now, report=report, next_attempt_at=again, **said)
    else:
        settle(row, State.REJECTED, now=now, report=report, **said)


def doubt(row: ShipmentNotification, *, code: str, now: datetime, report: NotifyReport) -> None:
    """Sent, and the answer not seen: it is read back before anything else."""
    since = row.failing_since or now
    if given_up(row, now):
        settle(row, State.NEEDS_ATTENTION, now=now, report=report, error_code=code[:60])
        return
    settle(
        row, State.UNKNOWN, now=now, report=report, next_attempt_at=now + READ_AFTER[0], reads=0, failing_since=since,
        error_code=code[:60],
    )  # fmt: skip


def set_aside(row: ShipmentNotification, *, now: datetime, report: NotifyReport | None = None) -> bool:
    """Whether a notice is not to be sent after all: its parcel was voided, or the store's settings have changed."""
    if row.shipment.voided_at is not None:
        outbox.pass_on(row, now=now)
        return True
    withheld = outbox.why_withheld(row.order, now)
    if withheld in row.NEVER_OURS or (withheld and not row.asked_for):
        settle(row, State.MANUAL, now=now, report=report, withheld=withheld)
        return True
    return False
