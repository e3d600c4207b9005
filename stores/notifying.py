"""When the marketplace is told of a parcel: the store's policy first, then Amazon's limits. Writes nothing."""

from datetime import datetime, timedelta

from stores.connectors.amazon.client import CONFIRM_SHIPMENT
from stores.models import AmazonAccount, Store
from stores.throttle import AccountThrottle

BEFORE_SHIP_BY = timedelta(hours=1)  # later, and the order counts as shipped late


def first_attempt(store: Store, now: datetime, ship_by: datetime | None) -> datetime | None:
    """When a parcel made `now` may first be told; None: never by us.

    A delay never goes past one hour before `ship_by` (the order's deadline, if known), nor before `now`.
    """
    match store.notify_when:
        case store.NotifyWhen.NEVER:
            return None
        case store.NotifyWhen.DELAY:
            wanted = now + timedelta(minutes=store.notify_delay_minutes)
            return max(now, min(wanted, ship_by - BEFORE_SHIP_BY) if ship_by else wanted)
        case _at_once:
            return now


def expected_at(account: AmazonAccount, not_before: datetime, *, now: datetime, ahead: int = 0) -> datetime:
    """When Amazon's limits let one notice of this account through, when `ahead` others go first; one query."""
    plan = {"rate": CONFIRM_SHIPMENT.rate, "burst": CONFIRM_SHIPMENT.burst}
    wait_s = AccountThrottle(account).wait_for(CONFIRM_SHIPMENT.name, ahead=ahead, **plan)
    return max(not_before, now + timedelta(seconds=max(0.0, wait_s)))
