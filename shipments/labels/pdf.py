"""Draws a label as a one-page PDF, black on white for a thermal printer. Lengths in pt from bottom left."""

import io
import threading
from functools import cache
from pathlib import Path

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from shipments.labels.barcodes import WIDTH_MM, code128
from shipments.labels.content import LabelContent
from shipments.labels.fitting import LEADING, fit, shortened

FONT = "BIZUDPGothic"
FONT_FILE = Path(__file__).parent / "fonts" / "BIZUDPGothic-Regular.ttf"
MISSING = "□"
SIZES = {"4x6": (101.6 * mm, 152.4 * mm)}
MARGIN = 4 * mm  # many label printers leave the outermost 2-3 mm blank
REGULAR, HEAVY = 0, 2  # PDF text rendering modes: fill; fill and stroke, which thickens our one weight
HEADER, SENDER, BARS, FOOT = 52, 72, 92, 72  # heights of the bands; the recipient has what is left
CAPTION = 7
LEFT_COLUMN = 0.62  # share of the foot: an Amazon order number is long, a date is short
INDENT = 34  # of the addresses, beside FROM and TO

# reportlab reads glyphs from the shared font file through one seek position: two threads would mix them up.
_one_at_a_time = threading.Lock()


def draw(content: LabelContent, *, size: str = "4x6") -> bytes:
    """The label as PDF. The same content gives the same bytes; the metadata name the shipment, no person.

    ValueError for an unknown size, or a content whose `barcode` did not go through `code128_payload`.
    """
    if size not in SIZES:
        raise ValueError(f"No label size {size!r}: choose one of {', '.join(SIZES)}.")
    with _one_at_a_time:
        _load_font()
        buffer = io.BytesIO()
        canvas = Canvas(buffer, pagesize=SIZES[size], invariant=1, initialFontName=FONT)
        canvas.setTitle(content.title)
        canvas.setAuthor("")
        canvas.setCreator("")
        canvas.setSubject("")
        canvas.setLineWidth(1)
        _draw_bands(_Page(canvas, *SIZES[size]), content)
        canvas.save()
        return buffer.getvalue()


@cache
def _load_font() -> TTFont:
    font = TTFont(FONT, FONT_FILE)
    pdfmetrics.registerFont(font)
    return font


def _drawable(text: str) -> str:
    """A sign the font lacks becomes a box that is seen, not a gap that hides that something is missing."""
    known = _load_font().face.charToGlyph
    return "".join(sign if ord(sign) in known else MISSING for sign in text)


def _measure(text: str, size: float) -> float:
    return pdfmetrics.stringWidth(text, FONT, size)


class _Page:
    """A canvas that knows its usable area and draws text into boxes."""

    def __init__(self, canvas: Canvas, width: float, height: float):
        self.canvas = canvas
        self.left, self.right = MARGIN, width - MARGIN
        self.bottom, self.top = MARGIN, height - MARGIN
        self.width = self.right - self.left

    def text(self, x: float, y: float, text: str, size: float, *, mode: int = REGULAR, centred: bool = False) -> None:
        """One row, its baseline at y."""
        if centred:
            x -= _measure(text, size) / 2
        self.canvas.setFont(FONT, size)
        self.canvas.setLineWidth(size * 0.035)
        self.canvas.drawString(x, y, text, mode=mode)
        self.canvas.setLineWidth(1)

    def line(self, x: float, y: float, text: str, *, width: float, largest: float, floor: float, **style) -> None:
        """One row that shrinks to the floor, then ends in "…"."""
        size, text = largest, _drawable(text)
        while size > floor and _measure(text, size) > width:
            size -= 0.5
        text = shortened(text, width=width, size=size, measure=_measure)
        self.text(x, y, text, size, **style)

    def block(self, x, top, lines, *, width, height, largest, floor, mode=REGULAR) -> None:
        """Several rows, downwards from `top`."""
        lines = [_drawable(line) for line in lines]
        size, rows = fit(lines, width=width, height=height, largest=largest, floor=floor, measure=_measure)
        for number, row in enumerate(rows):
            self.text(x, top - size * (0.92 + LEADING * number), row, size, mode=mode)

    def rule(self, y: float) -> None:
        self.canvas.line(self.left, y, self.right, y)


def _draw_bands(page: _Page, content: LabelContent) -> None:
    below_header = page.top - HEADER
    below_sender = below_header - SENDER
    above_foot = page.bottom + FOOT
    above_bars = above_foot + BARS
    _draw_header(page, content, below_header)
    _draw_sender(page, content, below_header)
    page.rule(below_sender)
    _draw_recipient(page, content, below_sender, above_bars)
    page.rule(above_bars)
    _draw_bars(page, content, above_foot)
    page.rule(above_foot)
    _draw_foot(page, content, above_foot)


def _draw_header(page: _Page, content: LabelContent, y: float) -> None:
    """White on black; a page that must not travel has an empty frame, so that nobody takes it for a label."""
    page.canvas.rect(page.left, y, page.width, HEADER, fill=int(content.postable), stroke=1)
    shade = 1 if content.postable else 0
    page.canvas.setFillGray(shade)
    page.canvas.setStrokeGray(shade)
    x, width = page.left + 8, page.width - 16
    page.block(x, y + 48, [content.carrier], width=width, height=28, largest=22, floor=11.5, mode=HEAVY)
    page.block(x, y + 21, [content.service], width=width, height=20, largest=14, floor=8)
    page.canvas.setFillGray(0)
    page.canvas.setStrokeGray(0)


def _draw_sender(page: _Page, content: LabelContent, top: float) -> None:
    page.text(page.left, top - 11, _drawable(content.from_caption), CAPTION)
    box = {"width": page.width - INDENT, "height": SENDER - 8}
    page.block(page.left + INDENT, top - 4, content.from_lines, **box, largest=9, floor=7.5)


def _draw_recipient(page: _Page, content: LabelContent, top: float, bottom: float) -> None:
    height = top - bottom
    page.text(page.left, top - 14, _drawable(content.to_caption), 11, mode=HEAVY)
    if content.postable:
        x, width = page.left + INDENT, page.width - INDENT
        height -= 9 + 12 * bool(content.to_phone)
        page.block(x, top - 5, content.to_lines, width=width, height=height, largest=18, floor=10.5, mode=HEAVY)
        page.line(x, bottom + 5, content.to_phone, width=width, largest=9, floor=7)
    else:
        _draw_struck_out(page, content, top - 22, bottom + 8)


def _draw_struck_out(page: _Page, content: LabelContent, top: float, bottom: float) -> None:
    """A crossed-out frame, the marker and the notice on white in its middle."""
    canvas, middle = page.canvas, (top + bottom) / 2
    canvas.rect(page.left, bottom, page.width, top - bottom, fill=0)
    canvas.line(page.left, bottom, page.right, top)
    canvas.line(page.left, top, page.right, bottom)
    canvas.setFillGray(1)
    canvas.rect(page.left + 18, middle - 26, page.width - 36, 52, fill=1, stroke=0)
    canvas.setFillGray(0)
    style = {"width": page.width - 44, "centred": True}
    centre = page.left + page.width / 2
    page.line(centre, middle + 4, " ".join(content.to_lines), largest=20, floor=8, mode=HEAVY, **style)
    page.line(centre, middle - 17, content.notice, largest=12, floor=7, **style)


def _draw_bars(page: _Page, content: LabelContent, bottom: float) -> None:
    """The bars, centred, and under them what they say."""
    height = BARS - 28 if content.postable else (BARS - 28) / 2
    bars = code128(content.barcode, height_mm=height / mm, width_mm=WIDTH_MM)
    centre = page.left + page.width / 2
    bars.drawOn(page.canvas, centre - bars.width / 2, bottom + 22)
    page.line(centre, bottom + 7, content.barcode_text, width=page.width, largest=13, floor=7, centred=True)


def _draw_foot(page: _Page, content: LabelContent, top: float) -> None:
    """Captions with their values below, two a row, long left, short right; a last odd one stands alone."""
    rows = max(3, (len(content.footers) + 1) // 2)
    step = (FOOT - 2) / rows
    for number, (caption, value) in enumerate(content.footers):
        is_right = number % 2
        is_alone = number == len(content.footers) - 1 and not is_right
        x = page.left + page.width * LEFT_COLUMN * is_right
        width = page.width * (1 if is_alone else 1 - LEFT_COLUMN if is_right else LEFT_COLUMN) - 6
        y = top - step * (number // 2)
        page.line(x, y - 9, caption, width=width, largest=CAPTION, floor=5)
        page.line(x, y - 20, value, width=width, largest=min(11, step / 2), floor=6)
