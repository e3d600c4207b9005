"""Why each rule did or did not fire on an order, from the trace that was kept when they ran."""

from dataclasses import dataclass, field
from datetime import datetime

from orders.models import AutomationRule, Order, RuleFiring
from orders.rules import words
from orders.vocabulary import Vocabulary


@dataclass(frozen=True)
class Line:
    """One rule, under the name it had. `why`: what it failed at, in words; `did`: what it did. `rule`: None if deleted."""

    name: str
    fired: bool
    why: str
    did: list[str]
    rule: AutomationRule | None


@dataclass(frozen=True)
class Panel:
    """`at`: when the rules ran, None where they have not. `later`: active rules that were not among them."""

    at: datetime | None
    lines: list[Line] = field(default_factory=list)
    later: list[AutomationRule] = field(default_factory=list)

    @property
    def fired(self) -> int:
        return sum(line.fired for line in self.lines)


def panel_for(user, order: Order) -> Panel | None:
    """For those who may see rules, and orders that rules are for; two queries, and the lists its words need."""
    if order.by_amazon or not user.has_perm("orders.view_automationrule"):
        return None
    firing = RuleFiring.objects.filter(order=order).first()
    rules = {rule.pk: rule for rule in AutomationRule.objects.all()}
    trace, options = firing.trace if firing else [], Vocabulary()
    asked = {line["rule"] for line in trace}
    later = [rule for rule in rules.values() if rule.active and rule.pk not in asked and order.rules_ran_at]
    lines = [
        Line(line["name"], line["fired"], words.why_not(line["why"], options), words.done(line["did"]), rules.get(line["rule"]))
        for line in trace
    ]  # fmt: skip
    return Panel(order.rules_ran_at, lines, later)
