"""What all our PDFs share: one font, text that fits its box, and documents that name no person. Lengths in pt."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from shipments.labels.fitting import LEADING, fit, shortened

FONT = "BIZUDPGothic"
FONT_FILE = Path(__file__).parent / "fonts" / "BIZUDPGothic-Regular.ttf"
MISSING = "□"
REGULAR, HEAVY = 0, 2  # PDF text rendering modes: fill; fill and stroke, which thickens our one weight

# reportlab reads glyphs from the shared font file through one seek position: two threads would mix them up.
_one_at_a_time = threading.Lock()


@contextmanager
def document(size: tuple[float, float], *, title: str) -> Iterator[tuple[Canvas, io.BytesIO]]:
    """A canvas and the bytes it writes on save(). The same drawing gives the same bytes; `title` names no person."""
    with _one_at_a_time:
        load_font()
        buffer = io.BytesIO()
        canvas = Canvas(buffer, pagesize=size, invariant=1, initialFontName=FONT)
        canvas.setTitle(title)
        canvas.setAuthor("")
        canvas.setCreator("")
        canvas.setSubject("")
        yield canvas, buffer


@cache
def load_font() -> TTFont:
    font = TTFont(FONT, FONT_FILE)
    pdfmetrics.registerFont(font)
    return font


def drawable(text: str) -> str:
    """A sign the font lacks becomes a box that is seen, not a gap that hides that something is missing."""
    known = load_font().face.charToGlyph
    return "".join(sign if ord(sign) in known else MISSING for sign in text)


def measure(text: str, size: float) -> float:
    return pdfmetrics.stringWidth(text, FONT, size)


class Page:
    """A canvas that knows its usable area and draws text into boxes."""

    def __init__(self, canvas: Canvas, width: float, height: float, *, margin: float):
        self.canvas = canvas
        self.left, self.right = margin, width - margin
        self.bottom, self.top = margin, height - margin
        self.width = self.right - self.left

    def text(self, x: float, y: float, text: str, size: float, *, mode: int = REGULAR, centred: bool = False) -> None:
        """One row, its baseline at y."""
        if centred:
            x -= measure(text, size) / 2
        self.canvas.setFont(FONT, size)
        self.canvas.setLineWidth(size * 0.035)
        self.canvas.drawString(x, y, text, mode=mode)
        self.canvas.setLineWidth(1)

    def line(self, x: float, y: float, text: str, *, width: float, largest: float, floor: float, **style) -> None:
        """One row that shrinks to the floor, then ends in "…"."""
        size, text = largest, drawable(text)
        while size > floor and measure(text, size) > width:
            size -= 0.5
        text = shortened(text, width=width, size=size, measure=measure)
        self.text(x, y, text, size, **style)

    def block(self, x, top, lines, *, width, height, largest, floor, mode=REGULAR) -> None:
        """Several rows, downwards from `top`."""
        lines = [drawable(line) for line in lines]
        size, rows = fit(lines, width=width, height=height, largest=largest, floor=floor, measure=measure)
        for number, row in enumerate(rows):
            self.text(x, top - size * (0.92 + LEADING * number), row, size, mode=mode)

    def rule(self, y: float) -> None:
        self.canvas.line(self.left, y, self.right, y)
