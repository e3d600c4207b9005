"""The only way out: whom it calls, how long and how much it takes, and under which name it fails."""

import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from orderhub.errors import OutcomeUnknown, RequestRejected, TryLater, UnexpectedAnswer
from orderhub.http import Answer, HttpClient, Limits, NotAllowed
from orderhub.logs import FIELDS, EventFormatter

SHORT = Limits(connect_s=1, read_s=0.2, total_s=0.6, max_bytes=10_000)
HERE = frozenset({"127.0.0.1"})


def complete(body: bytes = b"{}", status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}Connection: close\r\n\r\n".encode() + body


class Listener:
    """A server of one behaviour: `behave(connection)` after the request was read to its end."""

    def __init__(self, behave: Callable[[socket.socket], None]):
        self.behave, self.seen = behave, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            self.seen.append(connection.recv(65536))
            with contextlib.suppress(OSError):
                self.behave(connection)


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    started = []

    def start(behave) -> Listener:
        if isinstance(behave, bytes):
            answer = behave
            started.append(Listener(lambda connection: connection.sendall(answer)))
        else:
            started.append(Listener(behave))
        return started[-1]

    yield start
    for listener in started:
        listener.socket.close()


def client(url: str, **given) -> HttpClient:
    return HttpClient(url, **({"allowed_hosts": HERE, "limits": SHORT} | given))


def drip(connection: socket.socket) -> None:
    for byte in complete(b"x" * 500):
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def silence(connection: socket.socket) -> None:
    time.sleep(0.5)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _chunk in range(40):
        connection.sendall(b"1\r\nx\r\n")
        time.sleep(0.05)


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example",
        "https://api.amazon.com.elsewhere.example",
        "https://xapi.amazon.com",
        "ftp://api.amazon.com",
        "https://user:secret@api.amazon.com",
        "https://api.amazon.com/#x",
        "http://api.amazon.com",
        "http://169.254.169.254",
        "http://10.0.0.1",
        "http://localhost.elsewhere.example",
        "",
    ],
)
def test_only_hosts_on_the_list_are_called_and_plain_http_stays_on_this_machine(url):
    allowed = frozenset({"api.amazon.com", "169.254.169.254", "10.0.0.1", "localhost.elsewhere.example"})
    with pytest.raises(NotAllowed) as refusal:
        HttpClient(url, allowed_hosts=allowed)
    assert "secret" not in str(refusal.value)


def test_a_suffix_on_the_list_takes_hosts_below_it_only():
    allowed = frozenset({".s3.amazonaws.com"})
    HttpClient("https://feeds.s3.amazonaws.com", allowed_hosts=allowed)
    for wrong in ("https://s3.amazonaws.com", "https://evils3.amazonaws.com"):
        with pytest.raises(NotAllowed):
            HttpClient(wrong, allowed_hosts=allowed)


def test_an_id_in_a_path_cannot_leave_its_place(listen):
    listener = listen(complete())
    client(listener.url).send("GET", "/orders/{orderId}", path={"orderId": "../../x?y=1#z"})
    assert listener.seen[0].startswith(b"GET /orders/..%2F..%2Fx%3Fy%3D1%23z HTTP/1.1")


def test_a_redirect_is_not_followed(listen):
    target = listen(complete())
    listener = listen(complete(status="302 Found", headers=f"Location: {target.url}/\r\n"))
    with pytest.raises(UnexpectedAnswer, match="redirected"):
        client(listener.url).send("GET", "/")
    assert target.seen == []


@pytest.mark.parametrize(
    "location",
    [b"http://[", b"http://a b\xe9/", b"//", b"http://" + b"a" * 300 + b"/", b"\x80\xff", b"http://999.1.1.1:99999/"],
)
def test_where_a_redirect_leads_is_not_even_read(listen, location):
    listener = listen(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")
    for method in ("GET", "POST"):
        with pytest.raises(UnexpectedAnswer, match="redirected"):
            client(listener.url).send(method, "/")


def test_the_body_of_a_redirect_counts_against_the_size_cap(listen):
    sent = []

    def flood(connection: socket.socket) -> None:
        size = 100_000_000
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: {size}\r\n\r\n".encode())
        for _chunk in range(size // 1_000_000):
            connection.sendall(b"x" * 1_000_000)
            sent.append(1_000_000)

    with pytest.raises(UnexpectedAnswer, match="over 10000 bytes"):
        client(listen(flood).url, limits=Limits(connect_s=1, read_s=5, total_s=10, max_bytes=10_000)).send("GET", "/")
    assert sum(sent) < 50_000_000


@pytest.mark.parametrize("value", ["tök€n", "a\r\nX: y", "a\x00", "\ud800"])
def test_a_value_that_fits_no_header_is_refused_and_not_sent(listen, value):
    listener = listen(complete())
    for method in ("GET", "POST"):
        with pytest.raises(RequestRejected) as refusal:
            client(listener.url).send(method, "/", headers={"x-amz-access-token": value})
        assert value not in str(refusal.value)
    assert listener.seen == []


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_value_that_would_make_another_path_is_refused_and_not_sent(listen, value):
    listener = listen(complete())
    with pytest.raises(RequestRejected):
        client(listener.url).send("POST", "/orders/{orderId}/shipmentConfirmation", path={"orderId": value})
    assert listener.seen == []


def test_a_call_ends_within_a_quarter_of_a_minute_unless_told_otherwise():
    assert (Limits().connect_s, Limits().read_s, Limits().total_s) == (5, 10, 15)


@pytest.mark.parametrize("status", [200, 204, 400, 403, 404, 429, 500, 503])
def test_every_complete_answer_is_an_answer_and_is_never_repeated(listen, status):
    listener = listen(complete(b"" if status == 204 else b"{}", status=f"{status} X"))
    assert client(listener.url).send("POST", "/", json_body={}).status == status
    assert len(listener.seen) == 1


def test_an_answer_over_the_size_cap_is_refused(listen):
    listener = listen(complete(b"x" * 10_001))
    with pytest.raises(UnexpectedAnswer, match="over 10000 bytes"):
        client(listener.url).send("GET", "/")


def test_a_small_compressed_answer_that_grows_over_the_cap_is_refused(listen):
    import gzip

    listener = listen(complete(gzip.compress(b"x" * 5_000_000), headers="Content-Encoding: gzip\r\n"))
    with pytest.raises(UnexpectedAnswer, match="over 10000 bytes"):
        client(listener.url).send("GET", "/")


FAILURES = {
    "silence": silence,
    "reset": reset,
    "drip of the head": drip,
    "drip of the body": drip_body,
    "closed at once": lambda connection: None,
    "cut in the body": lambda connection: connection.sendall(complete(b"x" * 100)[:-40]),
    "cut in the head": lambda connection: connection.sendall(b"HTTP/1.1 2"),
    "no http": lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "bad chunks": lambda connection: connection.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n"
    ),
    "bad gzip": lambda connection: connection.sendall(complete(b"no gzip", headers="Content-Encoding: gzip\r\n")),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_read_that_fails_may_be_tried_later_and_a_write_has_an_unknown_outcome(listen, failure):
    listener = listen(FAILURES[failure])
    for method, error in (("GET", TryLater), ("POST", OutcomeUnknown)):
        started = time.monotonic()
        with pytest.raises(error):
            client(listener.url).send(method, "/")
        assert time.monotonic() - started < SHORT.total_s + 0.6
    assert len(listener.seen) == 2


def test_the_total_limit_ends_a_drip_that_no_read_limit_would_end(listen):
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="time limit"):
        client(listen(drip_body).url).send("POST", "/")
    assert SHORT.total_s <= time.monotonic() - started < SHORT.total_s + 0.4


def test_what_was_provably_not_sent_may_be_tried_later_even_if_it_writes():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", f"https://127.0.0.1:{port}"):
        with pytest.raises(TryLater):
            client(url).send("POST", "/", json_body={})


def test_a_failed_tls_handshake_sent_nothing(listen):
    listener = listen(b"I speak no TLS\r\n")
    with pytest.raises(TryLater):
        client(listener.url.replace("http:", "https:")).send("POST", "/", json_body={"name": "Ada"})
    assert b"Ada" not in b"".join(listener.seen)


def test_a_kept_connection_that_the_server_closed_does_not_turn_a_write_into_a_repeat(listen):
    def answer_once(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        connection.recv(65536)  # the second request arrives on the same connection and is never answered

    listener = listen(answer_once)
    one = client(listener.url)
    assert one.send("POST", "/").status == 200
    with pytest.raises(OutcomeUnknown):
        one.send("POST", "/")
    assert len(listener.seen) == 1


def test_no_cookie_is_kept_and_no_proxy_of_the_environment_used(listen, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    listener = listen(complete(headers="Set-Cookie: a=b; Path=/\r\n"))
    one = client(listener.url)
    one.send("GET", "/")
    one.send("GET", "/")
    assert b"cookie" not in listener.seen[1].lower()


def test_a_log_line_has_registered_fields_only(listen, caplog):
    caplog.set_level(logging.INFO)
    listener = listen(complete(headers="x-amzn-RequestId: r-1\r\n"))
    client(listener.url).send(
        "POST", "/orders/{orderId}", path={"orderId": "112-7654321"}, params={"q": "Zebulon"},
        json_body={"name": "Zebulon"}, headers={"x-amz-access-token": "Atza|secret"},
    )  # fmt: skip
    record = next(found for found in caplog.records if found.name == "orderhub.http")
    line = json.loads(EventFormatter().format(record))
    assert set(line) <= {"time", "level", "logger", "event", *FIELDS}
    assert (line["route"], line["status"], line["request_id"]) == ("/orders/{orderId}", "200", "r-1")
    for secret in ("112-7654321", "Zebulon", "Atza"):
        assert secret not in json.dumps(line)


def test_a_failure_says_neither_what_was_sent_nor_where_to(listen):
    listener = listen(reset)
    with pytest.raises(OutcomeUnknown) as failure:
        client(listener.url).send("POST", "/orders/{orderId}", path={"orderId": "112-7"}, json_body={"name": "Zebulon"})
    assert "112-7" not in str(failure.value)
    assert "Zebulon" not in str(failure.value)
    assert failure.value.__cause__ is None


def test_free_text_of_libraries_never_reaches_the_log():
    record = logging.LogRecord("urllib3", logging.WARNING, "x.py", 1, "Ada lives at %s", ("1 Sample Street",), None)
    assert "Ada" not in EventFormatter().format(record)
    assert "Sample" not in EventFormatter().format(record)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"3", b'"x"', b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": 1, "a": 2}',
        b'{"a": ' + b"9" * 5000 + b"}", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"[" * 60 + b"]" * 60,
    ],
)  # fmt: skip
def test_b11_what_is_no_plain_json_object_or_list_is_unexpected(body):
    with pytest.raises(UnexpectedAnswer) as failure:
        Answer(200, {}, body, "GET /x").json()
    assert failure.value.code == "UnreadableAnswer"
