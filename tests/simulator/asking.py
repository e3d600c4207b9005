"""Asks a simulated Amazon, in-process or over a socket, and gives back status, headers and body."""

import http.client
import io
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from stores.simulator import scenarios
from stores.simulator.amazon import AmazonApp
from stores.simulator.marketplaces import Seller
from stores.simulator.world import World

FORM = "application/x-www-form-urlencoded"
XML = "text/xml; charset=UTF-8"
EVERYTHING = "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT"


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["errors"][0]["code"]

    @property
    def text(self) -> str:
        return " ".join(self.json["errors"][0].values())


class Asker(ABC):
    """`send` does the work; everything else is put in terms of it. `token` is sent with every SP-API call."""

    token: str | None = None

    @abstractmethod
    def send(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Reply:
        """One request, however it is made."""

    def ask(self, method: str, path: str, *, data: Any = None, **query: Any) -> Reply:
        headers = {"x-amz-access-token": self.token} if self.token else {}
        body = b""
        if data is not None:
            body, headers["Content-Type"] = json.dumps(data).encode(), "application/json"
        return self.send(method, f"{path}?{urlencode(query)}" if query else path, body, headers)

    def lwa(self, **fields: str) -> Reply:
        secrets = {"client_id": scenarios.CLIENT_ID, "client_secret": scenarios.CLIENT_SECRET}
        return self.send("POST", "/auth/o2/token", urlencode(secrets | fields).encode(), {"Content-Type": FORM})

    def sign_in(self, seller: Seller, refresh_token: str = "") -> "Asker":
        reply = self.lwa(grant_type="refresh_token", refresh_token=refresh_token or seller.refresh_token)
        self.token = reply.json["access_token"]
        return self

    def search(self, **query: Any) -> Reply:
        if not {"createdAfter", "lastUpdatedAfter"} & set(query):
            query["lastUpdatedAfter"] = "2026-01-01T00:00:00Z"
        return self.ask("GET", "/orders/2026-01-01/orders", **query)

    def order(self, order_id: str, included: str = EVERYTHING) -> Reply:
        return self.ask("GET", f"/orders/2026-01-01/orders/{order_id}", includedData=included)

    def confirm(self, order: Any, reference: Any = "1", **changes: Any) -> Reply:
        return self.ask(
            "POST",
            f"/orders/v0/orders/{order.order_id}/shipmentConfirmation",
            data=confirmation(order, reference, **changes),
        )


def confirmation(order: Any, reference: Any = "1", **changes: Any) -> dict[str, Any]:
    """A good request for the whole order; `changes` by field name, at either level."""
    data: dict[str, Any] = {
        "marketplaceId": "ATVPDKIKX0DER",
        "packageDetail": {
            "packageReferenceId": reference,
            "carrierCode": "USPS",
            "trackingNumber": "9400100000000000000000",
            "shipDate": "2026-11-23T11:00:00Z",
            "orderItems": [{"orderItemId": i.item_id, "quantity": i.quantity} for i in order.items],
        },
    }
    for name, value in changes.items():
        where = data if name in ("marketplaceId", "codCollectionMethod") else data["packageDetail"]
        where[name] = value
        if value is None:
            del where[name]
    return data


class InProcess(Asker):
    def __init__(self, world: World, remote_address: str = "127.0.0.1") -> None:
        self.app, self.remote_address = AmazonApp(world), remote_address

    def send(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Reply:
        path, _, query = target.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "REMOTE_ADDR": self.remote_address,
            "HTTP_HOST": "testserver",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        said: list[Any] = []
        parts = self.app(environ, lambda status, given, exc_info=None: said.extend((status, given)))
        return Reply(int(said[0].split()[0]), dict(said[1]), b"".join(parts))


class OverHttp(Asker):
    def __init__(self, base_url: str, timeout: float = 5) -> None:
        self.host, self.timeout = urlsplit(base_url).netloc, timeout

    def send(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Reply:
        connection = http.client.HTTPConnection(self.host, timeout=self.timeout)
        try:
            connection.request(method, target, body=body, headers=headers)
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()
