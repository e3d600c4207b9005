"""Trying a rule on the orders of the last week: what it would have done, with nothing written."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from orders import ruling
from orders.models import AutomationRule, Order
from orders.rules import engine, words
from orders.subjects import subjects

DAYS = 7
MOST_ORDERS = 5000  # the newest; more would make somebody wait
SHOWN = 200


@dataclass(frozen=True)
class Row:
    """An order the rule would have fired on. `deeds`: what it would have done, in words."""

    order: Order
    deeds: list[str]


@dataclass
class Rehearsal:
    """`looked_at`: orders asked, `matched`: of which so many would fire; `rows`: the newest of these.

    `misses`: why the others would not, in words, with how many. `broken`: a code where the rule fails on an order.
    """

    looked_at: int = 0
    matched: int = 0
    rows: list[Row] = field(default_factory=list)
    misses: list[tuple[str, int]] = field(default_factory=list)
    broken: str = ""
    cut: bool = False
    shown = SHOWN
    days = DAYS


def rehearse(rule: AutomationRule, options: Mapping, *, now: datetime) -> Rehearsal:
    """Ask one rule, saved or not, of the last seven days' orders as they are now; a constant number of queries.

    Time counts as it was when each order entered. `options`: see orders/vocabulary.py.
    """
    rows = _lately(now)
    cases = subjects(rows)
    found = Rehearsal(cut=len(cases) == MOST_ORDERS)
    ruler = ruling.Ruler({subject.order.store for subject in cases}, rules=[rule])
    full = words.deeds(rule.actions, options) if not isinstance(ruler.rules[0], engine.Broken) else []
    misses: Counter[str] = Counter()
    told: dict[str, dict] = {}
    for subject in cases:
        order = subject.order
        _case, trace = ruler.decide(subject, now=order.rules_ran_at or order.first_imported_at, as_new=True)
        _count(found, order, trace[0], full)
        if not trace[0]["fired"]:
            misses[repr(trace[0]["why"])] += 1
            told[repr(trace[0]["why"])] = trace[0]["why"]
    found.broken = next(iter(ruler.broken.values()), "")
    found.misses = [(words.why_not(told[key], options), count) for key, count in misses.most_common()]
    return found


def _count(found: Rehearsal, order: Order, line: dict, full: list[str]) -> None:
    found.looked_at += 1
    found.matched += line["fired"]
    if line["fired"] and len(found.rows) < SHOWN:
        found.rows.append(Row(order, words.done(line["did"], full)))


def _lately(now: datetime) -> QuerySet[Order]:
    """Merchant orders that came in within seven days and have at some time waited to be sent or been on hold."""
    entered = Q(rules_ran_at__isnull=False) | Q(status__in=ruling.ENTERING) | Q(shipped_at__isnull=False)
    recent = Order.objects.filter(
        entered, fulfilled_by=Order.FulfilledBy.MERCHANT, first_imported_at__gt=now - timedelta(days=DAYS)
    )
    return recent.select_related("store").order_by("-first_imported_at", "-pk")[:MOST_ORDERS]
