"""When personal data must be gone: one pure function from facts to a due date and the rule that sets it.

Instants are aware UTC; a day is 24 hours. The facts carry the earliest ship and delivery instants ever recorded, so
that a later correction cannot extend a term.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

UNSHIPPED_DAYS, SHIPPED_DAYS, LABEL_DAYS, CEILING_DAYS = 14, 30, 44, 120
PLAUSIBLE = (
    timedelta(days=-60),
    timedelta(days=120),
)  # around a shipment's creation; beyond it a date is a mistake


class Rule(StrEnum):
    """Which term governs."""

    IMPORT = "import"  # not shipped: first import + 14 d
    DELIVERY = "delivery"  # tracked: delivery + 30 d
    SHIP_DATE = "ship_date"  # tracked: ship date + 30 d
    LABEL = "label"  # tracked: label creation + 44 d
    CREATION = "creation"  # not tracked: shipment creation + 30 d
    CEILING = "ceiling"  # whatever happened since: first import + 120 d
    REQUEST = "request"  # somebody asked for it: at once, whatever the others say


@dataclass(frozen=True)
class Periods:
    """Days of each term. Shorter than the rules is allowed, longer is not."""

    unshipped: int = UNSHIPPED_DAYS
    shipped: int = SHIPPED_DAYS
    label: int = LABEL_DAYS

    def __post_init__(self) -> None:
        for name, most in (("unshipped", UNSHIPPED_DAYS), ("shipped", SHIPPED_DAYS), ("label", LABEL_DAYS)):
            object.__setattr__(self, name, max(0, min(getattr(self, name), most)))


@dataclass(frozen=True)
class Parcel:
    """One shipment as the rules see it. `active`: neither voided nor a return."""

    created_at: datetime
    tracked: bool
    label_created_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    active: bool = True


@dataclass(frozen=True)
class Facts:
    """One order as the rules see it. `fully_shipped`: every unit is in an active shipment."""

    imported_at: datetime
    fully_shipped: bool = False
    parcels: tuple[Parcel, ...] = field(default=())


@dataclass(frozen=True, order=True)
class Due:
    at: datetime
    rule: Rule


def parcel_due(parcel: Parcel, periods: Periods = Periods()) -> Due:  # noqa: B008  frozen
    """When a shipment's own label is due, were it active."""
    if not parcel.tracked:
        return Due(parcel.created_at + timedelta(days=periods.shipped), Rule.CREATION)
    made_at = parcel.label_created_at or parcel.created_at
    terms = [Due(made_at + timedelta(days=periods.label), Rule.LABEL)]
    for instant, rule in ((parcel.shipped_at, Rule.SHIP_DATE), (parcel.delivered_at, Rule.DELIVERY)):
        if plausible(instant, parcel.created_at):
            terms.append(Due(instant + timedelta(days=periods.shipped), rule))
    return min(terms, key=lambda due: due.at)


def order_due(facts: Facts, periods: Periods = Periods()) -> Due:  # noqa: B008  frozen
    """When an order's personal data is due, and why. Never later than first import + 120 days."""
    terms = [parcel_due(parcel, periods) for parcel in facts.parcels if parcel.active]
    if not facts.fully_shipped or not terms:
        terms.append(Due(facts.imported_at + timedelta(days=periods.unshipped), Rule.IMPORT))
    terms.append(Due(facts.imported_at + timedelta(days=CEILING_DAYS), Rule.CEILING))
    return min(terms, key=lambda due: due.at)


def label_due(parcel: Parcel, order: Due, periods: Periods = Periods()) -> Due:  # noqa: B008  frozen
    """When a label is due: its own shipment's term; voided and return labels go with the order, if that is earlier."""
    own = parcel_due(parcel, periods)
    return own if parcel.active else min(own, order, key=lambda due: due.at)


def plausible(instant: datetime | None, around: datetime) -> bool:
    """Whether a date can be one of a shipment made at `around`; what cannot counts as missing."""
    return instant is not None and around + PLAUSIBLE[0] <= instant <= around + PLAUSIBLE[1]
