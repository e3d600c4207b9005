"""A notice that somebody settled without OrderHub: marked as done, with who and why; and the way back."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from privacy import audit
from privacy.models.event import EventCode
from shipments import outbox
from shipments.models import ShipmentNotification
from shipments.settling import READ_AFTER

State = ShipmentNotification.State
LEFT_TO_OTHERS = (ShipmentNotification.TOLD_BY_CONNECTOR, ShipmentNotification.TOLD_BY_PROVIDER)


def why_not(notice: ShipmentNotification) -> str:
    """Why a notice cannot be marked as done by hand, as a sentence; or ''."""
    if notice.state in (State.CONFIRMED, State.CONFIRMED_EXTERNAL):
        return _("The marketplace already knows about this shipment: there is nothing to mark.")
    if notice.state == State.IN_FLIGHT:
        return _("This notice is being sent right now: look again in two minutes.")
    if notice.state == State.WITHDRAWN:
        return _("The parcel was voided before the marketplace was told: there is nothing to mark.")
    if notice.state == State.MANUAL and (not notice.is_withheld or notice.error_code in LEFT_TO_OTHERS):
        return _("This notice is settled already: there is nothing to mark.")
    return ""


def mark(notice: ShipmentNotification, reason: str, *, by, now: datetime, warned: bool = False) -> None:
    """Settle a notice as done by hand. `reason`: one of DoneReason; no free text, as it could name the buyer.

    `warned`: the person knows that a submission which holds it may still go through. RuleViolation, with what to do,
    where it cannot be; of two people at once, one is refused.
    """
    if refusal := why_not(notice):
        raise RuleViolation(refusal)
    if reason not in ShipmentNotification.DoneReason.values:
        raise RuleViolation(_("Choose why the notice is done."))
    if notice.state == State.IN_FEED and not warned:
        raise RuleViolation(
            _(
                "Amazon has this notice in a submission, which may still go through. Tick that you know it, then mark it."
            )
        )
    changes = {
        "state": State.MANUAL, "done_reason": reason, "done_by": by, "error_code": "", "error_text": "",
        "failing_since": None, "starts": 0,
    }  # fmt: skip
    _move(notice, {"state": State.MANUAL, "done": reason}, changes, by=by, now=now)
    audit.record(EventCode.NOTICE_BY_HAND, user=by, kind="notice", ids=[notice.pk], reason=reason)


def take_back(notice: ShipmentNotification, *, by, now: datetime) -> None:
    """It was not done after all: the marketplace is read, and told where it does not know of the parcel."""
    if notice.state != State.MANUAL or not notice.done_reason:
        raise RuleViolation(_("Only a notice that somebody marked as done can be taken up again."))
    changes = {
        "state": State.UNKNOWN, "done_reason": "", "done_by": None, "next_attempt_at": now, "asked_for": True,
        "reads": len(READ_AFTER) - 1,
    }  # fmt: skip
    _move(notice, {"state": State.UNKNOWN, "change": "taken_up"}, changes, by=by, now=now)


def _move(notice: ShipmentNotification, params: dict, changes: dict, *, by, now: datetime) -> None:
    with transaction.atomic():
        if not ShipmentNotification.objects.move(notice, frm=notice.state, **changes):
            raise RuleViolation(_("The notice changed meanwhile: look at it again."))
        outbox.note(notice.order, {"channel": notice.channel, **params}, now=now, by=by)
    notice.refresh_from_db()
