"""The checklist of a notice that does not go through: which steps were done, by whom, and when."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from shipments import errorcatalogue, noticewords
from shipments.models import ShipmentNotification


@dataclass(frozen=True)
class Ticked:
    """One step as it stands on the page. `at` None: not done yet; `by` '': done by somebody who is gone."""

    code: str
    text: str
    at: datetime | None = None
    by: str = ""


def tick(notice: ShipmentNotification, step: str, *, by, now: datetime, done: bool = True) -> None:
    """Note that a step was done, or take the note back. Whoever was first stays. Safe to repeat.

    RuleViolation for a step that is not on this notice's list: the notice has changed since the page was opened.
    """
    with transaction.atomic():
        row = ShipmentNotification.objects.select_for_update().get(pk=notice.pk)
        entry = noticewords.entry_of(row)
        if entry is None or step not in {known.code for known in entry.steps}:
            raise RuleViolation(_("The notice changed meanwhile: look at it again."))
        left = {code: note for code, note in row.remedies.items() if code != step}
        kept = row.remedies.get(step) or {"by": by.pk, "at": now.isoformat()}
        ShipmentNotification.objects.filter(pk=row.pk).update(remedies=left | {step: kept} if done else left)


def checklist(notice: ShipmentNotification) -> list[Ticked]:
    """The steps that fit the notice's error as it is now; one query for the names where any is done."""
    entry = noticewords.entry_of(notice)
    if entry is None:
        return []
    notes = {step.code: notice.remedies[step.code] for step in entry.steps if step.code in notice.remedies}
    ids = {note["by"] for note in notes.values()}
    names = dict(get_user_model().objects.filter(pk__in=ids).values_list("pk", "username")) if ids else {}
    return [_ticked(step, notes.get(step.code), names) for step in entry.steps]


def _ticked(step: errorcatalogue.Step, note: dict | None, names: dict[int, str]) -> Ticked:
    if note is None:
        return Ticked(step.code, step.text)
    return Ticked(step.code, step.text, parse_datetime(note["at"]), names.get(note["by"], ""))
