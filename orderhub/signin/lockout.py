"""Lock-out: five failures of a user name from one address in 15 minutes, ten from anywhere in 24 hours.

A try is written down as a failure before the password or the code is looked at, so that tries sent at the same time
cannot slip through together; it is struck out when it was right. The same for names nobody has: the same statements,
the same hashing, the same answer. django-axes asks us before each password (`Handler`); the second factor and the pages
that ask again call `admit`, `failed` and `passed` themselves. Rows are axes' own, with a keyed hash for the name:
passwords typed into the wrong field are kept nowhere.
"""

import unicodedata
from datetime import datetime

from axes.backends import AxesStandaloneBackend
from axes.handlers.base import AbstractAxesHandler, AxesBaseHandler
from axes.models import AccessFailureLog
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.utils.crypto import salted_hmac

from orderhub import clock
from orderhub.models import User
from privacy import audit
from privacy.models.event import EventCode, Outcome

BY_ADDRESS, BY_DAY = "address", "day"  # which of the two locks a row began, in its path_info


class StaffBackend(AxesStandaloneBackend, ModelBackend):
    """Django's users by password. Who comes through a page (a request) is counted; code that has none is trusted."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        if request is not None and username is not None:
            AxesStandaloneBackend.authenticate(self, request, username=username, password=password, **kwargs)
        return ModelBackend.authenticate(self, request, username=username, password=password, **kwargs)

    def user_can_authenticate(self, user) -> bool:
        """The account of an API key signs in nowhere, and no session is one's, whatever got into its columns."""
        return super().user_can_authenticate(user) and not user.is_client


class Handler(AbstractAxesHandler, AxesBaseHandler):
    """What axes asks and tells around each password."""

    def is_allowed(self, request, credentials=None) -> bool:
        request.sign_in_try = admit((credentials or {}).get("username") or "", request, now=clock.now())
        return request.sign_in_try is not None

    def user_login_failed(self, sender, credentials, request=None, **kwargs):
        if request is None:
            return
        attempt = getattr(request, "sign_in_try", None)
        if attempt is None:
            request.axes_locked_out = True
        else:
            failed(attempt, credentials.get("username") or "", request, now=clock.now())

    def user_logged_in(self, sender, request, user, **kwargs):
        """The sign-in page itself says when a sign-in is whole."""

    def user_logged_out(self, sender, request, user, **kwargs):
        """Nothing is counted."""

    def get_failures(self, request, credentials=None) -> int:
        return 0


def admit(name: str, request, *, now: datetime) -> int | None:
    """Write a try down as a failure; returns its number, or None where the name is locked and nothing must be checked."""
    key, address = key_of(name), _address(request)
    attempt = AccessFailureLog.objects.create(username=key, ip_address=address, user_agent="", http_accept="")
    AccessFailureLog.objects.filter(pk=attempt.pk).update(attempt_time=now)  # axes stamps it with the host's clock
    others = [row for row in _rows(key, now=now) if row.pk != attempt.pk]
    if _locked(others, address, now=now) or _full(others, address, now=now):
        attempt.delete()
        return None
    return attempt.pk


def failed(attempt: int, name: str, request, *, now: datetime, code: EventCode = EventCode.SIGN_IN_FAILED) -> bool:
    """The try was wrong: it stays. Returns whether it was one too many; then axes' middleware says so to the browser."""
    key, address = key_of(name), _address(request)
    user = User.objects.filter(username=name).first()
    audit.record(code, request=request, outcome=Outcome.REFUSED, **_about(user))
    full = _full(_rows(key, now=now), address, now=now)
    if full:
        AccessFailureLog.objects.filter(pk=attempt).update(locked_out=True, path_info=full)
        audit.record(EventCode.LOCKED, request=request, outcome=Outcome.REFUSED, reason=full, **_about(user))
        request.axes_locked_out = True
    return bool(full)


def passed(attempt: int, name: str, request, *, whole: bool) -> None:
    """The try was right. A whole sign-in also forgives what was mistyped at this address, and at no other."""
    AccessFailureLog.objects.filter(pk=attempt).delete()
    if whole:
        AccessFailureLog.objects.filter(username=key_of(name), ip_address=_address(request)).delete()


def state_of(name: str, *, now: datetime) -> str:
    """'' or which lock holds: `day` for everywhere, `address` for at least one address."""
    rows = _rows(key_of(name), now=now)
    if _locked(rows, None, now=now) == BY_DAY:
        return BY_DAY
    return BY_ADDRESS if any(_locked(rows, row.ip_address, now=now) for row in rows) else ""


def unlock(user: User, *, request=None, actor: str = "") -> int:
    """Forget every failure of this user name; returns how many."""
    count, _rows = AccessFailureLog.objects.filter(username=key_of(user.username)).delete()
    audit.record(EventCode.UNLOCKED, request=request, actor=actor, **_about(user))
    return count


def key_of(name: str) -> str:
    """A user name as it is counted: spelling variants together, unreadable without our secret."""
    plain = unicodedata.normalize("NFKC", name).casefold().strip()
    return salted_hmac("orderhub.signin.lockout", plain, algorithm="sha256").hexdigest()


def _rows(key: str, *, now: datetime) -> list[AccessFailureLog]:
    """Failures of the last day: a dozen at most, since nothing is written while the name is locked."""
    return list(AccessFailureLog.objects.filter(username=key, attempt_time__gt=now - settings.LOCK_FOR_A_DAY))


def _locked(rows: list, address: str | None, *, now: datetime) -> str:
    """The lock that an earlier failure began and that still holds."""
    begun = [row for row in rows if row.locked_out]
    if any(row.path_info == BY_DAY for row in begun):
        return BY_DAY
    here = [row for row in begun if row.ip_address == address and row.attempt_time > now - settings.LOCK_FOR]
    return BY_ADDRESS if here else ""


def _full(rows: list, address: str | None, *, now: datetime) -> str:
    """The limit that these failures reach."""
    if len(rows) >= settings.LOCK_AFTER_A_DAY:
        return BY_DAY
    here = [row for row in rows if row.ip_address == address and row.attempt_time > now - settings.LOCK_FOR]
    return BY_ADDRESS if len(here) >= settings.LOCK_AFTER else ""


def _address(request) -> str | None:
    return request.META.get("REMOTE_ADDR") or None


def _about(user: User | None) -> dict:
    return {"kind": "user", "ids": [user.pk]} if user else {"kind": "user"}
