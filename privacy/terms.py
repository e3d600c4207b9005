"""Why a due date is what it is, and what would move it: every statement is an answer of privacy/retention.py. Pure.

Nothing here decides; it asks the function that does, so that what screens say and what happens cannot differ.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from privacy.retention import CEILING_DAYS, Due, Facts, Parcel, Periods, Rule, order_due, plausible


class Standing(StrEnum):
    """What a term has to say about the due date."""

    GOVERNS = "governs"  # the earliest: it sets the date
    LATER = "later"  # an earlier one makes it idle
    UNKNOWN = "unknown"  # what it counts from has not happened, or was not told
    IMPLAUSIBLE = "implausible"  # what it counts from is too far off to be right, and counts as missing
    VOID = "void"  # import + 14 d, once everything is sent


@dataclass(frozen=True)
class Term:
    """One term of an order. `since`: what it counts from; `at`: when it ends, None where it does not count.

    `parcel`: its place in the facts; None for a term of the order itself.
    """

    rule: Rule
    days: int
    standing: Standing
    since: datetime | None = None
    at: datetime | None = None
    parcel: int | None = None


class Event(StrEnum):
    """What may still happen to an order."""

    SENT_TRACKED = "sent_tracked"  # all that is left, now, with a label whose scans are reported
    SENT_UNTRACKED = "sent_untracked"  # all that is left, now, with any other
    DELIVERED = "delivered"  # every tracked parcel that is on its way, now
    VOIDED = "voided"  # every parcel


@dataclass(frozen=True)
class Change:
    """When the data would be due if this happened now."""

    event: Event
    due: Due
    before: Due

    @property
    def moves(self) -> bool:
        return self.due.at != self.before.at


def terms(facts: Facts, periods: Periods = Periods()) -> tuple[Term, ...]:  # noqa: B008  frozen
    """Every term of an order, those of its parcels first; exactly one governs, as order_due() has it."""
    found = [
        term
        for place, parcel in enumerate(facts.parcels)
        if parcel.active
        for term in _of_parcel(parcel, place, periods)
    ]
    sent = facts.fully_shipped and bool(found)
    found.append(_ends(Rule.IMPORT, facts.imported_at, periods.unshipped, None, void=sent))
    found.append(_ends(Rule.CEILING, facts.imported_at, CEILING_DAYS, None))
    first = min((term for term in found if term.at is not None), key=lambda term: term.at)
    return tuple(replace(term, standing=Standing.GOVERNS) if term is first else term for term in found)


def _of_parcel(parcel: Parcel, place: int, periods: Periods) -> list[Term]:
    if not parcel.tracked:
        return [_ends(Rule.CREATION, parcel.created_at, periods.shipped, place)]
    made_at = parcel.label_created_at or parcel.created_at
    found = [_ends(Rule.LABEL, made_at, periods.label, place)]
    for rule, instant in ((Rule.SHIP_DATE, parcel.shipped_at), (Rule.DELIVERY, parcel.delivered_at)):
        if plausible(instant, parcel.created_at):
            found.append(_ends(rule, instant, periods.shipped, place))
        else:
            standing = Standing.IMPLAUSIBLE if instant else Standing.UNKNOWN
            found.append(Term(rule, periods.shipped, standing, instant, None, place))
    return found


def _ends(rule: Rule, since: datetime, days: int, place: int | None, *, void: bool = False) -> Term:
    if void:
        return Term(rule, days, Standing.VOID, since, None, place)
    return Term(rule, days, Standing.LATER, since, since + timedelta(days=days), place)


def changes(
    facts: Facts, periods: Periods = Periods(), *, now: datetime, today: datetime  # noqa: B008  frozen
) -> tuple[Change, ...]:  # fmt: skip
    """What would move the date, or will not, of all that may still happen to the order.

    `today`: where the present day begins in the store's time zone, as ship dates do.
    """
    before, found = order_due(facts, periods), []
    if not facts.fully_shipped:
        for event, parcel in (
            (Event.SENT_TRACKED, Parcel(now, tracked=True, label_created_at=now, shipped_at=today)),
            (Event.SENT_UNTRACKED, Parcel(now, tracked=False)),
        ):
            found.append((event, replace(facts, fully_shipped=True, parcels=(*facts.parcels, parcel))))
    delivered = tuple(
        replace(parcel, delivered_at=now) if _travels(parcel) else parcel for parcel in facts.parcels
    )  # fmt: skip
    if delivered != facts.parcels:
        found.append((Event.DELIVERED, replace(facts, parcels=delivered)))
    if any(parcel.active for parcel in facts.parcels):
        voided = tuple(replace(parcel, active=False) for parcel in facts.parcels)
        found.append((Event.VOIDED, replace(facts, fully_shipped=False, parcels=voided)))
    return tuple(Change(event, order_due(then, periods), before) for event, then in found)


def _travels(parcel: Parcel) -> bool:
    return parcel.active and parcel.tracked and parcel.delivered_at is None
