"""Answers in the shape clients of ShipStation's version 1 read."""

from django.http import JsonResponse
from rest_framework.exceptions import APIException

from orderhub.errors import ConnectorError, RuleViolation, TryLater
from orderhub.rest.problems import noted_bug
from orderhub.shipstation.calls import Refused, Wrong


def problem(status_code: int, code: str, detail: str, *, headers=None) -> JsonResponse:
    """An error: `Message`, as those clients look for it. `code` is for ours only."""
    return JsonResponse({"Message": str(detail) or code, "code": code}, status=status_code, headers=dict(headers or {}))


def of_exception(error: Exception) -> JsonResponse:
    """What was raised on purpose, in v1's form."""
    match error:
        case Wrong():
            told = {"Message": "The request is invalid.", "ModelState": error.errors}
            return JsonResponse(told, status=error.status)
        case Refused():
            return problem(error.status, "refused", error.message, headers=error.headers)
        case RuleViolation():
            return problem(400, "rule", str(error))
        case TryLater():
            wait = {"Retry-After": str(max(1, round(error.wait_s)))}
            return problem(503, "try-later", "The marketplace says not now: try again later.", headers=wait)
        case ConnectorError():
            return problem(502, "marketplace", "The marketplace or provider refused or gave no readable answer.")
        case APIException():
            headers = dict(getattr(error, "headers", {}) or {})
            if error.status_code == 401:
                headers["WWW-Authenticate"] = 'Basic realm="OrderHub"'
            return problem(error.status_code, "refused", str(error.detail), headers=headers)
    raise TypeError(type(error).__name__)


def bug(error: Exception) -> JsonResponse:
    """500 with an error id to look up in the logs; no value in either."""
    told = {
        "Message": "An error has occurred.",
        "ExceptionMessage": f"Error id {noted_bug(error)}",
        "ExceptionType": "Fault",
    }
    return JsonResponse(told, status=500)
