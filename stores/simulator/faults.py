"""Faults that can be armed per operation: what goes wrong, how often, after how many good calls."""

import threading
from dataclasses import dataclass, field
from typing import Any

# Refused or lost before anything happens.
BEFORE = frozenset({"429", "500_before", "503", "timeout_before", "403_revoked", "redirect"})
# The operation has its effect; the answer is lost, late or unreadable.
AFTER = frozenset(
    {
        "500_after",
        "timeout_after",
        "cut",
        "reset",
        "truncated_json",
        "html",
        "empty",
        "wrong_type",
        "garbled",
        "slow",
        "huge",
        "date_wrong",
    }
)
# "stale_echo": behind the orders of the page, older answers about orders that changed since.
SEARCH = frozenset({"repeat_page", "endless", "bound_ahead", "bound_back", "stale_echo"})
TOKEN = frozenset({"bad_page_token"})  # counted on calls that carry a page token only
FEED = frozenset({"feed_fatal", "feed_stuck", "feed_partial"})  # counted on feeds created
VISIBILITY = frozenset({"delay_visibility"})  # counted on orders added
KINDS = BEFORE | AFTER | SEARCH | TOKEN | FEED | VISIBILITY


@dataclass
class Fault:
    """`times` None: until cleared. `after`: matching calls that pass first."""

    operation: str
    kind: str
    times: int | None = 1
    after: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    def matches(self, operation: str) -> bool:
        return self.operation in (operation, "*")


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Fault] = []

    def arm(self, operation: str, kind: str, times: int | None = 1, after: int = 0, **options: Any) -> Fault:
        """Let `kind` happen on the next `times` calls of `operation` ("*": any) after `after` good ones."""
        if kind not in KINDS:
            raise ValueError(f"Unknown kind of fault: {kind}")
        fault = Fault(operation, kind, times, after, options)
        with self._lock:
            self._armed.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def armed(self) -> list[Fault]:
        with self._lock:
            return [fault for fault in self._armed if fault.times != 0]

    def take(self, operation: str, kinds: frozenset[str]) -> Fault | None:
        """The fault due on this call, if any, and spend it; every waiting one counts the call."""
        with self._lock:
            due = None
            for fault in self._armed:
                if fault.kind not in kinds or fault.times == 0 or not fault.matches(operation):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                elif due is None:
                    due = fault
            if due is not None and due.times is not None:
                due.times -= 1
            return due
