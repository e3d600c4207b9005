"""Whether this database is an old one put back: then nobody is served and nothing sent before erasure has caught up.

Each host keeps, beside its other files, how far the database had come when it last looked: job runs and security
events only ever grow. A database that has less is older than what this installation has seen. Where a host keeps
nothing (a new one), a database without a sign of life for a day and with orders overdue counts as put back too.

What was found, and that it was dealt with, are events of the security log: all processes see the same.
"""

import json
import logging
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Min

from orderhub import clock
from orderhub.lookedup import LookedUp
from orderhub.models import JobRun
from privacy import audit, deadman, registry
from privacy.models import SecurityChain, SecurityEvent
from privacy.models.event import EventCode, Outcome

log = logging.getLogger("orderhub.privacy")
SILENT = timedelta(hours=24)
LOOK_EVERY_S, LOOK_AGAIN_S = 60, 2  # while open, while closed
FOUND, DONE = "found", "swept"
ACTOR = "restore_check"
# What runs while nothing else may: by name, as most of it lies further out
ALLOWED = (
    "privacy.redact_due",
    "privacy.request_jobs.carry_out_requests",
    "privacy.request_jobs.replay_ledger",
    "orderhub.housekeeping.heartbeat",
    "orderhub.housekeeping.look_after_restore",
)
_closed: LookedUp[bool] = LookedUp()
remember, forget = _closed.remember, _closed.forget


@dataclass(frozen=True)
class Seen:
    """How far a database had come: its newest job run, its newest security event, and when it was last recovered."""

    run: int = 0
    position: int = 0
    recovered: str = ""


def closed() -> bool:
    """Whether nothing may be served or sent now. Looked up once a minute in each process, more often while it is so."""
    return _closed.get(lambda: _look(clock.now()), lasts_s=lambda found: LOOK_AGAIN_S if found else LOOK_EVERY_S)


def why_not(job: str) -> str:
    """A job's sentence where it must not run now, or ''."""
    return "waits: a backup was restored and is being swept" if job not in ALLOWED and closed() else ""


def reopen(*, figures: list[int]) -> None:
    """Erasure has caught up and nothing is sent unread: note it, and serve. `figures`: counts, for the record."""
    audit.record(EventCode.RESTORED, actor=ACTOR, kind="restore", ids=figures, reason=DONE)
    _write(_present())
    forget()
    deadman.forget()


def newest_sign_of_life() -> datetime | None:
    """The newest job run that this database knows of: with a backup, about when it was made."""
    return JobRun.objects.order_by("-pk").values_list("started_at", flat=True).first()


def _look(now: datetime) -> bool:
    if not settings.REAL_TIME:
        return False
    if _last_word() == Outcome.REFUSED:
        return True
    if _is_put_back(now):
        log.error("restored_backup_found")
        audit.record(EventCode.RESTORED, actor=ACTOR, outcome=Outcome.REFUSED, kind="restore", reason=FOUND)
        return True
    _write(_present())
    return False


def _last_word() -> str | None:
    events = SecurityEvent.objects.filter(code=EventCode.RESTORED).order_by("-pk")
    return events.values_list("outcome", flat=True).first()


def _is_put_back(now: datetime) -> bool:
    seen, present = _read(), _present()
    if seen is not None:
        recovered = present.recovered > seen.recovered  # by another host, or by hand
        return not recovered and (present.run < seen.run or present.position < seen.position)
    newest = newest_sign_of_life()
    silent = newest is not None and newest < now - SILENT
    return silent and registry.subjects().late(now=now, unmasked=True).exists()


def _present() -> Seen:
    run = JobRun.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    position = SecurityChain.objects.values_list("position", flat=True).first() or 0
    done = SecurityEvent.objects.filter(code=EventCode.RESTORED, outcome=Outcome.OK).order_by("-pk")
    recovered = done.values_list("at", flat=True).first()
    return Seen(run, position, recovered.isoformat() if recovered else "")


# -- the note of this host


@cache
def _lineage() -> str:
    """What a database and its backups share, and another one does not: the instant it was first migrated."""
    first = MigrationRecorder(connection).migration_qs.aggregate(first=Min("applied"))["first"]
    return f"{first:%Y%m%d%H%M%S%f}" if first else "none"


def note() -> Path:
    return Path(settings.VAR_DIR) / f"seen-{_lineage()}.json"


def _read() -> Seen | None:
    try:
        return Seen(**json.loads(note().read_text()))
    except (OSError, ValueError, TypeError):  # none yet, or unreadable: as on a new host
        return None


def _write(seen: Seen) -> None:
    draft = note().with_suffix(f".{os.getpid()}")
    try:
        draft.write_text(json.dumps(asdict(seen)))
        draft.replace(note())
    except OSError as error:  # a full disk must not close the site: the next look tries again
        log.error("seen_not_kept", extra={"error": type(error).__name__})
