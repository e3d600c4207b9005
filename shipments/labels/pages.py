"""Pages of PDFs that exist already: on A4, with VOID across them, many in one document. Lengths in pt from bottom left.

Only what is drawn on a page is taken over: no link, form, script or attachment of a document that others made.
"""

import io
import logging
from collections.abc import Sequence

from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    FloatObject,
    IndirectObject,
    NameObject,
    RectangleObject,
    StreamObject,
)
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader

from shipments.labels.drawing import FONT, HEAVY, Page, document, drawable, measure
from shipments.labels.pdf import SIZES

PAPERS = ("4x6", "a4")
LABEL = SIZES["4x6"]
CORNER = 10 * mm  # of a label on A4, from the left and from the top: office printers leave less than that blank
MARK, MARK_GAP = 14, 4  # a cut mark's length, and its distance from the label
MOST_PAGES = 20  # of one document
LARGEST = 14_400  # the longest side a PDF page may have
VOID = "VOID"

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its warnings quote the document


class PageRefused(ValueError):
    """This file cannot become pages. Holds nothing of it."""


class Binder:
    """A document that grows label by label. `paper`: 4x6 leaves each page its size, a4 puts each on a sheet."""

    def __init__(self, *, paper: str = "4x6", title: str):
        if paper not in PAPERS:
            raise ValueError(f"No paper {paper!r}: choose one of {', '.join(PAPERS)}.")
        self.on_a4 = paper == "a4"
        self.writer = PdfWriter()
        self.writer.metadata = {"/Title": title}
        self._void: IndirectObject | None = None

    def add(self, pdf: bytes, *, void: bool = False) -> None:
        """All pages of a document. PageRefused, and nothing added, where it cannot be read."""
        try:
            pages = PdfReader(io.BytesIO(pdf)).pages[:MOST_PAGES]
            drawn = [_form(page) for page in pages]
        except Exception:  # a damaged file fails in any way at all
            raise PageRefused from None
        if not drawn or not all(1 <= side <= LARGEST for _drawn, box in drawn for side in box):
            raise PageRefused
        for form, box in drawn:
            self._page(self._kept(form), box, void=void)

    def done(self) -> bytes:
        buffer = io.BytesIO()
        self.writer.write(buffer)
        return buffer.getvalue()

    def _kept(self, form: StreamObject) -> IndirectObject:
        form[NameObject("/Resources")] = form["/Resources"].get_object().clone(self.writer)
        return self.writer._add_object(form)

    def _page(self, form: IndirectObject, box: tuple[float, float], *, void: bool) -> None:
        width, height = box
        x, y, scale = _place_on_a4(width, height) if self.on_a4 else (0.0, 0.0, 1.0)
        page = self.writer.add_blank_page(*(A4 if self.on_a4 else box))
        shown = {"/Label": form}
        told = [f"q {scale:.5f} 0 0 {scale:.5f} {x:.3f} {y:.3f} cm /Label Do Q"]
        if void:
            shown["/Void"] = self._void_form()
            wide, tall = width * scale / LABEL[0], height * scale / LABEL[1]
            told.append(f"q {wide:.5f} 0 0 {tall:.5f} {x:.3f} {y:.3f} cm /Void Do Q")
        if self.on_a4 and x:
            told += _cut_marks(x, y, width * scale, height * scale)
        names = DictionaryObject({NameObject(name): found for name, found in shown.items()})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): names})
        page[NameObject("/Contents")] = self.writer._add_object(_stream("\n".join(told).encode()))

    def _void_form(self) -> IndirectObject:
        """Drawn once, whatever the number of pages it lies on."""
        if self._void is None:
            form, _box = _form(PdfReader(io.BytesIO(_void_page())).pages[0])
            self._void = self._kept(form)
        return self._void


def rebound(pdf: bytes, *, title: str, paper: str = "4x6", void: bool = False) -> bytes:
    """One document on this paper, with VOID across each page if so wished. PageRefused where it cannot be read."""
    binder = Binder(paper=paper, title=title)
    binder.add(pdf, void=void)
    return binder.done()


def of_picture(picture: bytes, *, title: str) -> bytes:
    """A label that is a picture, as a PDF of 4 × 6 inches that it fills as far as its shape allows."""
    with document(LABEL, title=title) as (canvas, buffer):
        try:
            reader = ImageReader(io.BytesIO(picture))
            wide, high = reader.getSize()
            scale = min(LABEL[0] / wide, LABEL[1] / high)
            left, below = (LABEL[0] - wide * scale) / 2, (LABEL[1] - high * scale) / 2
            canvas.drawImage(reader, left, below, wide * scale, high * scale, mask="auto")
        except Exception:  # decoders raise whatever a broken file makes them stumble over
            raise PageRefused from None
        canvas.save()
        return buffer.getvalue()


def saying(heading: str, sentences: Sequence[str], *, title: str) -> bytes:
    """A page of label size in the place of something that cannot be shown."""
    with document(LABEL, title=title) as (canvas, buffer):
        page = Page(canvas, *LABEL, margin=8 * mm)
        page.block(page.left, page.top, [heading], width=page.width, height=80, largest=16, floor=11, mode=HEAVY)
        page.block(page.left, page.top - 90, sentences, width=page.width, height=200, largest=12, floor=9)
        canvas.save()
        return buffer.getvalue()


def _form(page) -> tuple[StreamObject, tuple[float, float]]:
    """What a page draws, as something other pages can draw, and its width and height the way it is seen."""
    left, bottom, right, top = (float(side) for side in page.cropbox)
    contents = page.get_contents()
    form = _stream(contents.get_data() if contents is not None else b"").flate_encode()
    form[NameObject("/Type")], form[NameObject("/Subtype")] = NameObject("/XObject"), NameObject("/Form")
    form[NameObject("/BBox")] = RectangleObject((left, bottom, right, top))
    turned = {
        0: (1, 0, 0, 1, -left, -bottom),
        90: (0, -1, 1, 0, -bottom, right),
        180: (-1, 0, 0, -1, right, top),
        270: (0, 1, -1, 0, top, -left),
    }
    form[NameObject("/Matrix")] = ArrayObject(map(FloatObject, turned[page.rotation % 360]))
    form[NameObject("/Resources")] = page.get("/Resources", DictionaryObject())
    size = (right - left, top - bottom)
    return form, size if page.rotation % 180 == 0 else size[::-1]


def _stream(data: bytes) -> StreamObject:
    stream = StreamObject()
    stream.set_data(data)
    return stream


def _place_on_a4(width: float, height: float) -> tuple[float, float, float]:
    """Left, bottom and scale: true size at the top left; a page too large for that fills the sheet, never beyond it."""
    if width <= A4[0] - 2 * CORNER and height <= A4[1] - 2 * CORNER:
        return CORNER, A4[1] - CORNER - height, 1.0
    scale = min(1.0, A4[0] / width, A4[1] / height)
    return 0.0, A4[1] - height * scale, scale


def _cut_marks(x: float, y: float, width: float, height: float) -> list[str]:
    """Two short lines at each corner, outside what is kept."""
    told = ["0.5 w 0 G"]
    for corner_x, outwards in ((x, -1), (x + width, 1)):
        for corner_y, upwards in ((y, -1), (y + height, 1)):
            across = corner_x + outwards * MARK_GAP, corner_x + outwards * (MARK_GAP + MARK)
            along = corner_y + upwards * MARK_GAP, corner_y + upwards * (MARK_GAP + MARK)
            told.append(f"{across[0]:.2f} {corner_y:.2f} m {across[1]:.2f} {corner_y:.2f} l S")
            told.append(f"{corner_x:.2f} {along[0]:.2f} m {corner_x:.2f} {along[1]:.2f} l S")
    return told


def _void_page() -> bytes:
    """VOID from corner to corner in hollow letters: nobody overlooks it, and what lies below stays readable."""
    size = 134
    with document(LABEL, title=VOID) as (canvas, buffer):
        canvas.translate(LABEL[0] / 2, LABEL[1] / 2)
        canvas.rotate(56)
        canvas.setFillGray(1)
        canvas.setStrokeGray(0)
        canvas.setLineWidth(5)
        canvas.setFont(FONT, size)
        canvas.drawString(-measure(drawable(VOID), size) / 2, -size * 0.36, VOID, mode=HEAVY)
        canvas.save()
        return buffer.getvalue()
