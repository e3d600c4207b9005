"""Receivers on this machine, and endpoints that point at them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from orderhub import clock
from orderhub.webhooks import feeding, sending, subscribing
from orderhub.webhooks.models import Endpoint
from tests.factories import make_key, make_store


@dataclass
class Receiver:
    """Answers every message with the next of `statuses`, the last one for ever; `got` has headers and body of each."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"thanks"
    got: list[tuple[dict, bytes]] = field(default_factory=list)

    def next_status(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    @property
    def ids(self) -> list[str]:
        return [headers["OrderHub-Event-Id"] for headers, _body in self.got]


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """`receive(500, 200)`: a receiver that fails once, then takes everything."""
    running = []

    def start(*statuses: int, **given) -> Receiver:
        receiver = Receiver(statuses=list(statuses or [200]), **given)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                receiver.got.append((dict(self.headers), self.rfile.read(length)))
                self.send_response(receiver.next_status())
                for name, value in ({"Content-Length": str(len(receiver.body))} | receiver.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(receiver.body)

            def log_message(self, *_args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook?token=s3cret"
        return receiver

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def store(noon, db):
    return make_store()


@pytest.fixture
def key(store):
    """A key of `store` with every scope, and a cursor that stands where things are now."""
    feeding.feed(now=clock.now())
    return make_key(store)[0]


@pytest.fixture
def endpoint(key, receive) -> Callable[..., Endpoint]:
    """`endpoint(receiver, "order.imported")` of `key`."""

    def make(receiver: Receiver | None = None, *names: str, **given) -> Endpoint:
        receiver = receiver or receive()
        wish = {"url": receiver.url, "names": names or ["order.imported"], "now": clock.now()} | given
        return subscribing.make(wish.pop("key", key), **wish)

    return make


def tell() -> None:
    """What the job does, here and now: feed, then every sender."""
    feeding.feed(now=clock.now())
    send()


def send() -> None:
    for endpoint_id in sending.waiting_endpoints(now=clock.now()):
        sending.send_due(endpoint_id, now=clock.now())
