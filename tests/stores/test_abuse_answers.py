"""Answers made to do harm: XML that grows or reaches out, JSON that no row can hold. None is believed, none costs much."""

import http.server
import threading
import time

import pytest

from orderhub.errors import UnexpectedAnswer
from stores.connectors.amazon import feeds, mapping
from tests.stores.test_amazon_answers import BOUND, order

REPORT = """<AmazonEnvelope><MessageType>ProcessingReport</MessageType><Message><ProcessingReport>
<StatusCode>Complete</StatusCode><ProcessingSummary><MessagesProcessed>1</MessagesProcessed></ProcessingSummary>
<Result><MessageID>1</MessageID><ResultCode>Error</ResultCode><ResultDescription>{}</ResultDescription></Result>
</ProcessingReport></Message></AmazonEnvelope>"""
GROWING = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10 if n else 'ha' * 10}'>" for n in range(10))
HOSTILE = {
    "billion laughs": f"<!DOCTYPE x [{GROWING}]>" + REPORT.format("&a9;"),
    "quadratic": f"<!DOCTYPE x [<!ENTITY a '{'a' * 100_000}'>]>" + REPORT.format("&a;" * 20_000),
    "external entity": '<!DOCTYPE x [<!ENTITY a SYSTEM "{url}/entity">]>' + REPORT.format("&a;"),
    "external document type": '<!DOCTYPE x SYSTEM "{url}/dtd">' + REPORT.format("ok"),
    "public document type": '<!DOCTYPE x PUBLIC "-//X//Y" "{url}/public">' + REPORT.format("ok"),
    "parameter entity": '<!DOCTYPE x [<!ENTITY % a SYSTEM "{url}/parameter"> %a;]>' + REPORT.format("ok"),
    "a file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + REPORT.format("&a;"),
    "entities of its own": "<!DOCTYPE x [<!ENTITY a 'b'>]>" + REPORT.format("&a;"),
}


@pytest.fixture
def listener():
    """A server on this machine that notes who calls."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args):
            """Quiet."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", HOSTILE)
def test_b10_a_report_with_a_document_type_is_refused_at_once_and_calls_nobody(listener, name):
    url, asked = listener
    started = time.monotonic()
    with pytest.raises(UnexpectedAnswer) as failure:
        feeds.report(HOSTILE[name].replace("{url}", url).encode())
    assert failure.value.code == "UnreadableAnswer" and "passwd" not in str(failure.value)
    assert time.monotonic() - started < 2 and asked == []


def test_b10_the_same_report_without_one_is_read():
    assert feeds.report(REPORT.format("No such order").encode()).refused[1].text == "No such order"


def test_b10_no_report_is_nested_too_deep_to_be_read():
    deep = REPORT.format("<x>" * 50_000 + "</x>" * 50_000)
    try:
        assert feeds.report(deep.encode()).refused[1].code == ""
    except UnexpectedAnswer as failure:
        assert failure.code == "UnreadableAnswer"


def test_b10_a_packed_report_is_not_unpacked_beyond_its_limit(monkeypatch):
    import gzip

    monkeypatch.setattr(feeds, "MAX_BYTES", 100_000)
    with pytest.raises(UnexpectedAnswer) as failure:
        feeds.unpacked(gzip.compress(b"<a>" * 1_000_000), gzipped=True)
    assert failure.value.code == "TooLarge"


NO_NUMBERS = [10**30, -1, 2**63, 1.5, 1e300, True, "1e9", "NaN", "Infinity", [], {}, "9" * 400]


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_b11_a_quantity_no_row_can_hold_sets_its_order_aside_and_keeps_the_page(number):
    item = {"orderItemId": "a", "quantityOrdered": number, "product": {"sellerSku": "S"}}
    read = mapping.page({"orders": [order(orderItems=[item]), order("902-2")], "lastUpdatedBefore": BOUND})
    assert "902-2" in [found.number for found in read.orders]
    for found in read.orders:
        assert all(type(line.quantity) is int and 0 <= line.quantity < 2**31 for line in found.items)


@pytest.mark.parametrize("amount", ["1e400", "NaN", "-Infinity", "9" * 400, 10**400, 1e300, [1], "1_0", "0x10"])
def test_b11_an_amount_that_is_none_sets_its_order_aside_and_keeps_the_page(amount):
    total = {"grandTotal": {"amount": amount, "currencyCode": "USD"}}
    read = mapping.page({"orders": [order(proceeds=total), order("902-2")], "lastUpdatedBefore": BOUND})
    assert [found.number for found in read.orders] == ["902-2"]
    assert [found.path for found in read.unreadable] == ["proceeds.grandTotal"]
