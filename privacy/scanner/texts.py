"""Undoes the wrappings that text goes through. Each one is tried only where its marks are seen."""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

Layer = tuple[str, str | bytes]  # name of the decoding, what came out

ESCAPE = re.compile(
    r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|([0-3][0-7]{2})|([^0-9xuU]))", re.DOTALL
)
ESCAPED_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": "", "0": "\0"}
ENTITY = re.compile(r"&(?:#|[A-Za-z])")
WINDOWS_NUMBER = re.compile(r"&#(?:1[2-5][0-9]|[xX][89][0-9A-Fa-f]);")  # &#156; is meant to be an oe ligature
PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
QUOTED = re.compile(r"=(?:[0-9A-Fa-f]{2}|[ \t]*\r?\n)")
QUOTED_BYTES = re.compile(rb"=(?:([0-9A-Fa-f]{2})|[ \t]*\r?\n)")
ENCODED_WORD = re.compile(r"=\?[^?\s]{2,40}\?([bBqQ])\?([^?\s]*)\?=(?:\s+(?==\?))?")
ASCII85 = re.compile(r"(?:stream\r?\n|<~)([!-uz\s]+?)~>")
HEX_APART = re.compile(r"[0-9A-Fa-f]{2}(?:[ :+\n][0-9A-Fa-f]{2}){7,}")
# A text that is really bytes, read one character each: control characters, or UTF-8 seen as Latin-1.
BYTES_AS_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]|[\xc2-\xf4][\x80-\xbf]")
BEYOND_LATIN = re.compile("[^\x00-\xff]+")
SHORTEST_BYTES = 6
NUMBERED = re.compile(r"&#(?:[xX]([0-9A-Fa-f]{1,6})|([0-9]{1,7}));?")


class Borders:
    """How far a value may reach around a mark: to a character that this wrapping never leaves as it is.

    `margin`: characters that belong to the value whatever they are; a value is never cut where it is unsure.
    """

    def __init__(self, chars: str, *, margin: int):
        self._margin = margin
        self._before = chars
        self._after = re.compile(rf"(?<!\\)[{re.escape(chars)}]")  # an escaped quote ends nothing

    def before(self, text: str, position: int, floor: int) -> int:
        """Where the region begins, not before `floor`, where the last one ended."""
        position = max(position - self._margin, floor)
        found = max(text.rfind(char, floor, position) for char in self._before)
        while found > floor and text[found - 1] == "\\":
            found = max(text.rfind(char, floor, found) for char in self._before)
        return max(found, floor)

    def after(self, text: str, position: int) -> int:
        found = self._after.search(text, position + self._margin)
        return found.start() if found else len(text)


IN_JSON = Borders('"\n\x00', margin=0)
IN_HTML = Borders('"', margin=0)
IN_URL = Borders(' "<>\n\t\x00', margin=0)
IN_MAIL = Borders('"\n\x00', margin=256)


def layers_of(text: str) -> Iterator[Layer]:
    """Everything the text may stand for, except base64 and hex, which `runs.py` reads."""
    if "\\" in text:
        yield from _regions_decoded("json", text, ESCAPE, unescape, IN_JSON)
    if "&" in text:
        yield from _regions_decoded("html", text, ENTITY, _unescape_html, IN_HTML)
        yield from _regions_decoded("html", text, WINDOWS_NUMBER, html.unescape, IN_HTML)
    if "%" in text:
        yield from _percent_decoded(text)
    if "=" in text:
        yield from _regions_decoded("quoted-printable", text, QUOTED, _unquote_printable, IN_MAIL)
        yield from _encoded_words(text)
    if apart := HEX_APART.findall(text):
        yield "hex-apart", b"\n".join(bytes.fromhex(re.sub("[^0-9A-Fa-f]", "", piece)) for piece in apart)


def as_bytes(text: str) -> bytes | None:
    """The bytes behind a text that shows them one character each, or None where it is plain text."""
    if not BYTES_AS_TEXT.search(text):
        return None
    parts = (part for part in BEYOND_LATIN.split(text) if len(part) >= SHORTEST_BYTES)
    return "\n".join(filter(BYTES_AS_TEXT.search, parts)).encode("latin-1") or None


def unescape(text: str) -> str:
    r"""Backslash escapes of JSON, Python, SQL and PDF: \u00e9, \xe9, \351, \/ and the letters."""
    text = ESCAPE.sub(_escaped_char, text)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")  # joins surrogate pairs


def _escaped_char(found: re.Match[str]) -> str:
    short, long, byte, octal, char = found.groups()
    if char is not None:
        return ESCAPED_LETTERS.get(char, char)
    code = int(octal, 8) if octal else int(short or long or byte, 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


def _unescape_html(text: str) -> str:
    """Numbers as they are: the standard's way drops control characters and so breaks bytes shown as text."""
    return html.unescape(NUMBERED.sub(_numbered_char, text))


def _numbered_char(found: re.Match[str]) -> str:
    code = int(found[1], 16) if found[1] else int(found[2])
    return found[0] if code > 0x10FFFF else chr(code)


def _regions_decoded(
    name: str, text: str, mark: re.Pattern[str], decode: Callable[[str], str | bytes], borders: Borders
) -> Iterator[Layer]:
    pieces = [decode(text[start:end]) for start, end in _regions(text, mark, borders)]
    if pieces:
        yield name, (b"\n" if isinstance(pieces[0], bytes) else "\n").join(pieces)


def _regions(text: str, mark: re.Pattern[str], borders: Borders) -> list[tuple[int, int]]:
    """The surroundings of each mark, so that a long text with few marks gives short work."""
    regions: list[tuple[int, int]] = []
    end = 0
    while found := mark.search(text, end):
        start = borders.before(text, found.start(), end)
        if regions and start <= end:
            start = regions.pop()[0]
        end = borders.after(text, found.end())
        regions.append((start, end))
    return regions


def _percent_decoded(text: str) -> Iterator[Layer]:
    yield from _regions_decoded("percent", text, PERCENT, _unquote, IN_URL)
    if "+" in text:
        yield from _regions_decoded("percent+", text, PERCENT, _unquote_form, IN_URL)


def _unquote(text: str) -> bytes:
    return unquote_to_bytes(text.encode("utf-8", "surrogatepass"))


def _unquote_form(text: str) -> bytes:
    return _unquote(text.replace("+", " "))


def _unquote_printable(text: str) -> bytes:
    """By hand: the standard's way takes "==" for one sign and so loses what follows "q="."""
    data = text.encode("utf-8", "surrogatepass")
    return QUOTED_BYTES.sub(lambda found: bytes.fromhex((found[1] or b"").decode("ascii")), data)


def _encoded_words(text: str) -> Iterator[Layer]:
    if "=?" not in text:
        return
    pieces = []
    for kind, body in ENCODED_WORD.findall(text):
        data = body.encode("utf-8", "replace")
        pieces.append(decode_base64(data) if kind in "bB" else binascii.a2b_qp(data, header=True))
    if pieces:
        yield "encoded-word", b"".join(pieces)


def without_ascii85(text: str) -> tuple[str, list[bytes]]:
    """(the rest of the text, what its ASCII85 streams say): every mark of the other wrappings occurs in those."""
    decoded: list[bytes] = []
    if "~>" not in text:
        return text, decoded

    def take(found: re.Match[str]) -> str:
        try:
            decoded.append(base64.a85decode(found[1]))
        except ValueError:
            return found[0]  # looked like it, was not
        return "\n"

    return ASCII85.sub(take, text), decoded


def decode_base64(run: bytes) -> bytes:
    """Decode as far as whole bytes go, padding or none. `run`: the standard alphabet only."""
    run = run.rstrip(b"=")
    run = run[:-1] if len(run) % 4 == 1 else run
    return binascii.a2b_base64(run + b"=" * (-len(run) % 4))
