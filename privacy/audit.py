"""The security log's one door: `record` adds an event, `seal` chains what was committed.

An event holds codes and ids only; whoever wants to write a value finds no place for it. Events of a transaction that
rolls back are gone with it: a refusal is recorded outside.
"""

import hashlib
import json
from collections.abc import Iterable

from django.db import transaction

from privacy.models import SecurityChain, SecurityEvent
from privacy.models.event import EventCode, Outcome

CHAINED = (
    "id", "at", "code", "outcome", "user_id", "actor", "roles", "kind", "ids", "reason", "address", "request_id",
)  # fmt: skip
BATCH = 1000


def record(
    code: EventCode, *, request=None, user=None, actor: str = "", outcome: Outcome = Outcome.OK, kind: str = "",
    ids: Iterable[int] = (), reason: str = "",
) -> SecurityEvent:  # fmt: skip
    """Add an event. `user` defaults to the request's; `actor`: a job or command where there is none.

    `kind` and `ids`: what it is about ("order", [12, 13]); `reason`: a code, never text of an order.
    """
    user = user or getattr(request, "user", None)
    if user is not None and not user.is_authenticated:
        user = None
    event = SecurityEvent.objects.create(
        code=code, outcome=outcome, user=user, actor=actor[:60], roles=_roles(user), kind=kind,
        ids=[int(pk) for pk in ids], reason=reason[:60], address=_address(request),
        request_id=getattr(request, "id", "") if request is not None else "",
    )  # fmt: skip
    transaction.on_commit(seal)
    return event


def seal() -> int:
    """Chain every committed event that is not yet, in the order of their ids; returns how many. Safe to repeat.

    The head's row is locked, so two sealers go one after the other, and no event's own transaction waits for them.
    """
    SecurityChain.objects.bulk_create([SecurityChain(pk=SecurityChain.ONLY)], ignore_conflicts=True)
    with transaction.atomic():
        head = SecurityChain.objects.select_for_update().get(pk=SecurityChain.ONLY)
        fresh = list(SecurityEvent.objects.filter(position__isnull=True).order_by("pk")[:BATCH])
        for event in fresh:
            head.position += 1
            head.digest = digest_of(event, before=head.digest)
            SecurityEvent._base_manager.filter(pk=event.pk).update(position=head.position, digest=head.digest)
        if fresh:
            head.save(update_fields=["position", "digest"])
    return len(fresh)


def digest_of(event: SecurityEvent, *, before: str) -> str:
    """SHA-256 over the event's content and the digest before it, in hexadecimal."""
    content = {name: getattr(event, name) for name in CHAINED}
    content["at"] = event.at.isoformat()
    told = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(f"{before}\n{told}".encode()).hexdigest()


def _roles(user) -> str:
    return ",".join(user.groups.order_by("name").values_list("name", flat=True))[:200] if user else ""


def _address(request) -> str | None:
    return (request.META.get("REMOTE_ADDR") or None) if request is not None else None
