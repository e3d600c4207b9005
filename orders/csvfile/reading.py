"""From the bytes of a file to a table of texts: encoding, separator, rows. Nothing of it is kept or logged."""

import csv
from collections import Counter
from dataclasses import dataclass, field
from io import StringIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orderhub.errors import RuleViolation
from orders.csvfile import columns
from orders.csvfile.columns import Column
from orders.csvfile.guarding import unguarded

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 2_000
MOST_COLUMNS = 200
DELIMITERS = {
    ";": gettext_lazy("semicolon"),
    ",": gettext_lazy("comma"),
    "\t": gettext_lazy("tabulator"),
}


@dataclass(repr=False)  # no repr: cells are of people
class Table:
    """`columns`: what the columns mean, by their place; `unknown`: headers nobody knows. `rows`: with their numbers as a
    spreadsheet counts them, the header being row 1."""

    columns: dict[int, Column]
    unknown: list[str]
    encoding: str
    delimiter: str
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    width: int = 0

    @property
    def delimiter_word(self) -> str:
        return str(DELIMITERS[self.delimiter])

    @property
    def passed_over(self) -> list[str]:
        """Columns that are not taken, by their headers."""
        return [*(column.header for column in self.columns.values() if not column.is_read), *self.unknown]


def table(content: bytes) -> Table:
    """The file as a table. RuleViolation, saying what to do, for one that is no such file or is too large."""
    if not content.strip():
        raise RuleViolation(_("This file is empty. Choose a CSV file."))
    if len(content) > MOST_BYTES:
        raise RuleViolation(too_large())
    text, encoding = _decoded(content)
    delimiter = _delimiter(text)
    lines = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found = _head(_next(lines, 1) or [], encoding, delimiter)
    _read_rows(lines, found)
    if not found.rows:
        raise RuleViolation(_("This file has a header and no rows. Add a row for each line of an order."))
    return found


def _next(lines, number: int) -> list[str] | None:
    """The next row, whose number is said where it cannot be read; None after the last."""
    try:
        return next(lines, None)
    except csv.Error:
        told = _(
            "Row %(row)d cannot be read: a quotation mark is never closed or stands inside a word, or a cell is too long."
        )
        raise RuleViolation(told % {"row": number}) from None


def too_large() -> str:
    return _("This file is larger than 2 MB. Split it, then import the parts one after the other.")


def _decoded(content: bytes) -> tuple[str, str]:
    """The text, and the name of its encoding: UTF-8, or what Excel writes where it is not told otherwise."""
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in content:
        raise RuleViolation(_("This is no text file that can be read. Save it as “CSV UTF-8”, then choose it again."))
    for codec, name in (("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252")):
        try:
            return content.decode(codec), name
        except UnicodeDecodeError:
            continue
    raise RuleViolation(
        _("The letters of this file are neither UTF-8 nor Windows-1252. Save it as “CSV UTF-8”, then choose it again.")
    )


def _delimiter(text: str) -> str:
    """The one under which most headers are known; a semicolon where none is."""
    first = text.lstrip("\r\n")[:20_000].splitlines()[:1]
    known = columns.by_header()

    def score(delimiter: str) -> int:
        cells = (first[0] if first else "").split(delimiter)
        return sum(columns.plain(cell) in known for cell in cells)

    return max(DELIMITERS, key=score)


def _head(header: list[str], encoding: str, delimiter: str) -> Table:
    if len(header) > MOST_COLUMNS:
        raise RuleViolation(
            _("This file has more than %(most)d columns. Keep those an order needs.") % {"most": MOST_COLUMNS}
        )
    names = [unguarded(cell).strip() for cell in header]
    known = columns.by_header()
    found = {place: known[columns.plain(name)] for place, name in enumerate(names) if columns.plain(name) in known}
    _check_head(found, names)
    unknown = [name[:60] for place, name in enumerate(names) if name and place not in found]
    return Table(found, unknown, encoding, delimiter, width=len(header))


def _check_head(found: dict[int, Column], names: list[str]) -> None:
    counts = Counter(column.name for column in found.values())
    for column in found.values():
        if counts[column.name] > 1:
            twins = [names[other] for other in found if found[other] is column]
            told = _("Several columns mean the same, “%(column)s”: %(headers)s. Keep one of them.")
            raise RuleViolation(told % {"column": column.header, "headers": ", ".join(twins)})
    missing = [columns.BY_NAME[name].header for name in columns.REQUIRED if not counts[name]]
    if missing:
        told = _("The first row must name the columns; missing: %(columns)s. The table below lists all names.")
        raise RuleViolation(told % {"columns": ", ".join(missing)})


def _read_rows(lines, found: Table) -> None:
    number = 2
    while (cells := _next(lines, number)) is not None:
        if any(cell.strip() for cell in cells):
            if len(found.rows) >= MOST_ROWS:
                told = _("This file has more than %(most)d rows. Split it, then import the parts one after the other.")
                raise RuleViolation(told % {"most": MOST_ROWS})
            found.rows.append((number, [unguarded(cell) for cell in cells]))
        number += 1
