"""Files that a marketplace points at: pictures of products, archives of customised lines, documents of submissions.

The address comes from outside, so it decides nothing: it must be https on one of Amazon's own file hosts, which must be
at a public address, and that very address is the one connected to. No redirect is followed. The errors of
orderhub/errors.py hold the kind of the file and a code, never the address, which may be as good as a password.
"""

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from orderhub.errors import RequestRejected, TryLater
from orderhub.http import HttpClient, Limits, NotAllowed, is_loopback

MOST_LETTERS = 4096  # of an address
REFUSED = "AddressRefused"
_ADDRESS = re.compile(
    r"(?P<origin>(?P<scheme>https?)://(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?P<port>:[0-9]{1,5})?)"
    r"(?P<target>/[!$-\[\]^-~]*)"  # printable ASCII without blank, quotation mark, # and backslash
)


@dataclass(frozen=True)
class _Kind:
    hosts: frozenset[str]
    most_bytes: int

    @property
    def limits(self) -> Limits:
        return Limits(total_s=10, max_bytes=self.most_bytes)


KINDS = {
    "photo": _Kind(frozenset({".media-amazon.com", ".ssl-images-amazon.com"}), 10 * 1024 * 1024),
    "customization": _Kind(frozenset({"zme-caps.amazon.com"}), 25 * 1024 * 1024),
    "feed": _Kind(frozenset({".amazonaws.com"}), 20 * 1024 * 1024),  # documents of submissions, presigned
}


def fetch(url: str, *, kind: str) -> bytes:
    """The file at this address. `kind`: one of KINDS, which decides hosts and size; at most 10 s.

    RequestRejected where the address is not one we go to (code AddressRefused) or the host refuses (code HTTP and the
    status); UnexpectedAnswer for a redirect or a larger file; TryLater where trying again makes sense. Only reads.
    """
    base_url, target = _parted(url, kind)
    route = f"/{kind}"
    try:
        answer = _client(base_url, kind).send("GET", route, target=target, headers={"Accept-Encoding": "identity"})
    except NotAllowed:
        raise _refused(kind) from None
    if answer.status == 429 or answer.status >= 500:
        raise TryLater(f"GET {route}: {answer.status}", wait_s=60, code=f"HTTP{answer.status}")
    if answer.status != 200:
        raise RequestRejected(f"GET {route}: {answer.status}", code=f"HTTP{answer.status}")
    return answer.body


def store(url: str, content: bytes, *, content_type: str, kind: str) -> None:
    """Put a file at this presigned address; nothing of ours goes with it but the file. At most 10 s. Safe to repeat.

    RequestRejected where the address is not one we go to or the host refuses; TryLater where trying again makes sense;
    OutcomeUnknown where the answer was not seen.
    """
    base_url, target = _parted(url, kind)
    route = f"/{kind}"
    try:
        answer = _client(base_url, kind).send(
            "PUT", route, target=target, content=content, headers={"Content-Type": content_type}
        )
    except NotAllowed:
        raise _refused(kind) from None
    if answer.status == 429 or answer.status >= 500:
        raise TryLater(f"PUT {route}: {answer.status}", wait_s=60, code=f"HTTP{answer.status}")
    if not 200 <= answer.status < 300:
        raise RequestRejected(f"PUT {route}: {answer.status}", code=f"HTTP{answer.status}")


def _parted(url: str, kind: str) -> tuple[str, str]:
    """Scheme with host, and path with query. RequestRejected for whatever is not an address of the kind's hosts."""
    found = _ADDRESS.fullmatch(url) if len(url) <= MOST_LETTERS else None
    if found is None:
        raise _refused(kind)
    if _is_stand_in(found["origin"]):
        return found["origin"], found["target"]
    host = found["host"].lower()
    listed = any(host == name or (name.startswith(".") and host.endswith(name)) for name in KINDS[kind].hosts)
    foreign = any(label.startswith("xn--") for label in host.split("."))
    if found["scheme"] != "https" or found["port"] not in {None, ":443"} or not listed or foreign:
        raise _refused(kind)
    return f"https://{host}", found["target"]


def _is_stand_in(origin: str) -> bool:
    """Whether the operator put this very server on this machine in Amazon's place, as demo and tests do."""
    there = settings.SPAPI_BASE_URL
    if not there or not is_loopback(there):
        return False
    parts = urlsplit(there)
    return origin == f"{parts.scheme}://{parts.netloc}"


def _refused(kind: str) -> RequestRejected:
    return RequestRejected(f"GET /{kind}: not an address files are fetched from", code=REFUSED)


@lru_cache(maxsize=16)
def _client(base_url: str, kind: str) -> HttpClient:
    here = frozenset({urlsplit(base_url).hostname or ""}) if is_loopback(base_url) else frozenset()
    known = KINDS[kind]
    return HttpClient(base_url, allowed_hosts=known.hosts | here, limits=known.limits, public_only=True)


os.register_at_fork(after_in_child=_client.cache_clear)  # two processes must not read one socket
