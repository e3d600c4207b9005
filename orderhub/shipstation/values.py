"""Values as clients of version 1 send them: numbers and booleans as text, nothing as "None", names in any case. Pure but
for what is counted for the report."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from orderhub import apiuse
from orderhub.models.apikey import UseKind
from orderhub.shipstation.calls import Call

ABSENT = ("", "none", "null")
TRUE = ("true", "1", "yes")
Known = Mapping[str, "Known | None"]  # names of fields; of an object, or of the objects of a list, the names in them


def absent(value) -> bool:
    """Whether nothing is told: null, an empty text, or the word one client sends for null."""
    return value is None or (isinstance(value, str) and value.strip().lower() in ABSENT)


def field(body, name: str):
    """The value of this name, in any case; None where there is none, or the body is no object."""
    if not isinstance(body, Mapping):
        return None
    if name in body:
        return body[name]
    return next((value for given, value in body.items() if given.lower() == name.lower()), None)


def has(body, name: str) -> bool:
    return isinstance(body, Mapping) and any(given.lower() == name.lower() for given in body)


def text(value) -> str:
    """As it was sent, without blanks around it; '' for null and for what is no single value."""
    return "" if value is None or isinstance(value, Mapping | list) else str(value).strip()


def word(value) -> str:
    """A code or a number as text; '' also for "None"."""
    return "" if absent(value) else text(value)


def number(value) -> Decimal | None:
    """Any finite number, also as text; None for everything else."""
    if isinstance(value, bool):
        return None
    try:
        found = Decimal(text(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < Decimal(10) ** 18 else None


def integer(value) -> int | None:
    """A whole number that a database takes, also as text; None for everything else."""
    found = number(value)
    return int(found) if found is not None and found == found.to_integral_value() else None


def boolean(value) -> bool:
    return text(value).lower() in TRUE


def note_unknown(call: Call, body, known: Known, path: str = "") -> None:
    """Count what is not known here, by its place: `advancedOptions.foo`, `items[].foo`. Nothing is refused for it."""
    if not isinstance(body, Mapping):
        return
    names = {name.lower(): inner for name, inner in known.items()}
    for name, value in body.items():
        if name.lower() not in names:
            call.note(UseKind.UNKNOWN_FIELD, path + apiuse.word(name))
        elif inner := names[name.lower()]:
            rows, sign = (value, "[]") if isinstance(value, list) else ([value], "")
            for row in rows:
                note_unknown(call, row, inner, f"{path}{name}{sign}.")
