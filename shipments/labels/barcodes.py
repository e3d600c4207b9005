"""Code 128 bar codes: what may go in, and how wide the bars are. Lengths in mm."""

import unicodedata

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import mm

# Whole dots of a 203 dpi label printer (8 a millimetre), so that no bar is rounded up and its neighbour down.
MODULES_MM = (0.5, 0.375, 0.25)
QUIET_MODULES = 10  # blank on either side, as ISO/IEC 15417 asks
MOST_CHARACTERS = 80  # more never fits; also spares the encoder, which is slow on absurd lengths
WIDTH_MM = 95.0  # bars and quiet zones on a 4 x 6 inch label; the quiet zones may lie in its margins


class BarcodeRefused(ValueError):
    """This text cannot become a bar code. The sentence says why and never repeats the text."""


def code128_payload(text: str, *, width_mm: float = WIDTH_MM) -> str:
    """The text as a scanner will read it back: visible ASCII only, full-width forms folded, spaces left out.

    reportlab drops what Code 128 lacks without a word, so a wrong character is refused here (BarcodeRefused),
    as is a text that is empty or too long for `width_mm`.
    """
    folded = unicodedata.normalize("NFKC", text)
    payload = "".join(sign for sign in folded if not sign.isspace() and unicodedata.category(sign) != "Cf")
    if not payload:
        raise BarcodeRefused("There is nothing to put in the bar code.")
    if len(payload) > MOST_CHARACTERS:
        raise BarcodeRefused(f"The number has {len(payload)} characters, too many for a bar code.")
    for position, sign in enumerate(payload, start=1):
        if not "!" <= sign <= "~":
            raise BarcodeRefused(f"Character {position} cannot stand in a bar code: use A-Z, 0-9 and -.")
    module_mm(payload, width_mm=width_mm)
    return payload


def module_mm(payload: str, *, width_mm: float = WIDTH_MM) -> float:
    """The widest of our bar widths at which the payload fits `width_mm`, quiet zones included."""
    modules = count_modules(payload) + 2 * QUIET_MODULES
    for width in MODULES_MM:
        if modules * width <= width_mm:
            return width
    raise BarcodeRefused(f"{len(payload)} such characters make a bar code wider than {width_mm:g} mm.")


def count_modules(payload: str) -> int:
    """How many bar widths the code takes, without quiet zones."""
    return round(Code128(payload, barWidth=1, quiet=0).width)


def code128(payload: str, *, height_mm: float, width_mm: float = WIDTH_MM) -> Code128:
    """The bars of a cleaned payload with their quiet zones: `.drawOn(canvas, x, y)` draws them, in pt."""
    module = module_mm(payload, width_mm=width_mm) * mm
    quiet = QUIET_MODULES * module
    return Code128(payload, barWidth=module, barHeight=height_mm * mm, lquiet=quiet, rquiet=quiet)
