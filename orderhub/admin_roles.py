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


def record(user_id: int, before: Iterable[str], after: Iterable[str], *, request) -> None:
    """One event for each role given or taken away: who did it, to which user."""
    before, after = set(before), set(after)
    for verb, roles in (("given", after - before), ("taken", before - after)):
        for role in sorted(roles):
            audit.record(EventCode.ROLES_CHANGED, request=request, kind=KIND, ids=[user_id], reason=f"{verb}: {role}")


def record_refusal(user_id: int | None, *, request) -> None:
    """Somebody tried to give a role while the access review is overdue."""
    audit.record(
        EventCode.ROLES_CHANGED, request=request, outcome=Outcome.REFUSED, kind=KIND, ids=[user_id] if user_id else [],
        reason="review overdue",
    )  # fmt: skip
