"""What a rule may do: an action and its value become one closure that writes a wish into the Case.

Each closure returns '' or a code saying why nothing came of it. Later wishes replace earlier ones of the same kind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from orders.rules.conditions import Invalid
from orders.rules.facts import WEEKDAYS

CONFIRMATIONS = ("none", "delivery", "signature", "adult_signature")
MOST_SIDE_MM, MOST_WEIGHT_G = 10_000, 1_000_000
DEFAULT_HOLD = "check"
GONE, NOT_HERE, TOO_LATE, HELD = "gone", "not_here", "too_late", "held"
Apply = Callable[[object], str]


@dataclass(frozen=True, slots=True)
class Action:
    """`kind`: what its value is. `most`: characters of a text, or the largest number. `build`: value to closure."""

    kind: str  # text, number, choice, choices, size, none
    build: Callable[[object], Apply]
    most: int = 0


def _text(value, most: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise Invalid("text")
    return value.strip()


def _number(value, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
        raise Invalid("number")
    return value


def _ids(value) -> list[int]:
    if not isinstance(value, list) or not value or not all(type(each) is int for each in value):
        raise Invalid("values")
    return value


# -- wishes for the parcel


def _wish(name: str, read: Callable) -> Callable:
    def build(value) -> Apply:
        wanted = read(value)

        def apply(case) -> str:
            case.wishes[name] = wanted
            return ""

        return apply

    return build


def _size(value) -> list[int]:
    if not isinstance(value, list) or len(value) != 3:
        raise Invalid("size")
    return [_number(side, MOST_SIDE_MM) for side in value]


def _confirmation(value) -> str:
    if value not in CONFIRMATIONS:
        raise Invalid("choice")
    return value


def _ship_from(value) -> Apply:
    """From another store's address; only within one merchant: nobody's address is shown to another client."""
    if type(value) is not int:
        raise Invalid("choice")

    def apply(case) -> str:
        if not case.knows.may_ship_from(case.store, value):
            return NOT_HERE
        case.wishes["ship_from"] = value
        return ""

    return apply


# -- columns of the order


def _assign(value) -> Apply:
    if type(value) is not int:
        raise Invalid("choice")

    def apply(case) -> str:
        if value not in case.knows.users:
            return GONE
        case.changes["assigned_to_id"] = value
        return ""

    return apply


def _weigh(value) -> Apply:
    grams = _number(value, MOST_WEIGHT_G)

    def apply(case) -> str:
        case.changes |= {"weight_g": grams, "weight_is_typed": True}
        return ""

    return apply


def _alert(value) -> Apply:
    text = _text(value, 120)

    def apply(case) -> str:
        case.changes["alert"] = text
        return ""

    return apply


def _own_status(value) -> Apply:
    name = _text(value, 40)

    def apply(case) -> str:
        if not case.knows.has_status(case.store, name):
            return NOT_HERE
        case.own_status = name
        return ""

    return apply


def _custom(number: int) -> Callable:
    def build(value) -> Apply:
        text, column = _text(value, 120), f"custom_field_{number}"

        def apply(case) -> str:
            """A field fed by the marketplace is the marketplace's; one that is not enabled does not exist."""
            if not case.store.custom_fields_enabled or case.store.mapping[number - 1]:
                return NOT_HERE
            case.changes[column] = text
            return ""

        return apply

    return build


# -- tags and notes


def _tag(value) -> Apply:
    ids = _ids(value)

    def apply(case) -> str:
        known = [pk for pk in ids if pk in case.knows.tags]
        case.tags.update(known)
        return "" if len(known) == len(ids) else GONE

    return apply


def _untag(value) -> Apply:
    ids = _ids(value)

    def apply(case) -> str:
        case.tags.difference_update(ids)
        return ""

    return apply


def _note(value) -> Apply:
    text = _text(value, 1000)

    def apply(case) -> str:
        case.notes.append(text)
        return ""

    return apply


# -- holds


def _hold(value) -> Apply:
    reason = _text(value, 20)

    def apply(case) -> str:
        """A hold that was there for a reason stays: that reason must be dealt with."""
        if case.is_held or reason not in case.knows.hold_reasons:
            return HELD if case.is_held else GONE
        case.hold = reason
        return ""

    return apply


def _until(instant: Callable[[object], datetime | None]) -> Apply:
    def apply(case) -> str:
        if case.is_held:
            return HELD
        found = instant(case)
        if found is None or found <= case.now:
            return TOO_LATE
        case.hold, case.hold_until = case.hold or DEFAULT_HOLD, found
        return ""

    return apply


def _for(unit: timedelta, most: int) -> Callable:
    def build(value) -> Apply:
        length = _number(value, most) * unit
        return _until(lambda case: case.now + length)

    return build


def _until_weekday(value) -> Apply:
    """Until the day begins in the store's time zone; never the present day."""
    if value not in WEEKDAYS:
        raise Invalid("choice")
    wanted = WEEKDAYS.index(value)

    def instant(case) -> datetime:
        today = case.now.astimezone(case.store.zone).date()
        days = (wanted - today.weekday()) % 7 or 7
        return datetime.combine(date.fromordinal(today.toordinal() + days), time(0), tzinfo=case.store.zone)

    return _until(instant)


def _until_before_deadline(value) -> Apply:
    before = _number(value, 720) * timedelta(hours=1)
    return _until(lambda case: case.order.ship_by and case.order.ship_by - before)


HOURS, DAYS = 24 * 90, 90
ACTIONS: dict[str, Action] = {
    "tag": Action("choices", _tag),
    "untag": Action("choices", _untag),
    "assign": Action("choice", _assign),
    "note": Action("text", _note, 1000),
    "alert": Action("text", _alert, 120),
    "hold": Action("choice", _hold),
    "hold_hours": Action("number", _for(timedelta(hours=1), HOURS), HOURS),
    "hold_days": Action("number", _for(timedelta(days=1), DAYS), DAYS),
    "hold_weekday": Action("choice", _until_weekday),
    "hold_before_deadline": Action("number", _until_before_deadline, 720),
    "own_status": Action("text", _own_status, 40),
    "carrier": Action("choice", _wish("carrier", lambda value: _text(value, 40))),
    "service": Action("text", _wish("service", lambda value: _text(value, 80)), 80),
    "package": Action("text", _wish("package", lambda value: _text(value, 60)), 60),
    "size": Action("size", _wish("size_mm", _size), MOST_SIDE_MM),
    "weight": Action("number", _weigh, MOST_WEIGHT_G),
    "confirmation": Action("choice", _wish("confirmation", _confirmation)),
    "ship_from": Action("choice", _ship_from),
    "no_notice": Action("none", _wish("no_notice", lambda _value: True)),
    "custom_1": Action("text", _custom(1), 120),
    "custom_2": Action("text", _custom(2), 120),
    "custom_3": Action("text", _custom(3), 120),
}


def compiled(told: dict) -> tuple[str, Apply]:
    """One action of a rule's JSON, with its code. Invalid where it makes no sense."""
    code = told["do"]
    if code not in ACTIONS:
        raise Invalid("action")
    return code, ACTIONS[code].build(told.get("value"))
