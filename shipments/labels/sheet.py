"""Sheets of A4 that are filled from top to bottom and go on overleaf. Lengths in pt from bottom left."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader

from shipments.labels.addresses import visible
from shipments.labels.drawing import HEAVY, REGULAR, Page, document, drawable, measure
from shipments.labels.fitting import LEADING, fit

MARGIN = 15 * mm
FOOT = 8 * mm
ENDLESS = 100_000


class Sheet(Page):
    """`y` is where the next thing is drawn below. `head`: draws the top of every page, `foot`: what stands below it."""

    def __init__(self, canvas, *, head: Callable[["Sheet"], None], foot: str):
        super().__init__(canvas, *A4, margin=MARGIN)
        self.head, self.foot, self.number, self.y = head, foot, 0, self.top
        self._begin()

    def _begin(self) -> None:
        self.number, self.y = self.number + 1, self.top
        self.line(self.left, self.bottom - 4, f"{self.foot} · {self.number}", width=self.width, largest=8, floor=6)
        self.head(self)

    def need(self, height: float) -> None:
        """Go on overleaf where less than this is left, unless the page is as good as empty."""
        if self.y - height < self.bottom + FOOT:
            self.canvas.showPage()
            self._begin()

    def paragraph(self, text: str, *, x: float = 0, width: float = 0, size: float = 10, heavy: bool = False) -> None:
        """The text wrapped, row by row, overleaf where needed. `x`: from the left margin."""
        width = width or self.width - x
        for row in wrapped(text, width=width, size=size):
            self.need(size * LEADING)
            self.text(self.left + x, self.y - size * 0.92, row, size, mode=HEAVY if heavy else REGULAR)
            self.y -= size * LEADING

    def rule_here(self, gap: float = 4) -> None:
        self.y -= gap
        self.rule(self.y)
        self.y -= gap

    def picture(self, sent: bytes | None, *, x: float, width: float, height: float) -> float:
        """The picture within this box, its top at `y`; returns the height it took, 0 where there is none to be read."""
        if not sent:
            return 0
        with suppress(OSError, ValueError):
            reader = ImageReader(io.BytesIO(sent))
            wide, high = reader.getSize()
            scale = min(width / wide, height / high)
            self.canvas.drawImage(reader, self.left + x, self.y - high * scale, wide * scale, high * scale, mask="auto")
            return high * scale
        return 0


def wrapped(text: str, *, width: float, size: float) -> list[str]:
    """The rows of a text at this size; line breaks count, hidden signs do not, signs without a glyph are boxes."""
    lines = [drawable(visible(line)) for line in text.splitlines()] or [""]
    return fit(lines, width=width, height=ENDLESS, largest=size, floor=size, measure=measure)[1]


@contextmanager
def a4(*, title: str, head: Callable[[Sheet], None], foot: str) -> Iterator[tuple[Sheet, Callable[[], bytes]]]:
    """A sheet to draw on, and what turns it into bytes."""
    with document(A4, title=title) as (canvas, buffer):
        sheet = Sheet(canvas, head=head, foot=drawable(foot))

        def done() -> bytes:
            canvas.save()
            return buffer.getvalue()

        yield sheet, done
