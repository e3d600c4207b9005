"""One random id for each request: on the response, in the security log and in every log line written meanwhile.

The line a request leaves behind names its route and no address: an address may hold what somebody typed.
"""

import logging
import secrets
import time
from contextvars import ContextVar

log = logging.getLogger("orderhub.requests")
HEADER = "X-Request-ID"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
UNTOLD = frozenset({"healthz"})  # asked for every few seconds
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The id of the request that is being answered; '' outside of one."""
    return _current.get()


class RequestIds:
    """The outermost middleware. An id that came with the request is not taken over: whoever sends it could forge it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.id, started = secrets.token_hex(8), time.monotonic()
        token = _current.set(request.id)
        try:
            response = self.get_response(request)
            _tell(request, response, started)
        finally:
            _current.reset(token)
        response.headers[HEADER] = request.id
        return response


def _tell(request, response, started: float) -> None:
    match = request.resolver_match
    if match is None or match.view_name in UNTOLD:
        return  # nothing of ours, or refused before it was looked at
    ms = round((time.monotonic() - started) * 1000)
    told = {"method": request.method if request.method in METHODS else "other", "route": match.route}
    log.info("request", extra=told | {"status": str(response.status_code), "ms": ms})
