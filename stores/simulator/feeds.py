"""Feeds API 2021-06-30: documents, feeds and their way through the queue, on the simulated clock."""

import gzip
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stores.simulator import feed_messages
from stores.simulator.answers import Answer, Refusal, as_json, denied, invalid, not_found
from stores.simulator.clock import stamp, whole_milliseconds
from stores.simulator.faults import FEED, Fault
from stores.simulator.request import Request
from stores.simulator.world import World

FULFILMENT = "POST_ORDER_FULFILLMENT_DATA"
URL_LIFE = timedelta(minutes=5)
INPUT_LIFE = timedelta(days=2)
DOCUMENT_LIFE = timedelta(days=28)
STATUSES = frozenset({"CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE"})


@dataclass
class Document:
    document_id: str
    seller_id: str
    content_type: str
    created: datetime
    body: bytes | None = None
    gzipped: bool = False


@dataclass
class Feed:
    feed_id: str
    seller_id: str
    feed_type: str
    market_ids: list[str]
    document_id: str
    created: datetime
    due_end: datetime
    status: str = "IN_QUEUE"
    started: datetime | None = None
    ended: datetime | None = None
    result_id: str = ""
    fault: Fault | None = None

    def shown(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "feedId": self.feed_id,
            "feedType": self.feed_type,
            "marketplaceIds": self.market_ids,
            "createdTime": stamp(self.created),
            "processingStatus": self.status,
        }
        if self.started:
            data["processingStartTime"] = stamp(self.started)
        if self.ended:
            data["processingEndTime"] = stamp(self.ended)
        if self.result_id:
            data["resultFeedDocumentId"] = self.result_id
        return data

    @property
    def open(self) -> bool:
        return self.status in ("IN_QUEUE", "IN_PROGRESS")


# --- documents
def _new_document(world: World, seller_id: str, content_type: str, at: datetime, body: bytes | None = None) -> Document:
    document_id = f"amzn1.tortuga.4.na.{world.random.getrandbits(128):032x}.T{world.random.getrandbits(40):010X}"
    document = Document(document_id, seller_id, content_type, at, body)
    world.documents[document_id] = document
    return document


def _url(world: World, request: Request, document: Document) -> str:
    """Looks presigned: whoever has it may use it for five minutes, without any SP-API header."""
    signed = f"{world.random.getrandbits(128):032x}"
    world.documents[f"url:{signed}"] = (document.document_id, world.clock.now() + URL_LIFE)
    query = f"X-Amz-Expires={int(URL_LIFE.total_seconds())}&X-Amz-Signature={signed}"
    return f"{request.base_url}/feed-documents/{document.document_id}?{query}"


def _json(request: Request) -> dict[str, Any]:
    try:
        data = json.loads(request.body)
    except ValueError:
        raise invalid("The request body is not JSON.") from None
    if not isinstance(data, dict):
        raise invalid("The request body is not a JSON object.")
    return data


def create_document(world: World, request: Request) -> Answer:
    content_type = _json(request).get("contentType")
    if not isinstance(content_type, str) or "/" not in content_type:
        raise invalid("contentType is missing or invalid.")
    document = _new_document(world, request.seller.seller_id, content_type, world.clock.now())
    return as_json({"feedDocumentId": document.document_id, "url": _url(world, request, document)}, 201)


def get_document(world: World, request: Request) -> Answer:
    document = world.documents.get(request.path_values["documentId"])
    if not isinstance(document, Document) or document.seller_id != request.seller.seller_id:
        raise not_found("The feed document was not found.")
    if world.clock.now() >= document.created + DOCUMENT_LIFE:
        raise not_found("The feed document is no longer kept.")
    data = {"feedDocumentId": document.document_id, "url": _url(world, request, document)}
    if document.gzipped:
        data["compressionAlgorithm"] = "GZIP"
    return as_json(data)


def _storage_error(status: int, code: str) -> Refusal:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Refusal(Answer(status, body.encode(), "application/xml"))


def _presigned(world: World, request: Request) -> Document:
    """The document a URL opens. Storage refuses a second kind of credentials beside the signature."""
    if request.access_token is not None:
        raise _storage_error(400, "InvalidArgument")
    document_id, until = world.documents.get(f"url:{request.query.get('X-Amz-Signature')}", ("", None))
    if until is None or document_id != request.path_values["documentId"] or world.clock.now() >= until:
        raise _storage_error(403, "AccessDenied")
    return world.documents[document_id]


def upload(world: World, request: Request) -> Answer:
    document = _presigned(world, request)
    if request.content_type != document.content_type:
        raise _storage_error(403, "SignatureDoesNotMatch")
    document.body = request.body
    return Answer(200, b"", "application/xml")


def download(world: World, request: Request) -> Answer:
    document = _presigned(world, request)
    if document.body is None:
        raise _storage_error(404, "NoSuchKey")
    return Answer(200, document.body, document.content_type)


# --- feeds
def create_feed(world: World, request: Request) -> Answer:
    data, seller = _json(request), request.seller
    markets, document_id = data.get("marketplaceIds"), data.get("inputFeedDocumentId")
    if data.get("feedType") != FULFILMENT:
        raise invalid("feedType is missing or not supported.")
    if not isinstance(markets, list) or not 1 <= len(markets) <= 25:
        raise invalid("marketplaceIds takes 1 to 25 values.")
    if not set(markets) <= set(seller.marketplace_ids):
        raise denied()
    document = world.documents.get(document_id) if isinstance(document_id, str) else None
    now = world.clock.now()
    if not isinstance(document, Document) or document.seller_id != seller.seller_id or document.body is None:
        raise invalid("inputFeedDocumentId is missing or was never uploaded.")
    if now >= document.created + INPUT_LIFE:
        raise invalid("inputFeedDocumentId has expired.")
    number = str(50000000000 + len(world.feeds) + 1)
    feed = Feed(number, seller.seller_id, FULFILMENT, markets, document.document_id, now, now)
    feed.fault = world.faults.take("createFeed", FEED)
    _enqueue(world, feed)
    world.feeds[number] = feed
    return as_json({"feedId": number}, 202)


def _enqueue(world: World, feed: Feed) -> None:
    """Feeds of one type run one after another: a feed starts when the one before it is due to end."""
    queue, run = (timedelta(seconds=seconds) for seconds in world.feed_delays)
    mine = [other for other in world.feeds.values() if other.seller_id == feed.seller_id and other.open]
    start = max([feed.created + queue, *(other.due_end for other in mine if not _stuck(other))])
    feed.due_end = start + run
    world.schedule(start, lambda at: _start(world, feed, at, run))


def _stuck(feed: Feed) -> bool:
    return feed.fault is not None and feed.fault.kind == "feed_stuck"


def _start(world: World, feed: Feed, at: datetime, run: timedelta) -> None:
    if feed.status != "IN_QUEUE":
        return
    feed.status, feed.started = "IN_PROGRESS", at
    if not _stuck(feed):
        world.schedule(at + run, lambda end: _finish(world, feed, end))


def _finish(world: World, feed: Feed, at: datetime) -> None:
    feed.ended = at
    kind = feed.fault.kind if feed.fault else ""
    if kind == "feed_fatal":  # and no document, as a fatal feed may have none
        feed.status = "FATAL"
        return
    every = int(feed.fault.options.get("every", 2)) if feed.fault and kind == "feed_partial" else 0
    body = world.documents[feed.document_id].body or b""
    fatal, report = feed_messages.process(world, feed.seller_id, body, at, refuse_every=every)
    feed.status = "FATAL" if fatal else "DONE"
    result = _new_document(world, feed.seller_id, "text/xml; charset=UTF-8", at, report)
    if world.gzip_reports:
        result.body, result.gzipped = gzip.compress(report, mtime=0), True
    feed.result_id = result.document_id


def _own_feed(world: World, request: Request) -> Feed:
    feed = world.feeds.get(request.path_values["feedId"])
    if feed is None or feed.seller_id != request.seller.seller_id:
        raise not_found("The feed was not found.")
    return feed


def get_feed(world: World, request: Request) -> Answer:
    return as_json(_own_feed(world, request).shown())


def cancel_feed(world: World, request: Request) -> Answer:
    feed = _own_feed(world, request)
    if feed.status != "IN_QUEUE":
        raise invalid("Only a feed in the queue can be cancelled.")
    feed.status, feed.ended = "CANCELLED", world.clock.now()
    return Answer(200, b"")


def list_feeds(world: World, request: Request) -> Answer:
    """Newest first. A token is all there may be beside itself."""
    size, offset = request.number("pageSize", 10, 1, 100), 0
    if "nextToken" in request.query:
        text = request.query["nextToken"]
        if len(request.query) > 1 or text not in world.pages:
            raise invalid("nextToken is not valid, or not alone.")
        feeds, size, offset = world.pages[text]
    else:
        feeds = _matching(world, request)
    data: dict[str, Any] = {"feeds": [feed.shown() for feed in feeds[offset : offset + size]]}
    if offset + size < len(feeds):
        token = f"feeds-{world.random.getrandbits(128):032x}"
        world.pages[token] = (feeds, size, offset + size)
        data["nextToken"] = token
    return as_json(data)


def _matching(world: World, request: Request) -> list[Feed]:
    types, markets, statuses = (
        set(request.items(name)) for name in ("feedTypes", "marketplaceIds", "processingStatuses")
    )
    if not types or len(types) > 10 or len(markets) > 10 or not statuses <= STATUSES:
        raise invalid("feedTypes (1 to 10), marketplaceIds (at most 10) or processingStatuses is invalid.")
    now = world.clock.now()
    since = _time(request, "createdSince", now - timedelta(days=90))
    until = _time(request, "createdUntil", now)
    found = [
        feed
        for feed in world.feeds.values()
        if feed.seller_id == request.seller.seller_id
        and feed.feed_type in types
        and (not markets or markets & set(feed.market_ids))
        and (not statuses or feed.status in statuses)
        and since <= feed.created <= until
    ]
    return sorted(found, key=lambda feed: feed.created, reverse=True)


def _time(request: Request, name: str, default: datetime) -> datetime:
    try:
        return whole_milliseconds(datetime.fromisoformat(request.query[name])) if name in request.query else default
    except ValueError:
        raise invalid(f"{name} is not an ISO 8601 date-time.") from None
