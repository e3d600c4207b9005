"""Amounts and instants as people type them and files hold them; pure. Where a text can be read in two ways it is refused,
or the reading is said."""

import re
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from orderhub.money import LIMIT

MOST_PLACES = 4
_SPACES = re.compile(r"[\s\u00a0\u202f']")  # between thousands, as France, Switzerland and spreadsheets write them
_GROUPED = re.compile(r"-?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")
_PLAIN = re.compile(r"-?\d+(?:[.,]\d+)?")
_DAY_FIRST = re.compile(r"(\d{1,2})([/.])(\d{1,2})\2(\d{4})(?:[ T]+(\d{1,2}:\d{2}(?::\d{2})?))?")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?")


def number(text: str) -> Decimal:
    """`1234.5`, `1234,5`, `1.234,56`, `1,234.56` and `1 234,56` to a Decimal. ValidationError where it is none of them,
    or where a lone separator stands before three digits: `1.234` may be a thousand and more, or little more than one."""
    bare = _SPACES.sub("", text)
    if not bare.isascii() or not (_PLAIN.fullmatch(bare) or _GROUPED.fullmatch(bare)):
        raise ValidationError(_("Write a number such as 1234.56 or 1234,56."))
    marks = [sign for sign in bare if sign in ".,"]
    if len(marks) == 1 and len(re.split("[.,]", bare)[1]) == 3 and not bare.lstrip("-").startswith("0"):
        raise ValidationError(
            _("“%(text)s” can be read in two ways. Write the decimals with two or four digits, or none.")
            % {"text": text}
        )
    if len(set(marks)) == 2 or marks.count(marks[0] if marks else "") == 1:
        *whole, places = re.split("[.,]", bare)
        bare = f"{''.join(whole)}.{places}"
    else:
        bare = re.sub("[.,]", "", bare)
    return _in_range(Decimal(bare))


def _in_range(value: Decimal) -> Decimal:
    if abs(value) >= LIMIT:
        raise ValidationError(_("This amount is too large. Check its digits."))
    if -value.as_tuple().exponent > MOST_PLACES:
        raise ValidationError(_("Write an amount with at most %(places)d decimals.") % {"places": MOST_PLACES})
    return value


def instant(text: str) -> tuple[datetime, bool]:
    """An ISO date or `dd/mm/yyyy`, with or without a time; naive where the text names no zone.

    The second value: whether day and month could change places, so that the reading is worth a word.
    ValidationError, saying how to write it, for everything else.
    """
    text = text.strip()
    found = _DAY_FIRST.fullmatch(text)
    try:
        if found:
            day, month, year = int(found[1]), int(found[3]), int(found[4])
            hours, minutes, *seconds = [int(part) for part in (found[5] or "0:00").split(":")]
            when = datetime(year, month, day, hours, minutes, *seconds)  # noqa: DTZ001  the zone is the store's
            return when, day <= 12 and day != month
        if _ISO.fullmatch(text):
            return datetime.fromisoformat(text), False
    except ValueError:
        pass
    raise ValidationError(_("Write a date such as 2026-11-30 or 30/11/2026, with a time such as 14:05 if you know it."))


def aware(when: datetime, zone: ZoneInfo) -> datetime:
    """The instant meant: a naive one is in the store's zone. ValidationError for a year no zone reaches."""
    try:
        return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(ZoneInfo("UTC"))
    except (OverflowError, ValueError):
        raise ValidationError(_("This date is too far away. Check the year.")) from None


def options(text: str) -> list[dict[str, str]]:
    """`Colour=Red` a line, or several with `|` between them, to a list of name and value. ValidationError otherwise."""
    pairs = []
    for part in filter(None, (part.strip() for part in re.split(r"[\r\n|]+", text))):
        name, equals, value = (half.strip() for half in part.partition("="))
        if not (name and equals and value):
            raise ValidationError(_("Write each option as name=value, such as Colour=Red."))
        pairs.append({"name": name, "value": value})
    return pairs


def options_text(pairs: list[dict[str, str]]) -> str:
    """The same list as it is typed: one a line."""
    return "\n".join(f"{pair.get('name', '')}={pair.get('value', '')}" for pair in pairs)
