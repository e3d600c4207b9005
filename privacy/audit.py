"""The security log's one door: `record` adds an event, `seal` chains what was committed, `verify` walks the chain.

An event holds codes and ids only; whoever wants to write a value finds no place for it. Events of a transaction that
rolls back are gone with it: a refusal is recorded outside.
"""

import hashlib
import json
import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from privacy import audit_heads
from privacy.models import SecurityChain, SecurityEvent
from privacy.models.event import EventCode, Outcome

CHAINED = (
    "id", "at", "code", "outcome", "user_id", "actor", "roles", "kind", "ids", "reason", "address", "request_id",
)  # fmt: skip
BATCH = 1000
CHUNK = 5000  # rows of one statement of the walk
MOST_IDS = 500  # in one event; the certificates and the access log name every one
ALTERED, MISSING, INSERTED, CUT_OFF = "altered", "missing", "inserted", "cut off"

# made once: a million events are read in a night
_as_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str).encode


@dataclass(frozen=True)
class Verdict:
    """What a walk over the chain found. `broken_at`: the position of the first event that is not as it was sealed."""

    checked: int
    broken_at: int | None = None
    how: str = ""
    head: audit_heads.Head | None = None  # up to where everything is whole
    more_after: int | None = None  # the time ended at this position, all being whole so far

    @property
    def whole(self) -> bool:
        return self.broken_at is None


def record(
    code: EventCode, *, request=None, user=None, actor: str = "", outcome: Outcome = Outcome.OK, kind: str = "",
    ids: Iterable[int] = (), reason: str = "",
) -> SecurityEvent:  # fmt: skip
    """Add an event. `user` defaults to the request's; `actor`: a job or command where there is none.

    `kind` and `ids`: what it is about ("order", [12, 13]), at most the first 500; `reason`: a code, never text of an
    order.
    """
    user = user or getattr(request, "user", None)
    if user is not None and not user.is_authenticated:
        user = None
    event = SecurityEvent.objects.create(
        code=code, outcome=outcome, user=user, actor=actor[:60], roles=_roles(user), kind=kind[:30],
        ids=[int(pk) for pk in ids][:MOST_IDS], reason=reason[:60], address=_address(request),
        request_id=getattr(request, "id", "") if request is not None else "",
    )  # fmt: skip
    _seal_after_commit()
    return event


def _seal_after_commit() -> None:
    """Once for a transaction, however many events it writes. What fails here is sealed by the next event or job."""
    waiting = connection.run_on_commit if connection.in_atomic_block else []
    if not any(func is seal for _savepoints, func, _robust in waiting):
        transaction.on_commit(seal, robust=True)


def seal() -> int:
    """Chain every committed event that is not yet, in the order of their ids; returns how many. Safe to repeat.

    The head's row is locked, so two sealers go one after the other, and no event's own transaction waits for them.
    """
    sealed = count = _seal_some()
    while count == BATCH:
        count = _seal_some()
        sealed += count
    return sealed


def _seal_some() -> int:
    with locked_head() as head:
        fresh = list(SecurityEvent.objects.filter(position__isnull=True).order_by("pk")[:BATCH])
        for event in fresh:
            head.position += 1
            head.digest = digest_of(event, before=head.digest)
            event.position, event.digest = head.position, head.digest
        if fresh:
            SecurityEvent._base_manager.bulk_update(fresh, ["position", "digest"])
            head.save(update_fields=["position", "digest"])
    return len(fresh)


@contextmanager
def locked_head() -> Iterator[SecurityChain]:
    """The chain's one row, nobody else's until the block ends."""
    SecurityChain.objects.bulk_create([SecurityChain(pk=SecurityChain.ONLY)], ignore_conflicts=True)
    with transaction.atomic():
        yield SecurityChain.objects.select_for_update().get(pk=SecurityChain.ONLY)


def digest_of(event: SecurityEvent, *, before: str) -> str:
    """SHA-256 over the event's content and the digest before it, in hexadecimal."""
    return _digest({name: getattr(event, name) for name in CHAINED}, before)


def _digest(content: dict, before: str) -> str:
    content = content | {"at": content["at"].isoformat()}
    told = _as_json(content)
    return hashlib.sha256(f"{before}\n{told}".encode()).hexdigest()


def verify(*, after: int = 0, budget_s: float = math.inf) -> Verdict:
    """Walk the whole chain and name the first event that is not as it was sealed. Changes nothing; safe beside writers.

    `after`: the position a walk before this one came to when its time (`budget_s`) ended; its verdict said so.

    It begins at what the oldest kept event follows and ends at the head. The last head that was exported must be on
    the way: so a tail that was cut off is found, and a chain that was computed anew from somewhere.
    """
    ends_at = time.monotonic() + budget_s
    while True:
        head = _head()
        verdict = _before(head) or _walk(head, audit_heads.last(), after=after, ends_at=ends_at)
        verdict = (_beyond(head) if verdict.head else None) or verdict
        if verdict.whole or _head().pruned_to == head.pruned_to:  # else old rows were taken away under the walk
            return verdict


def _head() -> SecurityChain:
    return SecurityChain.objects.filter(pk=SecurityChain.ONLY).first() or SecurityChain()


def _before(head: SecurityChain) -> Verdict | None:
    """An event at a place that was taken away when its time was over."""
    stray = _places().filter(position__lte=head.pruned_to).first()
    return None if stray is None else Verdict(0, stray, INSERTED)


def _beyond(head: SecurityChain) -> Verdict | None:
    """An event after the head: it was never sealed."""
    if not _places().filter(position__gt=head.position).exists():
        return None
    with locked_head() as locked:  # nobody seals meanwhile
        stray = _places().filter(position__gt=locked.position).first()
    return None if stray is None else Verdict(0, stray, INSERTED)


def _places():
    return SecurityEvent.objects.order_by("position").values_list("position", flat=True)


def _walk(head: SecurityChain, exported: audit_heads.Head | None, *, after: int, ends_at: float) -> Verdict:
    place, digest = head.pruned_to, head.pruned_digest
    if after > place:
        place, digest = after, SecurityEvent.objects.filter(position=after).values_list("digest", flat=True).first()
        if digest is None:
            return Verdict(place - 1 - head.pruned_to, place, MISSING)
    for row in _rows(head, after=place):
        position, kept = row.pop("position"), row.pop("digest")
        if position != place + 1:
            return Verdict(place - head.pruned_to, place + 1, MISSING)
        digest = _digest(row, digest)
        if digest != kept or (exported and position == exported.position and digest != exported.digest):
            return Verdict(place - head.pruned_to, position, ALTERED)
        place = position
        if place % CHUNK == 0 and place < head.position and time.monotonic() > ends_at:
            return Verdict(place - head.pruned_to, more_after=place)
    checked = place - head.pruned_to
    if place < max(head.position, exported.position if exported else 0):
        return Verdict(checked, place + 1, CUT_OFF)
    if digest != head.digest:
        return Verdict(checked, place, ALTERED)
    return Verdict(checked, head=audit_heads.Head(place, digest))


def _rows(head: SecurityChain, *, after: int) -> Iterator[dict]:
    """The events of the chain in its order, a few thousand in memory at a time."""
    place, events = after, SecurityEvent.objects.filter(position__lte=head.position).order_by("position")
    while chunk := list(events.filter(position__gt=place).values(*CHAINED, "position", "digest")[:CHUNK]):
        place = chunk[-1]["position"]
        yield from chunk


def _roles(user) -> str:
    return ",".join(user.groups.order_by("name").values_list("name", flat=True))[:200] if user else ""


def _address(request) -> str | None:
    return (request.META.get("REMOTE_ADDR") or None) if request is not None else None
