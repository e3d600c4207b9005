"""The simulator's own clock: it can be frozen, hurried, set and moved."""

import threading
import time
from datetime import UTC, datetime, timedelta


def stamp(instant: datetime) -> str:
    """ISO 8601 in UTC as the marketplace writes it: milliseconds only where there are any."""
    text = instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    milliseconds = instant.microsecond // 1000
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"


def whole_milliseconds(instant: datetime) -> datetime:
    """The instant cut to milliseconds, in UTC. ValueError where it carries no time zone."""
    if instant.tzinfo is None:
        raise ValueError("An instant needs a time zone.")
    return instant.astimezone(UTC).replace(microsecond=instant.microsecond // 1000 * 1000)


class SimClock:
    """Simulated time in UTC. `scale` is simulated seconds per real second; 0 freezes the clock."""

    def __init__(self, now: datetime, scale: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._base = whole_milliseconds(now)
        self._since = time.monotonic()
        self._scale = float(scale)

    def _elapsed(self) -> timedelta:
        return timedelta(seconds=(time.monotonic() - self._since) * self._scale)

    def _rebase(self, instant: datetime) -> None:
        self._base, self._since = instant, time.monotonic()

    def now(self) -> datetime:
        with self._lock:
            return whole_milliseconds(self._base + self._elapsed())

    def set(self, instant: datetime) -> None:
        with self._lock:
            self._rebase(whole_milliseconds(instant))

    def advance(self, *, seconds: float) -> None:
        with self._lock:
            self._rebase(self._base + self._elapsed() + timedelta(seconds=seconds))

    @property
    def scale(self) -> float:
        return self._scale

    @scale.setter
    def scale(self, value: float) -> None:
        if value < 0:
            raise ValueError("A clock does not run backwards.")
        with self._lock:
            self._rebase(self._base + self._elapsed())
            self._scale = float(value)
