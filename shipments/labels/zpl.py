"""Draws a label in ZPL II, the language of label printers: 4 × 6 inches, dots from top left.

Texts go in only through `_data`, which leaves no sign that a printer could take for a command. Printers have no glyphs
beyond Western ones: a line with others is drawn by us in our font and sent as a bitmap. The bars are the printer's own.
Source: the ZPL II programming guide, and the rules for Code 128 in it.
"""

from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from shipments.labels.addresses import clean
from shipments.labels.barcodes import QUIET_MODULES, WIDTH_MM, count_modules
from shipments.labels.content import LabelContent
from shipments.labels.drawing import FONT_FILE, drawable, load_font, measure
from shipments.labels.fitting import LEADING, fit, shortened

SIZES = {203: (812, 1218), 300: (1200, 1800)}  # dots of 4 × 6 inches, by the printer's dots an inch
MODULE_DOTS = {203: (4, 3, 2), 300: (6, 5, 4, 3, 2)}  # widths of a bar: the widest that fits is the best to scan
MARGIN = 12  # pt, like everything below
HEADER, SENDER, BARS, FOOT = 52, 72, 92, 72
INDENT, CAPTION, LEFT_COLUMN = 34, 7, 0.62
MOST_SIGNS = 120  # of one text
PLAIN = frozenset(map(chr, [*range(0x20, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]))  # what every printer has
ESCAPED = frozenset("^~_\\")
VOID = "VOID"


def draw(content: LabelContent, *, dpi: int = 203, void: bool = False) -> bytes:
    """The label as ZPL, ASCII only. `void`: with VOID across it. The same content gives the same bytes.

    ValueError for a resolution we do not know, or a content whose `barcode` did not go through `code128_payload`.
    """
    if dpi not in SIZES:
        raise ValueError(f"No printer of {dpi} dots an inch: choose one of {', '.join(map(str, SIZES))}.")
    load_font()  # what lines are measured with
    label = _Label(dpi)
    _draw_header(label, content)
    _draw_sender(label, content)
    _draw_recipient(label, content)
    _draw_bars(label, content)
    _draw_foot(label, content)
    if void:
        _draw_void(label)
    return label.done()


class _Label:
    """Fields in the order in which they are printed. Lengths in pt from top left, turned into dots here."""

    def __init__(self, dpi: int):
        self.dpi = dpi
        self.wide, self.high = SIZES[dpi]
        self.width, self.height = self.wide * 72 / dpi, self.high * 72 / dpi
        self.left, self.right, self.top, self.bottom = MARGIN, self.width - MARGIN, MARGIN, self.height - MARGIN
        self.fields: list[str] = []

    def done(self) -> bytes:
        head = f"^XA^CI28^LH0,0^PW{self.wide}^LL{self.high}"
        return "\n".join([head, *self.fields, "^XZ", ""]).encode("ascii")

    def dots(self, points: float) -> int:
        return max(0, round(points * self.dpi / 72))

    def text(self, x: float, y: float, text: str, size: float, *, inverse: bool = False) -> None:
        """One row, its top at y."""
        text = drawable(clean(text)[:MOST_SIGNS])
        if not text:
            return
        origin = f"^FO{self.dots(x)},{self.dots(y)}" + "^FR" * inverse
        if PLAIN.issuperset(text):
            high = self.dots(size)
            self.fields.append(f"{origin}^A0N,{high},{high}^FH^FD{_data(text)}^FS")
        else:
            self.fields.append(f"{origin}{_bitmap(text, self.dots(size), self.wide - self.dots(x))}^FS")

    def line(self, x: float, y: float, text: str, *, width: float, largest: float, floor: float, **style) -> None:
        """One row that shrinks to the floor, then ends in dots."""
        size, text = largest, drawable(clean(text))
        while size > floor and measure(text, size) > width:
            size -= 0.5
        self.text(x, y, shortened(text, width=width, size=size, measure=measure), size, **style)

    def block(self, x: float, y: float, lines: Sequence[str], *, width, height, largest, floor, **style) -> None:
        """Several rows, downwards from y."""
        lines = [drawable(clean(line)) for line in lines]
        size, rows = fit(lines, width=width, height=height, largest=largest, floor=floor, measure=measure)
        for number, row in enumerate(rows):
            self.text(x, y + size * LEADING * number, row, size, **style)

    def box(self, x: float, y: float, width: float, height: float, *, thick: float = 0, white: bool = False) -> None:
        """An empty frame, or a full one where no thickness is given."""
        wide, high = self.dots(width), self.dots(height)
        line = self.dots(thick) or max(1, min(wide, high))
        self.fields.append(f"^FO{self.dots(x)},{self.dots(y)}^GB{wide},{high},{line},{'W' if white else 'B'},0^FS")

    def rule(self, y: float) -> None:
        self.fields.append(f"^FO{self.dots(self.left)},{self.dots(y)}^GB{self.dots(self.right - self.left)},2,2,B,0^FS")

    def bars(self, y: float, payload: str, *, height: float) -> float:
        """Code 128, centred; returns where the bars begin, in pt."""
        modules = count_modules(payload)
        room = WIDTH_MM / 25.4 * self.dpi
        fits = [dots for dots in MODULE_DOTS[self.dpi] if (modules + 2 * QUIET_MODULES) * dots <= room]
        module = fits[0] if fits else MODULE_DOTS[self.dpi][-1]
        left = max(0, (self.wide - modules * module) // 2)
        high = self.dots(height)
        self.fields.append(
            f"^FO{left},{self.dots(y)}^BY{module},3,{high}^BCN,{high},N,N,N,A^FH^FD{_data(payload.replace('>', '>0'))}^FS"
        )
        return left * 72 / self.dpi


def _data(text: str) -> str:
    """The text as field data behind ^FH: signs of commands, and all beyond ASCII, as the numbers of their bytes.

    What is neither visible nor a blank is left out, whoever asks.
    """
    told = []
    for sign in text[: 2 * MOST_SIGNS]:
        if " " <= sign <= "~" and sign not in ESCAPED:
            told.append(sign)
        elif sign in ESCAPED or (ord(sign) > 0xA0 and sign.isprintable()):
            told += [f"_{byte:02X}" for byte in sign.encode()]
    return "".join(told)


@lru_cache(maxsize=64)
def _face(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT_FILE), size, layout_engine=ImageFont.Layout.BASIC)


def _bitmap(text: str, size: int, most_wide: int) -> str:
    """The text in our font as ^GFA, black on nothing, as high as the type size and no wider than the label."""
    face = _face(max(size, 8))
    ascent, descent = face.getmetrics()
    wide = max(1, min(int(face.getlength(text)) + 2, most_wide))
    picture = Image.new("1", (wide, ascent + descent), 0)
    pen = ImageDraw.Draw(picture)
    pen.fontmode = "1"  # a dot is black or it is not
    pen.text((0, 0), text, font=face, fill=1, stroke_width=1 if size >= 32 else 0)
    row = (wide + 7) // 8
    data = picture.tobytes()
    return f"^GFA,{len(data)},{len(data)},{row},{data.hex().upper()}"


def _draw_header(label: _Label, content: LabelContent) -> None:
    """White on black; a page that must not travel has an empty frame, so that nobody takes it for a label."""
    box = {"width": label.right - label.left, "height": HEADER}
    label.box(label.left, label.top, **box, thick=0 if content.postable else 1)
    x, width = label.left + 8, label.right - label.left - 16
    style = {"width": width, "inverse": content.postable}
    label.block(x, label.top + 5, [content.carrier], height=28, largest=22, floor=11.5, **style)
    label.block(x, label.top + 31, [content.service], height=18, largest=14, floor=8, **style)


def _draw_sender(label: _Label, content: LabelContent) -> None:
    top = label.top + HEADER
    label.text(label.left, top + 5, content.from_caption, CAPTION)
    width = label.right - label.left - INDENT
    label.block(label.left + INDENT, top + 4, content.from_lines, width=width, height=SENDER - 8, largest=9, floor=7.5)
    label.rule(top + SENDER)


def _draw_recipient(label: _Label, content: LabelContent) -> None:
    top, bottom = label.top + HEADER + SENDER, label.bottom - FOOT - BARS
    label.text(label.left, top + 5, content.to_caption, 11)
    if not content.postable:
        _draw_struck_out(label, content, top + 22, bottom - 8)
    else:
        x, width = label.left + INDENT, label.right - label.left - INDENT
        height = bottom - top - 9 - 12 * bool(content.to_phone)
        label.block(x, top + 6, content.to_lines, width=width, height=height, largest=18, floor=10.5)
        label.line(x, bottom - 13, content.to_phone, width=width, largest=9, floor=7)
    label.rule(bottom)


def _draw_struck_out(label: _Label, content: LabelContent, top: float, bottom: float) -> None:
    """A crossed-out frame, the marker and the notice on white in its middle."""
    width, height, middle = label.right - label.left, bottom - top, (top + bottom) / 2
    label.box(label.left, top, width, height, thick=1)
    for leaning in "LR":
        label.fields.append(
            f"^FO{label.dots(label.left)},{label.dots(top)}^GD{label.dots(width)},{label.dots(height)},3,B,{leaning}^FS"
        )
    label.box(label.left + 18, middle - 30, width - 36, 60, white=True)
    inside = {"width": width - 44}
    label.line(label.left + 22, middle - 25, " ".join(content.to_lines), largest=20, floor=8, **inside)
    label.line(label.left + 22, middle + 6, content.notice, largest=12, floor=7, **inside)


def _draw_bars(label: _Label, content: LabelContent) -> None:
    """The bars, and under them what they say."""
    top = label.bottom - FOOT - BARS
    height = BARS - 28 if content.postable else (BARS - 28) / 2
    left = label.bars(top + (BARS - 22 - height), content.barcode, height=height)
    label.line(left, top + BARS - 18, content.barcode_text, width=label.right - left, largest=13, floor=7)
    label.rule(label.bottom - FOOT)


def _draw_foot(label: _Label, content: LabelContent) -> None:
    """Captions with their values below, two a row, long left, short right; a last odd one stands alone."""
    rows = max(3, (len(content.footers) + 1) // 2)
    step, whole = (FOOT - 2) / rows, label.right - label.left
    for number, (caption, value) in enumerate(content.footers):
        is_right = number % 2
        is_alone = number == len(content.footers) - 1 and not is_right
        x = label.left + whole * LEFT_COLUMN * is_right
        width = whole * (1 if is_alone else 1 - LEFT_COLUMN if is_right else LEFT_COLUMN) - 6
        y = label.bottom - FOOT + 2 + step * (number // 2)
        label.line(x, y, caption, width=width, largest=CAPTION, floor=5)
        label.line(x, y + 8, value, width=width, largest=min(11, step / 2), floor=6)


def _draw_void(label: _Label) -> None:
    """VOID over the address and the bars."""
    label.fields.append(_void_field(label.dpi))


def _void_field(dpi: int) -> str:
    wide, high = SIZES[dpi]
    size = wide * 3 // 11
    return f"^FO{wide // 8},{high // 2}^FR^A0N,{size},{size}^FD{VOID}^FS"


def struck(zpl: bytes, *, dpi: int = 203) -> bytes:
    """A label that others drew, with VOID across its last page. ValueError where it has no end to put it before."""
    end = zpl.rfind(b"^XZ")
    if end < 0:
        raise ValueError("This file has no end of a label.")
    return zpl[:end] + _void_field(dpi).encode() + zpl[end:]
