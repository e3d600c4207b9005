"""The emergency stop's flag: while it is set nothing is sent to anybody outside, and jobs rest.

It is a row of the leases' table, because a lease is what every process already asks the database for before it works:
no history has to be read for it, nothing prunes it, and taking it away is the only way to go on. Each process asks at
most every `KILLSWITCH_POLL_S` seconds and remembers in between.
"""

import logging
import time

from django.conf import settings
from django.db import Error as AnyDatabaseError

from orderhub.errors import Throttled

log = logging.getLogger("orderhub.killswitch")
ROW = "killswitch"
# What goes on: erasure in time is a duty and needs nobody outside, and somebody has to watch
GOES_ON = ("privacy.", "orderhub.housekeeping.")
WAIT_S = 300.0
_asked_at, _set = float("-inf"), False


class EmergencyStop(Throttled):
    """Not sent, because the emergency stop is on. Never counts as an attempt: what waited goes on waiting."""

    def __init__(self, what: str):
        super().__init__(f"{what}: emergency stop", wait_s=WAIT_S, code="EmergencyStop")


def is_set() -> bool:
    """Whether the emergency stop is on, as the database said at most KILLSWITCH_POLL_S seconds ago.

    Where the database does not answer, what it said last holds: without it no job goes on anyway.
    """
    global _asked_at, _set
    every_s = settings.KILLSWITCH_POLL_S
    if every_s is None or time.monotonic() - _asked_at < every_s:
        return _set
    from orderhub.models import JobLease

    try:
        _set = JobLease.objects.filter(job=ROW).exists()
    except AnyDatabaseError as error:
        log.error("killswitch_unread", extra={"error": type(error).__name__})
    _asked_at = time.monotonic()
    return _set


def is_paused(job: str) -> bool:
    """Whether this job rests now."""
    return not job.startswith(GOES_ON) and is_set()


def put(*, holder: str) -> bool:
    """Set the flag; whether it was not set before."""
    from orderhub.models import JobLease

    _row, fresh = JobLease.objects.get_or_create(job=ROW, defaults={"holder": holder[:64]})
    forget()
    return fresh


def lift() -> bool:
    """Take the flag away; whether it was set."""
    from orderhub.models import JobLease

    gone, _rows = JobLease.objects.filter(job=ROW).delete()
    forget()
    return bool(gone)


def forget() -> None:
    """The next question is asked of the database again."""
    global _asked_at, _set
    _asked_at, _set = float("-inf"), False
