"""Errors of the native API as RFC 9457 problem details: a type a program can test, a sentence a person can act on.

Nothing of the request is repeated but the names of fields.
"""

import logging
import traceback
import uuid
from collections.abc import Iterator, Mapping

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from rest_framework import exceptions, status
from rest_framework.response import Response

from orderhub.errors import ConnectorError, RuleViolation, TryLater

log = logging.getLogger("orderhub.api")
CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: gettext_noop("The request cannot be read"),
    401: gettext_noop("No valid API key"),
    403: gettext_noop("Not allowed"),
    404: gettext_noop("Not found"),
    405: gettext_noop("This address does not take that method"),
    406: gettext_noop("Only JSON is spoken here"),
    409: gettext_noop("The request conflicts with how things are"),
    412: gettext_noop("Changed meanwhile"),
    413: gettext_noop("Too large"),
    415: gettext_noop("Only JSON is spoken here"),
    422: gettext_noop("Some values cannot be taken"),
    428: gettext_noop("A header is missing"),
    429: gettext_noop("Too many requests"),
    500: gettext_noop("A fault of ours"),
    501: gettext_noop("Not offered"),
    502: gettext_noop("The marketplace or provider refuses"),
    503: gettext_noop("Not now"),
}


class Problem(exceptions.APIException):
    """Raised on purpose. `code`: a short word for programs, the end of the problem's type."""

    def __init__(self, status_code: int, code: str, detail, *, headers: Mapping[str, str] | None = None):
        super().__init__(detail, code)
        self.status_code, self.problem_code, self.headers = status_code, code, dict(headers or {})


def body(status_code: int, code: str, detail: str, *, errors: list[dict] | None = None, **more) -> dict:
    """A problem's members. `errors`: where more than one thing is wrong, each with a JSON pointer to it."""
    title = TITLES.get(status_code)
    told = {
        "type": f"urn:orderhub:problem:{code}",
        "title": _(title) if title else code,
        "status": status_code,
        "detail": str(detail),
    }
    return told | ({"errors": errors} if errors else {}) | more


def plain(status_code: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A problem where no view of the API is at work, as in a middleware."""
    return JsonResponse(
        body(status_code, code, detail), status=status_code, content_type=CONTENT_TYPE, headers=dict(headers or {})
    )


def handler(error: Exception, context: dict) -> Response:
    """REST_FRAMEWORK["EXCEPTION_HANDLER"]: every error of a view as a problem, bugs included."""
    status_code, code, detail, more, headers = _told(error)
    response = Response(body(status_code, code, detail, **more), status=status_code, content_type=CONTENT_TYPE)
    for name, value in headers.items():
        response[name] = value
    _roll_back()
    return response


def _roll_back() -> None:
    from rest_framework.views import set_rollback

    set_rollback()


def _told(error: Exception) -> tuple[int, str, str, dict, dict]:
    """Status, code, sentence, further members and headers."""
    match error:
        case Problem():
            return error.status_code, error.problem_code, str(error.detail), {}, error.headers
        case exceptions.ValidationError():
            detail = _("Some fields are missing, unknown or wrong: see “errors”.")
            return 422, "invalid", detail, {"errors": list(pointers(error.detail))}, {}
        case RuleViolation():
            return 409, "rule", str(error), {}, {}
        case TryLater():
            wait = {"Retry-After": str(max(1, round(error.wait_s)))}
            return 503, "try-later", _("The marketplace says not now: try again later."), {}, wait
        case ConnectorError():
            return 502, "marketplace", _("The marketplace or provider refused or gave no readable answer."), {}, {}
        case Http404() | exceptions.NotFound():
            return 404, "not-found", _("There is nothing of this kind here that your key may see."), {}, {}
        case PermissionDenied():
            return 403, "forbidden", _("Your key may not do this."), {}, {}
        case exceptions.APIException():
            return _of_framework(error)
        case _:
            return _bug(error)


def _of_framework(error: exceptions.APIException) -> tuple[int, str, str, dict, dict]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))
    code = str(getattr(error.detail, "code", "") or error.default_code).replace("_", "-")
    return error.status_code, code, str(error.detail), {}, headers


def noted_bug(error: Exception) -> str:
    """An error id to look up in the logs, which hold the place and no value."""
    error_id = uuid.uuid4().hex[:12]
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    log.error("api_failed", extra={"error_id": error_id, "error": type(error).__name__, "at": where})
    return error_id


def _bug(error: Exception) -> tuple[int, str, str, dict, dict]:
    detail = _("Nothing was changed. If it happens again, tell support the error id.")
    return status.HTTP_500_INTERNAL_SERVER_ERROR, "bug", detail, {"error_id": noted_bug(error)}, {}


def pointers(detail, path: str = "") -> Iterator[dict]:
    """DRF's nested errors as a flat list with JSON pointers (RFC 6901)."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            at = path if name == "non_field_errors" else f"{path}/{str(name).replace('~', '~0').replace('/', '~1')}"
            yield from pointers(inner, at)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            at = f"{path}/{index}" if isinstance(inner, Mapping | list) else path
            yield from pointers(inner, at)
    else:
        yield {"pointer": path or "/", "detail": str(detail), "code": getattr(detail, "code", "invalid")}


UNKNOWN_FIELD = gettext_lazy("This field is not known here, or cannot be written.")
