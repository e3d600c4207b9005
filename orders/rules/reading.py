"""What people type for a criterion or an action, to the JSON a rule keeps, and back. Errors are sentences."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from orders.rules.actions import MOST_SIDE_MM
from orders.rules.conditions import MOST_VALUES, fold

NUMBER = r"-?\d{1,12}(?:[.,]\d{1,4})?"
_ONE = re.compile(rf"({NUMBER})(?:\s*([A-Za-z]{{3}}))?")
_TWO = re.compile(rf"({NUMBER})\s*(?:–|\.\.|;|\bto\b|\bà\b|\bet\b|-)\s*({NUMBER})(?:\s*([A-Za-z]{{3}}))?")
_SIZE = re.compile(r"(\d{1,5})\s*[x×*]\s*(\d{1,5})\s*[x×*]\s*(\d{1,5})")
MOST_NAMED = 12  # names listed in an error


class Unreadable(ValueError):
    """The text is a sentence that says what to type."""


def shown(kind: str, value, options: Mapping) -> str:
    """A value as it is typed; one of a list by its name."""
    if kind in {"choice", "choices"}:
        values = value if isinstance(value, list) else [value]
        return _joined([str(options[each]) if each in options else _("(gone)") for each in values])
    if kind == "money":
        amount = value["amount"]
        return f"{_numbers(amount)} {value['currency']}"
    if kind == "number":
        return _numbers(value)
    if kind == "size":
        return " × ".join(map(str, value))
    return _joined(value) if isinstance(value, list) else str(value or "")


def _numbers(value) -> str:
    return " – ".join(map(str, value)) if isinstance(value, list) else str(value)


def _joined(values: list[str]) -> str:
    return ("; " if any("," in value for value in values) else ", ").join(values)


def _split(text: str) -> list[str]:
    """Words apart by commas, or by semicolons where there is one: names may hold a comma."""
    found = [word.strip() for word in text.split(";" if ";" in text else ",")]
    return [word for word in found if word][:MOST_VALUES]


# -- criteria


def value(kind: str, test: str, text: str, options: Mapping) -> object:
    """What a criterion of this kind and test keeps of the text. Unreadable says what is wrong."""
    text = text.strip()
    if not text:
        raise Unreadable(_("Type what it is compared with."))
    if kind in {"choice", "choices"}:
        return [chosen(word, options) for word in _split(text)]
    if kind == "money":
        return _money(test, text)
    if kind == "number":
        return _range(text)[0] if test == "between" else _single(text)
    return _split(text) if test in {"one_of", "none_of"} else text


def chosen(word: str, options: Mapping):
    """The value whose name or code was typed."""
    for each, name in options.items():
        if fold(word) in {fold(str(name)), fold(str(each))}:
            return each
    if not options:
        raise Unreadable(_("There is nothing to choose from yet."))
    names = ", ".join(map(str, list(options.values())[:MOST_NAMED])) + (", …" if len(options) > MOST_NAMED else "")
    raise Unreadable(_("“%(word)s” is unknown. Choose from: %(names)s.") % {"word": word, "names": names})


def _whole(text: str) -> int:
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise Unreadable(_("Type a whole number.")) from None
    if number != int(number):
        raise Unreadable(_("Type a whole number."))
    return int(number)


def _single(text: str) -> int:
    found = _ONE.fullmatch(text)
    if not found or found[2]:
        raise Unreadable(_("Type a whole number."))
    return _whole(found[1])


def _range(text: str) -> tuple[list[int], str]:
    found = _TWO.fullmatch(text)
    if not found:
        raise Unreadable(_("Type two numbers with a dash between them, such as 1 – 5."))
    low, high = _whole(found[1]), _whole(found[2])
    if low > high:
        raise Unreadable(_("The first number must not be the larger one."))
    return [low, high], found[3]


def _money(test: str, text: str) -> dict:
    found = (_TWO if test == "between" else _ONE).fullmatch(text)
    if not found or not found[found.lastindex].isalpha():
        if test == "between":
            raise Unreadable(_("Type two amounts and their currency, such as 50 – 100 EUR."))
        raise Unreadable(_("Type an amount and its currency, such as 100 EUR."))
    *amounts, currency = [part for part in found.groups() if part]
    amounts = [amount.replace(",", ".") for amount in amounts]
    if len(amounts) == 2 and Decimal(amounts[0]) > Decimal(amounts[1]):
        raise Unreadable(_("The first number must not be the larger one."))
    return {"amount": amounts if test == "between" else amounts[0], "currency": currency.upper()}


# -- actions


def deed(kind: str, most: int, text: str, options: Mapping) -> object:
    """What an action keeps of the text; None where it takes none."""
    text = text.strip()
    if kind == "none":
        return None
    if not text:
        raise Unreadable(_("Type or choose a value."))
    match kind:
        case "choice":
            return chosen(text, options)
        case "choices":
            return [chosen(word, options) for word in _split(text)]
        case "number":
            number = _single(text)
            if not 0 < number <= most:
                raise Unreadable(_("Type a number from 1 to %(most)d.") % {"most": most})
            return number
        case "size":
            return _size(text)
    if len(text) > most:
        raise Unreadable(_("Use at most %(most)d characters.") % {"most": most})
    return text


def _size(text: str) -> list[int]:
    found = _SIZE.fullmatch(text)
    sides = [int(side) for side in found.groups()] if found else []
    if not sides or not all(0 < side <= MOST_SIDE_MM for side in sides):
        raise Unreadable(_("Type three lengths in mm, such as 300 × 200 × 100."))
    return sides
