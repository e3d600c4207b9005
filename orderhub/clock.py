"""The one clock. Every instant is aware and UTC; no other module asks the system for the time.

Production takes the database's time, so that all hosts agree on leases and due dates; the demo and the tests shift
or scale the clock. `source` is read once per process from CLOCK_SOURCE.
"""

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

RESAMPLE_S = 60


class _Clock:
    def __init__(self) -> None:
        self.shift = timedelta(0)
        self.frozen_at: datetime | None = None
        self._sample: tuple[float, timedelta] | None = None

    def now(self) -> datetime:
        if self.frozen_at is not None:
            return self.frozen_at
        return datetime.now(UTC) + self._database_lead() + self.shift

    def _database_lead(self) -> timedelta:
        """How far the database's clock is ahead of this host's, asked again once a minute."""
        from django.conf import settings

        if settings.CLOCK_SOURCE != "database":
            return timedelta(0)
        if self._sample is None or time.monotonic() - self._sample[0] > RESAMPLE_S:
            self._sample = (time.monotonic(), _ask_database() - datetime.now(UTC))
        return self._sample[1]


def _ask_database() -> datetime:
    from django.db import connection

    if connection.vendor != "postgresql":
        return datetime.now(UTC)  # SQLite runs on this very host
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0].astimezone(UTC)


_clock = _Clock()


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _clock.now()


def shifted() -> bool:
    """Whether demo or tests have moved the clock away from real time."""
    return bool(_clock.shift) or _clock.frozen_at is not None


@contextlib.contextmanager
def at(instant: datetime, *, frozen: bool = True) -> Iterator[None]:
    """Run a block at another instant; the clock stands still there unless `frozen` is False. Demo and tests only."""
    if instant.tzinfo is None:
        raise ValueError("an aware instant is needed")
    before = (_clock.shift, _clock.frozen_at)
    try:
        if frozen:
            _clock.frozen_at = instant.astimezone(UTC)
        else:
            _clock.frozen_at, _clock.shift = None, instant - datetime.now(UTC)
        yield
    finally:
        _clock.shift, _clock.frozen_at = before


def advance(**delta: float) -> datetime:
    """Move the (frozen or shifted) clock forward by a timedelta's keywords; returns the new instant."""
    step = timedelta(**delta)
    if _clock.frozen_at is not None:
        _clock.frozen_at += step
    else:
        _clock.shift += step
    return now()
