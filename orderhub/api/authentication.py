"""Who is let in with a key, from where and how often. Every refusal is counted; one too many an hour is recorded.

Counting is in the database: DRF's own throttles lose counts when requests race.
"""

from datetime import datetime

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication

from orderhub import apikeys, clock, ratelimits
from orderhub.models import ApiKey
from orderhub.rest import scopes
from orderhub.rest.problems import Problem
from privacy import access, audit
from privacy.models.event import EventCode, Outcome

FAILURES_A_MINUTE = 30  # of one address, whichever keys it tries


class Refused(exceptions.AuthenticationFailed):
    """No valid key. The same words for every reason: nobody learns which part was right."""


class Bearer(BaseAuthentication):
    """`Authorization: Bearer oh_…`."""

    def authenticate_header(self, request) -> str:
        return 'Bearer realm="OrderHub"'

    def authenticate(self, request):
        kind, _space, token = request.headers.get("Authorization", "").partition(" ")
        if not token:
            return None
        pair = apikeys.read_token(token.strip()) if kind.lower() == "bearer" else None
        key = admit(request._request, pair, now=clock.now())
        return key.user, key


def admit(request, pair: tuple[str, str] | None, *, now: datetime) -> ApiKey:
    """The key of these two parts, counted against its rate. Refused, or 429, where it opens nothing.

    `request` is Django's: it remembers the rate for the headers of the answer (`rate_level`) and the key (`api_key`).
    """
    address = request.META.get("REMOTE_ADDR", "")
    key = apikeys.find(*pair) if pair else None
    if key is None or not key.is_usable(now=now) or not apikeys.is_allowed_from(key, address):
        _refuse(request, key, address, now)
    level = ratelimits.take(f"key:{key.pk}", limit=key.rate_per_minute, now=now)
    request.rate_level, request.api_key = level, key
    key.user._role_names = access.client_roles(reads_people=key.may(scopes.ORDERS_READ_PII))
    if not level.allowed:
        detail = _("More than %(count)d requests in a minute.") % {"count": level.limit}
        raise Problem(429, "too-many-requests", detail, headers={"Retry-After": str(level.reset_s)})
    apikeys.seen(key, now=now)
    return key


def _refuse(request, key: ApiKey | None, address: str, now: datetime) -> None:
    level = ratelimits.take(f"address:{address}"[:80], limit=FAILURES_A_MINUTE, now=now)
    if level.left in {0, FAILURES_A_MINUTE - 1} and level.allowed:  # the first and the last that is counted
        audit.record(
            EventCode.KEY_REFUSED, actor="api", outcome=Outcome.REFUSED, kind="key", ids=[key.pk] if key else [],
            request=request, reason="unusable" if key else "unknown",
        )  # fmt: skip
    if not level.allowed:
        request.rate_level = level
        detail = _("Too many attempts without a valid key.")
        raise Problem(429, "too-many-attempts", detail, headers={"Retry-After": str(level.reset_s)})
    raise Refused(
        _("Send a valid API key. Keys end on their date, when they are revoked, and outside of their networks.")
    )
