"""Accounts that nobody uses: made inactive, never deleted."""

from datetime import datetime

from django.conf import settings
from django.db.models import Q

from orderhub.models import User
from orderhub.signin import sessions
from privacy import audit
from privacy.models.event import EventCode

ACTOR = "disable_idle_accounts"


def disable_idle(*, now: datetime) -> int:
    """Make every account of staff inactive that was not signed in to for 90 days, counted from when it was last made active;
    returns how many. Safe to repeat: the UPDATE decides."""
    since = now - settings.IDLE_ACCOUNT_AFTER
    unused = Q(is_client=False, active_since__lte=since) & (Q(last_login__isnull=True) | Q(last_login__lte=since))
    idle = list(User.objects.filter(unused, is_active=True))
    count = 0
    for user in idle:
        if User.objects.filter(unused, pk=user.pk, is_active=True).update(is_active=False):
            count += 1
            audit.record(EventCode.USER_CHANGED, actor=ACTOR, kind="user", ids=[user.pk], reason="idle")
            sessions.end_all(user, sessions.Reason.DEACTIVATED, actor=ACTOR)
    return count
