"""Erasures that people asked for, written outside the database: a backup restored later knows nothing of them.

One JSON line an order: its id, store and number, why (a code) and when. Never a value of a person. Lines are only ever
added; a line cut short by a crash, or of another version, is passed over and counted.
"""

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from privacy.models.request import RequestReason

log = logging.getLogger("orderhub.privacy")


@dataclass(frozen=True)
class Line:
    order_id: int
    store_id: int
    number: str
    reason: str


def append(references: list[tuple[int, int, str]], *, reason: str, now: datetime) -> None:
    """Add a line for each order (id, store, number), on disk when this returns. OSError where it cannot be written."""
    told = [
        {"order": pk, "store": store_id, "number": number, "reason": reason, "at": now.isoformat()}
        for pk, store_id, number in references
    ]
    text = "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in told)
    path = Path(settings.ERASURE_LEDGER_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with open(handle, "r+b", buffering=0) as file:
        os.write(handle, (_broken_off(file) + text).encode())
        os.fsync(handle)


def _broken_off(file) -> str:
    """A line break where the last writer died in the middle of a line."""
    if not file.seek(0, os.SEEK_END):
        return ""
    file.seek(-1, os.SEEK_END)
    return "" if file.read(1) == b"\n" else "\n"


def lines(path: Path) -> Iterator[Line]:
    """Every readable line; none where there is no file yet."""
    if not Path(path).exists():
        return
    with open(path, encoding="utf-8", errors="replace") as file:
        for place, text in enumerate(file, 1):
            found = _line(text)
            if found:
                yield found
            elif text.strip():
                log.warning("erasure_ledger_line_unreadable", extra={"count": place})


def _line(text: str) -> Line | None:
    try:
        told = json.loads(text)
        found = Line(int(told["order"]), int(told["store"]), str(told["number"]), str(told["reason"]))
    except (ValueError, KeyError, TypeError):
        return None
    return found if found.reason in RequestReason.values else None
