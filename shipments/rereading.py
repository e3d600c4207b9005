"""After a backup was restored: what it believes unsent may have been sent since, so all of it is read back first."""

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from shipments.mails.delivering import UNKNOWN
from shipments.models import Feed, OutgoingMail, ShipmentNotification

State = ShipmentNotification.State
OPEN = (State.PENDING, State.RETRY_AT, State.IN_FLIGHT, State.IN_FEED, State.UNKNOWN)
CODE = "Restored"


def doubt_everything(*, now: datetime, newest: datetime | None) -> Counter:
    """Make every notice that is open, or was accepted after `newest` (the backup's last sign of life), one to be read
    at the marketplace before anything is sent; give up submissions and mails under way. Returns what was moved.

    A mail cannot be read back: it is not sent again. Safe to repeat.
    """
    with transaction.atomic():
        later = Q(state__in=[State.CONFIRMED, State.CONFIRMED_EXTERNAL], confirmed_at__gt=newest, correction_of=None)
        doubtful = Q(state__in=OPEN) | (later if newest else Q(pk=None))
        notices = ShipmentNotification.objects.filter(doubtful).update(
            state=State.UNKNOWN, lease_until=None, fence=F("fence") + 1, starts=0, reads=0, next_attempt_at=now,
            failing_since=None, error_code=CODE, error_text="", single_only=True,
        )  # fmt: skip
        feeds = Feed.objects.open().update(
            state=Feed.State.FAILED, finished_at=now, fence=F("fence") + 1, error_code=CODE
        )
        waiting = OutgoingMail.objects.filter(state__in=[OutgoingMail.State.PENDING, OutgoingMail.State.SENDING])
        mails = waiting.update(state=OutgoingMail.State.FAILED, reason=UNKNOWN, lease_until=None, fence=F("fence") + 1)
    return Counter(notices=notices, feeds=feeds, mails=mails)
