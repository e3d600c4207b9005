"""What the page of an account shows, read in a fixed number of queries."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from stores import marketplaces
from stores.models import AmazonAccount, RateBucket, Store


@dataclass(frozen=True)
class Bucket:
    """One rate bucket as it stands now. `next_call_at`: when a call may be made again, None: now."""

    operation: str
    tokens: int
    burst: int
    next_call_at: datetime | None


@dataclass(frozen=True)
class Unconnected:
    """A marketplace without a store. `offered`: Amazon confirmed it, so it can be connected."""

    code: str
    label: str
    orders: int
    offered: bool


def buckets(account: AmazonAccount, *, now: datetime) -> list[Bucket]:
    """The account's buckets, refilled up to `now` as a caller would find them."""
    return [_bucket(row, now) for row in account.buckets.order_by("operation")]


def _bucket(row: RateBucket, now: datetime) -> Bucket:
    tokens = min(row.burst, row.tokens + max(0.0, (now - row.updated_at).total_seconds()) * row.rate)
    refilled = now + timedelta(seconds=max(0.0, (1 - tokens) / row.rate))
    opens = max(refilled, row.blocked_until or refilled)
    return Bucket(row.operation, int(tokens), int(row.burst), opens if opens > now else None)


def unconnected(account: AmazonAccount, stores: list[Store]) -> list[Unconnected]:
    """Marketplaces without a store that Amazon confirmed or that orders came from; most orders first."""
    connected = {store.marketplace for store in stores}
    seen = dict(account.unconnected.values_list("marketplace_id").annotate(Count("pk")).order_by())
    confirmed = {
        row["marketplace"]
        for row in account.participations
        if row["active"] and getattr(marketplaces.BY_ID.get(row["marketplace"]), "region", "") == account.region
    }
    rows = []
    for market_id in confirmed | set(seen):
        market = marketplaces.BY_ID.get(market_id)
        if market is None or market.code not in connected:
            code, label = (market.code, market.label) if market else ("", market_id)
            rows.append(Unconnected(code, label, seen.get(market_id, 0), market_id in confirmed))
    return sorted(rows, key=lambda row: (-row.orders, row.label))


def seller_central_hosts(region: str, codes: set[str] | None = None) -> list[str]:
    """Where a seller of this region (selling on `codes`, if known) authorises applications."""
    markets = [market for market in marketplaces.ALL if market.region == region]
    known = [market for market in markets if market.code in (codes or ())]
    return list(dict.fromkeys(market.host for market in known or markets))
