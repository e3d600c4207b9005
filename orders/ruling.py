"""Running the automation rules: once, when an order first waits to be sent or is on hold (R42).

Everything a run needs is read beforehand in a constant number of queries; the run itself asks the database nothing.
Editing a rule later runs nothing again: `rules_ran_at` and the key of RuleFiring say it was done.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Q

from orders.deciding import HOLD_REASONS
from orders.known import Known
from orders.models import AutomationRule, Order, OrderEvent, OrderNote, RuleFiring
from orders.rules import engine
from orders.subjects import Subject
from privacy.fields import give_keys
from stores.models import Store

Kind = OrderEvent.Kind
Status = Order.Status
ENTERING = (Status.AWAITING_SHIPMENT, Status.ON_HOLD)


@dataclass(slots=True)
class Outcome:
    """Rows that a run leaves to be inserted, once their orders are saved. `untagged`: tags a rule took off."""

    firings: list[RuleFiring] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)
    notes: list[OrderNote] = field(default_factory=list)
    tags: list[tuple[Order, int]] = field(default_factory=list)
    untagged: list[tuple[Order, int]] = field(default_factory=list)


class Ruler:
    """The active rules, made ready for the orders of these stores. Built once a run; a new run sees new rules."""

    def __init__(self, stores: Iterable[Store], *, rules: Iterable[AutomationRule] | None = None):
        self.stores = {store.pk: store for store in stores}
        found = AutomationRule.objects.filter(active=True) if rules is None else rules
        self.rules = [engine.compiled(row.pk, row.name, row.criteria, row.actions, stops=row.stops) for row in found]
        asked = {fact for rule in self.rules if isinstance(rule, engine.Rule) for fact in rule.facts}
        self.knows = Known(self.stores, shelf="short" in asked) if self.rules else None
        self.broken: dict[int, str] = {}
        self.last_run: datetime | None = None

    def run(self, entering: Iterable[Subject], *, now: datetime) -> Outcome:
        """Run the rules on orders that enter for the first time, and change these Order instances. Saves nothing.

        Orders that were run before, or wait for nothing we do, are passed over.
        """
        outcome, self.last_run = Outcome(), now
        for subject in entering:
            order = subject.order
            if order.rules_ran_at is not None or order.status not in ENTERING:
                continue
            order.rules_ran_at = now
            if self.rules:
                self._run(subject, now, outcome)
        return outcome

    def decide(self, subject: Subject, *, now: datetime, as_new: bool = False) -> tuple[engine.Case, list[dict]]:
        """What the rules wish for one order, and their trace; nothing is changed. `as_new`: as if nobody had held it."""
        order = subject.order
        held = order.status == Status.ON_HOLD and bool(order.hold_reason or order.custom_status) and not as_new
        case = engine.Case(
            order, subject.person, subject.items, subject.products, self.stores[order.store_id], self.knows, now,
            self.knows.ids_of(subject.tags), subject.unreadable, subject.customised, subject.source, held,
        )  # fmt: skip
        return case, engine.run(self.rules, case, broken=self.broken)

    def note_broken(self) -> None:
        """Write on each rule that broke since the last call that it did, and with which code."""
        for rule_id, code in self.broken.items():
            AutomationRule.objects.filter(pk=rule_id).update(broken_at=self.last_run, broken_code=code)
        self.broken = {}

    def _run(self, subject: Subject, now: datetime, outcome: Outcome) -> None:
        case, trace = self.decide(subject, now=now)
        outcome.firings.append(RuleFiring(order=subject.order, at=now, trace=trace))
        if subject.order.pk is None:  # one that has a row is among those that need units already
            self.knows.take(subject.items)
        fired = [line["name"] for line in trace if line["fired"]]
        if fired:
            self._apply(case, fired, subject, outcome)

    def _apply(self, case: engine.Case, fired: list[str], subject: Subject, outcome: Outcome) -> None:
        order, now = case.order, case.now

        def tell(kind: str, **params: str) -> None:
            outcome.events.append(OrderEvent(order=order, kind=kind, at=now, params=params))

        tell(Kind.RULES, rules=", ".join(fired))
        for column, value in case.changes.items():
            setattr(order, column, value)
        if case.wishes:
            order.wishes = {**order.wishes, **case.wishes}
        if "alert" in case.changes:
            tell(Kind.ALERT)
        if case.hold:
            order.status, order.hold_until = Status.ON_HOLD, case.hold_until
            order.hold_reason = HOLD_REASONS[case.hold]
            ends = {"until": case.hold_until.isoformat()} if case.hold_until else {}
            tell(Kind.HELD, reason=case.hold, **ends)
        if case.own_status:
            self._give_status(case)
        outcome.notes += [OrderNote(order=order, text=text, at=now) for text in case.notes]
        before = self.knows.ids_of(subject.tags)
        outcome.tags += [(order, pk) for pk in sorted(case.tags - before)]
        outcome.untagged += [(order, pk) for pk in sorted(before - case.tags)]

    def _give_status(self, case: engine.Case) -> None:
        """A status of the store's own, if it means what the order's status is once all rules have run."""
        found = self.knows.status(case.store, case.own_status)
        if found is not None and found.status == case.order.status:
            case.order.own_status_id = found.pk


def save(outcome: Outcome) -> None:
    """Insert what a run left, in at most six statements; its orders are saved by whoever ran it."""
    RuleFiring.objects.bulk_create(outcome.firings)
    OrderEvent.objects.bulk_create(outcome.events)
    give_keys(outcome.notes)
    OrderNote.objects.bulk_create(outcome.notes)
    save_tags(outcome)


def save_tags(outcome: Outcome) -> None:
    """Put on and take off the tags of a run; two statements at most, none where no rule touches tags."""
    links = Order.tags.through
    if outcome.tags:
        links.objects.bulk_create(
            [links(order_id=order.pk, tag_id=pk) for order, pk in outcome.tags], ignore_conflicts=True
        )
    if outcome.untagged:
        gone = (Q(order=order.pk, tag=pk) for order, pk in outcome.untagged)
        links.objects.filter(reduce(or_, gone)).delete()
