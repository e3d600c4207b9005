"""What was pasted for a batch: a column of tracking numbers, or lines of a spreadsheet. Pure text, no rows are touched.

A line that is not understood changes nothing and is said by its number, never by its words: whatever was on the
clipboard may name a person.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _

from shipments.quoting import MOST_SIDE_MM, MOST_WEIGHT_G, SIDES

MOST_NUMBER, MOST_SERVICE = 60, 80
SEPARATORS = "\t;,"  # the first that occurs in the text separates it
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SIDES = re.compile(r"(\d{1,5})\s*[x×*/;, ]\s*(\d{1,5})\s*[x×*/;, ]\s*(\d{1,5})(?:\s*mm)?", re.ASCII | re.IGNORECASE)
_GRAMS = re.compile(r"(\d{1,7})\s*g?", re.ASCII | re.IGNORECASE)


class Place(NamedTuple):
    """A row that may be typed for."""

    row_id: int
    order_number: str


@dataclass
class Typed:
    """What was understood: columns to set, by row. `problems`: a sentence a line; `left`: those lines, to be mended."""

    changes: dict[int, dict] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def refuse(self, at: int, line: str, why: str) -> None:
        self.problems.append(_("Line %(line)d: %(why)s") % {"line": at, "why": why})
        self.left.append(line)


def read(text: str, places: Sequence[Place]) -> Typed:
    """Numbers one a line in the order of `places`, where an empty line leaves its row as it is; or lines that begin with
    an order's number, then tracking number, service and weight in g."""
    lines = text.rstrip().splitlines()
    separator = next((sign for sign in SEPARATORS if sign in text.strip()), "")
    return _by_order(lines, places, separator) if separator else _in_turn(lines, places)


def tracking(text: str) -> str:
    """A tracking number as it is kept: without the blanks, dots and hyphens it is printed with."""
    return re.sub(r"[\s\-.]", "", _CONTROLS.sub("", text)).upper()


def plain(text: str) -> str:
    return _CONTROLS.sub("", text).strip()


def grams(text: str) -> int | None:
    """A whole weight, None for none. ValueError for anything else."""
    if not text.strip():
        return None
    found = _GRAMS.fullmatch(text.strip())
    if not found or not 0 < int(found[1]) <= MOST_WEIGHT_G:
        raise ValueError
    return int(found[1])


def sides(text: str) -> dict[str, int | None]:
    """Length, width and height in whole mm, all or none of them. ValueError with a sentence for anything else."""
    if not text.strip():
        return dict.fromkeys(SIDES)
    found = _SIDES.fullmatch(text.strip())
    if not found or not all(0 < int(side) <= MOST_SIDE_MM for side in found.groups()):
        raise ValueError(_("type the size in whole mm as length × width × height, for example 300 × 200 × 100."))
    return dict(zip(SIDES, map(int, found.groups()), strict=True))


def columns(number: str | None, service: str | None = None, weight: str | None = None, size: str | None = None) -> dict:
    """The columns of a row as typed; ValueError with a sentence. What is None was not typed."""
    found: dict = {} if number is None else {"tracking_number": tracking(number)}
    if len(found.get("tracking_number", "")) > MOST_NUMBER:
        raise ValueError(_("a tracking number is not that long."))
    if size is not None:
        found |= sides(size)
    if service is not None:
        found["service"] = plain(service)
        if len(found["service"]) > MOST_SERVICE:
            raise ValueError(_("the service has at most 80 characters."))
    if weight is not None:
        try:
            found["weight_g"] = grams(weight)
        except ValueError:
            raise ValueError(_("type the weight in whole grams, for example 350.")) from None
    return found


def _in_turn(lines: list[str], places: Sequence[Place]) -> Typed:
    typed, known = Typed(), {place.order_number for place in places}
    if len(lines) > len(places):  # one too many, and each of them may belong to another order
        told = _(
            "There are %(lines)d lines for %(rows)d orders: nothing was taken. Begin each line with its order number."
        )
        typed.problems.append(told % {"lines": len(lines), "rows": len(places)})
        typed.left = lines
        return typed
    for at, (line, place) in enumerate(zip(lines, places, strict=False), start=1):
        if not line.strip():
            continue
        if line.strip() in known:
            typed.refuse(at, line, _("this is an order number. Type the tracking number after it, behind a comma."))
            continue
        try:
            typed.changes[place.row_id] = columns(line)
        except ValueError as error:
            typed.refuse(at, line, str(error))
    return typed


def _by_order(lines: list[str], places: Sequence[Place], separator: str) -> Typed:
    typed, rows, seen = Typed(), {}, {}
    for place in places:
        rows.setdefault(place.order_number, []).append(place.row_id)
    for at, line in enumerate(lines, start=1):
        cells = [cell.strip().strip('"').strip() for cell in line.split(separator)]
        if not any(cells) or (at == 1 and _is_heading(cells, rows)):
            continue
        if why := _why_not(cells, rows, seen):
            typed.refuse(at, line, why)
            continue
        seen[cells[0]] = at
        try:
            changes = columns(*cells[1:4])
        except ValueError as error:
            typed.refuse(at, line, str(error))
            continue
        kept = {name: value for name, value in changes.items() if value not in {"", None}}  # an empty cell says nothing
        typed.changes[rows[cells[0]][0]] = kept
    return typed


def _is_heading(cells: list[str], rows: dict) -> bool:
    return cells[0] not in rows and not any(sign.isdigit() for cell in cells for sign in cell)


def _why_not(cells: list[str], rows: dict[str, list[int]], seen: dict[str, int]) -> str:
    """Why a line of cells says nothing of one row, or ''."""
    if cells[0] not in rows:
        return _("it begins with no order number of this batch.")
    if cells[0] in seen:
        return _("this order stands in line %(line)d already.") % {"line": seen[cells[0]]}
    if len(rows[cells[0]]) > 1:
        return _("two stores have an order of this number: type its tracking number in its row below.")
    if len(cells) > 4 and any(cells[4:]):
        return _("it has more than order number, tracking number, service and weight.")
    if len(cells) < 2:
        return _("the tracking number is missing.")
    return ""
