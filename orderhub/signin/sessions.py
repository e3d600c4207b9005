"""The life of a sign-in: begun with the password, whole with the second factor, ended in one of many ways.

A browser's session holds the number of its `StaffSession` and whether the second factor is owed or was given.
"""

from django.conf import settings
from django.contrib.auth import login as django_login
from django.db import transaction

from orderhub import clock, freshness
from orderhub.models import User
from orderhub.signin.models import Authenticator, StaffSession
from privacy import access, audit
from privacy.models.event import EventCode

KEY, FACTOR = "staff_session", "second_factor"  # in the browser's session
OWED, GIVEN = "owed", "given"
Reason = StaffSession.Reason


def begin(request, user: User) -> bool:
    """The password was right: a new session, with a new id. Returns whether that is all this user must show."""
    leave(request, Reason.SIGNED_OUT)
    django_login(request, user)
    now = clock.now()
    row = StaffSession.objects.create(user=user, started_at=now, last_seen_at=now)
    request.staff_session, request.session[KEY] = row, row.pk
    if settings.REQUIRE_SECOND_FACTOR or Authenticator.objects.filter(user=user, confirmed=True).exists():
        request.session[FACTOR] = OWED
        return False
    complete(request)
    return True


def complete(request, *, factor: bool = False) -> None:
    """All that was owed was shown. Ends the oldest sessions beyond the number allowed; counts as a fresh proof."""
    row, now = request.staff_session, clock.now()
    if factor:
        request.session[FACTOR] = GIVEN
    request.session.cycle_key()
    freshness.prove(request)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=row.user_id)  # two at once: one after the other
        StaffSession.objects.filter(pk=row.pk).update(signed_in_at=now)
        others = StaffSession.objects.live(now=now).filter(user=user, signed_in_at__isnull=False).exclude(pk=row.pk)
        beyond = list(others.order_by("-started_at", "-pk").values_list("pk", flat=True)[allowed_to(user) - 1 :])
        end(StaffSession.objects.filter(pk__in=beyond), Reason.TOO_MANY, request=request)
        User.objects.filter(pk=user.pk).update(last_login=now)
        audit.record(EventCode.SIGNED_IN, request=request, user=user, kind="session", ids=[row.pk])


def owes_factor(request) -> bool:
    """Whether this signed-in session must still show its second factor."""
    state = request.session.get(FACTOR)
    return state == OWED or (settings.REQUIRE_SECOND_FACTOR and state != GIVEN)


def allowed_to(user: User) -> int:
    """How many sessions at a time: one for who works in the warehouse only, at a shared terminal."""
    roles = set(user.groups.values_list("name", flat=True))
    return settings.SESSIONS_IN_THE_WAREHOUSE if roles == {access.WAREHOUSE} else settings.SESSIONS_A_USER


def end(rows, reason: Reason, *, request=None, actor: str = "") -> int:
    """End these sessions; each browser learns it at its next request. Returns how many. Safe to repeat."""
    ended = list(rows.filter(ended_at__isnull=True).values_list("pk", flat=True))
    if ended:
        StaffSession.objects.filter(pk__in=ended).update(ended_at=clock.now(), reason=reason)
        audit.record(
            EventCode.SESSION_ENDED, request=request, actor=actor, kind="session", ids=ended, reason=str(reason)
        )
    return len(ended)


def end_all(user: User, reason: Reason, *, request=None, actor: str = "") -> int:
    """Every session of a user, except the one that asks for it."""
    own = getattr(request, "staff_session", None)
    rows = StaffSession.objects.filter(user=user)
    return end(rows.exclude(pk=own.pk) if own else rows, reason, request=request, actor=actor)


def leave(request, reason: Reason) -> None:
    """End this request's own session, if it has one."""
    if (own := current(request)) is not None:
        StaffSession.objects.filter(pk=own.pk, ended_at__isnull=True).update(ended_at=clock.now(), reason=reason)


def current(request) -> StaffSession | None:
    """The row of this request's session. None where no page of ours opened it."""
    if not request.user.is_authenticated:  # also loads the row
        return None
    return getattr(request, "staff_session", None)
