"""BigCommerce's REST API as one store, one method per call: JSON in, JSON out, our errors.

Answers hold buyers' names and addresses: no body is ever logged, kept, or repeated in an error.
"""

import math
import re
from collections.abc import Mapping

from orderhub.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RequestRejected,
    Throttled,
    TryLater,
    UnexpectedAnswer,
)
from orderhub.http import READS, Answer, HttpClient

STORE_HASH = re.compile(r"[a-z0-9]{4,24}")  # used with fullmatch
NO_HINT_S = 30
MAX_WAIT_S = 3600
RETRY_S = 60
LOCKED = 423  # somebody else is changing the order right now
THROTTLED = "429"  # also where it is we who stop, to leave the store's other programs something of its quota
PAGE = 250  # rows, the most BigCommerce gives at once
ORDER_STATUSES = "/stores/{store_hash}/v2/order_statuses"
ORDERS = "/stores/{store_hash}/v2/orders"
ORDER = "/stores/{store_hash}/v2/orders/{order_id}"
PRODUCTS = "/stores/{store_hash}/v2/orders/{order_id}/products"
SHIPPING_ADDRESSES = "/stores/{store_hash}/v2/orders/{order_id}/shipping_addresses"
SHIPMENTS = "/stores/{store_hash}/v2/orders/{order_id}/shipments"
STORE = "/stores/{store_hash}/v2/store"
CHANNELS = "/stores/{store_hash}/v3/channels"
EMAIL_STATUSES = "/stores/{store_hash}/v3/settings/email-statuses"


class BigCommerceClient:
    """Calls as one store. Never sleeps, never retries, follows no redirect.

    RequestRejected, code `BadHash`, for a store hash that is none: such a client cannot be had, so nothing is sent.

    Every method raises CredentialsRejected (code `401`: the token; `403`: one of its scopes), RequestRejected (code:
    the status; `404` where BigCommerce knows no such store or order), Throttled, TryLater, or UnexpectedAnswer. A write
    raises TryLater only where it provably had no effect, and OutcomeUnknown where it was sent and no yes could be read.

    `reserve`: calls of the store's quota, which all its programs share, that are left to the others: once an answer says
    that fewer are left, this client raises Throttled instead of calling. It is made anew for each run.
    """

    def __init__(self, http: HttpClient, store_hash: str, token: str, *, reserve: int = 0):
        if not STORE_HASH.fullmatch(store_hash):
            raise RequestRejected("not a BigCommerce store hash", code="BadHash")
        self.http = http
        self.store_hash = store_hash
        self.token = token
        self.reserve = reserve
        self.refills_in_s = 0  # once the reserve is reached

    def order_statuses(self) -> list:
        return self._list(ORDER_STATUSES)

    def orders(self, params: Mapping[str, str]) -> list:
        """One page. A filter BigCommerce does not know filters nothing: compare what comes back."""
        return self._list(ORDERS, params)

    def order(self, order_id: int) -> dict:
        return self._object(ORDER, of=order_id)

    def products(self, order_id: int, page: int = 1) -> list:
        return self._rows(PRODUCTS, order_id, page)

    def shipping_addresses(self, order_id: int, page: int = 1) -> list:
        return self._rows(SHIPPING_ADDRESSES, order_id, page)

    def shipments(self, order_id: int, page: int = 1) -> list:
        return self._rows(SHIPMENTS, order_id, page)

    def create_shipment(self, order_id: int, body: dict) -> None:
        """BigCommerce knows no repeat of a call: look at what is there before each."""
        self._write("POST", SHIPMENTS, order_id, body, done=201)

    def set_status(self, order_id: int, status_id: int) -> None:
        """The status alone: products or fees in the body would be changed by it."""
        self._write("PUT", ORDER, order_id, {"status_id": status_id}, done=200)

    def store(self) -> dict:
        return self._object(STORE)

    def channels(self) -> dict:
        """Those of Amazon. As with `orders`: compare what comes back."""
        return self._object(CHANNELS, {"platform:in": "amazon", "type:in": "marketplace"})

    def email_statuses(self, channel_id: int | None = None) -> dict:
        """The store's own settings, or what one channel overrides: null where it overrides nothing."""
        return self._object(EMAIL_STATUSES, None if channel_id is None else {"channel_id": str(channel_id)})

    def _rows(self, route: str, order_id: int, page: int) -> list:
        return self._list(route, {"limit": str(PAGE), "page": str(page)}, of=order_id)

    def _list(self, route: str, params: Mapping[str, str] | None = None, *, of: int | None = None) -> list:
        """V2: a bare array, and no body at all (204) where it would be empty."""
        answer = self._call("GET", route, of=of, params=params)
        found = [] if answer.status == 204 else answer.json()
        if not isinstance(found, list):
            raise UnexpectedAnswer(f"{answer.route}: not a list", code="UnreadableAnswer")
        return found

    def _object(self, route: str, params: Mapping[str, str] | None = None, *, of: int | None = None) -> dict:
        answer = self._call("GET", route, of=of, params=params)
        found = answer.json()
        if not isinstance(found, dict):
            raise UnexpectedAnswer(f"{answer.route}: not an object", code="UnreadableAnswer")
        return found

    def _write(self, method: str, route: str, order_id: int, body: dict, *, done: int) -> None:
        """Only the documented yes with a readable row is one: all else may or may not have had its effect."""
        try:
            answer = self._call(method, route, of=order_id, body=body)
            row = answer.json()
        except UnexpectedAnswer as error:
            raise OutcomeUnknown(str(error), code=error.code) from None
        if answer.status != done or not isinstance(row, dict) or type(row.get("id")) is not int:
            raise OutcomeUnknown(f"{answer.route}: {answer.status}", code="UnreadableAnswer")

    def _call(
        self, method: str, route: str, *, of: int | None = None, params: Mapping[str, str] | None = None,
        body: dict | None = None,
    ) -> Answer:  # fmt: skip
        if self.refills_in_s:
            raise Throttled(f"{method} {route}: quota kept", wait_s=self.refills_in_s, code=THROTTLED)
        headers = {"X-Auth-Token": self.token, "Accept": "application/json"}
        path = {"store_hash": self.store_hash} | ({} if of is None else {"order_id": str(of)})
        try:
            answer = self.http.send(method, route, path=path, params=params, json_body=body, headers=headers)
        except TryLater as error:
            raise TryLater(str(error), wait_s=RETRY_S, code=error.code) from None
        self._count(answer)
        return _sorted_out(answer, is_read=method in READS)

    def _count(self, answer: Answer) -> None:
        left = answer.headers.get("X-Rate-Limit-Requests-Left", "")
        if left.isascii() and left.isdigit() and int(left) < self.reserve:
            self.refills_in_s = max(1, _wait_s(answer))


def _sorted_out(answer: Answer, *, is_read: bool) -> Answer:
    place, code = f"{answer.route}: {answer.status}", str(answer.status)
    match answer.status:
        case 200 | 201 | 204:
            return answer
        case 401 | 403:
            raise CredentialsRejected(place, code=code)
        case 429:
            raise Throttled(place, wait_s=_wait_s(answer), code=THROTTLED)
        case status if status == LOCKED or (is_read and _is_broken(status)):
            raise TryLater(place, wait_s=RETRY_S, code=code)
        case status if _is_broken(status):
            raise OutcomeUnknown(place, code=code)
        case status if status >= 400:
            raise RequestRejected(place, code=code)
    raise UnexpectedAnswer(place, code="UnreadableAnswer")


def _is_broken(status: int) -> bool:
    """Says nothing of the request: the store, or whoever stands before it, could not answer in time."""
    return status >= 500 or status == 408


def _wait_s(answer: Answer) -> int:
    """Whole seconds until more calls are allowed: the longer of the two waits named, an hour at most."""
    asked = _number(answer.headers.get("X-Retry-After"))
    window = _number(answer.headers.get("X-Rate-Limit-Time-Reset-Ms")) / 1000
    return math.ceil(min(MAX_WAIT_S, max(asked, window) or NO_HINT_S))


def _number(text: str | None) -> float:
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return value if value > 0 else 0.0  # nor is NaN more than 0
