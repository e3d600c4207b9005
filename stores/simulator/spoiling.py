"""What an armed fault makes of an answer, of its headers and of the connection."""

from datetime import datetime, timedelta
from typing import Any

from stores.simulator import transport
from stores.simulator.answers import REVOKED, Answer, denied, error
from stores.simulator.faults import Fault

_HTML = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>Something went wrong</h1></body></html>"


def quota_exceeded() -> Answer:
    return error(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")


def _broken() -> Answer:
    return error(500, "InternalFailure", "We encountered an internal error. Please try again.")


def refusal(fault: Fault, environ: dict[str, Any]) -> Answer:
    """The answer of a call that never reached its operation."""
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
    transport.order(environ, "timeout", options)
    return Answer(504)


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
    kind = "timeout" if fault.kind == "timeout_after" else fault.kind
    if kind in transport.KINDS:
        transport.order(environ, kind, fault.options)


def date_shown(now: datetime, fault: Fault | None) -> datetime:
    return now + timedelta(seconds=fault.options.get("seconds", 3 * 3600)) if fault else now
