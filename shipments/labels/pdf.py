"""Draws a label as a one-page PDF, black on white for a thermal printer. Lengths in pt from bottom left."""

from reportlab.lib.units import mm

from shipments.labels.barcodes import WIDTH_MM, code128
from shipments.labels.content import LabelContent
from shipments.labels.drawing import HEAVY, Page, document, drawable

SIZES = {"4x6": (101.6 * mm, 152.4 * mm)}
MARGIN = 4 * mm  # many label printers leave the outermost 2-3 mm blank
HEADER, SENDER, BARS, FOOT = 52, 72, 92, 72  # heights of the bands; the recipient has what is left
CAPTION = 7
LEFT_COLUMN = 0.62  # share of the foot: an Amazon order number is long, a date is short
INDENT = 34  # of the addresses, beside FROM and TO


def draw(content: LabelContent, *, size: str = "4x6") -> bytes:
    """The label as PDF. The same content gives the same bytes; the metadata name the shipment, no person.

    ValueError for an unknown size, or a content whose `barcode` did not go through `code128_payload`.
    """
    if size not in SIZES:
        raise ValueError(f"No label size {size!r}: choose one of {', '.join(SIZES)}.")
    with document(SIZES[size], title=content.title) as (canvas, buffer):
        canvas.setLineWidth(1)
        _draw_bands(Page(canvas, *SIZES[size], margin=MARGIN), content)
        canvas.save()
        return buffer.getvalue()


def _draw_bands(page: Page, content: LabelContent) -> None:
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


def _draw_header(page: Page, content: LabelContent, y: float) -> None:
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


def _draw_sender(page: Page, content: LabelContent, top: float) -> None:
    page.text(page.left, top - 11, drawable(content.from_caption), CAPTION)
    box = {"width": page.width - INDENT, "height": SENDER - 8}
    page.block(page.left + INDENT, top - 4, content.from_lines, **box, largest=9, floor=7.5)


def _draw_recipient(page: Page, content: LabelContent, top: float, bottom: float) -> None:
    height = top - bottom
    page.text(page.left, top - 14, drawable(content.to_caption), 11, mode=HEAVY)
    if content.postable:
        x, width = page.left + INDENT, page.width - INDENT
        height -= 9 + 12 * bool(content.to_phone)
        page.block(x, top - 5, content.to_lines, width=width, height=height, largest=18, floor=10.5, mode=HEAVY)
        page.line(x, bottom + 5, content.to_phone, width=width, largest=9, floor=7)
    else:
        _draw_struck_out(page, content, top - 22, bottom + 8)


def _draw_struck_out(page: Page, content: LabelContent, top: float, bottom: float) -> None:
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


def _draw_bars(page: Page, content: LabelContent, bottom: float) -> None:
    """The bars, centred, and under them what they say."""
    height = BARS - 28 if content.postable else (BARS - 28) / 2
    bars = code128(content.barcode, height_mm=height / mm, width_mm=WIDTH_MM)
    centre = page.left + page.width / 2
    bars.drawOn(page.canvas, centre - bars.width / 2, bottom + 22)
    page.line(centre, bottom + 7, content.barcode_text, width=page.width, largest=13, floor=7, centred=True)


def _draw_foot(page: Page, content: LabelContent, top: float) -> None:
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
