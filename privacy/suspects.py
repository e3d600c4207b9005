"""Orders that an erasure began and did not finish: one of them may be what ended it.

So they are not erased in a batch again but each alone, and before one is touched it is noted that it will be. Whoever
then dies on it tells the next sweep which one it was: that one comes last, after everything that can be done without
it, and after three deaths only every quarter of an hour. It is masked all the while.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from orderhub import jobs
from orderhub.models import JobLease
from privacy import registry

log = logging.getLogger("orderhub.privacy")
ALONE = "erased alone"  # kept as the order's error while it is touched, and seen again only if that was its end


@dataclass
class LeftOver:
    """What earlier sweeps left, by what is known of it. Snapshots: what fails in this sweep is not in here."""

    untouched: list[registry.Candidate] = field(default_factory=list)
    failed: list[registry.Candidate] = field(default_factory=list)  # with an error, so the sweep went on
    deadly: list[registry.Candidate] = field(default_factory=list)

    @property
    def ids(self) -> set[int]:
        return {row.order_id for row in (*self.untouched, *self.failed, *self.deadly)}


def left_over() -> LeftOver:
    """One statement, and nothing in it on an ordinary day."""
    left = LeftOver()
    for row, error in registry.subjects().begun():
        kind = left.deadly if error == ALONE else left.failed if error else left.untouched
        kind.append(row)
    random.shuffle(left.failed)  # should they take all the time, it is not always the same ones that get none
    return left


def redo(
    rows: list[registry.Candidate], *, erase: Callable[[registry.Candidate], None], ends_at: float
) -> tuple[list[int], bool]:
    """Erase each alone, until the time (monotonic seconds) ends; the ids of those that must wait, and whether time ran out."""
    waiting: list[int] = []
    for row in rows:
        if time.monotonic() > ends_at:
            return waiting, True
        key = lease_of(row.order_id)
        try:
            with jobs.lease(key):
                registry.subjects().fail(row.order_id, error=ALONE)
                erase(row)
        except jobs.Busy:
            waiting.append(row.order_id)
            log.error("erasure_poison", extra={"order_id": row.order_id})
        else:
            JobLease.objects.filter(job=key, holder="").delete()
    return waiting, False


def lease_of(order_id: int) -> str:
    """The lease that counts how often the erasure of this order alone came to no end."""
    return f"privacy.erase:{order_id}"
