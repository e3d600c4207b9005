"""How one account's notices reach Amazon: one by one inside its burst, or many in one submission.

Up to BURST calls are never throttled. What is more goes in one submission for all stores of the account (R54); one is
open at a time, and small ones keep a distance, as Amazon asks. Meanwhile single calls go on at the bucket's pace.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shipments.models import Feed, ShipmentNotification
from stores.connectors.amazon.client import CREATE_FEED, CREATE_FEED_DOCUMENT
from stores.models import AmazonAccount
from stores.throttle import AccountThrottle

BURST = 10  # of confirmShipment
LARGE = 200  # more than this is not told one by one while a submission runs
APART = timedelta(minutes=20)  # between two submissions of single labels; Amazon's own advice
OPERATIONS = (CREATE_FEED_DOCUMENT, CREATE_FEED)


@dataclass(frozen=True)
class Plan:
    """`submit`: all that may go together goes in one submission now. `hold_batches`: labels of batches wait for the one
    that is open; `hold_all`: so does everything that may go together."""

    submit: bool = False
    hold_batches: bool = False
    hold_all: bool = False


@dataclass(frozen=True)
class Submissions:
    """What stands in the way of one more: whether one is open, when the last was made, seconds until Amazon takes one."""

    is_open: bool = False
    last_at: datetime | None = None
    closed_s: float = 0.0


def plan(account: AmazonAccount, *, waiting: int, of_batches: int, now: datetime) -> Plan:
    """What to do with so many notices that may go together, `of_batches` of them made in a batch. Reads only."""
    if waiting <= BURST:
        return Plan()
    found = Submissions(
        is_open=Feed.objects.open().filter(account=account).exists(),
        last_at=last_submitted(account),
        closed_s=closed_s(AccountThrottle(account)),
    )
    return decide(waiting, of_batches, found, now=now)


def decide(waiting: int, of_batches: int, found: Submissions, *, now: datetime) -> Plan:
    """The same from what is known already. Pure."""
    if waiting <= BURST:
        return Plan()
    batch, large = of_batches > BURST, waiting > LARGE
    if found.is_open:
        return Plan(hold_batches=batch, hold_all=large)
    early = found.last_at is not None and now < found.last_at + APART and not (batch or large)
    return Plan(submit=not early and not found.closed_s)


def last_submitted(account: AmazonAccount) -> datetime | None:
    made = Feed.objects.filter(account=account, submitted_at__isnull=False).order_by("-submitted_at")
    return made.values_list("submitted_at", flat=True).first()


def closed_s(throttle: AccountThrottle) -> float:
    """Seconds until both calls of a submission have a token."""
    return max(0.0, *(throttle.wait_for(one.name, rate=one.rate, burst=one.burst) for one in OPERATIONS))


def counts(rows) -> tuple[int, int]:
    """Of these notices those that may go together, and how many of them were made in a batch."""
    together = rows.filter(ShipmentNotification.TOGETHER)
    return together.count(), together.filter(shipment__batch_row__isnull=False).count()
