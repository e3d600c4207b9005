"""What one process looked up a moment ago and need not look up again for every page."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LookedUp(Generic[T]):
    """One answer and when it was got. Threads may look twice at once; none ever gets an answer that was forgotten."""

    def __init__(self) -> None:
        self._kept: tuple[float, T] | None = None

    def get(self, look: Callable[[], T], *, lasts_s: Callable[[T], float]) -> T:
        """The answer, looked up anew where it is older than it lasts."""
        kept = self._kept
        if kept is not None and time.monotonic() - kept[0] <= lasts_s(kept[1]):
            return kept[1]
        found = look()
        self.remember(found)
        return found

    def remember(self, found: T) -> None:
        """Take this for the answer, as of now."""
        self._kept = (time.monotonic(), found)

    def forget(self) -> None:
        """The next one who asks looks again."""
        self._kept = None
