"""One scan of a living installation: erased columns, erased documents, stray files, and the probe.

Each part gets a share of the time; what it could not finish makes the result one "in part".
"""

import logging
import time
from collections.abc import Iterator
from datetime import datetime

from orderhub.models import JobRun

from . import places, probing, shelving, structure
from .results import Finding, Result

log = logging.getLogger("orderhub.privacy")
JOB = "privacy.scan"
NIGHTLY_ROWS = 5000  # of each table, the newest
SHARES = (0.35, 0.25, 0.1, 0.3)  # of the budget: columns, documents, files, probe
MOST_LOGGED = 20


def run(*, now: datetime, budget_s: float | None = None, rows: int | None = None) -> Result:
    """Look at everything, or at as much as `budget_s` seconds allow. Changes nothing, and may be repeated."""
    result = Result(at=now)
    for part, share in zip((_columns, _documents, _files, _probe), SHARES, strict=True):
        ends_at = None if budget_s is None else time.monotonic() + budget_s * share
        for _step in part(result, now=now, rows=rows):
            if ends_at is not None and time.monotonic() > ends_at:
                result.complete = False
                break
    return result


def _columns(result: Result, **_given) -> Iterator[None]:
    for count, findings in structure.batches():
        result.erased_orders += count
        for finding in findings:
            result.add(finding)
        yield


def _documents(result: Result, **_given) -> Iterator[None]:
    for finding in shelving.documents():
        result.labels += 1
        if finding:
            result.add(finding)
        yield


def _files(result: Result, *, now: datetime, rows: int | None) -> Iterator[None]:
    for finding in shelving.files(now=now):
        result.files += 1
        if finding:
            result.add(finding)
        yield


def _probe(result: Result, *, now: datetime, rows: int | None) -> Iterator[None]:
    probe = probing.Probe(now=now)
    result.orders, result.values = len(probe.order_ids), len(probe.needles)
    counts, seen = probe.scanner.counts, set()
    for place, value in places.everywhere(rows=rows) if probe.needles else ():
        for finding in probe.look(place, value):
            if finding not in seen:
                seen.add(finding)
                result.add(finding)
        result.places, result.bytes, result.decodings = counts.places, counts.bytes, counts.decodings
        yield
    result.complete = result.complete and not counts.capped


def tell(result: Result) -> None:
    """Say in the log what was found, by place and order; a few of each, the command lists all."""
    for finding in result.findings[:MOST_LOGGED]:
        log.error("leak_found", extra={"code": f"{finding.kind} {_coded(finding)}", "order_id": finding.order_id})


def _coded(finding: Finding) -> str:
    return finding.place[:120]


def last_result() -> Result | None:
    """What the last scan that went through found; None where there was none within the time that job runs are kept."""
    for outcome, at in (
        JobRun.objects.filter(job=JOB, ok=True).order_by("-started_at").values_list("outcome", "finished_at")[:5]
    ):
        if result := Result.read(outcome, at=at):
            return result
    return None
