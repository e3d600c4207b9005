"""A request as the operations see it: the WSGI environ, read once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from stores.simulator.answers import Refusal, denied, error, invalid
from stores.simulator.marketplaces import Seller

MAX_BODY = 64 * 1024 * 1024


@dataclass
class Request:
    """`path_values`: the variable parts of the path; `admitted`: None until the access token is checked."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    content_type: str
    access_token: str | None
    base_url: str
    idempotency_key: str = ""
    shipping_business: str = ""
    path_values: Mapping[str, str] = field(default_factory=dict)
    admitted: Seller | None = None

    @property
    def seller(self) -> Seller:
        """Who asks; 403 for an operation that was let in without a token."""
        if self.admitted is None:
            raise denied()
        return self.admitted

    def items(self, name: str) -> list[str]:
        """A comma-separated query parameter."""
        return [part for part in self.query.get(name, "").split(",") if part]

    def number(self, name: str, default: int, low: int, high: int) -> int:
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise invalid(f"{name} must be between {low} and {high}.")
        return int(text)


def read(environ: dict[str, Any]) -> Request:
    query: dict[str, str] = {}
    for name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    path = environ.get("PATH_INFO", "/").encode("latin-1", "replace").decode("utf-8", "replace")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=query,
        body=_body(environ),
        content_type=environ.get("CONTENT_TYPE", ""),
        access_token=environ.get("HTTP_X_AMZ_ACCESS_TOKEN"),
        base_url=f"{environ.get('wsgi.url_scheme', 'http')}://{environ.get('HTTP_HOST', '127.0.0.1')}",
        idempotency_key=environ.get("HTTP_X_AMZN_IDEMPOTENCYKEY", ""),
        shipping_business=environ.get("HTTP_X_AMZN_SHIPPING_BUSINESS_ID", ""),
    )


def _body(environ: dict[str, Any]) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit():
        raise invalid("Content-Length is not a number.")
    if int(length) > MAX_BODY:
        raise Refusal(error(413, "RequestEntityTooLarge", "The request is too large."))
    return environ["wsgi.input"].read(int(length)) if int(length) else b""
