"""Rules over one order: facts in, wishes and a trace out. Pure: no model, no database, nothing of the order changes.

The rules run in their order, each once; what one decides, the next one sees. One that breaks decides nothing and the
others go on.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from orders.rules import actions, conditions
from orders.rules.conditions import Criterion, Invalid

MOST_GROUPS, MOST_CRITERIA, MOST_ACTIONS = 10, 40, 20
SCOPES = ("", "any", "all")


@dataclass(slots=True)
class Case:
    """One order before the rules, and what they wish for it so far.

    `knows`: which users, tags and statuses there are. `is_held`: whether it is on hold for a reason already. `unreadable`: whether the address is in other characters.
    `changes`: new values of the order's columns. `hold`: a reason's code, '' for no hold.
    """

    order: object
    person: object
    items: list
    products: dict
    store: object
    knows: object
    now: datetime
    tags: set[int]
    unreadable: Callable[[], bool]
    customised: bool = False
    source: str = "import"
    is_held: bool = False
    changes: dict = field(default_factory=dict)
    wishes: dict = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    hold: str = ""
    hold_until: datetime | None = None
    own_status: str = ""

    def held(self, column: str):
        """A column as the rules so far leave it."""
        return self.changes[column] if column in self.changes else getattr(self.order, column)

    def kept(self) -> tuple:
        """The wishes so far, for `restore`."""
        return (
            dict(self.changes), dict(self.wishes), list(self.notes), set(self.tags), self.hold, self.hold_until,
            self.own_status,
        )  # fmt: skip

    def restore(self, kept: tuple) -> None:
        self.changes, self.wishes, self.notes, self.tags, self.hold, self.hold_until, self.own_status = kept


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule ready to run. `groups`: each a question to a Case, answered with None or with what it failed at.

    `said`: its lines of traces by what it failed at, made once: most rules do not fire on most orders.
    """

    id: int
    name: str
    groups: tuple[Callable[[Case], dict | None], ...]
    deeds: tuple[tuple[str, Callable[[Case], str]], ...]
    stops: bool = False
    facts: frozenset[str] = frozenset()
    said: dict[int, dict] = field(default_factory=dict)

    def why_not(self, case: Case) -> dict | None:
        """What the rule failed at, None where all its groups hold."""
        for group in self.groups:
            failed = group(case)
            if failed is not None:
                return failed
        return None


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule whose JSON makes no sense: it never fires, and says so."""

    id: int
    name: str
    code: str


def _line(rule: Rule | Broken, **more) -> dict:
    """A rule's line of a trace."""
    return {"rule": rule.id, "name": rule.name, "fired": False, "why": None, "did": []} | more


def compiled(id_: int, name: str, criteria: object, deeds: object, *, stops: bool) -> Rule | Broken:
    """A rule of the database made ready. Whatever its JSON holds, this returns."""
    try:
        return _compiled(id_, name, criteria, deeds, stops=stops)
    except Exception as error:  # an import must not stop over a rule, whatever is wrong with it
        return Broken(id_, name, _code(error))


def _compiled(id_: int, name: str, criteria, deeds, *, stops: bool) -> Rule:
    if not isinstance(criteria, list) or not isinstance(deeds, list) or len(criteria) > MOST_GROUPS:
        raise Invalid("rule")
    if sum(len(group["criteria"]) for group in criteria) > MOST_CRITERIA or len(deeds) > MOST_ACTIONS:
        raise Invalid("rule")
    groups = tuple(_group(group["lines"], group["criteria"]) for group in criteria)
    asked = frozenset(told["fact"] for group in criteria for told in group["criteria"])
    return Rule(id_, name, groups, tuple(map(actions.compiled, deeds)), stops, asked)


def _code(error: Exception) -> str:
    """`Invalid:values`: never a text that somebody else's code wrote, it may quote a value."""
    return (f"Invalid:{error}" if isinstance(error, Invalid) else type(error).__name__)[:60]


# -- groups


def _group(scope: str, told: list[dict]) -> Callable[[Case], dict | None]:
    criteria = [conditions.compiled(each) for each in told]
    if scope not in SCOPES or not criteria or any(each.of_line != bool(scope) for each in criteria):
        raise Invalid("group")
    misses = [(each, _miss(each, scope, "criterion"), _miss(each, scope, "currency")) for each in criteria]
    if not scope:
        return _of_order(misses)
    return _of_any_line(misses) if scope == "any" else _of_all_lines(misses)


def _miss(criterion: Criterion, scope: str, code: str) -> dict:
    """What a trace says of a failed criterion: the rule's own words, nothing of the order."""
    return {"code": code, "lines": scope} | {name: criterion.told.get(name) for name in ("fact", "test", "value")}


def _of_order(misses: list[tuple]) -> Callable[[Case], dict | None]:
    def ask(case: Case) -> dict | None:
        for criterion, miss, other_currency in misses:
            if not criterion.met(case):
                return _reason(case, criterion, miss, other_currency)
        return None

    return ask


def _of_all_lines(misses: list[tuple]) -> Callable[[Case], dict | None]:
    """An order without lines meets nothing."""

    def ask(case: Case) -> dict | None:
        for criterion, miss, other_currency in misses:
            if not case.items or not all(criterion.met(case, item) for item in case.items):
                return _reason(case, criterion, miss, other_currency)
        return None

    return ask


def _of_any_line(misses: list[tuple]) -> Callable[[Case], dict | None]:
    """One line that meets all. Where there is none: the first criterion no line meets, else that no line meets all."""
    apart = {"code": "no_line", "lines": "any"}

    def ask(case: Case) -> dict | None:
        if any(all(criterion.met(case, item) for criterion, *_told in misses) for item in case.items):
            return None
        for criterion, miss, other_currency in misses:
            if not any(criterion.met(case, item) for item in case.items):
                return _reason(case, criterion, miss, other_currency)
        return apart

    return ask


def _reason(case: Case, criterion: Criterion, miss: dict, other_currency: dict) -> dict:
    return other_currency if criterion.currency and criterion.currency != case.order.currency else miss


# -- running


def run(rules: Iterable[Rule | Broken], case: Case, *, broken: dict[int, str]) -> list[dict]:
    """Ask every rule, do what those that hold wish, return the trace. `broken`: takes the codes of those that break."""
    trace, stopped = [], False
    for rule in rules:
        if isinstance(rule, Broken):
            broken[rule.id] = rule.code
            trace.append(_line(rule, why={"code": "broken"}))
        elif stopped:
            trace.append(_line(rule, why={"code": "stopped"}))
        else:
            line = _ask(rule, case, broken)
            trace.append(line)
            stopped = rule.stops and line["fired"]
    return trace


def _ask(rule: Rule, case: Case, broken: dict[int, str]) -> dict:
    kept = None
    try:
        failed = rule.why_not(case)
        if failed is not None:
            return rule.said.get(id(failed)) or rule.said.setdefault(id(failed), _line(rule, why=failed))
        kept = case.kept()
        return _line(rule, fired=True, did=[_done(code, apply(case)) for code, apply in rule.deeds])
    except Exception as error:  # one rule's fault is no other rule's, and no order's
        broken[rule.id] = _code(error)
        if kept is not None:
            case.restore(kept)
        return _line(rule, why={"code": "broken"})


def _done(code: str, refused: str) -> str:
    """`tag`, or `tag:gone` where nothing came of it."""
    return f"{code}:{refused}" if refused else code
