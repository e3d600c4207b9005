"""Draws a packing slip: dataclass in, PDF out. Lengths in pt."""

from collections.abc import Mapping
from dataclasses import dataclass

from reportlab.lib.units import mm

from shipments.labels.addresses import clean
from shipments.labels.drawing import HEAVY
from shipments.labels.fitting import LEADING
from shipments.labels.sheet import Sheet, a4, wrapped

COUNT, PRODUCT = 0.0, 18 * mm  # left edges of the columns
PICTURE = 70 * mm  # the longest side of a picture the buyer gave
GAP = 2 * mm
MOST_SIGNS = 4000  # of one text of a buyer


@dataclass(frozen=True, repr=False)  # no repr: it would carry a person into logs and tracebacks
class Line:
    """One line. `wishes`: what the buyer chose, each with `label`, `value` and `picture()`, bytes or None."""

    quantity: int
    sku: str
    title: str
    options: tuple[str, ...] = ()
    wishes: tuple = ()


@dataclass(frozen=True, repr=False)
class Slip:
    """All that is drawn. `captions`: slip, order, date, to, quantity, product, gift, in the buyer's language."""

    brand: str
    number: str
    ordered: str
    to_lines: tuple[str, ...]
    lines: tuple[Line, ...]
    captions: Mapping[str, str]
    contact: tuple[str, ...] = ()
    gift_message: str = ""


def draw(slip: Slip) -> bytes:
    """As many pages of A4 as it takes. The document is named after the order's number, never after a person."""
    with a4(title=slip.number, head=lambda sheet: _head(sheet, slip), foot=slip.number) as (sheet, done):
        _address(sheet, slip)
        _table_head(sheet, slip)
        for line in slip.lines:
            _line(sheet, line)
        if slip.gift_message:
            _gift(sheet, slip)
        return done()


def _head(sheet: Sheet, slip: Slip) -> None:
    half = sheet.width / 2
    sheet.line(sheet.left, sheet.y - 18, clean(slip.brand), width=half - 8, largest=18, floor=9, mode=HEAVY)
    sheet.line(sheet.left + half, sheet.y - 16, slip.captions["slip"], width=half, largest=14, floor=9)
    if slip.contact:
        sheet.line(sheet.left, sheet.y - 32, " · ".join(map(clean, slip.contact)), width=half - 8, largest=9, floor=6)
    told = (("order", slip.number), ("date", slip.ordered))
    for row, (caption, value) in enumerate(told):
        text = f"{slip.captions[caption]}: {value}"
        sheet.line(sheet.left + half, sheet.y - 32 - 13 * row, text, width=half, largest=10, floor=6)
    sheet.y -= 52
    sheet.rule_here(6)


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
    sheet.text(sheet.left + COUNT, sheet.y - 12, f"{line.quantity} ×", 13, mode=HEAVY)
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


def _gift(sheet: Sheet, slip: Slip) -> None:
    sheet.need(40)
    sheet.y -= 10
    sheet.paragraph(slip.captions["gift"], size=9)
    sheet.paragraph(slip.gift_message[:MOST_SIGNS], size=13)
