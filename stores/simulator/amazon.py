"""The simulated Amazon as a WSGI app: Login with Amazon and the Selling Partner API under one address.

The simulated BigCommerce hangs below the same address.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from stores.simulator import (
    accounts,
    bigcommerce,
    bigcommerce_answers,
    catalog_items,
    confirming,
    consent,
    customization,
    feeds,
    inventory,
    request,
    searching,
    shipping,
    signin,
    spoiling,
)
from stores.simulator.answers import Answer, Refusal, error
from stores.simulator.buckets import RATES
from stores.simulator.control import Control
from stores.simulator.faults import AFTER, BEFORE, Fault
from stores.simulator.request import Request
from stores.simulator.world import World

_REASONS = {200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 302: "Found", 400: "Bad Request"}
_REASONS |= {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 413: "Payload Too Large"}
_REASONS |= {429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    operation: str
    handler: Callable[[World, Request], Answer]
    signed: bool = True  # needs an access token, and counts against the seller's buckets


def _route(method: str, path: str, operation: str, handler: Callable[[World, Request], Answer], **more: Any) -> Route:
    return Route(
        method,
        re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path.replace(".png", r"\.png"))),
        operation,
        handler,
        **more,
    )


def _lwa(world: World, asked: Request) -> Answer:
    return signin.exchange(world, asked.content_type, asked.body)


_FEEDS = "/feeds/2021-06-30"
ROUTES = (
    _route("POST", "/auth/o2/token", "lwa", _lwa, signed=False),
    _route(
        "GET",
        "/sellers/v1/marketplaceParticipations",
        "getMarketplaceParticipations",
        accounts.participations,
    ),
    _route("GET", "/sellers/v1/account", "getAccount", accounts.account),
    _route("GET", "/listings/2021-08-01/items/{sellerId}", "searchListingsItems", accounts.search_listings),
    _route("GET", "/fba/inventory/v1/summaries", "getInventorySummaries", inventory.summaries),
    _route("GET", "/catalog/2022-04-01/items", "searchCatalogItems", catalog_items.search_items),
    _route("GET", "/catalog/2022-04-01/items/{asin}", "getCatalogItem", catalog_items.get_item),
    _route("GET", "/product-images/{asin}.png", "productImage", catalog_items.picture, signed=False),
    _route("GET", "/t/{token}", "customization", customization.archive, signed=False),
    _route("GET", "/t/{token}/{file}", "customization", customization.archive, signed=False),
    _route("GET", "/", "sellerCentral", consent.home, signed=False),
    _route("GET", "/apps/authorize/consent", "consent", consent.ask, signed=False),
    _route("POST", "/apps/authorize/consent", "consent", consent.agree, signed=False),
    _route("GET", "/orders/2026-01-01/orders", "searchOrders", searching.search_orders),
    _route("GET", "/orders/2026-01-01/orders/{orderId}", "getOrder", searching.get_order),
    _route(
        "POST",
        "/orders/v0/orders/{orderId}/shipmentConfirmation",
        "confirmShipment",
        confirming.confirm_shipment,
    ),
    _route("POST", f"{_FEEDS}/documents", "createFeedDocument", feeds.create_document),
    _route("GET", f"{_FEEDS}/documents/{{documentId}}", "getFeedDocument", feeds.get_document),
    _route("POST", f"{_FEEDS}/feeds", "createFeed", feeds.create_feed),
    _route("GET", f"{_FEEDS}/feeds", "getFeeds", feeds.list_feeds),
    _route("GET", f"{_FEEDS}/feeds/{{feedId}}", "getFeed", feeds.get_feed),
    _route("DELETE", f"{_FEEDS}/feeds/{{feedId}}", "cancelFeed", feeds.cancel_feed),
    _route("PUT", "/feed-documents/{documentId}", "uploadFeedDocument", feeds.upload, signed=False),
    _route("GET", "/feed-documents/{documentId}", "downloadFeedDocument", feeds.download, signed=False),
    _route("POST", "/shipping/v2/shipments/rates", "getRates", shipping.get_rates),
    _route("POST", "/shipping/v2/shipments", "purchaseShipment", shipping.purchase),
    _route("GET", "/shipping/v2/shipments/{shipmentId}/documents", "getShipmentDocuments", shipping.documents),
    _route("PUT", "/shipping/v2/shipments/{shipmentId}/cancel", "cancelShipment", shipping.cancel),
    _route("GET", "/shipping/v2/tracking", "getTracking", shipping.tracking),
    *(_route(*route, signed=False) for route in bigcommerce.ROUTES),
)


class AmazonApp:
    """`AmazonApp(world)` is the WSGI callable. What it does shows in the world's ledger and requests."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._control = Control(world)
        self._count = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            asked = request.read(environ)
        except Refusal as refusal:
            return self._send(refusal.answer, "unknown", start_response)
        if asked.path.startswith("/__sim__/"):
            return self._send(self._control.answer(asked, environ.get("REMOTE_ADDR", "")), "", start_response)
        return self._operate(asked, environ, start_response)

    def _operate(self, asked: Request, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        route = self._find(asked)
        operation = route.operation if route else "unknown"
        words = spoiling
        if operation.startswith(bigcommerce.PREFIX):
            words, asked.access_token = bigcommerce_answers, environ.get("HTTP_X_AUTH_TOKEN")
        fault = self.world.faults.take(operation, BEFORE | AFTER)
        if fault is not None and fault.kind in BEFORE:
            answer = words.refusal(fault, operation)
        else:
            answer = self._answer(route, asked)
            answer = words.spoiled(answer, fault) if fault is not None else answer
        self._record(operation, asked, answer, fault)
        sent = self._send(answer, operation, start_response, fault)
        if fault is not None:
            spoiling.spoil_connection(fault, environ)
        return sent

    @staticmethod
    def _find(asked: Request) -> Route | None:
        for route in ROUTES:
            match = route.pattern.fullmatch(asked.path)
            if match and route.method == asked.method:
                asked.path_values = match.groupdict()
                return route
        return None

    def _answer(self, route: Route | None, asked: Request) -> Answer:
        if route is None:
            return error(404, "NotFound", "There is no such operation.")
        with self.world.lock:
            self.world.settle()
            try:
                if route.signed:
                    self._admit(route.operation, asked)
                return route.handler(self.world, asked)
            except Refusal as refusal:
                return refusal.answer

    def _admit(self, operation: str, asked: Request) -> None:
        """Who is asking, and is there a token left in the seller's bucket?"""
        asked.admitted = signin.seller_of(self.world, asked.access_token)
        now = self.world.clock.now()
        if self.world.throttling and not self.world.buckets.take(asked.seller.seller_id, operation, now):
            raise Refusal(spoiling.quota_exceeded())

    def _record(self, operation: str, asked: Request, answer: Answer, fault: Fault | None) -> None:
        """Names of parameters only: values may be anybody's."""
        silent = fault is not None and fault.kind in ("timeout_before", "timeout_after", "reset")
        entry = {
            "operation": operation,
            "seller_id": asked.admitted.seller_id if asked.admitted else None,
            "at": self.world.clock.now(),
            "status": None if silent else answer.status,
            "included_data": asked.items("includedData"),
            "params": sorted(asked.query) if operation != "unknown" else [],
        }
        with self.world.lock:
            self.world.requests.append(entry)

    def _send(
        self,
        answer: Answer,
        operation: str,
        start_response: Callable[..., Any],
        fault: Fault | None = None,
    ) -> Iterable[bytes]:
        with self.world.lock:
            self._count += 1
            number = self._count
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            "Date": format_datetime(spoiling.date_shown(self.world.clock.now(), fault), usegmt=True),
            "x-amzn-RequestId": f"00000000-5151-4a4a-8c8c-{number:012x}",
        }
        if operation in RATES and answer.status in (200, 201, 202, 204, 400, 404):
            headers["x-amzn-RateLimit-Limit"] = str(RATES[operation][0])
        if answer.status == 204:
            del headers["Content-Type"]
        if operation.startswith(bigcommerce.PREFIX):
            del headers["x-amzn-RequestId"]
        start_response(
            f"{answer.status} {_REASONS.get(answer.status, 'Status')}",
            list((headers | answer.headers).items()),
        )
        return [answer.body]
