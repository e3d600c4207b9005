"""What an armed fault makes of an answer, of its headers and of the connection."""

from datetime import datetime, timedelta
from typing import Any

from stores.simulator import transport
from stores.simulator.answers import REVOKED, Answer, as_json, denied, error
from stores.simulator.faults import Fault

_HTML = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>Something went wrong</h1></body></html>"


def quota_exceeded() -> Answer:
    return error(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")


def _broken() -> Answer:
    return error(500, "InternalFailure", "We encountered an internal error. Please try again.")


# Login with Amazon has error bodies of its own.
_LWA = {
    "500_before": (500, "server_error"),
    "503": (503, "temporarily_unavailable"),
    "403_revoked": (400, "invalid_grant"),
}


def refusal(fault: Fault, operation: str) -> Answer:
    """The answer of a call that never reached its operation."""
    if operation == "lwa" and fault.kind in _LWA:
        status, word = _LWA[fault.kind]
        return as_json({"error": word, "error_description": "The request was refused."}, status)
    options = fault.options
    match fault.kind:
        case "429":
            answer = quota_exceeded()
            if "retry_after" in options:
                answer.headers["Retry-After"] = str(options["retry_after"])
            if "rate" in options:
                answer.headers["x-amzn-RateLimit-Limit"] = str(options["rate"])
            return answer
        case "500_before":
            return _broken()
        case "503":
            return error(503, "ServiceUnavailable", "The service is temporarily unavailable.")
        case "403_revoked":
            return denied(REVOKED).answer
        case "redirect":
            return Answer(302, headers={"Location": options.get("location", "https://elsewhere.invalid/")})
    return Answer(504)  # never sent: the connection times out


def spoiled(answer: Answer, fault: Fault) -> Answer:
    """The answer of a call that had its effect, as the caller gets to see it."""
    body = answer.body or b"{}"
    match fault.kind:
        case "500_after":
            return _broken()
        case "truncated_json":
            return Answer(200, body[: len(body) // 2] or b"{", headers=answer.headers)
        case "html":
            return Answer(200, _HTML, "text/html", answer.headers)
        case "empty":
            return Answer(200, b"", headers=answer.headers)
        case "wrong_type":
            kind = fault.options.get("content_type", "application/octet-stream")
            return Answer(answer.status if answer.body else 200, body, kind, answer.headers)
        case "garbled":
            garbled = bytes(byte ^ 0xA5 if index % 7 == 3 else byte for index, byte in enumerate(body + b"\xff" * 4))
            return Answer(200, garbled, headers=answer.headers)
        case "huge":
            size = int(fault.options.get("bytes", 50 * 1024 * 1024))
            return Answer(200, body + b" " * max(0, size - len(body)), headers=answer.headers)
    return answer


def spoil_connection(fault: Fault, environ: dict[str, Any]) -> None:
    """The part of a fault that lies below HTTP, once everything else is done."""
    kind = "timeout" if fault.kind.startswith("timeout") else fault.kind
    if kind in transport.KINDS:
        transport.order(environ, kind, fault.options)


def date_shown(now: datetime, fault: Fault | None) -> datetime:
    if fault is None or fault.kind != "date_wrong":
        return now
    return now + timedelta(seconds=fault.options.get("seconds", 3 * 3600))
