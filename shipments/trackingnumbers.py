"""Tracking numbers as carriers make them: check digits, and whether a number looks like one of its carrier's.

Formats change and a check digit misses one wrong number in ten: doubts warn and never refuse, and nobody guesses a
carrier from a number. The rules are facts of the carriers' own specifications; letters as in carriers.json.
"""

import re
from collections.abc import Callable, Iterator
from itertools import cycle

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from shipments import carriers

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CHECK_DIGIT = gettext_noop(
    "This %(carrier)s number has a wrong check digit: one of its digits is probably mistyped. Compare it with the label."
)
OTHER_LOOKS = gettext_noop(
    "This does not look like a tracking number of %(carrier)s, such as %(example)s. Compare it with the label, and check the carrier."
)
US_POST = frozenset(carrier.code for carrier in carriers.ALL if carrier.amazon == "USPS")


def _mod10_from_right(body: str) -> str:
    """GS1: times 3, 1, 3, 1 … from the right."""
    return str(-sum(int(digit) * times for digit, times in zip(reversed(body), cycle((3, 1)), strict=False)) % 10)


def _ups(body: str) -> str:
    """A letter counts as its ASCII code less 3; times 1, 2, 1, 2 … from the left."""
    values = (int(sign) if sign.isdigit() else (ord(sign) - 3) % 10 for sign in body)
    return str(-sum(value * times for value, times in zip(values, cycle((1, 2)), strict=False)) % 10)


def _s10(body: str) -> str:
    """The posts' common one, UPU standard S10."""
    left = 11 - sum(int(digit) * times for digit, times in zip(body, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    return {10: "0", 11: "5"}.get(left, str(left))


def _mod7(body: str) -> str:
    return str(int(body) % 7)


def _fedex(body: str) -> str:
    return str(sum(int(digit) * times for digit, times in zip(body, cycle((3, 1, 7)), strict=False)) % 11 % 10)


def _luhn(body: str) -> str:
    doubled = (int(digit) * times for digit, times in zip(reversed(body), cycle((2, 1)), strict=False))
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def _mod37_36(body: str) -> str:
    """ISO 7064, MOD 37,36."""
    product = 36
    for sign in body:
        product = ((product + ALPHABET.index(sign)) % 36 or 36) * 2 % 37
    return ALPHABET[(37 - product) % 36]


# The check sign of a body, by the letter of the rule.
RULES: dict[str, Callable[[str], str]] = {
    "a": _mod10_from_right, "b": _ups, "c": _s10, "d": _mod7, "e": _fedex, "f": _luhn, "g": _mod37_36,
}  # fmt: skip


def tidy(code: str, typed: str) -> str:
    """A number as it is kept: capitals, without spaces, hyphens and points.

    A scanner reads the buyer's ZIP code in front of a USPS number: it is no part of it, and is dropped.
    """
    number = re.sub(r"[\s\-.]", "", typed).upper()
    if carriers.in_table(code).code not in US_POST:
        return number
    readings = list(_without_zip(number))
    right = (reading for reading in readings if _checks(reading, "a"))
    return next(right, readings[0] if readings else number)


def _without_zip(number: str) -> Iterator[str]:
    """A ZIP code has five or nine digits, a number 22 or 26: of 34 digits there are two readings."""
    for digits in (5, 9):
        found = re.fullmatch(rf"420\d{{{digits}}}(9[1-5](?:\d{{20}}|\d{{24}}))", number, re.ASCII)
        if found:
            yield found[1]


def doubts(code: str, number: str) -> str:
    """Why this may be a mistyped number of the carrier, in a sentence that says what to do; '' where nothing is odd."""
    carrier, number = carriers.in_table(code), tidy(code, number)
    if not number:
        return ""
    fitting = [(found, rule) for form, rule in carrier.formats if (found := form.fullmatch(number))]
    if any(not rule or _checks(found[found.lastindex or 0], rule) for found, rule in fitting):
        return ""
    if not fitting and not carrier.complete:
        return ""
    told = CHECK_DIGIT if fitting else OTHER_LOOKS
    return _(told) % {"carrier": carrier.name, "example": carrier.example}


def _checks(checked: str, rule: str) -> bool:
    return RULES[rule](checked[:-1]) == checked[-1]
