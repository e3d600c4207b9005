"""Criteria: a fact, a test and a value become one closure, made once and asked of every order.

Text is compared without regard to case, width or form (NFKC, casefold). An amount is compared within the currency the
criterion names, never across. What the order does not say meets no test but "is empty".
"""

import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal

from orders.rules.facts import FACTS

MOST_VALUES = 200
Predicate = Callable[[object], bool]


class Invalid(ValueError):
    """A criterion or action that cannot be understood. The text is a code."""


def fold(text: str) -> str:
    """What two spellings of one text have in common."""
    return text.strip().lower() if text.isascii() else unicodedata.normalize("NFKC", text).strip().casefold()


def _values(value) -> list:
    if not isinstance(value, list) or not value or len(value) > MOST_VALUES:
        raise Invalid("values")
    return value


def _folded(value) -> frozenset[str]:
    return frozenset(_text(each) for each in _values(value))


def _text(value) -> str:
    if not isinstance(value, str) or not fold(value):
        raise Invalid("text")
    return fold(value)


def _number(value) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Invalid("number")
    try:
        number = Decimal(value)
    except ArithmeticError:
        raise Invalid("number") from None
    if not number.is_finite():
        raise Invalid("number")
    return number


def _range(value) -> tuple[Decimal, Decimal]:
    if not isinstance(value, list) or len(value) != 2:
        raise Invalid("range")
    low, high = _number(value[0]), _number(value[1])
    if low > high:
        raise Invalid("range")
    return low, high


# -- predicates: each takes the criterion's value and gives a question to be asked of what was found


def _empty(_value) -> Predicate:
    return lambda found: not found and found != 0


def _filled(_value) -> Predicate:
    return lambda found: bool(found) or found == 0


def _on_text(told: Callable[[str], bool]) -> Predicate:
    return lambda found: bool(found) and told(fold(found))


def _one_of_texts(value) -> Predicate:
    wanted = _folded(value)
    return _on_text(lambda found: found in wanted)


def _equals(value) -> Predicate:
    wanted = _text(value)
    return _on_text(lambda found: found == wanted)


def _contains(value) -> Predicate:
    wanted = _text(value)
    return _on_text(lambda found: wanted in found)


def _starts(value) -> Predicate:
    wanted = _text(value)
    return _on_text(lambda found: found.startswith(wanted))


def _not(builder: Callable) -> Callable:
    """The opposite: met as well by what the order does not say."""

    def build(value) -> Predicate:
        question = builder(value)
        return lambda found: not question(found)

    return build


def _any(builder: Callable) -> Callable:
    """Of several texts, one suffices."""

    def build(value) -> Predicate:
        question = builder(value)
        return lambda found: any(map(question, found))

    return build


def _chosen(value) -> Predicate:
    wanted = frozenset(_values(value))
    return lambda found: found in wanted


def _overlaps(value) -> Predicate:
    wanted = frozenset(_values(value))
    return lambda found: not wanted.isdisjoint(found)


def _same(value) -> Predicate:
    wanted = _number(value)
    return lambda found: found is not None and found == wanted


def _at_least(value) -> Predicate:
    wanted = _number(value)
    return lambda found: found is not None and found >= wanted


def _at_most(value) -> Predicate:
    wanted = _number(value)
    return lambda found: found is not None and found <= wanted


def _between(value) -> Predicate:
    low, high = _range(value)
    return lambda found: found is not None and low <= found <= high


_TEXT = {
    "is": _equals, "not": _not(_equals), "one_of": _one_of_texts, "none_of": _not(_one_of_texts),
    "contains": _contains, "not_contains": _not(_contains), "starts": _starts, "not_starts": _not(_starts),
}  # fmt: skip
_EMPTY = {"empty": _empty, "filled": _filled}
_NUMBER = {"is": _same, "at_least": _at_least, "at_most": _at_most, "between": _between}
TESTS: dict[str, dict[str, Callable]] = {
    "text": _TEXT | _EMPTY,
    "texts": {
        "one_of": _any(_one_of_texts), "none_of": _not(_any(_one_of_texts)), "contains": _any(_contains),
        "not_contains": _not(_any(_contains)), "starts": _any(_starts),
    } | _EMPTY,
    "choice": {"one_of": _chosen, "none_of": _not(_chosen)} | _EMPTY,
    "choices": {"one_of": _overlaps, "none_of": _not(_overlaps)} | _EMPTY,
    "number": _NUMBER | _EMPTY,
    "money": _NUMBER,
    "flag": {"yes": lambda _value: lambda found: found is True, "no": lambda _value: lambda found: found is False},
}  # fmt: skip
WITHOUT_VALUE = frozenset({"empty", "filled", "yes", "no"})


def tests_of(fact: str) -> Collection[str]:
    """The tests a fact can be put to."""
    return TESTS[FACTS[fact].kind]


@dataclass(frozen=True, slots=True)
class Criterion:
    """`met`: takes a Case, and a line where `of_line`. `currency`: '' unless it compares amounts. `told`: its JSON."""

    told: dict
    met: Callable[..., bool]
    of_line: bool
    currency: str = ""


def compiled(told: dict) -> Criterion:
    """One criterion of a rule's JSON. Invalid where it makes no sense."""
    fact, test = told["fact"], told["test"]
    if fact not in FACTS or test not in tests_of(fact):
        raise Invalid("criterion")
    known, value = FACTS[fact], told.get("value")
    if known.kind == "money":
        return _money(told, known, TESTS["money"][test], value)
    get, question = known.get, TESTS[known.kind][test](value)
    if known.of_line:
        return Criterion(told, lambda case, item: question(get(case, item)), True)
    return Criterion(told, lambda case: question(get(case)), False)


def _money(told: dict, known, build: Callable, value) -> Criterion:
    if not isinstance(value, dict) or not isinstance(value.get("currency"), str) or len(value["currency"]) != 3:
        raise Invalid("currency")
    get, question, currency = known.get, build(value.get("amount")), value["currency"]

    def met(case, *line) -> bool:
        return case.order.currency == currency and question(get(case, *line))

    return Criterion(told, met, known.of_line, currency)
