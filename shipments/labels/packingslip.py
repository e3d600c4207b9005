"""Draws packing slips: dataclasses in, PDF out. Lengths in pt."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

from shipments.labels.addresses import clean
from shipments.labels.barcodes import BarcodeRefused, code128, code128_payload
from shipments.labels.drawing import HEAVY, document, drawable
from shipments.labels.fitting import LEADING
from shipments.labels.sheet import FOOT, Sheet, wrapped

COUNT, PRODUCT = 0.0, 18 * mm  # left edges of the columns
PICTURE = 70 * mm  # the longest side of a picture the buyer gave
GAP = 2 * mm
LOGO = (60 * mm, 18 * mm)  # the box of a shop's logo
HEAD = 86  # height of what stands on top of every page
BARS_MM = (75.0, 9.0)  # of the order's number: the most width, the height
MOST_SIGNS = 4000  # of one text of a buyer


@dataclass(frozen=True, repr=False)  # no repr: it would carry a person into logs and tracebacks
class Line:
    """One line. `units`: how many are in the parcel, in words. `wishes`: what the buyer chose, each with `label`, `value`
    and `picture()`, bytes or None."""

    units: str
    sku: str
    title: str
    options: tuple[str, ...] = ()
    wishes: tuple = ()


@dataclass(frozen=True, repr=False)
class Slip:
    """All that is drawn. `captions`: slip, order, date, to, quantity, product, gift, note, in the buyer's language.

    `contact`: how the shop is reached; `logo`: its picture; `notes`: what the shop writes to this buyer; `message`: what
    it writes to all of them, at the foot.
    """

    brand: str
    number: str
    ordered: str
    to_lines: tuple[str, ...]
    lines: tuple[Line, ...]
    captions: Mapping[str, str]
    contact: tuple[str, ...] = ()
    gift_message: str = ""
    logo: bytes | None = None
    notes: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True)
class Absent:
    """An order that has no slip, and why. Names no person."""

    number: str
    reason: str


def draw(slips: Sequence[Slip | Absent], *, title: str) -> bytes:
    """Each slip on as many pages of A4 as it takes. `title` names the document, never a person."""
    with document(A4, title=title) as (canvas, buffer):
        for number, slip in enumerate(slips):
            if number:
                canvas.showPage()
            _draw_one(canvas, slip)
        canvas.save()
        return buffer.getvalue()


def _draw_one(canvas, slip: Slip | Absent) -> None:
    if isinstance(slip, Absent):
        sheet = Sheet(canvas, head=lambda sheet: None, foot=drawable(slip.number))
        sheet.paragraph(slip.number, size=16, heavy=True)
        sheet.paragraph(slip.reason, size=12)
        return
    sheet = Sheet(canvas, head=lambda sheet: _head(sheet, slip), foot=drawable(slip.number))
    _address(sheet, slip)
    _table_head(sheet, slip)
    for line in slip.lines:
        _line(sheet, line)
    for note in slip.notes:
        _said(sheet, slip.captions["note"], note, size=12)
    if slip.gift_message:
        _said(sheet, slip.captions["gift"], slip.gift_message, size=13)
    _message(sheet, slip.message)


def _head(sheet: Sheet, slip: Slip) -> None:
    """The shop on the left, the order on the right with its number as a bar code."""
    half, top = sheet.width / 2, sheet.y
    taken = sheet.picture(slip.logo, x=0, width=LOGO[0], height=LOGO[1])
    name = {"largest": 11, "floor": 7} if taken else {"largest": 18, "floor": 9}
    below = top - (taken + 13 if taken else 18)
    sheet.line(sheet.left, below, clean(slip.brand), width=half - 8, mode=HEAVY, **name)
    for row, told in enumerate(slip.contact):
        sheet.line(sheet.left, below - 11 * (row + 1) - 2, clean(told), width=half - 8, largest=9, floor=6)
    sheet.line(sheet.left + half, top - 14, slip.captions["slip"], width=half, largest=14, floor=9)
    told = (("order", slip.number), ("date", slip.ordered))
    for row, (caption, value) in enumerate(told):
        text = f"{slip.captions[caption]}: {clean(value)}"
        sheet.line(sheet.left + half, top - 29 - 13 * row, text, width=half, largest=10, floor=6)
    _bars(sheet, slip.number, x=sheet.left + half, y=top - HEAD + 12)
    sheet.y = top - HEAD
    sheet.rule_here(6)


def _bars(sheet: Sheet, number: str, *, x: float, y: float) -> None:
    """The order's number for scanners; nothing where it cannot be bars."""
    with suppress(BarcodeRefused):
        width, height = BARS_MM
        bars = code128(code128_payload(number, width_mm=width), height_mm=height, width_mm=width)
        bars.drawOn(sheet.canvas, x - bars.lquiet, y)


def _address(sheet: Sheet, slip: Slip) -> None:
    sheet.paragraph(slip.captions["to"], size=9)
    for row in slip.to_lines:
        sheet.paragraph(row, size=12)
    sheet.y -= 10


def _table_head(sheet: Sheet, slip: Slip) -> None:
    sheet.line(sheet.left + COUNT, sheet.y - 9, slip.captions["quantity"], width=PRODUCT - 4, largest=9, floor=5)
    sheet.line(
        sheet.left + PRODUCT, sheet.y - 9, slip.captions["product"], width=sheet.width - PRODUCT, largest=9, floor=6
    )
    sheet.y -= 12
    sheet.rule_here(2)


def _line(sheet: Sheet, line: Line) -> None:
    title = wrapped(line.title or line.sku or "?", width=sheet.width - PRODUCT, size=11)
    sheet.need(len(title) * 11 * LEADING + 2 * 10 * LEADING)
    sheet.line(sheet.left + COUNT, sheet.y - 12, line.units, width=PRODUCT - 6, largest=13, floor=7, mode=HEAVY)
    sheet.paragraph(line.title or line.sku or "?", x=PRODUCT, size=11, heavy=True)
    for text in filter(None, [line.sku if line.title else "", *line.options]):
        sheet.paragraph(text, x=PRODUCT, size=10)
    for wish in line.wishes:
        _wish(sheet, wish)
    sheet.rule_here(GAP)


def _wish(sheet: Sheet, wish) -> None:
    told = ": ".join(filter(None, [wish.label, wish.value]))
    if told:
        sheet.paragraph(told[:MOST_SIGNS], x=PRODUCT, size=11)
    if sent := wish.picture():
        sheet.need(PICTURE)
        sheet.y -= 3
        sheet.y -= sheet.picture(sent, x=PRODUCT, width=PICTURE, height=PICTURE - 6) + 3


def _said(sheet: Sheet, caption: str, text: str, *, size: float) -> None:
    sheet.need(40)
    sheet.y -= 10
    sheet.paragraph(caption, size=9)
    sheet.paragraph(text[:MOST_SIGNS], size=size)


def _message(sheet: Sheet, text: str) -> None:
    """At the foot of the last page, above its number."""
    if not text:
        return
    rows = [row for row in wrapped(text, width=sheet.width, size=10) if row]
    height = len(rows) * 10 * LEADING + 12
    sheet.need(height)
    sheet.y = min(sheet.y, sheet.bottom + FOOT + height)
    sheet.rule_here(4)
    sheet.paragraph("\n".join(rows), size=10)
