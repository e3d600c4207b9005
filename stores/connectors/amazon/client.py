"""The Selling Partner API, one method per operation: JSON in, JSON out, our errors."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from orderhub import clock
from orderhub.errors import (
    CredentialsRejected,
    OperatorMistake,
    OutcomeUnknown,
    RequestRejected,
    Throttled,
    TryLater,
    UnexpectedAnswer,
)
from orderhub.http import READS, Answer, HttpClient
from stores.connectors.amazon.signin import SignIn

ABOUT_TOKEN = re.compile(r"revoked|expired|malformed|token.*(invalid|missing)|(invalid|missing).*token")
MAX_WAIT_S = 3600


class AccessDenied(CredentialsRejected):
    """403 with a code and not a word of the token: the seller or our application may not do or see this."""


@dataclass(frozen=True)
class Operation:
    """One operation and its published usage plan (requests per second, burst)."""

    name: str
    method: str
    route: str
    rate: float
    burst: float


SEARCH_ORDERS = Operation("searchOrders", "GET", "/orders/2026-01-01/orders", 0.0056, 20)
GET_ORDER = Operation("getOrder", "GET", "/orders/2026-01-01/orders/{orderId}", 0.5, 30)
CONFIRM_SHIPMENT = Operation("confirmShipment", "POST", "/orders/v0/orders/{orderId}/shipmentConfirmation", 2, 10)
PARTICIPATIONS = Operation(
    "getMarketplaceParticipations", "GET", "/sellers/v1/marketplaceParticipations", 0.016, 15
)  # fmt: skip
ACCOUNT = Operation("getAccount", "GET", "/sellers/v1/account", 0.016, 15)
SEARCH_LISTINGS = Operation("searchListingsItems", "GET", "/listings/2021-08-01/items/{sellerId}", 5, 5)
SEARCH_CATALOG = Operation("searchCatalogItems", "GET", "/catalog/2022-04-01/items", 2, 2)
INVENTORY = Operation("getInventorySummaries", "GET", "/fba/inventory/v1/summaries", 2, 2)
CREATE_FEED_DOCUMENT = Operation("createFeedDocument", "POST", "/feeds/2021-06-30/documents", 0.5, 15)
CREATE_FEED = Operation("createFeed", "POST", "/feeds/2021-06-30/feeds", 0.0083, 15)
GET_FEED = Operation("getFeed", "GET", "/feeds/2021-06-30/feeds/{feedId}", 2, 15)
GET_FEEDS = Operation("getFeeds", "GET", "/feeds/2021-06-30/feeds", 0.0222, 10)
CANCEL_FEED = Operation("cancelFeed", "DELETE", "/feeds/2021-06-30/feeds/{feedId}", 2, 15)
GET_FEED_DOCUMENT = Operation("getFeedDocument", "GET", "/feeds/2021-06-30/documents/{feedDocumentId}", 0.0222, 10)


class Throttle(Protocol):
    """Our copy of Amazon's buckets (stores/throttle.py), or none for a seller not yet connected."""

    def take(self, operation: str, *, rate: float, burst: float) -> None: ...

    def learned(self, operation: str, header_rate: float, *, rate: float, burst: float) -> None: ...

    def refused(self, operation: str, *, retry_after_s: float = 0, rate: float, burst: float) -> float: ...


class NoThrottle:
    """For the few calls made before an account exists."""

    def take(self, operation: str, *, rate: float, burst: float) -> None: ...

    def learned(self, operation: str, header_rate: float, *, rate: float, burst: float) -> None: ...

    def refused(self, operation: str, *, retry_after_s: float = 0, rate: float, burst: float) -> float:
        return min(MAX_WAIT_S, max(60.0, retry_after_s))


class AmazonClient:
    """Calls as one seller. Never sleeps, never retries; every failure has a name that says what to do next."""

    def __init__(self, http: HttpClient, sign_in: SignIn, throttle: Throttle):
        self.http = http
        self.sign_in = sign_in
        self.throttle = throttle
        self.skew_s = 0  # our clock minus Amazon's Date header, at the last answer

    def search_orders(self, params: dict[str, str]) -> dict:
        return self._json(self._call(SEARCH_ORDERS, params=params))

    def get_order(self, order_id: str, included: str) -> dict:
        return self._json(self._call(GET_ORDER, path={"orderId": order_id}, params={"includedData": included}))

    def confirm_shipment(self, order_id: str, body: dict) -> None:
        self._call(CONFIRM_SHIPMENT, path={"orderId": order_id}, body=body)

    def marketplace_participations(self) -> dict:
        return self._json(self._call(PARTICIPATIONS))

    def account(self) -> dict:
        return self._json(self._call(ACCOUNT))

    def search_listings(self, seller_id: str, marketplace_id: str, skus: Sequence[str] = ()) -> dict:
        """The listings of these SKUs, 20 at most, with what they still sell; without SKUs any one listing."""
        params = {"marketplaceIds": marketplace_id, "pageSize": "1"}
        if skus:
            params |= {
                "pageSize": "20", "identifiersType": "SKU", "identifiers": ",".join(skus),
                "includedData": "fulfillmentAvailability",
            }  # fmt: skip
        return self._json(self._call(SEARCH_LISTINGS, path={"sellerId": seller_id}, params=params))

    def search_catalog(self, marketplace_id: str, asins: Sequence[str]) -> dict:
        """20 ASINs at most, of one marketplace."""
        params = {
            "marketplaceIds": marketplace_id, "identifiersType": "ASIN", "identifiers": ",".join(asins), "pageSize": "20",
            "includedData": "summaries,dimensions,images,productTypes",
        }  # fmt: skip
        return self._json(self._call(SEARCH_CATALOG, params=params))

    def inventory(self, marketplace_id: str, skus: Sequence[str]) -> dict:
        """50 SKUs at most, of one marketplace."""
        params = {
            "granularityType": "Marketplace", "granularityId": marketplace_id, "marketplaceIds": marketplace_id,
            "details": "true", "sellerSkus": ",".join(skus),
        }  # fmt: skip
        return self._json(self._call(INVENTORY, params=params))

    def create_feed_document(self, content_type: str) -> dict:
        return self._json(self._call(CREATE_FEED_DOCUMENT, body={"contentType": content_type}))

    def create_feed(self, feed_type: str, document_id: str, marketplace_ids: Sequence[str]) -> dict:
        body = {"feedType": feed_type, "marketplaceIds": list(marketplace_ids), "inputFeedDocumentId": document_id}
        return self._json(self._call(CREATE_FEED, body=body))

    def get_feed(self, feed_id: str) -> dict:
        return self._json(self._call(GET_FEED, path={"feedId": feed_id}))

    def get_feeds(self, feed_type: str, since: datetime) -> dict:
        """The newest 100 at most, which is more than an account may submit in a day."""
        params = {"feedTypes": feed_type, "pageSize": "100", "createdSince": utc(since)}
        return self._json(self._call(GET_FEEDS, params=params))

    def cancel_feed(self, feed_id: str) -> None:
        self._call(CANCEL_FEED, path={"feedId": feed_id})

    def get_feed_document(self, document_id: str) -> dict:
        return self._json(self._call(GET_FEED_DOCUMENT, path={"feedDocumentId": document_id}))

    def operate(
        self, operation: Operation, *, path=None, params=None, body=None, headers=None, empty: bool = False
    ) -> dict:  # fmt: skip
        """Any operation, with headers of its own beside those of all calls. `empty`: a yes says nothing of worth."""
        answer = self._call(operation, path=path, params=params, body=body, headers=headers)
        return {} if empty else self._json(answer)

    def _call(self, operation: Operation, *, path=None, params=None, body=None, headers=None) -> Answer:
        token = self.sign_in.access_token()
        self.throttle.take(operation.name, rate=operation.rate, burst=operation.burst)
        ours = {"x-amz-access-token": token, "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())}
        try:
            answer = self.http.send(
                operation.method,
                operation.route,
                path=path,
                params=params,
                json_body=body,
                headers=(headers or {}) | ours,
            )
        except UnexpectedAnswer as error:
            raise self._unclear(operation, error) from None
        self._measure_skew(answer)
        return self._sorted_out(operation, answer)

    def _sorted_out(self, operation: Operation, answer: Answer) -> Answer:
        status, plan = answer.status, {"rate": operation.rate, "burst": operation.burst}
        if 200 <= status < 300:
            self.throttle.learned(operation.name, _number(answer.headers.get("x-amzn-RateLimit-Limit")), **plan)
            if operation.method not in READS and status not in {200, 201, 202, 204}:
                raise OutcomeUnknown(f"{answer.route}: {status}", code=str(status), request_id=answer.request_id)
            if operation is CONFIRM_SHIPMENT and status != 204:  # Amazon's yes has no body; all else is somebody's
                raise OutcomeUnknown(f"{answer.route}: {status}", code=str(status), request_id=answer.request_id)
            return answer
        code, text, details = _error_of(answer)
        place = f"{answer.route}: {status} {code}".strip()
        if status == 429:
            asked_s = _number(answer.headers.get("Retry-After"))
            wait_s = self.throttle.refused(operation.name, retry_after_s=asked_s, **plan)
            raise Throttled(place, wait_s=wait_s, code=code or "429", request_id=answer.request_id)
        if status >= 500 or not code:  # without Amazon's list of errors somebody in between speaks, who knows nothing
            if operation.method in READS:
                raise TryLater(place, wait_s=60, code=code or str(status), request_id=answer.request_id)
            raise OutcomeUnknown(place, code=code or str(status), request_id=answer.request_id)
        if status in {401, 403}:
            self.sign_in.forget()
            raise _denial(status, (details or text).lower(), place, code=code, request_id=answer.request_id)
        refusal = RequestRejected(place, code=code, request_id=answer.request_id)
        refusal.detail = f"{text} {details}".strip()[:300]
        raise refusal

    @staticmethod
    def _unclear(operation: Operation, error: UnexpectedAnswer) -> Exception:
        if operation.method in READS:
            return error
        return OutcomeUnknown(str(error), code=error.code, request_id=error.request_id)

    @staticmethod
    def _json(answer: Answer) -> dict:
        value = answer.json()
        if not isinstance(value, dict):
            raise UnexpectedAnswer(f"{answer.route}: not an object", code="UnreadableAnswer")
        return value

    def _measure_skew(self, answer: Answer) -> None:
        try:
            theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
        except (TypeError, ValueError):
            return
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=UTC)
        skew = (clock.now() - theirs).total_seconds()
        self.skew_s = max(-(2**31), min(2**31 - 1, round(skew)))


def _number(text: str | None) -> float:
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return value if 0 <= value < 1e6 else 0.0


def _denial(status: int, said: str, place: str, *, code: str, request_id: str) -> Exception:
    if "secret" in said:
        return OperatorMistake(place, code=code, request_id=request_id)
    if "expired" in said:
        return TryLater(place, wait_s=1, code=code, request_id=request_id)
    about_token = status == 401 or ABOUT_TOKEN.search(said)
    return (CredentialsRejected if about_token else AccessDenied)(place, code=code, request_id=request_id)


def _error_of(answer: Answer) -> tuple[str, str, str]:
    """Code, text and details of the first error in an SP-API error list; empty texts where there is none."""
    try:
        error = answer.json()["errors"][0]
        parts = [error.get(name) for name in ("code", "message", "details")]
    except (UnexpectedAnswer, KeyError, IndexError, TypeError, AttributeError):
        return "", "", ""
    code, text, details = (part if isinstance(part, str) else "" for part in parts)
    code = re.sub(r"[^A-Za-z0-9_.:-]", "", code)[:60]  # a word: it goes into texts and logs
    text, details = ("".join(c if c.isprintable() else " " for c in part[:300]) for part in (text, details))
    return code, text, details


def utc(instant: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond, as Amazon's parameters want it."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
