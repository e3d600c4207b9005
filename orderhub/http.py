"""The only way out. No other module of the product imports requests, urllib or socket.

A call names its route template, so that logs never hold an id. Every call has connect, read and total time limits and
a size cap, follows no redirect, and fails under one of our own names:

- `TryLater`: provably nothing was sent (name not resolved, refused, TLS failed), or the request was a harmless read.
- `OutcomeUnknown`: bytes of a write left and no complete answer came back.
"""

import contextlib
import json
import logging
import math
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.connection import create_connection

from orderhub import killswitch
from orderhub.errors import OutcomeUnknown, RequestRejected, TryLater, UnexpectedAnswer

log = logging.getLogger("orderhub.http")

CONNECT_S = 5.0
READ_S = 10.0
TOTAL_S = 15.0
MAX_BYTES = 20 * 1024 * 1024
READS = frozenset({"GET", "HEAD"})
MAX_JSON_DEPTH = 50
LOOPBACK_NAMES = frozenset({"localhost"})
OPEN_INTERNET = IPv6Network("2000::/3")
TRANSLATED = IPv6Network("64:ff9b::/96")  # an IPv4 address as networks without IPv4 write it, in the last 32 bits
DOTS = frozenset({"", ".", ".."})  # as a part of a path they would make another path


class NotAllowed(ValueError):
    """The host is not on the allow-list. A bug or a wrong setting: never retried."""


def is_loopback(url: str) -> bool:
    """Whether the URL points at this very machine, by address or by the name localhost."""
    host = urlsplit(url).hostname or ""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Whether this IP address is one of the open internet, whatever form it hides in."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            found = found.ipv4_mapped
        elif found in TRANSLATED:
            found = IPv4Address(int(found) & 0xFFFFFFFF)
        elif found not in OPEN_INTERNET or found.sixtofour or found.teredo:
            return False
    return found.is_global and not found.is_multicast


def _public_addresses(host: str, port: int) -> list[str]:
    """Every address of the name, in the order to try them. NotAllowed unless all of them are public."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(answer[4][0] for answer in answers))
    if not addresses or not all(map(is_public, addresses)):
        raise NotAllowed(f"{host} is not at a public address")
    return addresses


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes one call may take."""

    connect_s: float = CONNECT_S
    read_s: float = READ_S
    total_s: float = TOTAL_S
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True)
class Answer:
    """A complete answer. `headers` are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    route: str

    @property
    def request_id(self) -> str:
        return self.headers.get("x-amzn-RequestId", "")[:64]

    def json(self) -> dict | list:
        """The body as JSON. UnexpectedAnswer where it is none, is too deep, or repeats a key."""
        try:
            return parsed(self.body)
        except ValueError as error:
            raise self._unreadable(str(error) if type(error) is BadJson else type(error).__name__) from None

    def _unreadable(self, why: str) -> UnexpectedAnswer:
        return UnexpectedAnswer(
            f"{self.route}: {self.status}, no readable JSON ({why})",
            code="UnreadableAnswer",
            request_id=self.request_id,
        )


def _filled_in(method: str, route: str, path: Mapping[str, str]) -> str:
    """The route with its values in place, each of which stays one part of the path."""
    if DOTS & set(path.values()):
        raise RequestRejected(f"{method} {route}: a value fits no path", code="BadPath")
    return route.format(**{key: quote(value, safe="", errors="replace") for key, value in path.items()})


class BadJson(ValueError):
    """JSON that is not to be had as a dict or a list. The text is a word of ours, nothing of the content."""


def parsed(body: bytes) -> dict | list:
    """JSON from outside. ValueError where it is none, is too deep or of another shape, or repeats a key."""
    try:
        value = json.loads(body, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_no_repeated_key)
    except RecursionError:
        raise BadJson("RecursionError") from None
    if not isinstance(value, dict | list) or _depth_over(value, MAX_JSON_DEPTH):
        raise BadJson("shape")
    return value


def _no_constant(name: str):
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):  # 1e999
        raise ValueError("a number too large")
    return number


def _no_repeated_key(pairs: list[tuple]) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _depth_over(value, limit: int) -> bool:
    """Whether dicts and lists are nested deeper than `limit`. Level by level: pages have 20,000 of them."""
    level = [value]
    for _depth in range(limit + 1):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) in (dict, list)
        ]
        if not level:
            return False
    return True


@dataclass
class _Call:
    """One call in flight: remembers its socket so that the total time limit can cut it."""

    sent: bool = False
    expired: bool = False
    sock: socket.socket | None = None  # a connection that will be closed lets go of its own before the body is read

    def cut(self) -> None:
        self.expired = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.shutdown(2)  # wakes a read that a dripping server keeps alive


_in_flight = threading.local()


class _Watched:
    """Connection mixin: tells the running call its socket, and that bytes are about to leave."""

    def request(self, *args, **kwargs):
        call = getattr(_in_flight, "call", None)
        if call is not None:
            if self.sock is None:
                self.connect()  # a failure up to here provably sent nothing
            call.sock, call.sent = self.sock, True
        return super().request(*args, **kwargs)


class _WatchedHTTP(_Watched, HTTPConnection): ...


class _WatchedHTTPS(_Watched, HTTPSConnection): ...


class _PinnedHTTPS(_WatchedHTTPS):
    """Asks for the name's addresses once, and connects to what it has looked at: a name that answers differently the
    next time changes nothing. The certificate is still the name's."""

    def _new_conn(self):
        refused: OSError | None = None
        for address in _public_addresses(self.host, self.port):
            try:
                return create_connection((address, self.port), self.timeout, socket_options=self.socket_options)
            except OSError as error:
                refused = error
        raise refused or OSError("no address")


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class _PinnedPool(HTTPSConnectionPool):
    ConnectionCls = _PinnedHTTPS


class _Adapter(HTTPAdapter):
    https = _HTTPSPool

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": self.https}


class _PinnedAdapter(_Adapter):
    https = _PinnedPool


@dataclass
class HttpClient:
    """Calls below one base URL. `base_url` may have a path. Safe to share between threads of one process.

    `allowed_hosts`: exact names, or suffixes written `.example.com`. `http://` is allowed to loopback only.
    `public_only`: for addresses that somebody else chose; https goes to public IP addresses only.
    """

    base_url: str
    allowed_hosts: frozenset[str]
    limits: Limits = field(default_factory=Limits)
    user_agent: str = "OrderHub/1.0 (Language=Python)"
    public_only: bool = False

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self._check(self.base_url)
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no .netrc from the environment
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.get_redirect_target = lambda answer: None  # else it reads a redirect's whole body, uncapped
        self._session.mount("http://", _Adapter(max_retries=0))
        self._session.mount("https://", (_PinnedAdapter if self.public_only else _Adapter)(max_retries=0))

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.username or parts.password or parts.fragment:
            raise NotAllowed("no user name, password or fragment in an outbound address")
        if parts.scheme == "http" and not is_loopback(url):
            raise NotAllowed("plain http goes to this machine only")
        if parts.scheme not in {"http", "https"}:
            raise NotAllowed("http or https only")
        if not any(host == name or (name.startswith(".") and host.endswith(name)) for name in self.allowed_hosts):
            raise NotAllowed(f"{host} is not on the list of outbound hosts")

    def send(
        self,
        method: str,
        route: str,
        *,
        path: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json_body: dict | None = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        target: str = "",
    ) -> Answer:
        """One call, one answer, whatever its status. `route` is a template such as `/orders/{orderId}`.

        `target`: path and query as they were given to us, already quoted; `route` then only names them in logs.

        Raises TryLater where nothing was sent or a read failed; OutcomeUnknown where a write was sent and no
        complete answer came; UnexpectedAnswer where the answer is larger than allowed or a redirect; RequestRejected,
        with nothing sent, where a value fits no path or header; NotAllowed where `public_only` forbids; EmergencyStop, a kind
        of TryLater, while the emergency stop is on. Never retries.
        """
        if killswitch.is_set():
            raise killswitch.EmergencyStop(f"{method} {route}")
        url = self.base_url + (target or _filled_in(method, route, path or {}))
        sent_headers = {"User-Agent": self.user_agent, "Accept-Encoding": "gzip"} | dict(headers or {})
        if not all(value.isascii() and value.isprintable() for value in sent_headers.values()):
            raise RequestRejected(f"{method} {route}: a value fits no header", code="BadHeader")
        data = dict(form) if form is not None else content
        started = time.monotonic()
        call = _Call()
        try:
            with self._watch(call):
                response = self._session.request(
                    method, url, params=params, json=json_body, data=data, headers=sent_headers, stream=True,
                    timeout=(self.limits.connect_s, self.limits.read_s), allow_redirects=False,
                )  # fmt: skip
                with response:
                    body = self._read(response, route)
        except NotAllowed:
            self._log(method, route, "none", "", started)
            raise
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            self._log(method, route, "none", "", started)
            raise self._failure(method, route, call, error) from None
        answer = Answer(response.status_code, response.headers, body, f"{method} {route}")
        self._log(method, route, str(answer.status), answer.request_id, started)
        if call.expired:
            raise self._failure(method, route, call, TimeoutError())
        if 300 <= answer.status < 400:
            raise UnexpectedAnswer(f"{method} {route}: redirected", code="Redirect", request_id=answer.request_id)
        return answer

    @contextlib.contextmanager
    def _watch(self, call: _Call) -> Iterator[None]:
        timer = threading.Timer(self.limits.total_s, call.cut)
        timer.daemon = True
        _in_flight.call = call
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            _in_flight.call = None

    def _read(self, response: requests.Response, route: str) -> bytes:
        chunks, size = [], 0
        for chunk in response.iter_content(64 * 1024):
            size += len(chunk)
            if size > self.limits.max_bytes:
                raise UnexpectedAnswer(f"{route}: answer over {self.limits.max_bytes} bytes", code="TooLarge")
            chunks.append(chunk)
        announced = response.headers.get("Content-Length", "")
        encoded = response.headers.get("Content-Encoding")
        if announced.isdigit() and not encoded and response.request.method != "HEAD" and size != int(announced):
            raise requests.exceptions.ChunkedEncodingError("cut short")
        return b"".join(chunks)

    @staticmethod
    def _failure(method: str, route: str, call: _Call, error: Exception) -> Exception:
        why = "time limit" if call.expired else type(error).__name__
        if not call.sent or method in READS:
            return TryLater(f"{method} {route}: {why}", wait_s=30, code=why)
        return OutcomeUnknown(f"{method} {route}: {why}", code=why)

    def _log(self, method: str, route: str, status: str, request_id: str, started: float) -> None:
        log.info(
            "http",
            extra={
                "method": method,
                "host": urlsplit(self.base_url).hostname,
                "route": route,
                "status": status,
                "request_id": request_id,
                "ms": round((time.monotonic() - started) * 1000),
            },
        )
