"""A strict reader of the ZPL we write, and a plain printer for it: whatever it does not know fails the test."""

import re
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFont
from reportlab.graphics.barcode.code128 import Code128

from shipments.labels.drawing import FONT_FILE

HEAD = re.compile(r"\^XA\^CI28\^LH0,0\^PW(\d+)\^LL(\d+)")
FIELD = re.compile(
    r"\^FO(?P<x>\d+),(?P<y>\d+)(?P<reverse>\^FR)?"
    r"(?:"
    r"\^A0N,(?P<size>\d+),(?P<wide>\d+)(?:\^FH)?\^FD(?P<text>[^\^~]*)"
    r"|\^BY(?P<module>\d),3,(?P<tall>\d+)\^BCN,(?P<high>\d+),N,N,N,A\^FH\^FD(?P<bars>[^\^~]*)"
    r"|\^GB(?P<box>\d+,\d+,\d+,[BW]),0"
    r"|\^GD(?P<diagonal>\d+,\d+,\d+,B,[LR])"
    r"|\^GFA,(?P<bytes>\d+),(?P<total>\d+),(?P<row>\d+),(?P<bitmap>[0-9A-F]*)"
    r")\^FS"
)


@dataclass(frozen=True)
class Field:
    """One printed thing. `kind`: text, bars, box, diagonal or bitmap; `value`: its text, decoded, or its parameters."""

    kind: str
    x: int
    y: int
    value: object
    size: int = 0
    reverse: bool = False


def fields_of(zpl: bytes) -> list[Field]:
    """Every field, in order. AssertionError for anything that is not exactly one label of commands we write."""
    text = zpl.decode("ascii")
    assert text.count("^XA") == text.count("^XZ") == 1 and "~" not in text
    assert not [sign for sign in text if sign != "\n" and not " " <= sign <= "~"]
    head, *lines, end, last = text.split("\n")
    assert HEAD.fullmatch(head) and (end, last) == ("^XZ", "")
    return [_field(line) for line in lines]


def size_of(zpl: bytes) -> tuple[int, int]:
    return tuple(map(int, HEAD.match(zpl.decode("ascii")).groups()))


def _field(line: str) -> Field:
    found = FIELD.fullmatch(line)
    assert found, line[:200]
    got = found.groupdict()
    at = {"x": int(got["x"]), "y": int(got["y"]), "reverse": bool(got["reverse"])}
    if got["text"] is not None:
        assert got["size"] == got["wide"]
        return Field("text", value=decoded(got["text"]), size=int(got["size"]), **at)
    if got["bars"] is not None:
        assert got["tall"] == got["high"]
        value = (int(got["module"]), int(got["high"]), _unfolded(decoded(got["bars"])))
        return Field("bars", value=value, **at)
    if got["bitmap"] is not None:
        size, row, data = int(got["bytes"]), int(got["row"]), bytes.fromhex(got["bitmap"])
        assert got["bytes"] == got["total"] and len(data) == size and size % row == 0
        return Field("bitmap", value=(row, data), **at)
    kind = "box" if got["box"] else "diagonal"
    return Field(kind, value=tuple((got["box"] or got["diagonal"]).split(",")), **at)


def decoded(data: str) -> str:
    """What a printer makes of field data behind ^FH with ^CI28."""
    assert re.fullmatch(r"(?:_[0-9A-F]{2}|[^_\\])*", data), data[:80]
    raw = re.sub(r"_([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), data)
    return raw.encode("latin-1").decode("utf-8")


def _unfolded(data: str) -> str:
    """Bar code data as scanned: behind > stands a number of a function, of which we use only 0, the sign itself."""
    assert re.fullmatch(r"(?:>0|[!-=?-~])*", data), data
    return data.replace(">0", ">")


@cache
def _face(size: int):
    return ImageFont.truetype(str(FONT_FILE), max(size, 6))


def printed(zpl: bytes) -> Image.Image:
    """The label as a printer burns it; texts in our font, which is wider than a printer's own."""
    page = Image.new("1", size_of(zpl), 0)
    for field in fields_of(zpl):
        layer = Image.new("1", page.size, 0)
        pen = ImageDraw.Draw(layer)
        pen.fontmode = "1"
        white = _draw(field, layer, pen)
        if white:
            page = ImageChops.subtract(page.convert("L"), layer.convert("L")).convert("1")
        elif field.reverse:
            page = ImageChops.logical_xor(page, layer)
        else:
            page = ImageChops.logical_or(page, layer)
    return ImageChops.invert(page.convert("L"))


def _draw(field: Field, layer: Image.Image, pen: ImageDraw.ImageDraw) -> bool:
    match field.kind:
        case "text":
            pen.text((field.x, field.y), field.value, font=_face(field.size), fill=1)
        case "bars":
            module, high, payload = field.value
            x = field.x
            for number, run in enumerate(_runs(payload)):
                if number % 2 == 0:
                    pen.rectangle((x, field.y, x + run * module - 1, field.y + high - 1), fill=1)
                x += run * module
        case "bitmap":
            row, data = field.value
            layer.paste(Image.frombytes("1", (row * 8, len(data) // row), data), (field.x, field.y))
        case "box":
            wide, high, thick = map(int, field.value[:3])
            box = (field.x, field.y, field.x + max(wide, thick) - 1, field.y + max(high, thick) - 1)
            full = thick * 2 >= min(wide, high)
            pen.rectangle(box, fill=1 if full else 0, outline=1, width=thick)
            return field.value[3] == "W"
        case "diagonal":
            wide, high, thick = map(int, field.value[:3])
            ends = (field.x, field.y, field.x + wide, field.y + high)
            if field.value[4] == "R":
                ends = (field.x, field.y + high, field.x + wide, field.y)
            pen.line(ends, fill=1, width=thick)
    return False


def _runs(payload: str) -> list[int]:
    """Widths of bars and gaps in turn, in modules, as Code 128 has them."""
    code = Code128(payload, barWidth=1, quiet=0)
    code.validate()
    code.encode()
    code.decompose()
    return [ord(sign.lower()) - ord("a") + 1 for sign in code.decomposed]
