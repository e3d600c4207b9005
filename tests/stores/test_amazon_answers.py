"""Answers no well-behaved Amazon gives: what we make of each, and what it must not cost."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest

from orderhub.errors import (
    ConnectorError,
    CredentialsRejected,
    OperatorMistake,
    OutcomeUnknown,
    RequestRejected,
    Throttled,
    TryLater,
    UnexpectedAnswer,
)
from orderhub.http import HttpClient
from stores.connectors.amazon import mapping
from stores.connectors.amazon.client import AccessDenied, AmazonClient, NoThrottle
from stores.connectors.amazon.connector import AmazonConnector
from stores.connectors.amazon.mapping import Misread
from stores.connectors.amazon.signin import SignIn
from stores.connectors.base import Parcel

_numbers = count(1)
AFTER = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
BOUND = "2026-11-20T11:58:00Z"
HTML = (403, {}, b"<html>request blocked</html>")
NO_ROLE = (403, {}, {"errors": [{"code": "Unauthorized", "message": "Access to requested resource is denied.", "details": ""}]})  # fmt: skip
BAD_TOKEN = (403, {}, {"errors": [{"code": "Unauthorized", "message": "Access to requested resource is denied.", "details": "The access token you provided is revoked, malformed or invalid."}]})  # fmt: skip


def order(number: str = "902-0000001-0000001", **changes) -> dict:
    whole = {
        "orderId": number,
        "createdTime": "2026-11-20T10:00:00Z",
        "lastUpdatedTime": "2026-11-20T11:00:00Z",
        "salesChannel": {"marketplaceId": "ATVPDKIKX0DER"},
        "fulfillment": {"fulfilledBy": "MERCHANT", "fulfillmentStatus": "UNSHIPPED"},
        "orderItems": [{"orderItemId": f"i{number[-3:]}", "quantityOrdered": 1, "product": {"sellerSku": "S"}}],
    } | changes
    return {name: value for name, value in whole.items() if value is not ...}


def page(*orders, token: str = "") -> tuple:
    return 200, {}, {"orders": list(orders), "lastUpdatedBefore": BOUND, "pagination": {"nextToken": token}}


class Amazon:
    """Answers sign-ins by `sign_in` and calls by `answer(query)`; remembers the queries of both."""

    def __init__(self, answer: Callable[[dict], tuple]):
        self.answer, self.calls, self.sign_ins = answer, [], 0
        self.refresh_token = f"Atzr|{next(_numbers)}"  # ports come back: no test may find the token of another
        self.sign_in = lambda: (200, {}, {"access_token": f"token-{self.sign_ins}", "expires_in": 3600})
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                """Quiet."""

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                url = urlsplit(self.path)
                if url.path == "/token":
                    outer.sign_ins += 1
                    self._say(*outer.sign_in())
                    return
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                outer.calls.append(query | {"access_token": self.headers["x-amz-access-token"]})
                self._say(*outer.answer(query))

            do_POST = do_GET

            def _say(self, status, headers, body):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response_only(status)
                for name, value in ({"Content-Length": str(len(data))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def connector(self, *, throttle=None, **given) -> AmazonConnector:
        here = frozenset({"127.0.0.1"})
        sign_in = SignIn(HttpClient(f"{self.url}/token", allowed_hosts=here), "id", "secret", self.refresh_token)
        client = AmazonClient(HttpClient(self.url, allowed_hosts=here), sign_in, throttle or NoThrottle())
        return AmazonConnector(client, **given)

    def with_person(self) -> list[bool]:
        """Of each search call: whether it asked for people."""
        return ["RECIPIENT" in query["includedData"] for query in self.calls]


@pytest.fixture
def amazon() -> Iterator[Callable[..., Amazon]]:
    started = []

    def start(*answers) -> Amazon:
        """Answers in turn, the last one for ever; or a function of the query."""
        if len(answers) == 1 and callable(answers[0]):
            started.append(Amazon(answers[0]))
        else:
            left = list(answers)
            started.append(Amazon(lambda query: left.pop(0) if len(left) > 1 else left[0]))
        return started[-1]

    yield start
    for one in started:
        one.server.shutdown()
        one.server.server_close()


def pages(connector: AmazonConnector, token: str = "") -> list:
    return list(connector.orders_changed(after=AFTER, page_token=token))


PARCEL = Parcel(
    order_number="902-0000001-0000001", marketplace_id="ATVPDKIKX0DER", reference="7", carrier_code="UPS", carrier_name="",
    service="Ground", tracking_number="1Z", shipped_at=AFTER, items=(("i001", 1),),
)  # fmt: skip


# People: whether Amazon lets us have them


@pytest.mark.parametrize("first", [BAD_TOKEN, NO_ROLE], ids=["bad token", "denied"])
def test_one_refusal_is_asked_again_with_a_fresh_token_and_keeps_people_on(amazon, first):
    one = amazon(first, page(order()))
    connector = one.connector()
    assert len(pages(connector)) == 1
    assert connector.with_person
    assert one.with_person() == [True, True]
    assert [query["access_token"] for query in one.calls] == ["token-1", "token-2"]


def test_people_are_given_up_only_after_two_readable_refusals_and_a_yes_without_them(amazon):
    one = amazon(lambda query: NO_ROLE if "RECIPIENT" in query["includedData"] else page(order()))
    connector = one.connector()
    assert len(pages(connector)) == 1
    assert not connector.with_person
    assert one.with_person() == [True, True, False]
    pages(connector)
    assert one.with_person() == [True, True, False, False]


def test_a_refusal_of_everything_leaves_people_on(amazon):
    one = amazon(NO_ROLE)
    connector = one.connector()
    with pytest.raises(AccessDenied):
        pages(connector)
    assert connector.with_person
    assert one.with_person() == [True, True, False]


def test_a_token_refused_twice_stops_us_and_leaves_people_on(amazon):
    one = amazon(BAD_TOKEN)
    connector = one.connector()
    with pytest.raises(CredentialsRejected) as refusal:
        pages(connector)
    assert not isinstance(refusal.value, AccessDenied)
    assert connector.with_person
    assert one.with_person() == [True, True]


@pytest.mark.parametrize("word", ["revoked", "malformed", "invalid", "missing"])
def test_a_refusal_that_speaks_of_the_token_is_no_refusal_of_people(amazon, word):
    body = {"errors": [{"code": "Unauthorized", "message": "Denied", "details": f"The access token is {word}."}]}
    with pytest.raises(CredentialsRejected) as refusal:
        amazon((403, {}, body)).connector().order("902")
    assert not isinstance(refusal.value, AccessDenied)


@pytest.mark.parametrize("said", ["The LWA secret has expired.", "Your client secret is expired or invalid."])
def test_a_refusal_that_speaks_of_our_secret_is_the_operators_to_mend(amazon, said):
    """Else the seller would be asked to authorise again, which would mend nothing."""
    body = {"errors": [{"code": "Unauthorized", "message": "Denied", "details": said}]}
    with pytest.raises(OperatorMistake):
        amazon((403, {}, body)).connector().order("902")


def test_a_refused_sign_in_is_no_refusal_of_people(amazon):
    one = amazon(page(order()))
    one.sign_in = lambda: (400, {}, {"error": "invalid_grant"})
    connector = one.connector()
    with pytest.raises(CredentialsRejected, match="invalid_grant"):
        pages(connector)
    assert connector.with_person
    assert (one.sign_ins, one.calls) == (1, [])


def test_a_revoked_token_costs_one_call_and_one_sign_in_more(amazon):
    one = amazon(BAD_TOKEN)
    connector = one.connector()
    connector.sign_in()
    one.sign_in = lambda: (400, {}, {"error": "invalid_grant"})
    with pytest.raises(CredentialsRejected, match="invalid_grant"):
        pages(connector)
    assert (one.sign_ins - 1, len(one.calls)) == (1, 1)
    assert connector.with_person


def test_a_firewall_in_front_of_amazon_says_nothing_about_people_or_tokens(amazon):
    one = amazon(HTML)
    connector = one.connector()
    with pytest.raises(TryLater):
        pages(connector)
    assert connector.with_person
    assert one.with_person() == [True]


def test_the_role_for_people_is_found_again_with_one_call_more_a_window(amazon):
    one = amazon(page(order(), token="B"), page(order("902-0000002-0000002")))
    connector = one.connector(with_person=False, ask_again=True)
    assert len(pages(connector)) == 2
    assert connector.with_person
    assert one.with_person() == [True, True]


def test_a_role_still_missing_costs_one_call_and_the_window_is_read_without_people(amazon):
    def answer(query):
        if "RECIPIENT" in query["includedData"]:
            return NO_ROLE
        return page(order("902-B")) if "paginationToken" in query else page(order("902-A"), token="B")

    one = amazon(answer)
    connector = one.connector(with_person=False, ask_again=True)
    assert len(pages(connector)) == 2
    assert len(pages(connector)) == 2
    assert not connector.with_person
    assert one.with_person() == [True, False, False, False, False]


def test_without_the_wish_to_ask_again_no_call_is_spent_on_it(amazon):
    one = amazon(page(order()))
    pages(one.connector(with_person=False))
    assert one.with_person() == [False]


class OneToken(NoThrottle):
    """A bucket that sells one token."""

    sold = 0

    def take(self, operation, *, rate, burst):
        self.sold += 1
        if self.sold > 1:
            raise Throttled("empty", wait_s=223)


def test_a_bucket_too_empty_for_the_question_waits_for_all_of_it(amazon):
    """Else each run would spend its one token on the first refusal and none would ever come to an end."""
    one = amazon(NO_ROLE)
    with pytest.raises(Throttled) as refusal:
        pages(one.connector(throttle=OneToken()))
    assert refusal.value.wait_s >= 3 / 0.0056


# Refusals


@pytest.mark.sampled(5)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 451])
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{}", b"[]", b'{"errors": []}', b'{"errors": [5]}', b'{"errors": [{}]}', b'{"errors": {"code": 1}}'],
    ids=range(8),
)  # fmt: skip
def test_a_refusal_without_amazons_error_list_is_not_amazons(amazon, status, body):
    connector = amazon((status, {}, body)).connector()
    with pytest.raises(TryLater) as later:
        connector.order("902")
    assert later.value.wait_s == 60
    with pytest.raises(OutcomeUnknown):
        connector.confirm(PARCEL)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_with_a_code_is_amazons(amazon, status):
    refused = status, {}, {"errors": [{"code": "Unauthorized", "message": "no"}]}
    with pytest.raises(CredentialsRejected):
        amazon(refused).connector().confirm(PARCEL)


def test_amazons_own_words_are_beside_the_text_of_an_error_and_never_in_it(amazon):
    said = "Address of Zoe Canary, 1 Canary St, is\x00not\x1b[31m valid: PackageToUpdateNotFound " + "x" * 600
    one = amazon((400, {}, {"errors": [{"code": "Invalid\x00Input, Zoe", "message": said, "details": "Canary"}]}))
    with pytest.raises(RequestRejected) as refusal:
        one.connector().confirm(PARCEL)
    error = refusal.value
    assert "Canary" not in str(error)
    assert "Zoe Canary" in error.detail
    assert "PackageToUpdateNotFound" in error.detail
    assert len(error.detail) <= 300
    assert error.detail.isprintable()
    assert error.code.startswith("InvalidInput")
    assert error.code.isprintable()


def test_an_error_without_words_has_none():
    assert ConnectorError("x").detail == ""
    assert TryLater("x", wait_s=1).detail == ""


def test_a_wait_amazon_asks_for_is_never_longer_than_an_hour(amazon):
    with pytest.raises(Throttled) as refusal:
        amazon((429, {"Retry-After": "999999"}, b"{}")).connector().order("902")
    assert refusal.value.wait_s == 3600


@pytest.mark.parametrize("number", [".", "..", ""])
def test_an_id_that_would_change_the_address_is_refused_and_not_sent(amazon, number):
    one = amazon(page(order()))
    with pytest.raises(RequestRejected):
        one.connector().order(number)
    assert one.calls == []


# Pages


@pytest.mark.parametrize("bad", [(200, {}, b"<html>"), (200, {}, b'{"orders": 1}'), (302, {"Location": "/x"}, b"")])
def test_an_unreadable_page_behind_a_token_blames_the_token(amazon, bad):
    one = amazon(page(order(), token="B"), bad)
    with pytest.raises(UnexpectedAnswer) as failure:
        pages(one.connector())
    assert (failure.value.code, failure.value.restart) == ("PageUnreadable", True)


def test_an_unreadable_first_page_blames_no_token(amazon):
    with pytest.raises(UnexpectedAnswer) as failure:
        pages(amazon((200, {}, b"<html>")).connector())
    assert not failure.value.restart


@pytest.mark.parametrize("bound", ["soon", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", {"a": 1}])
def test_an_unreadable_bound_is_an_unexpected_answer(amazon, bound):
    with pytest.raises(UnexpectedAnswer):
        pages(amazon((200, {}, {"orders": [order()], "lastUpdatedBefore": bound})).connector())


def test_a_token_refused_once_starts_again_and_twice_blames_the_token(amazon):
    refused = 400, {}, {"errors": [{"code": "InvalidInput", "message": "The pagination token is not valid."}]}
    one = amazon(lambda query: refused if "paginationToken" in query else page(order(), token="B"))
    with pytest.raises(UnexpectedAnswer) as failure:
        pages(one.connector(), token="A")
    assert (failure.value.code, failure.value.restart) == ("PageUnreadable", True)
    assert len(one.calls) == 3


def test_a_refused_search_without_a_token_stays_a_refusal(amazon):
    with pytest.raises(RequestRejected):
        pages(amazon((400, {}, {"errors": [{"code": "InvalidInput", "message": "no"}]})).connector())


@pytest.mark.parametrize("orders", [True, False], ids=["orders", "empty pages"])
def test_tokens_that_go_in_a_circle_are_to_blame(amazon, orders):
    def answer(query):
        token = query.get("paginationToken", "A")
        return page(*[order(f"902-{token}-{len(one.calls)}")] * orders, token="B" if token == "A" else "A")

    one = amazon(answer)
    with pytest.raises(UnexpectedAnswer) as failure:
        pages(one.connector(), token="A")
    assert (failure.value.code, failure.value.restart) == ("PageLoop", True)
    assert len(one.calls) == 2


def test_a_second_empty_page_with_a_new_token_blames_no_token(amazon):
    """The next run goes on behind the first: so a long row of empty pages is walked through."""
    one = amazon(lambda query: page(token=f"t{len(one.calls)}"))
    with pytest.raises(UnexpectedAnswer) as failure:
        pages(one.connector())
    assert (failure.value.code, failure.value.restart, len(one.calls)) == ("PageLoop", False, 2)


def test_a_page_whose_token_leads_back_is_handed_on_before_we_stop(amazon):
    one = amazon(page(order("902-A"), token="B"), page(order("902-B"), token="B"))
    read = []
    with pytest.raises(UnexpectedAnswer):
        for found in one.connector().orders_changed(after=AFTER):
            read += [remote.number for remote in found.orders]
    assert read == ["902-A", "902-B"]


def test_the_same_orders_again_are_a_circle(amazon):
    one = amazon(lambda query: page(order(), token=f"t{len(one.calls)}"))
    with pytest.raises(UnexpectedAnswer) as failure:
        pages(one.connector())
    assert (failure.value.code, failure.value.restart) == ("PageLoop", True)


# Orders


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"fulfillment": ...}, "fulfillment"),
        ({"fulfillment": None}, "fulfillment"),
        ({"fulfillment": {}}, "fulfillment.fulfilledBy"),
        ({"fulfillment": {"fulfilledBy": None, "fulfillmentStatus": "SHIPPED"}}, "fulfillment.fulfilledBy"),
        ({"fulfillment": {"fulfilledBy": "merchant"}}, "fulfillment.fulfilledBy"),
        ({"fulfillment": {"fulfilledBy": "SOMEBODY"}}, "fulfillment.fulfilledBy"),
        ({"orderItems": [{"orderItemId": "a", "quantityOrdered": 1}, "oops"]}, "orderItems"),
        ({"orderItems": [None]}, "orderItems"),
        ({"createdTime": "0001-01-01T00:00:00+14:00"}, "createdTime"),
        ({"createdTime": "9999-12-31T23:59:59-12:00"}, "createdTime"),
        ({"createdTime": "0001-01-01T00:00:00Z"}, "createdTime"),
        ({"createdTime": "1969-12-31T23:59:59Z"}, "createdTime"),
        ({"lastUpdatedTime": "2201-01-01T00:00:00Z"}, "lastUpdatedTime"),
        ({"programs": [{"a": 1}]}, "programs"),
        ({"proceeds": {"grandTotal": {"amount": "1e999999999", "currencyCode": "USD"}}}, "proceeds.grandTotal"),
    ],
)
def test_what_cannot_be_read_is_said_to_be_so_and_never_guessed(changes, path):
    with pytest.raises(Misread) as failure:
        mapping.order(order(**changes))
    assert failure.value.path == path
    read = mapping.page({"orders": [order(**changes), order("902-2")], "lastUpdatedBefore": BOUND})
    assert [found.number for found in read.orders] == ["902-2"]
    assert [(found.number, found.path) for found in read.unreadable] == [("902-0000001-0000001", path)]


def test_who_fulfils_is_read_in_amazons_two_words_only():
    for word, ours in (("MERCHANT", "MFN"), ("AMAZON", "AFN")):
        assert mapping.order(order(fulfillment={"fulfilledBy": word})).fulfilled_by == ours


def test_an_order_without_any_line_is_read():
    assert mapping.order(order(orderItems=None)).items == ()


@pytest.mark.parametrize("dirty", ["90\x001", "90\ud8001", "x" * 100_000])
def test_every_text_of_an_answer_is_fit_for_a_database(dirty):
    raw = order(dirty, createdTime=None)
    [unreadable] = mapping.page({"orders": [raw], "lastUpdatedBefore": BOUND}).unreadable
    read = mapping.order(order(dirty, programs=[dirty, "AMAZON_BUSINESS"], salesChannel={"marketplaceId": dirty}))
    for text, limit in (
        (unreadable.number, 60), (read.number, 60), (read.programs[0], 40), (read.marketplace_id, 20),
    ):  # fmt: skip
        assert 0 < len(text) <= limit
        assert "\x00" not in text
        text.encode()
    assert read.programs[1] == "AMAZON_BUSINESS"


@pytest.mark.parametrize("number", [None, {"a": 1}, "", "\x00", " "])
def test_an_unreadable_order_without_an_id_is_still_told_of(number):
    [unreadable] = mapping.page({"orders": [order(orderId=number)], "lastUpdatedBefore": BOUND}).unreadable
    assert unreadable.number == "?"


# Signing in


@pytest.mark.parametrize("token", ["", None, 5, "tök€n", "a\r\nX: y", "a b", "a\x00", ["t"]])
def test_a_token_that_cannot_be_one_is_tried_later_and_not_kept(amazon, token):
    one = amazon(page(order()))
    one.sign_in = lambda: (200, {}, {"access_token": token, "expires_in": 3600})
    connector = one.connector()
    for _time in range(2):
        with pytest.raises(TryLater):
            connector.sign_in()
    assert (one.sign_ins, one.calls) == (2, [])


@pytest.mark.parametrize("life", [b'"inf"', b'"nan"', b"-1", b"0", b'"soon"', b"null", b"{}", b'"3600"', b"1e30"])
def test_a_lifetime_that_cannot_be_one_counts_as_the_usual_hour(amazon, life):
    one = amazon(page(order()))
    one.sign_in = lambda: (200, {}, b'{"access_token": "t", "expires_in": ' + life + b"}")
    connector = one.connector()
    connector.sign_in()
    connector.sign_in()
    assert one.sign_ins == 1


def test_an_error_of_a_sign_in_that_is_no_word_is_tried_later(amazon):
    one = amazon(page(order()))
    one.sign_in = lambda: (400, {}, {"error": {"message": "Zoe Canary"}})
    with pytest.raises(TryLater) as later:
        one.connector().sign_in()
    assert later.value.code == "400"


def test_the_error_code_of_a_sign_in_is_clean_and_short(amazon):
    one = amazon(page(order()))
    one.sign_in = lambda: (400, {}, {"error": "x\x00y\ud800 Zoe Canary" + "z" * 100})
    with pytest.raises(CredentialsRejected) as refusal:
        one.connector().sign_in()
    assert refusal.value.code.isprintable()
    assert refusal.value.code.isascii()
    assert len(refusal.value.code) <= 40
    assert str(refusal.value).isprintable()
