"""When Amazon will have been told of each parcel that waits, as the plan and Amazon's limits are now. Reads only.

The plan of shipments/planning.py is played through in advance: what is due together, what goes one by one at the pace
of the bucket, what goes in one submission, and how long the account's last submissions took.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from shipments import planning
from shipments.models import Feed, ShipmentNotification
from shipments.models.notification import GATHER
from stores.connectors.amazon.client import CONFIRM_SHIPMENT
from stores.models import AmazonAccount, RateBucket
from stores.throttle import AccountThrottle

State = ShipmentNotification.State
USUAL = timedelta(minutes=4)  # a submission, where the account has none to learn from
LEARNED_FROM = 5
SWEEP = timedelta(minutes=1)  # a run looks at all that waits
MOST = 20_000  # notices looked at


@dataclass(frozen=True)
class Expected:
    """`at`: when Amazon will have accepted it, UTC; `together`: in a submission with others."""

    at: datetime
    together: bool = False


class Forecast:
    """The queue of one account, played through; three queries however many wait."""

    def __init__(self, account: AmazonAccount, *, now: datetime):
        self.account, self.now = account, now
        buckets = {row.operation: row for row in RateBucket.objects.filter(account=account)}
        self.throttle = AccountThrottle(account, buckets=buckets)
        made = list(Feed.objects.filter(account=account).order_by("-pk")[: LEARNED_FROM + 1])
        took = [one.finished_at - one.submitted_at for one in made if one.state == Feed.State.DONE]
        self.takes = timedelta(seconds=median(one.total_seconds() for one in took)) if took else USUAL
        self.open_until = max((self.ends(one) for one in made if one.state in Feed.State.OPEN), default=None)
        self.last_at = next((one.submitted_at for one in made if one.submitted_at), None)
        self.expected: dict[int, Expected] = {}
        self._single = 0
        for group in self._groups(self._waiting()):
            self._play(group)

    def of(self, notice: ShipmentNotification) -> Expected | None:
        """When Amazon will have been told of this one; None where nothing goes on by itself."""
        if notice.state == State.IN_FEED:
            return Expected(self.ends(notice.feed), together=True)
        return self.expected.get(notice.pk)

    def ends(self, feed: Feed) -> datetime:
        """When this open submission will have been processed."""
        begun = feed.submitted_at or self.now
        return max(begun + self.takes, feed.next_check_at, self.now)

    def _waiting(self) -> list[dict]:
        rows = ShipmentNotification.objects.filter(
            order__store__account=self.account, channel="amazon", state__in=[State.PENDING, State.RETRY_AT]
        )
        wanted = ("pk", "created_at", "next_attempt_at", "single_only", "correction_of_id", "shipment__batch_row")
        return list(rows.order_by("next_attempt_at", "pk").values(*wanted)[:MOST])

    def _groups(self, rows: list[dict]):
        """Rows that a run finds together, with the instant of that run."""
        group: list[dict] = []
        for row in rows:
            due = max(self.now, row["next_attempt_at"])
            if group and due > group[0]["due"] + GATHER:
                yield group
                group = []
            group.append(row | {"due": due})
        if group:
            yield group

    def _play(self, group: list[dict]) -> None:
        at = group[0]["due"]
        together = [row for row in group if not row["single_only"] and row["correction_of_id"] is None]
        batched = [row for row in together if row["shipment__batch_row"] is not None]
        is_open = self.open_until is not None and self.open_until > at
        plan = planning.decide(len(together), len(batched), planning.Submissions(is_open, self.last_at), now=at)
        held = together if plan.submit or plan.hold_all else batched if plan.hold_batches else []
        opens = self.open_until if is_open else max([self._opens(), *(row["due"] for row in held)])
        if plan.submit:
            held = self._still_many(held, opens)
        if held:
            self.last_at, self.open_until = opens, opens + self.takes
            self.expected |= {row["pk"]: Expected(self.open_until, together=True) for row in held}
        for row in sorted(group, key=lambda row: (row["created_at"], row["pk"])):
            if row["pk"] not in self.expected:
                self._tell(row)

    def _still_many(self, held: list[dict], opens: datetime) -> list[dict]:
        """Until Amazon takes a submission single calls go on; what is left then, if it is still many."""
        left = list(held)
        while left and self._turn() < opens - SWEEP:
            self._tell(left.pop(0))
        return left if len(left) > planning.BURST else []

    def _tell(self, row: dict) -> None:
        self.expected[row["pk"]] = Expected(max(row["due"], self._turn()))
        self._single += 1

    def _opens(self) -> datetime:
        return self.now + timedelta(seconds=planning.closed_s(self.throttle))

    def _turn(self) -> datetime:
        """When the next single call finds a token."""
        plan = {"rate": CONFIRM_SHIPMENT.rate, "burst": CONFIRM_SHIPMENT.burst}
        wait_s = self.throttle.wait_for(CONFIRM_SHIPMENT.name, ahead=self._single, **plan)
        return self.now + timedelta(seconds=max(0.0, wait_s))
