"""The shared token bucket: one row per account and operation, taken by compare-and-swap on both databases.

We use 80 % of the published rate so that other tools of the seller fit beside us, and the whole burst.
"""

from datetime import datetime, timedelta
from random import uniform

from orderhub import clock
from orderhub.errors import Throttled
from stores.models import AmazonAccount, RateBucket

SHARE = 0.8
SWAPS = 20
MAX_BACKOFF_S = 3600


class AccountThrottle:
    """The buckets of one account. Time comes from the clock at each call."""

    def __init__(self, account: AmazonAccount):
        self.account = account

    def take(self, operation: str, *, rate: float, burst: float) -> None:
        """Spend one token. Raises Throttled with the wait in seconds where there is none; never sleeps."""
        for _attempt in range(SWAPS):
            now = clock.now()
            bucket = self._bucket(operation, rate, burst, now)
            tokens = _refilled(bucket, now)
            if bucket.blocked_until and bucket.blocked_until > now:
                raise self._closed(operation, (bucket.blocked_until - now).total_seconds())
            if tokens < 1:
                raise self._closed(operation, (1 - tokens) / bucket.rate)
            if self._swap(bucket, tokens=tokens - 1, updated_at=now):
                return
        raise self._closed(operation, 1)

    def wait_for(self, operation: str, *, ahead: int = 0, rate: float, burst: float) -> float:
        """Seconds until a token is there for us when `ahead` others go first. Reads only."""
        now = clock.now()
        bucket = self._bucket(operation, rate, burst, now)
        closed = max(0.0, (bucket.blocked_until - now).total_seconds()) if bucket.blocked_until else 0.0
        return max(closed, (ahead + 1 - _refilled(bucket, now)) / bucket.rate)

    def learned(self, operation: str, header_rate: float) -> None:
        """Amazon answered: take over the rate it names, and forget earlier refusals."""
        bucket = RateBucket.objects.filter(account=self.account, operation=operation).first()
        if bucket is None:
            return
        wanted = header_rate * SHARE if header_rate > 0 else bucket.rate
        if bucket.throttled or abs(bucket.rate - wanted) > 1e-9:
            self._swap(bucket, rate=wanted, throttled=0, blocked_until=None)

    def refused(self, operation: str, *, retry_after_s: float = 0) -> float:
        """Amazon said 429: close the bucket, longer each time in a row. Returns the seconds to wait."""
        now = clock.now()
        bucket = RateBucket.objects.get(account=self.account, operation=operation)
        backoff = min(MAX_BACKOFF_S, 2.0 ** min(bucket.throttled, 10)) * uniform(1, 1.5)
        wait_s = max(1 / bucket.rate, backoff, retry_after_s)
        blocked_until = now + timedelta(seconds=wait_s)
        self._swap(bucket, tokens=0.0, updated_at=now, blocked_until=blocked_until, throttled=bucket.throttled + 1)
        return wait_s

    def _bucket(self, operation: str, rate: float, burst: float, now: datetime) -> RateBucket:
        found = RateBucket.objects.filter(account=self.account, operation=operation).first()
        if found is None:
            fresh = RateBucket(
                account=self.account,
                operation=operation,
                tokens=burst,
                rate=rate * SHARE,
                burst=burst,
                updated_at=now,
            )
            RateBucket.objects.bulk_create([fresh], ignore_conflicts=True)
            found = RateBucket.objects.get(account=self.account, operation=operation)
        return found

    @staticmethod
    def _swap(bucket: RateBucket, **changes) -> bool:
        """Write only if nobody else wrote since we read."""
        same = RateBucket.objects.filter(pk=bucket.pk, version=bucket.version)
        return bool(same.update(version=bucket.version + 1, **changes))

    @staticmethod
    def _closed(operation: str, wait_s: float) -> Throttled:
        return Throttled(f"{operation}: our copy of the bucket is empty", wait_s=max(wait_s, 0.05), code="BucketEmpty")


def _refilled(bucket: RateBucket, now: datetime) -> float:
    elapsed = max(0.0, (now - bucket.updated_at).total_seconds())
    return min(bucket.burst, bucket.tokens + elapsed * bucket.rate)
