"""The door of both APIs: what is settled before any view is asked, and what every answer carries.

Plain HTTP is refused, never redirected: a client that followed would have sent its key in the clear again.
"""

from urllib.parse import unquote

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import override

from orderhub import apikeys, clock
from orderhub.api import counting, surfaces
from orderhub.models import ApiKey
from orderhub.rest.parsing import MOST_BYTES
from privacy import audit
from privacy.models.event import EventCode

RATE_HEADERS = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")


class ApiDoor:
    """Around everything that answers for an API, so that refusals of others are in its form as well."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        surface = surfaces.of(request)
        if surface is None:
            return self.get_response(request)
        if surface.name == surfaces.NATIVE:  # with a slash at the end too: an answer, no redirect
            request.path_info = request.path_info.rstrip("/")
            if len(request.path_info) < len(surfaces.NATIVE_PREFIX):
                request.path_info = surfaces.NATIVE_PREFIX
        elif not surface.urlconf:  # in any case: the prefix too
            request.path_info = surfaces.SHIPSTATION_PREFIX + request.path_info[len(surfaces.SHIPSTATION_PREFIX) :]
        if surface.urlconf:
            request.urlconf = surface.urlconf
        # A browser's session opens nothing here, and words are English unless the client asks for others
        request.META.pop("HTTP_COOKIE", None)
        request.META.setdefault("HTTP_ACCEPT_LANGUAGE", "en")
        response = self._refused(request, surface) or self.get_response(request)
        if not _is_json(response) and response.status_code >= 400:
            response = surface.problem(
                response.status_code, "unavailable" if response.status_code == 503 else "refused", ""
            )
        if surface.name == surfaces.NATIVE:  # the other counts what it reads in its bodies
            counting.count(request, response)
        return _with_headers(request, response)

    def _refused(self, request, surface) -> HttpResponse | None:
        with override("fr" if request.META["HTTP_ACCEPT_LANGUAGE"].lower().startswith("fr") else "en"):
            if settings.PRODUCTION and not request.is_secure():
                return surface.problem(403, "https-only", _("Use https. Replace this key: it was sent in the clear."))
            if found := apikeys.TOKEN.search(unquote(request.META.get("QUERY_STRING", ""))):
                _revoke(request, found["prefix"], found["secret"])
                detail = _("A key in an address is read by proxies and logs: it is revoked. Send it as a header.")
                return surface.problem(401, "key-in-address", detail)
            if _length(request) > MOST_BYTES:
                return surface.problem(413, "too-large", _("A request has at most 2 MB. Send fewer at once."))
        return None


def _length(request) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else MOST_BYTES + 1


def _revoke(request, prefix: str, secret: str) -> None:
    key: ApiKey | None = apikeys.find(prefix, secret)
    if key is not None and apikeys.revoke(key, apikeys.Reason.IN_ADDRESS, now=clock.now()):
        audit.record(EventCode.KEY_CHANGED, actor="api", request=request, kind="key", ids=[key.pk], reason="in_address")


def _is_json(response) -> bool:
    return "json" in response.get("Content-Type", "")


def _with_headers(request, response):
    """The client's rate, on every answer; nothing is kept by caches."""
    level = getattr(request, "rate_level", None)
    if level is not None:
        values = (level.limit, level.left, level.reset_s)
    else:  # not admitted: what a key usually has, so that no client divides by what is not there
        values = (surfaces.USUAL_RATE, 0 if response.status_code == 429 else surfaces.USUAL_RATE, 60)
    for name, value in zip(RATE_HEADERS, values, strict=True):
        response[name] = str(value)
    if response.status_code == 429:
        response.headers.setdefault("Retry-After", str(values[2]))
    response["Cache-Control"] = "no-store, private"
    return response
