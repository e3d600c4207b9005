"""B05, B31, F36: sixty hostile texts in every field Amazon sends, from the import to every page, label and log: inert."""

import json
import os
import shutil
import subprocess
import threading
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.db import connection
from pypdf import PdfReader

from orderhub import clock, jobs
from orderhub.errors import RuleViolation
from orderhub.middleware import CSP
from orders.models import Order, QuarantinedOrder
from orders.product_jobs import enrich_products
from privacy import access
from shipments.models import Label
from stores.models import Store
from stores.simulator import scenarios
from stores.simulator.orders import SimAddress, SimItem
from tests.end_to_end import canary
from tests.end_to_end.hostile import BAIT, PAYLOADS, Shape
from tests.factories import connect, make_shipment, make_user
from tests.orders.driving import import_now

pytestmark = pytest.mark.django_db
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ROWS = 2  # of each model: enough to draw each page once
HARMLESS, IN_KANJI = "Harmless text", "無害な文章"
MAY_DIFFER = {  # line breaks of a text, the pages of a longer list, the mark of a line without a photo
    ("input", ("autocomplete", "id", "inputmode", "name", "type")),  # a weight that nobody knows
    ("br", ()), ("a", ("href", "role")), ("a", ("href", "role", "title")), ("span", ("aria-hidden", "class")),
}  # fmt: skip


def order_of(world, text: str, index: int, **more):
    """An order in which every text Amazon sends is this one; the names in full, whatever their length."""
    name, text = text, text[:4000]
    item = SimItem(
        asin=f"B0HOST{index:04d}", sku=text[:200], title=text, gift=True, gift_message=text, gift_wrap=text,
        promotion_ids=(text,), condition=text, ioss_number=text, programs=(text,), cancel_request=text if index % 3 else "",
    )  # fmt: skip
    address = SimAddress(
        **dict.fromkeys(
            ("name", "line1", "line2", "line3", "company", "district", "city", "state", "phone", "municipality"),
            text,
        ),
        postal_code="78701",
        country="US",
        address_type=text,
    )
    address.name = name  # fmt: skip
    at = clock.now() - timedelta(minutes=5)
    return world.add_order(
        scenarios.NA, marketplace="US", created=at, updated=at, items=[item], address=address, buyer_name=name,
        buyer_company=text, purchase_order_number=text, seller_order_id=text, payment_method=text, drop_off=text,
        delivery_instructions=text, programs=(text, "AMAZON_BUSINESS"), service_level=text, replaces=text, **more,
    )  # fmt: skip


def hostile_orders(world) -> None:
    """Each payload in an order that can be sent, in a status nobody knows, and in two that cannot be read."""
    for index, text in enumerate(PAYLOADS, start=1):
        order_of(world, text, index, order_id=f"111-{index:07d}-0000001")
        if index % 4 == 0:
            status = {"fulfillment": {"fulfillmentStatus": text}}
            order_of(world, text, index, order_id=f"111-{index:07d}-0000002", extra=status)
            order_of(
                world, HARMLESS, index, order_id=f"111-{index:07d}-0000003", extra={"orderId": text, "createdTime": ""}
            )
            order_of(world, HARMLESS, index, order_id=f"111-{index:07d}-0000004", extra={"createdTime": text})


class Pages:
    """What one member of staff sees: address to (body, content type)."""

    def __init__(self) -> None:
        self.visitor = canary.Visitor(make_user(access.SUPPORT, username="looker"))

    def all(self, *, orders: bool) -> dict[str, str]:
        wanted = canary.addresses(most=ROWS)
        if orders:
            wanted += [f"/admin/orders/order/{pk}/change/" for pk in Order.objects.values_list("pk", flat=True)]
        return {address: html for address in dict.fromkeys(wanted) if (html := self.html(address))}

    def html(self, address: str) -> str:
        body, heads = self.visitor.open(address)
        return body.decode() if "text/html" in heads else ""


@pytest.fixture(scope="module")
def log():
    lines = canary.Lines()
    before = lines.attach()
    yield lines
    lines.detach(before)


@pytest.fixture
def seen(world, log):
    """(tags of a harmless installation, pages of the hostile one), once all was imported, shipped and drawn."""
    world.throttling = False
    account = connect(scenarios.NA, sources=("US",))
    Store.objects.update(brand_name="Maple Lane")
    pages = Pages()
    for index in range(ROWS):
        order_of(world, HARMLESS, 9000 + index)
        order_of(world, IN_KANJI, 9000 + index)
        order_of(world, HARMLESS, 9000 + index, extra={"fulfillment": {"fulfillmentStatus": HARMLESS}})
        order_of(world, HARMLESS, 9000 + index, extra={"createdTime": ""})
    import_everything(account, ship=ROWS - 1)
    plain = {tags for html in pages.all(orders=True).values() for tags in Shape(html).tags} if walks() else set()
    hostile_orders(world)
    import_everything(account, ship=10)
    return plain, pages.all(orders=True) if walks() else {}, pages.visitor.statuses


def walks() -> bool:
    """A page is made the same way on either database: one walk over all of them is enough. What is stored is not."""
    return connection.vendor == "sqlite"


def import_everything(account, *, ship: int) -> None:
    import_now(account)
    with jobs.inline():
        jobs.run(enrich_products.job_name)
    Order.objects.update(cancel_requested_at=None)  # answered: else nothing could be shipped
    for order in Order.objects.shippable().order_by("-pk"):
        with suppress(RuleViolation):  # an address that no label can say
            make_shipment(order)
            ship -= 1
        if not ship:
            break


@pytest.mark.long
def test_hostile_texts_stay_texts_on_every_page(seen, log):
    plain, pages, statuses = seen
    assert Order.objects.count() >= len(PAYLOADS) + len(PAYLOADS) // 4
    assert QuarantinedOrder.objects.count() >= 10
    labels_are_inert()
    logs_are_lines(log)
    if not walks():
        return
    assert len(pages) > 100 and 500 not in statuses
    shapes = {address: Shape(html) for address, html in pages.items()}
    assert {address: wrong for address, shape in shapes.items() if (wrong := shape.faults())} == {}
    assert {tag for shape in shapes.values() for tag in shape.tags} - plain - MAY_DIFFER == set()
    everything = "\n".join(shape.text for shape in shapes.values())
    shown = [text for text in PAYLOADS if text.strip()[:12].replace("\x00", "") in everything]
    assert len(shown) > len(PAYLOADS) - 8  # the others hold what no column or page can
    assert "49" not in {shape.text.partition("${7*7}")[2][:2] for shape in shapes.values()}
    chromium_asks_for_nothing(pages)


def labels_are_inert() -> None:
    labels = list(Label.objects.all())
    assert labels
    for label in labels:
        with label.file.open("rb") as file:
            data = file.read()
        reader = PdfReader(BytesIO(data))
        assert reader.pages
        for word in (b"/JavaScript", b"/JS", b"/OpenAction", b"/Launch", b"/URI", b"/EmbeddedFile"):
            assert word not in data


def logs_are_lines(log) -> None:
    """One JSON object a line, nothing of a control character in it, nothing of what Amazon sent."""
    assert len(log.lines) > 20
    for line in log.lines:
        assert line.isprintable() and isinstance(json.loads(line), dict)
    everything = "\n".join(log.lines)
    assert BAIT not in everything and "DROP TABLE" not in everything and "Set-Cookie" not in everything


# --- in a browser


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        """Nothing."""


class Stand:
    """Serves pages as they were drawn, with our policy; remembers every request that only a hole would make."""

    def __init__(self, pages: list[str]) -> None:
        self.pages, self.asked, self.reports = pages, [], []
        self.policy = CSP.replace("frame-ancestors 'none'", "report-uri /csp")
        self.server = make_server("127.0.0.1", 0, self._answer, handler_class=_Quiet)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _answer(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/csp":
            size = int(environ.get("CONTENT_LENGTH") or 0)
            self.reports.append(environ["wsgi.input"].read(size).decode())
            return self._send(start_response, "")
        if path.startswith(BAIT):
            self.asked.append(path)
            return self._send(start_response, "")
        if path == "/":
            frames = "".join(f"<iframe src=/page/{index}></iframe>" for index in range(len(self.pages)))
            return self._send(start_response, frames)
        number = path.removeprefix("/page/")
        found = self.pages[int(number)] if number.isdigit() else ""
        return self._send(start_response, found, ("Content-Security-Policy", self.policy))

    @staticmethod
    def _send(start_response, html: str, *headers):
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), *headers])
        return [html.encode("utf-8", "replace")]

    def visited(self) -> "Stand":
        """Open everything in Chromium and wait until it is quiet."""
        thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            subprocess.run(
                [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", "--dump-dom",
                 self.url], check=True, capture_output=True, timeout=120,
            )  # fmt: skip
        finally:
            self.server.shutdown()
            self.server.server_close()
        return self


def chromium_asks_for_nothing(pages: dict[str, str]) -> None:
    """Where there is a Chromium: no page gets it to load or run anything. A raw page beside them shows that it would."""
    if not os.access(CHROMIUM, os.X_OK):
        pytest.skip("No Chromium on this machine: the pages were read, not opened.")
    wanted = [html for address, html in pages.items() if "/order/" in address or "product" in address][:90]
    stand = Stand(
        [
            *wanted,
            *(html for address, html in pages.items() if address in {"/admin/", "/admin/orders/quarantinedorder/"}),
        ]
    )
    stand.visited()
    assert stand.asked == []
    assert [
        report for report in stand.reports if "script" in json.loads(report)["csp-report"]["violated-directive"]
    ] == []
    holes = Stand([f"<p>{text}</p>" for text in PAYLOADS[:20]]).visited()
    assert holes.asked and holes.reports
