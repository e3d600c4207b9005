"""Giving and taking roles: what may be given now, and what the security log keeps of it."""

from collections.abc import Iterable

from orderhub import clock
from privacy import audit, reviewing
from privacy.models.event import EventCode, Outcome

KIND = "user"


def why_not(before: Iterable[str], wanted: Iterable[str]) -> str:
    """Why these roles cannot be given now, or ''. Taking roles away is always possible."""
    given = set(wanted) - set(before)
    return reviewing.why_no_roles(now=clock.now()) if given else ""


def held(user) -> set[str]:
    return set(user.groups.values_list("name", flat=True))


def record(user_id: int, *, given: Iterable[str], taken: Iterable[str], request) -> bool:
    """One event for each role given or taken away: who did it, to which user. Returns whether there was any."""
    changes = [f"given: {role}" for role in sorted(given)] + [f"taken: {role}" for role in sorted(taken)]
    for change in changes:
        audit.record(EventCode.ROLES_CHANGED, request=request, kind=KIND, ids=[user_id], reason=change)
    return bool(changes)


def record_refusal(user_id: int | None, *, request) -> None:
    """Somebody tried to give a role while the access review is overdue."""
    audit.record(
        EventCode.ROLES_CHANGED, request=request, outcome=Outcome.REFUSED, kind=KIND, ids=[user_id] if user_id else [],
        reason="review overdue",
    )  # fmt: skip
