"""Reading Amazon's JSON by paths such as `proceeds.breakdowns[type=TAX].subtotal.amount`, for the table of fields.

`[]` is every element of a list, `[key=a|b]` those whose key has one of the values. ` or ` takes the first path that has
a value, ` and ` all of them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

TOLD_APART_BY = ("type", "aliasType", "associationType")  # keys that say what an element of a list is
STEP = re.compile(r"(\w+)(?:\[(?:(\w+)=([^\]]+))?\])?")


@dataclass(frozen=True)
class Row:
    """One line of the table. `need`: of SP §4.4, or '' for a field beyond it. `convert`: values sent to our value."""

    need: str
    path: str
    column: str
    convert: Callable[[list], Any]
    personal: bool = False  # nothing of it is kept of an order that Amazon fulfils

    @property
    def paths(self) -> list[str]:
        return re.split(" or | and ", self.path)

    @property
    def per_line(self) -> bool:
        return self.column.startswith(("item.", "wish."))

    def expected(self, raw: dict) -> Any:
        """Our value, from the order or, for a column of a line, from the line."""
        path = self.path.replace("orderItems[].", "") if self.per_line else self.path
        if " and " in path:
            return self.convert([value for one in path.split(" and ") for value in found(raw, one)])
        return self.convert(next(filter(None, (found(raw, one) for one in path.split(" or "))), []))

    def covers(self, leaf: str) -> bool:
        return any(leaf == path or leaf.startswith((f"{path}.", f"{path}[")) for path in self._spelt_out())

    def _spelt_out(self) -> Iterator[str]:
        """`[key=a|b]` as two paths."""
        for path in self.paths:
            match = re.search(r"\[(\w+)=([^\]]+\|[^\]]+)\]", path)
            if not match:
                yield path
            else:
                yield from (path.replace(match[0], f"[{match[1]}={one}]") for one in match[2].split("|"))


def found(value: Any, path: str) -> list:
    """Every value at the path, in order; empty where a step is missing."""
    values = [value]
    for step in path.split("."):
        name, key, wanted = STEP.fullmatch(step).groups()
        values = [one[name] for one in values if isinstance(one, dict) and name in one]
        if "[" in step:
            values = [element for one in values for element in one]
        if key:
            values = [one for one in values if one.get(key) in wanted.split("|")]
    return values


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """The path of every value in an answer, elements of lists told apart by what they say they are."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from leaves(below, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for element in value:
            kind = next((k for k in TOLD_APART_BY if isinstance(element, dict) and k in element), None)
            yield from leaves(element, f"{path}[{kind}={element[kind]}]" if kind else f"{path}[]")
    else:
        yield path


def model_leaves(definitions: dict, name: str) -> Iterator[str]:
    """The path of every value the official model allows; lists by `[]` only."""
    yield from _below(definitions, {"$ref": f"#/definitions/{name}"}, "", frozenset())


def _below(definitions: dict, node: dict, path: str, above: frozenset[str]) -> Iterator[str]:
    while "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        if name in above:
            return
        above, node = above | {name}, definitions[name]
    if node.get("type") == "array":
        yield from _below(definitions, node["items"], f"{path}[]", above)
    elif node.get("properties"):
        for name, below in node["properties"].items():
            yield from _below(definitions, below, f"{path}.{name}" if path else name, above)
    else:
        yield path


# --- converters: the values sent, as a list, to what we hold


def text(values: list) -> str:
    return str(values[0]) if values else ""


def lines(values: list) -> str:
    """Each text once, one below the other."""
    return "\n".join(dict.fromkeys(values))


def instant(values: list) -> datetime | None:
    return datetime.fromisoformat(values[0]) if values else None


def money(values: list) -> Decimal | None:
    """Several of one kind are added up."""
    return sum(map(Decimal, values), Decimal(0)) if values else None


def number(values: list) -> int:
    return values[0]


def present(values: list) -> bool:
    return bool(values)


def listed(values: list) -> list:
    return list(dict.fromkeys(values))


def names(values: list) -> list[str]:
    """The keys of an object."""
    return list(values[0]) if values else []


def has(wanted: str) -> Callable[[list], bool]:
    return lambda values: wanted in values


def among(words: dict[str, Any], default: Any = "") -> Callable[[list], Any]:
    return lambda values: words.get(values[0], default) if values else default
