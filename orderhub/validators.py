"""What typed texts may hold."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control and format characters, lone surrogates, line separators


def one_line(text: str) -> None:
    """Refuse what would break a label, a list or the head of a mail: line breaks and signs nobody sees."""
    if any(unicodedata.category(letter) in HIDDEN for letter in text):
        raise ValidationError(_("Type this in one line, without hidden characters."), code="one_line")


def in_one_line(text: str) -> str:
    """The text without what one_line() refuses, for what is kept before anybody checked it."""
    return "".join(letter for letter in text if unicodedata.category(letter) not in HIDDEN).strip()
