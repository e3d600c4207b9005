"""Cells that no spreadsheet takes for a formula (B06), and the way back. Pure.

A spreadsheet runs a cell that begins with one of a few signs, and one that opens a file with the wrong separator begins
cells wherever that separator stands. So an apostrophe goes before such a sign at the start of a text and after every
separator in it. Texts that look guarded already get one more, so that taking one away always gives the text back.
"""

import re

# + - = @ in every width and size, and what some programs skip or take for a line end
_SIGNS = (
    r"=+\-@\t\r\n\0\u207a\u207b\u207c\u208a\u208b\u208c\u2212\ufb29\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
)
_SKIPPED = r"[\s\"\x00-\x20\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]*"
_BEFORE = rf"(?='*{_SKIPPED}[{_SIGNS}])"
_START = r"(\A|[,;\t\r\n])"
_PUT = re.compile(rf"{_START}{_BEFORE}")
_TAKE = re.compile(rf"{_START}'{_BEFORE}")


def guarded(text: str) -> str:
    """The text as it stands in a file we write."""
    return _PUT.sub(r"\1'", text)


def unguarded(cell: str) -> str:
    """The text that guarded() was given; a cell it would not have changed stays as it is."""
    return _TAKE.sub(r"\1", cell)
