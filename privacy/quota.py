"""How much personal data one user sees in an hour. Too much raises an alarm once; it never blocks anybody's work."""

from datetime import datetime, timedelta

from django.conf import settings

from orderhub import clock
from privacy import audit
from privacy.models import AccessLog, SecurityEvent
from privacy.models.event import EventCode

HOUR = timedelta(hours=1)
SHOWN_FOR = timedelta(days=1)


def watch(user) -> bool:
    """Raise the alarm if this user saw more than REVEALS_PER_HOUR orders' data in the last hour; once an hour.

    Returns whether it was raised. Counts every view that the access log has, also those of labels and packing slips:
    they are the quickest way to carry addresses out.
    """
    since = clock.now() - HOUR
    one_too_many = AccessLog.objects.filter(user=user, at__gt=since).order_by("-at")[settings.REVEALS_PER_HOUR :]
    if not one_too_many.exists():
        return False
    if SecurityEvent.objects.filter(user=user, code=EventCode.QUOTA_EXCEEDED, at__gt=since).exists():
        return False
    audit.record(EventCode.QUOTA_EXCEEDED, user=user, kind="user", ids=[user.pk])
    return True


def exceeded_by(*, now: datetime) -> list[str]:
    """Names of the users who raised the alarm in the last day; one query."""
    rows = SecurityEvent.objects.filter(code=EventCode.QUOTA_EXCEEDED, at__gt=now - SHOWN_FOR, user__isnull=False)
    return sorted(set(rows.order_by().values_list("user__username", flat=True)))
