"""How often something may be done in a minute: counted in the database, so that every process counts together.

One UPDATE decides, so of two requests at once the last free place goes to one of them.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, F, Q, Value, When

from orderhub.models import RateWindow

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Level:
    """`left` of `limit` until the window ends in `reset_s` whole seconds; `allowed`: whether this one was counted."""

    allowed: bool
    limit: int
    left: int
    reset_s: int


def take(name: str, *, limit: int, now: datetime) -> Level:
    """Count one more under this name, where there is room; two statements, three the first time."""
    rows = RateWindow.objects.filter(name=name)
    # A window from the future was begun while the clock was ahead: it is over as well
    over = Q(started_at__lte=now - MINUTE) | Q(started_at__gt=now)
    free = rows.filter(over | Q(used__lt=limit))
    fresh = {"started_at": Case(When(over, then=Value(now)), default=F("started_at"))}
    counted = {"used": Case(When(over, then=Value(1)), default=F("used") + 1)}
    allowed = bool(free.update(**counted, **fresh))
    if not allowed and RateWindow.objects.bulk_create([RateWindow(name=name, started_at=now)], ignore_conflicts=True):
        allowed = bool(free.update(**counted, **fresh))
    started_at, used = rows.values_list("started_at", "used").get()
    reset_s = max(1, math.ceil((started_at + MINUTE - now).total_seconds()))
    return Level(allowed, limit, max(0, limit - used), reset_s)
