"""Whether our clock can be trusted with something that cannot be undone.

Compared with the freshest time heard from outside (Amazon's answers carry one): a clock that is clearly ahead holds
the sweep until it is right again. Where nobody outside can be asked, a clock that leapt since the last sweep holds it
for an hour, in which somebody may look; then it is taken for a machine that was off.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings

from privacy import audit, registry
from privacy.models import SweepState
from privacy.models.event import EventCode, Outcome

log = logging.getLogger("orderhub.privacy")
AHEAD = timedelta(minutes=10)
LEAP = timedelta(hours=48)
HOLD = timedelta(hours=1)
CLOCK_AHEAD, CLOCK_LEAPT = "clock_ahead", "clock_leapt"
ACTOR = "privacy.redact_due"


def why_held(now: datetime) -> str:
    """Why no sweep may begin at `now`, as a code, or ''. Keeps it, and the clock gone by, on the state's row."""
    state, _new = SweepState.objects.get_or_create(pk=SweepState.ONLY)
    why = _doubt(state, now) if settings.REAL_TIME else ""
    if not why:
        SweepState.objects.filter(pk=state.pk).update(last_now=now, held_since=None, held_why="")
    elif why != state.held_why and _begin(state, why, now):
        log.error("erasure_held", extra={"code": why})
        audit.record(EventCode.ERASURE_HELD, actor=ACTOR, outcome=Outcome.REFUSED, reason=why)
    return why


def _doubt(state: SweepState, now: datetime) -> str:
    ahead_s = registry.subjects().clock_ahead_s(now=now)
    if ahead_s is not None:
        return CLOCK_AHEAD if timedelta(seconds=ahead_s) > AHEAD else ""
    if state.last_now is None or now - state.last_now <= LEAP:
        return ""
    waited = now - state.held_since if state.held_why == CLOCK_LEAPT else timedelta(0)
    return "" if waited >= HOLD else CLOCK_LEAPT


def _begin(state: SweepState, why: str, now: datetime) -> bool:
    """Note the hold; False where another process noted it first, and told of it."""
    unchanged = SweepState.objects.filter(pk=state.pk, held_why=state.held_why)
    return bool(unchanged.update(held_since=now, held_why=why))
