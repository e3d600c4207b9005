"""The shared token bucket: one row per account and operation, taken by compare-and-swap on both databases.

We use 80 % of the published rate so that other tools of the seller fit beside us, and the whole burst. `rate` and
`burst` of every call are the published ones: a header or a row that strays far from them is not believed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import uniform

from orderhub import clock
from orderhub.errors import Throttled
from stores.models import AmazonAccount, RateBucket

SHARE = 0.8
SWAPS = 20
MAX_BACKOFF_S = 3600
LEAST, MOST = 0.1, 10  # of the published rate: what a header may make of it
JITTER = timedelta(seconds=5)  # clocks of two processes differ by less


@dataclass(frozen=True)
class Level:
    """A bucket as it stands now: `tokens` of `burst` left, `rate` more a second; `closed_until` where Amazon said 429."""

    tokens: float
    burst: float
    rate: float
    closed_until: datetime | None = None


class AccountThrottle:
    """The buckets of one account. Time comes from the clock at each call.

    `buckets`: the rows by operation where they are at hand already, for those who only read.
    """

    def __init__(self, account: AmazonAccount, *, buckets: dict[str, RateBucket] | None = None):
        self.account, self.buckets = account, buckets

    def take(self, operation: str, *, rate: float, burst: float) -> None:
        """Spend one token. Raises Throttled with the wait in seconds where there is none; never sleeps."""
        for _attempt in range(SWAPS):
            now = clock.now()
            bucket = self._bucket(operation, rate, burst, now)
            if bucket.updated_at > now + JITTER:  # our clock was ahead then: from now on it fills again
                self._swap(bucket, updated_at=now)
                continue
            tokens = _refilled(bucket, now)
            closed_s = _closed_s(bucket, now)
            if closed_s:
                raise self._closed(operation, closed_s)
            if tokens < 1:
                raise self._closed(operation, (1 - tokens) / bucket.rate)
            if self._swap(bucket, tokens=tokens - 1, updated_at=now):
                return
        raise self._closed(operation, 1)

    def wait_for(self, operation: str, *, ahead: int = 0, rate: float, burst: float) -> float:
        """Seconds until a token is there for us when `ahead` others go first. Reads only: screens ask too."""
        now = clock.now()
        bucket = self._as_read(operation, rate, burst, now)
        return max(_closed_s(bucket, now), (ahead + 1 - _refilled(bucket, now)) / bucket.rate)

    def level(self, operation: str, *, rate: float, burst: float) -> Level:
        """How the bucket stands, full where nothing was asked yet. Reads only."""
        now = clock.now()
        bucket = self._as_read(operation, rate, burst, now)
        until = bucket.blocked_until if _closed_s(bucket, now) else None
        return Level(_refilled(bucket, now), bucket.burst, bucket.rate, until)

    def learned(self, operation: str, header_rate: float, *, rate: float, burst: float) -> None:
        """Amazon answered: take over the rate it names, within bounds, and forget refusals whose wait is over.

        A wait that still runs was asked for after our call had begun, and stays.
        """
        now = clock.now()
        bucket = self._bucket(operation, rate, burst, now)
        wanted = _believed(header_rate * SHARE, rate) if header_rate > 0 else bucket.rate
        changes = {} if abs(bucket.rate - wanted) <= 1e-9 else {"rate": wanted}
        if bucket.throttled and not _closed_s(bucket, now):
            changes |= {"throttled": 0, "blocked_until": None}
        if changes:
            self._swap(bucket, **changes)

    def refused(self, operation: str, *, retry_after_s: float = 0, rate: float, burst: float) -> float:
        """Amazon said 429: close the bucket, longer each time in a row. Returns the seconds to wait, an hour at most."""
        wait_s = 0.0
        for _attempt in range(SWAPS):
            now = clock.now()
            bucket = self._bucket(operation, rate, burst, now)
            backoff = 2.0 ** min(bucket.throttled, 12) * uniform(1, 1.5)
            wait_s = min(MAX_BACKOFF_S, max(1 / bucket.rate, backoff, retry_after_s))
            until, times = now + timedelta(seconds=wait_s), bucket.throttled + 1
            if self._swap(bucket, tokens=0.0, updated_at=now, blocked_until=until, throttled=times):
                break
        return wait_s

    def _bucket(self, operation: str, rate: float, burst: float, now: datetime) -> RateBucket:
        found = self._found(operation)
        if found is None:
            fresh = self._fresh(operation, rate, burst, now)
            RateBucket.objects.bulk_create([fresh], ignore_conflicts=True)
            found = RateBucket.objects.get(account=self.account, operation=operation)
        if found.updated_at > now + JITTER:  # the clock went back: a bucket dated ahead would not refill until then
            self._swap(found, updated_at=now)
            found = RateBucket.objects.get(pk=found.pk)
        found.rate = _believed(found.rate, rate)
        return found

    def _as_read(self, operation: str, rate: float, burst: float, now: datetime) -> RateBucket:
        """The bucket with what is believed of it; nothing of that is saved."""
        bucket = self._found(operation) or self._fresh(operation, rate, burst, now)
        bucket.updated_at = min(bucket.updated_at, now)
        bucket.rate = _believed(bucket.rate, rate)
        return bucket

    def _found(self, operation: str) -> RateBucket | None:
        if self.buckets is not None:
            return self.buckets.get(operation)
        return RateBucket.objects.filter(account=self.account, operation=operation).first()

    def _fresh(self, operation: str, rate: float, burst: float, now: datetime) -> RateBucket:
        """A full bucket, not saved."""
        return RateBucket(
            account=self.account, operation=operation, tokens=burst, rate=rate * SHARE, burst=burst, updated_at=now
        )

    @staticmethod
    def _swap(bucket: RateBucket, **changes) -> bool:
        """Write only if nobody else wrote since we read."""
        same = RateBucket.objects.filter(pk=bucket.pk, version=bucket.version)
        return bool(same.update(version=bucket.version + 1, **changes))

    @staticmethod
    def _closed(operation: str, wait_s: float) -> Throttled:
        wait_s = min(MAX_BACKOFF_S, max(wait_s, 0.05))
        return Throttled(f"{operation}: our copy of the bucket is empty", wait_s=wait_s, code="BucketEmpty")


def _believed(rate: float, published: float) -> float:
    return min(MOST * published * SHARE, max(LEAST * published * SHARE, rate))


def _closed_s(bucket: RateBucket, now: datetime) -> float:
    """Seconds the bucket stays closed. Further ahead than we ever close it: the clock went back, and it is open."""
    ahead = (bucket.blocked_until - now).total_seconds() if bucket.blocked_until else 0.0
    return ahead if 0 < ahead <= MAX_BACKOFF_S else 0.0


def _refilled(bucket: RateBucket, now: datetime) -> float:
    elapsed = max(0.0, (now - bucket.updated_at).total_seconds())
    return min(bucket.burst, bucket.tokens + elapsed * bucket.rate)
