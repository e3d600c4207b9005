"""Another stand-in for Amazon, written apart from the simulator: two settings and one command must be enough.

It is deliberately spare: kept-alive connections, a path before every route, no Date of its own making, no rate header,
no getAccount, no listings, whole-second timestamps with an offset.
"""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command

from orderhub import clock
from orders.models import Order
from shipments.models import ShipmentNotification
from tests.factories import make_shipment

pytestmark = pytest.mark.django_db


class _Amazon(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Quiet."""

    def _say(self, status: int, body=None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/login/token":
            form = parse_qs(body.decode())
            good = form["client_id"] == ["other-client"] and form["refresh_token"] == ["Atzr|other"]
            return (
                self._say(200, {"access_token": "t", "expires_in": 3600})
                if good
                else self._say(400, {"error": "invalid_grant"})
            )
        parts = urlsplit(self.path).path.split("/")
        if parts[-1] == "shipmentConfirmation" and self.headers["x-amz-access-token"] == "t":
            self.server.confirmed.append((parts[-2], json.loads(body)))
            return self._say(204)
        return self._say(404, {"errors": [{"code": "NotFound", "message": "no"}]})

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/sp/sellers/v1/marketplaceParticipations":
            rows = [("ATVPDKIKX0DER", "US"), ("A2EUQ1WTGCTBG2", "CA"), ("A1AM78C64UM0Y8", "MX")]
            return self._say(200, {"payload": [_participation(*row) for row in rows]})
        if url.path == "/sp/orders/2026-01-01/orders":
            query = parse_qs(url.query)
            start = int(query.get("paginationToken", ["0"])[0])
            answer = {"orders": self.server.orders[start : start + 2], "lastUpdatedBefore": self.server.bound}
            if start + 2 < len(self.server.orders):
                answer["pagination"] = {"nextToken": str(start + 2)}
            return self._say(200, answer)
        return self._say(404, {"errors": [{"code": "NotFound", "message": "no"}]})


def _participation(id_: str, country: str) -> dict:
    return {
        "marketplace": {
            "id": id_, "name": country, "countryCode": country, "defaultCurrencyCode": "USD",
            "defaultLanguageCode": "en_US", "domainName": "example",
        },
        "participation": {"isParticipating": True, "hasSuspendedListings": False},
        "storeName": "Other",
    }  # fmt: skip


def _order(number: int, marketplace: str, at) -> dict:
    return {
        "orderId": f"999-0000000-{number:07d}",
        "createdTime": at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "lastUpdatedTime": at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": marketplace},
        "recipient": {"deliveryAddress": {"name": "Grace Sample", "addressLine1": "9 Else Road", "city": "Reno", "countryCode": "US"}},
        "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT"},
        "orderItems": [{"orderItemId": f"{number}", "quantityOrdered": 2, "product": {"asin": "B000000001", "sellerSku": "S"}}],
    }  # fmt: skip


@pytest.fixture
def other(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Amazon)
    server.daemon_threads = True
    now = clock.now()
    codes = ("ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1AM78C64UM0Y8", "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2")
    server.orders = [_order(n, code, now - timedelta(hours=n)) for n, code in enumerate(codes, 1)]
    server.bound = (now - timedelta(minutes=2)).isoformat()
    server.confirmed = []
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"
    settings.SPAPI_BASE_URL, settings.LWA_TOKEN_URL = f"{host}/sp/", f"{host}/login/token"
    settings.LWA_CLIENT_ID, settings.LWA_CLIENT_SECRET = "other-client", "other-secret"
    yield server
    server.shutdown()
    server.server_close()


def test_a_second_stand_in_works_with_two_settings_and_one_command(other):
    call_command("connect_account", region="NA", seller_id="AOTHER1", token="Atzr|other", sources="US,CA,MX")
    call_command("import_orders")
    assert sorted(Order.objects.values_list("store__marketplace", flat=True)) == ["CA", "CA", "MX", "US", "US"]

    order = Order.objects.filter(store__marketplace="CA").first()
    shipment = make_shipment(order, carrier="canada_post", ship_date=clock.now().date())
    call_command("notify_marketplaces")

    assert ShipmentNotification.objects.get(order=order).state == "confirmed"
    [(number, body)] = other.confirmed
    assert number == order.order_number
    assert body["marketplaceId"] == "A2EUQ1WTGCTBG2"
    assert body["packageDetail"]["packageReferenceId"] == str(shipment.pk)
    assert body["packageDetail"]["orderItems"] == [{"orderItemId": order.items.get().amazon_item_id, "quantity": 2}]
