"""The privacy clock of an order as facts: until when, which term says so, what would move it, and each label's own date.

Screens put it into words (orders/clockwords.py), other doors may hand it out as it is. Instants are UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orders.deadlines import midnight
from orders.filters import DUE_SOON
from orders.models import Order
from orders.retention import facts_from, periods_for
from privacy import retention, terms
from privacy.erasure import ALARM_AFTER
from privacy.retention import Facts
from privacy.terms import Change, Term


class State(StrEnum):
    """How an order stands with its personal data."""

    BY_AMAZON = "by_amazon"  # FBA: nothing was supplied
    NONE = "none"  # nothing is held
    NO_DATE = "no_date"  # not Amazon's: no term applies
    KEPT = "kept"
    SOON = "soon"  # it goes within three days
    DUE = "due"  # due, and the next sweep takes it
    OVERDUE = "overdue"  # due for more than an hour
    ERASING = "erasing"
    ERASED = "erased"


RUNNING = (State.KEPT, State.SOON)


@dataclass(frozen=True)
class LabelClock:
    """A label's own date. `rule`: a code of privacy.retention.Rule."""

    label_id: int
    tracking_number: str
    until: datetime
    rule: str
    erased_at: datetime | None = None


@dataclass(frozen=True)
class PrivacyClock:
    """`began`: first import. `terms`, `changes`: empty where the date on the row is not what the facts give now (it is
    never moved later), and where the clock does not run any more. `tracking`: of the parcels that terms name by place.
    """

    state: State
    until: datetime | None
    rule: str
    began: datetime
    erased_at: datetime | None = None
    failed: bool = False
    terms: tuple[Term, ...] = ()
    changes: tuple[Change, ...] = ()
    labels: tuple[LabelClock, ...] = ()
    tracking: tuple[str, ...] = ()

    @property
    def exceptions(self) -> tuple[LabelClock, ...]:
        """Labels that still name the buyer though the order is erased: their own date is later."""
        if self.state != State.ERASED:
            return ()
        return tuple(label for label in self.labels if label.erased_at is None)


def read(order: Order, *, now: datetime) -> PrivacyClock:
    """The clock of one order, with what it needs; three queries."""
    return of(order, order.shipments.prefetch_related("labels"), order.items.all(), now=now)


def of(order: Order, shipments: Iterable, items: Iterable, *, now: datetime) -> PrivacyClock:
    """The clock from what is loaded: every shipment with its labels, voided ones and returns included, and every line."""
    parcels, state = list(shipments), state_of(order, now=now)
    found, moves = (), ()
    if state in RUNNING and order.redaction_due_at is not None:
        facts = facts_from(order, parcels, [(item.quantity, item.quantity_shipped) for item in items])
        found, moves = _explained(order, facts, now=now)
    return PrivacyClock(
        state, order.redaction_due_at, order.redaction_rule, order.first_imported_at, order.redacted_at,
        bool(order.redaction_error) and state != State.ERASED, found, moves, _labels(order, parcels),
        tuple(parcel.tracking_number for parcel in parcels),
    )  # fmt: skip


def state_of(order: Order, *, now: datetime) -> State:
    """From the order's row alone."""
    if order.by_amazon:
        return State.BY_AMAZON
    match order.pii_state:
        case Order.PiiState.REDACTED:
            return State.ERASED
        case Order.PiiState.REDACTING:
            return State.ERASING
        case Order.PiiState.NONE:
            return State.NONE
    due = order.redaction_due_at
    if due is None:
        return State.NO_DATE
    if due <= now:
        return State.OVERDUE if due < now - ALARM_AFTER else State.DUE
    return State.SOON if due <= now + DUE_SOON else State.KEPT


def _explained(order: Order, facts: Facts, *, now: datetime) -> tuple[tuple[Term, ...], tuple[Change, ...]]:
    """The terms and what would move them, where they do explain the date on the row."""
    periods = periods_for(order.store)
    due = retention.order_due(facts, periods)
    if (due.at, due.rule) != (order.redaction_due_at, order.redaction_rule):
        return (), ()
    today = midnight(now, order.store.time_zone, 0)
    return terms.terms(facts, periods), terms.changes(facts, periods, now=now, today=today)


def _labels(order: Order, parcels: list) -> tuple[LabelClock, ...]:
    """A return's label goes with its order, whatever its own date says (R85)."""
    found = []
    for parcel in parcels:
        for label in parcel.labels.all():
            until, rule = label.due_at, label.due_rule
            if parcel.is_return and order.redaction_due_at and order.redaction_due_at < until:
                until, rule = order.redaction_due_at, order.redaction_rule
            found.append(LabelClock(label.pk, parcel.tracking_number, until, rule, label.redacted_at))
    return tuple(sorted(found, key=lambda label: (label.until, label.label_id)))
