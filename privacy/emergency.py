"""The emergency stop: everybody is signed out, nothing leaves any more, jobs rest; until somebody lifts it.

Erasure goes on: it sends nothing, and its time limits do not wait for an incident. OrderHub's own sign-in goes on too,
second factor and all, as somebody has to look and to lift the stop.
"""

from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session

from orderhub import clock, killswitch
from privacy import audit
from privacy.models.event import EventCode

ON, OFF = "on", "off"


def stop(*, request=None, actor: str = "") -> int:
    """Stop everything; returns how many sessions ended. Safe to repeat: a second time ends the sessions begun since.

    The flag comes first, so that nothing is sent while the sessions are counted. Every process obeys within
    KILLSWITCH_POLL_S seconds; a call that is under way by then ends.
    """
    user = getattr(request, "user", None)
    killswitch.put(holder=f"user {user.pk}" if user else actor)
    ended = Session.objects.all().delete()[0]
    signed_in = get_user_model()._meta.get_field("staff_sessions").related_model.objects.filter(ended_at__isnull=True)
    signed_in.update(ended_at=clock.now(), reason="by_hand")
    audit.record(EventCode.KILLSWITCH, request=request, actor=actor, kind="sessions", ids=[ended], reason=ON)
    return ended


def lift(*, request=None, actor: str = "") -> bool:
    """Let everything go on; whether it was stopped. What waited is taken up by the next sweeps."""
    lifted = killswitch.lift()
    if lifted:
        audit.record(EventCode.KILLSWITCH, request=request, actor=actor, reason=OFF)
    return lifted
