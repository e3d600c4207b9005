"""Answers of the simulated Amazon, and the refusals all operations share. Texts ours, code words Amazon's."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Stops an operation with an answer of its own."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def as_json(data: Any, status: int = 200) -> Answer:
    # Escapes, so that a lone surrogate in hostile test data still travels.
    return Answer(status, json.dumps(data, separators=(",", ":")).encode())


def error(status: int, code: str, message: str, details: str = "") -> Answer:
    answer = as_json({"errors": [{"code": code, "message": message, "details": details}]}, status)
    answer.headers["x-amzn-ErrorType"] = code
    return answer


def invalid(message: str, details: str = "") -> Refusal:
    return Refusal(error(400, "InvalidInput", message, details))


def not_found(message: str = "The requested resource was not found.") -> Refusal:
    return Refusal(error(404, "NotFound", message))


def denied(details: str = "") -> Refusal:
    """403. Empty details: a role or a marketplace is missing."""
    return Refusal(error(403, "Unauthorized", "Access to requested resource is denied.", details))


REVOKED = "The access token you provided is revoked, malformed or invalid."
EXPIRED = "The access token you provided has expired."
MISSING = "The access token is missing in the request header."
