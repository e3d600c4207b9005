"""The one redactor. Scheduled, forced and repeated erasures all come through here.

Order of work for a batch: mark `redacting` (masked everywhere at once) and commit; destroy files; overwrite columns and
write certificates in one transaction; re-read; mark `redacted`. A process killed anywhere leaves `redacting`, which the
next sweep takes first, order by order (suspects.py). Redaction cannot be undone, so nothing here guesses: it follows the due date on the row.
"""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction

import orderhub
from orderhub import bulk, failpoints
from orderhub.jobs import BUDGET_S
from orderhub.lookups import Ids
from privacy import markers, registry, suspects
from privacy.models import ErasureCertificate

log = logging.getLogger("orderhub.privacy")
BATCH = 1000
ALARM_AFTER = timedelta(minutes=60)


class StillThere(Exception):
    """Verification found personal data after the overwrite. Holds order ids."""


@dataclass
class Report:
    """What a sweep did. `more`: the time budget ended before the work did."""

    redacted: int = 0
    documents: int = 0
    failed: list[int] = field(default_factory=list)
    more: bool = False
    held: str = ""  # why nothing was even begun

    def sentence(self) -> str:
        if self.held:
            return f"held: {self.held}"
        return f"{self.redacted} redacted, {self.documents} documents, {len(self.failed)} failed"


def redact_due(*, now: datetime, budget_s: float = BUDGET_S, marker: str = markers.AMAZON) -> Report:
    """Erase what is due at `now`, in batches, until nothing is or the budget (seconds) ends. Safe to repeat."""
    report, ends_at = Report(), time.monotonic() + budget_s
    left = suspects.left_over()
    report.more = _redo(left.untouched, now=now, marker=marker, ends_at=ends_at, report=report)
    while True:
        failpoints.reach("redact.before_mark")
        batch = registry.subjects().claim(now=now, limit=BATCH, skip={*report.failed, *left.ids})
        if not batch:
            break
        failpoints.reach("redact.after_mark")
        _redact_each(batch, now=now, marker=marker, report=report)
        if time.monotonic() > ends_at:
            report.more = True
            break
    # Time that ends on what failed before asks for no sweep at once: that would never end
    _redo(left.failed, now=now, marker=marker, ends_at=ends_at, report=report)
    _redact_files(now=now, marker=marker, ends_at=ends_at, report=report)
    _redo(left.deadly, now=now, marker=marker, ends_at=ends_at, report=report)
    scrub_storage()
    failpoints.reach("redact.after_done")
    return report


def redact_orders(
    order_ids: list[int], *, now: datetime, marker: str, rule: str = "request", budget_s: float = BUDGET_S
) -> Report:
    """Erase these orders now, due or not and of any channel, with the same engine. Safe to repeat and to kill: what was
    begun keeps its marker, and the next sweep finishes it."""
    report, ends_at = Report(), time.monotonic() + budget_s
    for start in range(0, len(order_ids), BATCH):
        failpoints.reach("redact.before_mark")
        batch = registry.subjects().take(order_ids[start : start + BATCH], now=now, marker=marker, rule=rule)
        failpoints.reach("redact.after_mark")
        _redact_each(batch, now=now, marker=marker, report=report)
        if time.monotonic() > ends_at:
            report.more = start + BATCH < len(order_ids)
            break
    scrub_storage()
    return report


def _redact_each(batch: list[registry.Candidate], *, now: datetime, marker: str, report: Report) -> None:
    """A batch of the sweep may hold orders whose erasure for another reason was begun: each keeps its own marker."""
    for own in dict.fromkeys(row.marker for row in batch):
        part = [row for row in batch if row.marker == own]
        _redact_or_halve(part, now=now, marker=own or marker, report=report)


def _redo(rows: list[registry.Candidate], *, now: datetime, marker: str, ends_at: float, report: Report) -> bool:
    """What an earlier run left, each order alone; whether the time ended before the work."""

    def erase(row: registry.Candidate) -> None:
        _redact_each([row], now=now, marker=marker, report=report)

    waiting, ended = suspects.redo(rows, erase=erase, ends_at=ends_at)
    report.failed += waiting
    return ended


def _redact_or_halve(batch: list[registry.Candidate], *, now: datetime, marker: str, report: Report) -> None:
    """Redact a batch; if it fails, halve it down to the order that fails, which is reported and does not block others."""
    try:
        report.documents += _redact(batch, now=now, marker=marker)
        report.redacted += len(batch)
    except Exception as error:  # whatever one order does, the others go in time
        if len(batch) > 1:
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                _redact_or_halve(half, now=now, marker=marker, report=report)
            return
        order_id = batch[0].order_id
        report.failed.append(order_id)
        registry.subjects().fail(order_id, error=type(error).__name__)
        log.error("redaction_failed", extra={"order_id": order_id, "error": type(error).__name__})


def _redact_files(*, now: datetime, marker: str, ends_at: float, report: Report) -> None:
    """Files whose own clock ran out. One that fails is reported by its order's id and does not block others."""
    for holder in registry.holders():
        for order_id, error in holder.redact_due_files(now=now, marker=marker):
            report.documents += not error
            if error and order_id not in report.failed:
                report.failed.append(order_id)
                log.error("file_erasure_failed", extra={"order_id": order_id, "error": error})
            if time.monotonic() > ends_at:
                report.more = True
                return


def _redact(batch: list[registry.Candidate], *, now: datetime, marker: str) -> int:
    order_ids = Ids(row.order_id for row in batch)
    documents: dict[int, int] = {}
    for holder in registry.holders():
        for order_id, count in holder.destroy_files(order_ids, now=now).items():
            documents[order_id] = documents.get(order_id, 0) + count
    failpoints.reach("redact.after_files")
    with transaction.atomic():
        fields: dict[int, list[str]] = {}
        for holder in registry.holders():
            for order_id, names in holder.overwrite(order_ids, marker=marker, now=now).items():
                fields.setdefault(order_id, []).extend(names)
        written = _certified([row.order_id for row in batch])
        bulk.insert(
            [
                _certificate(row, fields, documents, now=now, marker=marker)
                for row in batch
                if row.order_id not in written
            ]
        )
    failpoints.reach("redact.after_columns")
    left = set().union(*(holder.leftovers(order_ids, now=now) for holder in registry.holders()))
    failpoints.reach("redact.in_verify")
    if left:
        raise StillThere(sorted(left))
    registry.subjects().finish(order_ids, now=now)
    return sum(documents.values())


def _certified(order_ids: list[int]) -> set[int]:
    """Orders that have their certificate from a run that died after it. Two redactors at once: the second one fails on
    the constraint, and finds nothing left when it tries again."""
    rows = ErasureCertificate.objects.filter(kind=ErasureCertificate.Kind.ORDER, subject_id__among=order_ids)
    return set(rows.values_list("subject_id", flat=True))


def _certificate(row, fields, documents, *, now, marker) -> ErasureCertificate:
    return ErasureCertificate(
        kind=ErasureCertificate.Kind.ORDER,
        order_id=row.order_id,
        order_number=row.order_number,
        subject_id=row.order_id,
        rule=row.rule,
        due_at=row.due_at,
        done_at=now,
        fields=sorted(fields.get(row.order_id, [])),
        documents=documents.get(row.order_id, 0),
        marker=marker,
        version=orderhub.VERSION,
    )


def preview(*, now: datetime, until: datetime) -> list[registry.Candidate]:
    """What would be erased up to an instant. Changes nothing."""
    return registry.subjects().due_between(now=now, until=until)


def overdue(*, now: datetime) -> int:
    """How many orders should have been erased more than an hour ago. Anything but 0 is an alarm."""
    return registry.subjects().overdue(now=now - ALARM_AFTER)


def scrub_storage() -> None:
    """Make overwritten values leave SQLite's write-ahead log as well; PostgreSQL keeps no statistics of them."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
