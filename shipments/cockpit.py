"""How each Amazon account stands with Amazon's limits, and what waits for them. Reads only.

Six queries for all accounts together, and the three of a Forecast for each. What a figure means is said in
shipments/cockpitwords.py.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nsmallest

from django.db.models import Case, Count, Exists, IntegerField, Max, OuterRef, Q, QuerySet, Value, When

from shipments import errorcatalogue, planning
from shipments.models import Feed, ShipmentNotification
from shipments.planning import Plan, Submissions
from shipments.predicting import Expected, Forecast
from stores.connectors.amazon.client import (
    CONFIRM_SHIPMENT,
    CREATE_FEED,
    CREATE_FEED_DOCUMENT,
    GET_FEED,
    GET_FEED_DOCUMENT,
    GET_ORDER,
    Operation,
)
from stores.models import AmazonAccount, RateBucket
from stores.throttle import AccountThrottle, Level

State = ShipmentNotification.State
ACCOUNTS = 20  # shown, those with most waiting first
NEXT = 20  # orders listed of each
USED = timedelta(days=1)  # an account with nothing open is shown so long after it was last asked for something
OPERATIONS = (CONFIRM_SHIPMENT, CREATE_FEED, CREATE_FEED_DOCUMENT, GET_ORDER, GET_FEED, GET_FEED_DOCUMENT)
THROTTLED = "throttled"  # of those that are to be tried again
WAITING = (State.PENDING, State.RETRY_AT)
SETTLED = (*State.FINAL, State.WITHDRAWN)
ACCOUNT = "order__store__account"


@dataclass(frozen=True)
class Submission:
    """The one under way, and when it will have been processed."""

    feed: Feed
    ends: datetime


@dataclass(frozen=True)
class Console:
    """All that is shown of one account.

    `counts`: open notices by state, and how many are THROTTLED. `lines`: the next to be accepted. `plan`: what a run
    would do now; `if_batched`: what it would do with a batch made now; `opens`: when Amazon takes a submission.
    """

    account: AmazonAccount
    levels: dict[Operation, Level]
    counts: Counter
    submission: Submission | None
    forecast: Forecast
    lines: tuple[tuple[ShipmentNotification, Expected], ...]
    plan: Plan
    if_batched: Plan
    last_submitted: datetime | None
    opens: datetime

    @property
    def waiting(self) -> int:
        return sum(self.counts[state] for state in WAITING)

    @property
    def stuck(self) -> int:
        return sum(self.counts[state] for state in State.STUCK)

    @property
    def first_at(self) -> datetime | None:
        return min(self._instants, default=None)

    @property
    def last_at(self) -> datetime | None:
        return max(self._instants, default=None)

    @property
    def _instants(self) -> list[datetime]:
        ends = [self.submission.ends] if self.submission and self.counts[State.IN_FEED] else []
        return [*ends, *(found.at for found in self.forecast.expected.values())]


def consoles(*, now: datetime) -> list[Console]:
    """Of each working account with notices open, or used within a day; the same queries however many notices wait."""
    counts = _counts()
    accounts = _accounts(counts, now)
    feeds = {feed.account_id: feed for feed in Feed.objects.open().filter(account__in=accounts)}
    handed, due = _handed_over(accounts), _due(accounts, now)
    forecasts = {account.pk: Forecast(account, now=now) for account in accounts}
    soonest = {pk: _soonest(forecast) for pk, forecast in forecasts.items()}
    notices = ShipmentNotification.objects.select_related("order__store").in_bulk(
        [pk for found in soonest.values() for pk, _expected in found]
    )
    found = []
    for account in accounts:
        pk, forecast = account.pk, forecasts[account.pk]
        feed, closed_s = feeds.get(pk), planning.closed_s(forecast.throttle)
        submissions = Submissions(is_open=feed is not None, last_at=handed.get(pk), closed_s=closed_s)
        lot = planning.BURST + 1
        found.append(
            Console(
                account=account,
                levels={one: level(forecast.throttle, one) for one in OPERATIONS},
                counts=counts.get(pk, Counter()),
                submission=Submission(feed, forecast.ends(feed)) if feed else None,
                forecast=forecast,
                lines=tuple((notices[one], expected) for one, expected in soonest[pk] if one in notices),
                plan=planning.decide(*due.get(pk, (0, 0)), submissions, now=now),
                if_batched=planning.decide(lot, lot, submissions, now=now),
                last_submitted=handed.get(pk),
                opens=now + timedelta(seconds=closed_s),
            )
        )
    return found


def level(throttle: AccountThrottle, operation: Operation) -> Level:
    return throttle.level(operation.name, rate=operation.rate, burst=operation.burst)


def single_opens(throttle: AccountThrottle, *, now: datetime) -> datetime:
    """When Amazon takes the next single call; `now` where it does already."""
    one = CONFIRM_SHIPMENT
    return now + timedelta(seconds=max(0.0, throttle.wait_for(one.name, rate=one.rate, burst=one.burst)))


def waiting_of(account: AmazonAccount) -> QuerySet:
    return ShipmentNotification.objects.filter(order__store__account=account, channel="amazon", state__in=WAITING)


def _counts() -> dict[int, Counter]:
    """Open notices of every working account, by state."""
    throttled = Q(state=State.RETRY_AT, error_code__in=errorcatalogue.codes_of(errorcatalogue.Kind.THROTTLING))
    rows = ShipmentNotification.objects.filter(
        channel="amazon", order__store__account__status=AmazonAccount.Status.ACTIVE
    ).exclude(state__in=SETTLED)
    found: dict[int, Counter] = {}
    for row in (
        rows.order_by().values(ACCOUNT, "state").annotate(every=Count("pk"), throttled=Count("pk", filter=throttled))
    ):
        found.setdefault(row[ACCOUNT], Counter()).update({row["state"]: row["every"], THROTTLED: row["throttled"]})
    return found


def _open(counts: Counter) -> int:
    return counts.total() - counts[THROTTLED]


def _accounts(counts: dict[int, Counter], now: datetime) -> list[AmazonAccount]:
    """Those with most waiting first, then those with most open, then those that were only used."""

    def rank(pk: int) -> tuple:
        mine = counts.get(pk, Counter())
        return -sum(mine[state] for state in WAITING), -_open(mine), pk

    busy = sorted(counts, key=rank)[:ACCOUNTS]
    used = Exists(RateBucket.objects.filter(account=OuterRef("pk"), updated_at__gte=now - USED))
    first = Case(When(pk__in=busy, then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = AmazonAccount.objects.working().filter(Q(pk__in=busy) | used).select_related("merchant")
    return sorted(rows.order_by(first, "pk")[:ACCOUNTS], key=lambda account: rank(account.pk))


def _handed_over(accounts: list[AmazonAccount]) -> dict[int, datetime]:
    """When each account's last submission was made."""
    made = Feed.objects.filter(account__in=accounts, submitted_at__isnull=False).order_by()
    return dict(made.values_list("account").annotate(last=Max("submitted_at")))


def _due(accounts: list[AmazonAccount], now: datetime) -> dict[int, tuple[int, int]]:
    """What a run would find that may go together, and how many of it were made in a batch."""
    rows = ShipmentNotification.objects.waiting(now).filter(
        ShipmentNotification.TOGETHER, channel="amazon", order__store__account__in=accounts
    )
    batched = Count("pk", filter=Q(shipment__batch_row__isnull=False))
    counted = rows.order_by().values_list(ACCOUNT).annotate(every=Count("pk"), batched=batched)
    return {pk: (every, of_batches) for pk, every, of_batches in counted}


def _soonest(forecast: Forecast) -> list[tuple[int, Expected]]:
    return nsmallest(NEXT, forecast.expected.items(), key=lambda item: (item[1].at, item[0]))
