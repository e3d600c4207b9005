"""BigCommerce's REST API as one store, one method per call: JSON in, JSON out, our errors. Reads only, so far.

Answers hold buyers' names and addresses: no body is ever logged, kept, or repeated in an error.
"""

import math
import re
from collections.abc import Mapping

from orderhub.errors import CredentialsRejected, RequestRejected, Throttled, TryLater, UnexpectedAnswer
from orderhub.http import Answer, HttpClient

STORE_HASH = re.compile(r"[a-z0-9]{4,24}")  # used with fullmatch
NO_HINT_S = 30
MAX_WAIT_S = 3600
RETRY_S = 60
ORDER_STATUSES = "/stores/{store_hash}/v2/order_statuses"
ORDERS = "/stores/{store_hash}/v2/orders"
STORE = "/stores/{store_hash}/v2/store"
CHANNELS = "/stores/{store_hash}/v3/channels"
EMAIL_STATUSES = "/stores/{store_hash}/v3/settings/email-statuses"


class BigCommerceClient:
    """Calls as one store. Never sleeps, never retries, follows no redirect.

    RequestRejected, code `BadHash`, for a store hash that is none: such a client cannot be had, so nothing is sent.

    Every method raises CredentialsRejected (code `401`: the token; `403`: one of its scopes), RequestRejected (code:
    the status; `404` where BigCommerce knows no such store), Throttled, TryLater, or UnexpectedAnswer.
    """

    def __init__(self, http: HttpClient, store_hash: str, token: str):
        if not STORE_HASH.fullmatch(store_hash):
            raise RequestRejected("not a BigCommerce store hash", code="BadHash")
        self.http = http
        self.store_hash = store_hash
        self.token = token

    def order_statuses(self) -> list:
        return self._list(ORDER_STATUSES)

    def orders(self, params: Mapping[str, str]) -> list:
        """One page. A filter BigCommerce does not know filters nothing: compare what comes back."""
        return self._list(ORDERS, params)

    def store(self) -> dict:
        return self._object(STORE)

    def channels(self) -> dict:
        """Those of Amazon. As with `orders`: compare what comes back."""
        return self._object(CHANNELS, {"platform:in": "amazon", "type:in": "marketplace"})

    def email_statuses(self, channel_id: int | None = None) -> dict:
        """The store's own settings, or what one channel overrides: null where it overrides nothing."""
        return self._object(EMAIL_STATUSES, None if channel_id is None else {"channel_id": str(channel_id)})

    def _list(self, route: str, params: Mapping[str, str] | None = None) -> list:
        """V2: a bare array, and no body at all (204) where it would be empty."""
        answer = self._get(route, params)
        found = [] if answer.status == 204 else answer.json()
        if not isinstance(found, list):
            raise UnexpectedAnswer(f"{answer.route}: not a list", code="UnreadableAnswer")
        return found

    def _object(self, route: str, params: Mapping[str, str] | None = None) -> dict:
        answer = self._get(route, params)
        found = answer.json()
        if not isinstance(found, dict):
            raise UnexpectedAnswer(f"{answer.route}: not an object", code="UnreadableAnswer")
        return found

    def _get(self, route: str, params: Mapping[str, str] | None) -> Answer:
        headers = {"X-Auth-Token": self.token, "Accept": "application/json"}
        path = {"store_hash": self.store_hash}
        try:
            answer = self.http.send("GET", route, path=path, params=params, headers=headers)
        except TryLater as error:
            raise TryLater(str(error), wait_s=RETRY_S, code=error.code) from None
        return _sorted_out(answer)


def _sorted_out(answer: Answer) -> Answer:
    place, code = f"{answer.route}: {answer.status}", str(answer.status)
    match answer.status:
        case 200 | 204:
            return answer
        case 401 | 403:
            raise CredentialsRejected(place, code=code)
        case 429:
            raise Throttled(place, wait_s=_wait_s(answer), code=code)
        case status if status >= 500:
            raise TryLater(place, wait_s=RETRY_S, code=code)
        case status if status >= 400:
            raise RequestRejected(place, code=code)
    raise UnexpectedAnswer(place, code="UnreadableAnswer")


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
