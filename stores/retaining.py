"""Shorter periods, the strict profile of a store (R111, R112) and the law that holds its old orders (DPP 1.7): who may set
them, and what is kept of it.

Nothing here lengthens what the rules allow for personal data. A period that is lengthened again, within the rule, counts for what comes
from then on: due dates that were brought forward stay where they are.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub import jobs
from orderhub.errors import RuleViolation
from privacy import access, audit
from privacy.holds import LegalHold
from privacy.models.event import EventCode
from stores.models import Store
from stores.models.store import RETENTION_MOST

PERIODS = tuple(name for name, _most in RETENTION_MOST)
STRICT, HOLD = "redaction_strict", "legal_hold"
LEAST = 1  # day: less would erase an order before anybody can send it
BRING_FORWARD = "shipments.bring_forward"  # the job that follows; it knows labels, which this app does not


@dataclass(frozen=True)
class Wish:
    """`periods`: days by column, None for the rule's own. `hold`: a code of privacy.holds, '' for no law."""

    periods: dict[str, int | None]
    strict: bool
    hold: str = ""


def may_change(user) -> bool:
    """The privacy officer alone (R109): being a superuser is no role."""
    return access.has_role(user, access.PRIVACY)


def change(store: Store, wish: Wish, *, by, request=None) -> list[str]:
    """Set a store's periods and profile; returns the columns that changed. Orders that wait follow in a job.

    RuleViolation for anybody but a privacy officer, and for a period that is longer than the rule's.
    """
    if not may_change(by):
        raise RuleViolation(_("Only a privacy officer changes how long a store keeps personal data."))
    for name, most in RETENTION_MOST:
        days = wish.periods[name]
        if days is not None and not LEAST <= days <= most:
            raise RuleViolation(
                _("Type a number of days from %(least)d to %(most)d, or leave the field empty.")
                % {"least": LEAST, "most": most}
            )
    if wish.hold not in {"", *LegalHold.values}:
        raise RuleViolation(_("Choose one of the laws in the list."))
    wanted = wish.periods | {STRICT: wish.strict, HOLD: wish.hold}
    with transaction.atomic():
        row = Store.objects.select_for_update(of=("self",), no_key=True).get(pk=store.pk)
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        if changed:
            Store.objects.filter(pk=store.pk).update(**{name: wanted[name] for name in changed})
            for name in changed:
                audit.record(
                    EventCode.RETENTION_CHANGED, request=request, user=by, kind="store", ids=[store.pk],
                    reason=_code(name, wanted[name]),
                )  # fmt: skip
            jobs.enqueue(jobs.declared()[BRING_FORWARD].func, store.pk)
    store.refresh_from_db(fields=list(wanted))
    return changed


def _code(name: str, value) -> str:
    """`unshipped:7`, `label:rule`, `strict:on`, `hold:fr_accounting`."""
    if name == HOLD:
        return f"hold:{value or 'none'}"
    if name == STRICT:
        return f"strict:{'on' if value else 'off'}"
    return f"{name.removeprefix('retention_').removesuffix('_days')}:{'rule' if value is None else value}"
