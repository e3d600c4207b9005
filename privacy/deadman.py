"""The dead-man's switch: whether erasure still happens, seen from outside it.

Red where no sweep went through for two hours, where the clock holds it, or where an order is more than an hour late.
Who shows it on every page asks `remembered`, which looks once a minute in each process.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists
from django.utils.translation import gettext as _

from orderhub import clock
from orderhub.lookedup import LookedUp
from privacy import clockgate, registry
from privacy.erasure import ALARM_AFTER
from privacy.models import SweepState

log = logging.getLogger("orderhub.privacy")
SILENT_AFTER = timedelta(hours=2)
IMPORT_STOPS = timedelta(hours=6)
LOOK_EVERY_S = 60


@dataclass(frozen=True)
class Standing:
    """How erasure fares. `late`: an order is overdue by more than an hour; `silent`: no sweep went through for two;
    `idle`: none was even begun in these; `held`: the clock's fault, as a code; `import_waits`: six hours late."""

    late: bool = False
    silent: bool = False
    idle: bool = False
    held: str = ""
    import_waits: bool = False

    @property
    def well(self) -> bool:
        return not (self.late or self.silent or self.held)

    @property
    def word(self) -> str:
        """For machines."""
        return "ok" if self.well else "held" if self.held else "late"


WELL = Standing()
_standing: LookedUp[Standing] = LookedUp()
remember, forget = _standing.remember, _standing.forget


def standing(now: datetime) -> Standing:
    """Looked up in one statement. What is masked already keeps no import waiting: nobody can see it."""
    subjects = registry.subjects()
    late = subjects.late(now=now - ALARM_AFTER)
    far_behind = subjects.late(now=now - IMPORT_STOPS, unmasked=True)
    state = SweepState.objects.annotate(late=Exists(late), far_behind=Exists(far_behind)).first()
    if state is None:  # nothing was ever swept here
        return Standing(late=late.exists(), idle=late.exists(), import_waits=far_behind.exists())
    return Standing(
        late=state.late,
        silent=_older(state.last_ok_at, now),
        idle=_older(state.last_now, now) and not state.held_why,
        held=state.held_why,
        # Held by the clock, only a poll can say whether it is right again
        import_waits=state.far_behind and not state.held_why,
    )


def remembered() -> Standing:
    """As this process last looked, a minute ago at most. Red is also told to the log, each time it looks."""
    return _standing.get(_look, lasts_s=lambda _found: LOOK_EVERY_S)


def _look() -> Standing:
    found = standing(clock.now())
    tell_log(found)
    return found


def why_import_waits() -> str:
    """A job's sentence where nothing may be taken in because erasure is hours behind, or ''."""
    return "waits: erasure is more than six hours behind" if remembered().import_waits else ""


def tell_log(found: Standing) -> None:
    """An alarm for whoever watches the log."""
    if not found.well:
        log.error("erasure_late", extra={"code": found.held or found.word})


def words(found: Standing) -> str:
    """What staff read on every page, or ''."""
    if found.held:
        told = _held_words(found.held)
    elif found.late or found.silent:
        told = _(
            "The erasure of buyers’ data is late. Tell your administrator: the worker must run, or “manage.py "
            "redact_due” be called."
        )
    else:
        return ""
    if found.import_waits:
        told += " " + _("No order is imported until it has caught up.")
    return told


def _held_words(code: str) -> str:
    if code == clockgate.CLOCK_AHEAD:
        return _(
            "The erasure of buyers’ data is held: this installation’s clock is ahead of Amazon’s. Tell your "
            "administrator: as soon as the clock is right, it goes on by itself."
        )
    return _(
        "The erasure of buyers’ data is held for an hour: this installation’s clock leapt by more than two days. Tell "
        "your administrator to look at the clock."
    )


def _older(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and instant < now - SILENT_AFTER
