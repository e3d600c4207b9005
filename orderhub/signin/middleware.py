"""On every page: whose session this is, whether it may go on, and what must be done before anything else.

A page costs no statement more than without: user and session come in one. Once a minute the session's row is written.
"""

from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, logout
from django.contrib.auth import middleware as django_auth
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from orderhub import clock
from orderhub.signin import passwords, sessions
from orderhub.signin.models import StaffSession

SEEN_EVERY = timedelta(minutes=1)
ALWAYS = ("healthz", "set_language", "admin:logout")
TO_SHOW_A_FACTOR = (*ALWAYS, "second_factor", "second_factor_check", "second_factor_picture")
TO_CHANGE_A_PASSWORD = (*TO_SHOW_A_FACTOR, "admin:password_change", "confirm_identity")


class StaffAuthentication(django_auth.AuthenticationMiddleware):
    """request.user, and request.staff_session in the same statement."""

    def process_request(self, request):
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _user_of(request))


def _user_of(request):
    if not hasattr(request, "_cached_user"):
        number = request.session.get(sessions.KEY)
        rows = StaffSession.objects.select_related("user")
        row = rows.filter(pk=number, user_id=request.session.get(SESSION_KEY)).first() if number else None
        request.staff_session = row
        if row is not None and row.user.is_active and not row.user.is_client and _same_password(request, row.user):
            request._cached_user = row.user
    return django_auth.get_user(request)  # what Django makes of the session otherwise


def _same_password(request, user) -> bool:
    """Sessions of before a change of the password are over."""
    return constant_time_compare(request.session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


class SessionRules:
    """Ends sessions that are over; leads who owes a second factor or a new password there, whatever they asked for."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not request.user.is_authenticated:
            if SESSION_KEY in request.session:  # whoever it was is inactive now
                request.session.flush()
            return self.get_response(request)
        if (why := _over(request)) is not None:
            return self._end(request, why)
        if sessions.owes_factor(request):
            return self._only(request, TO_SHOW_A_FACTOR, "second_factor")
        if passwords.must_change(request.user):
            return self._only(request, TO_CHANGE_A_PASSWORD, "admin:password_change")
        return self.get_response(request)

    def _end(self, request, why: str):
        logout(request)
        if request.path == reverse("admin:login"):  # signing in already
            return self.get_response(request)
        if why:
            messages.info(request, _("Your session has ended: %(why)s. Sign in again.") % {"why": why})
        return HttpResponseRedirect(f"{reverse('admin:login')}?{_next(request)}")

    def _only(self, request, names: tuple[str, ...], target: str):
        if request.path in {reverse(name) for name in names}:
            return self.get_response(request)
        return HttpResponseRedirect(f"{reverse(target)}?{_next(request)}")


def _over(request) -> str | None:
    """Why this session is over, in words; None: it goes on, and was seen just now."""
    row, now = sessions.current(request), clock.now()
    if row is None:  # opened by no page of ours, or so long ago that its row is forgotten
        return "" if settings.REQUIRE_SECOND_FACTOR or sessions.KEY in request.session else None
    if row.ended_at is None:
        reason = _too_long(row, now=now)
        if reason is not None:
            sessions.end(StaffSession.objects.filter(pk=row.pk), reason, request=request)
            row.reason = reason
    if row.reason:
        return row.get_reason_display()
    if not timedelta(0) <= now - row.last_seen_at < SEEN_EVERY:
        StaffSession.objects.filter(pk=row.pk).update(last_seen_at=now)
    return None


def _too_long(row: StaffSession, *, now) -> StaffSession.Reason | None:
    if now - row.started_at >= settings.SESSION_LIFE:
        return StaffSession.Reason.TOO_OLD
    return StaffSession.Reason.IDLE if now - row.last_seen_at >= settings.SESSION_IDLE else None


def _next(request) -> str:
    """Back to this page afterwards; not to an address that only takes forms."""
    wanted = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("admin:index")
    return urlencode({"next": wanted})
