"""Token buckets per seller and operation, on the simulated clock. Rates: Amazon's usage plans, 2026-11-23."""

from datetime import datetime

# operation: tokens a second, size of the bucket
RATES: dict[str, tuple[float, int]] = {
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "confirmShipment": (2.0, 10),
    "getMarketplaceParticipations": (0.016, 15),
    "getAccount": (0.016, 15),
    "searchListingsItems": (5.0, 5),
    "searchCatalogItems": (2.0, 2),
    "getCatalogItem": (2.0, 2),
    "getInventorySummaries": (2.0, 2),
    "createFeedDocument": (0.5, 15),
    "createFeed": (0.0083, 15),
    "getFeed": (2.0, 15),
    "getFeeds": (0.0222, 10),
    "cancelFeed": (2.0, 15),
    "getFeedDocument": (0.0222, 10),
    "getRates": (80.0, 100),
    "purchaseShipment": (80.0, 100),
    "getShipmentDocuments": (80.0, 100),
    "cancelShipment": (80.0, 100),
    "getTracking": (80.0, 100),
}


class Buckets:
    """Not locked: the world's lock covers it."""

    def __init__(self) -> None:
        self._state: dict[tuple[str, str], tuple[float, datetime]] = {}

    def tokens(self, seller_id: str, operation: str, now: datetime) -> float:
        rate, burst = RATES[operation]
        tokens, since = self._state.get((seller_id, operation), (float(burst), now))
        return min(burst, tokens + max(0.0, (now - since).total_seconds()) * rate)

    def take(self, seller_id: str, operation: str, now: datetime) -> bool:
        """One token, if there is one. A refused call costs nothing."""
        if operation not in RATES:
            return True
        tokens = self.tokens(seller_id, operation, now)
        allowed = tokens >= 1 - 1e-9
        self._state[seller_id, operation] = (tokens - 1 if allowed else tokens, now)
        return allowed
