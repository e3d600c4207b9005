"""The head of the security log, kept outside the database: whoever can rewrite every row cannot take this back.

A line for each verified night in an append-only file (AUDIT_HEADS_FILE), and the same in the log, which in production
leaves the machine. Positions and digests only.
"""

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from orderhub import clock

log = logging.getLogger("orderhub.audit")
TAIL = 4096  # bytes: many lines more than the last one


@dataclass(frozen=True)
class Head:
    """The last event of the chain at some instant. An empty chain has position 0 and no digest."""

    position: int
    digest: str


def export(head: Head) -> None:
    """Add a line to the file and one to the log."""
    line = json.dumps({"at": clock.now().isoformat()} | asdict(head)) + "\n"
    path = Path(settings.AUDIT_HEADS_FILE)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    log.info("audit_head", extra={"position": head.position, "digest": head.digest})


def last() -> Head | None:
    """The last whole line of the file; None where none was written yet. A line cut short by a full disk is passed over."""
    try:
        with open(settings.AUDIT_HEADS_FILE, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        try:
            found = json.loads(line)
            return Head(int(found["position"]), str(found["digest"]))
        except (ValueError, KeyError, TypeError):
            continue
    return None
