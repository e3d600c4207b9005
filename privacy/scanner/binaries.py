"""Undoes what hides text in bytes: deflated streams, archives, PDF pages, character sets."""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from .pdftext import pdf_texts

STREAM = re.compile(rb"x[\x01\x5e\x9c\xda]|\x1f\x8b\x08|PK\x03\x04")
ZLIB_START = re.compile(rb"[\x08\x18\x28\x38\x48\x58\x68\x78]")
TELLING = re.compile(
    rb"[\t\n\r -~]{10,}|^[\x00-\xff]{0,3}\x80[\x02-\x05]|(?:[^\x00]\x00){4}|x[\x01\x5e\x9c\xda]|\x1f\x8b\x08|PK\x03\x04|%PDF"
)
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
WIDE = re.compile(rb"[\x01-\xff]\x00[\x01-\xff]\x00|\x00[\x01-\xff]\x00[\x01-\xff]|\x00{3}[\x01-\xff]\x00{3}")
DEFLATE_OFFSETS = 96  # raw deflate has no mark: it is looked for behind a short prefix, a quote's or a pickle's
TRIED_PREFIX = 3
PIECE = 256


SMALL = 512
HIGH = bytes([*range(9), *range(14, 32), *range(127, 256)])
PRINTABLE = re.compile(rb"[\t\n\r -~]{12,}")


class View(NamedTuple):
    """Bytes read as text. `verbatim`: one character a byte, so that reading it as bytes again is a circle."""

    charset: str
    text: str
    readable: bool = True
    verbatim: bool = False


class Budget:
    """How many bytes one place may still unfold to: an archive bomb ends here."""

    def __init__(self, limit: int, *, to_read: int = 0):
        self.left = limit
        self.to_read = to_read
        self.capped = False

    def may_read(self, size: int) -> bool:
        """Whether a further layer of that size may be read; it is counted."""
        self.to_read -= size
        self.capped = self.capped or self.to_read < 0
        return self.to_read >= 0

    def inflate(self, data: memoryview, wbits: int) -> tuple[bytes, bool, bool]:
        """(bytes, with what comes before damage; whether it was sound to its end or ours; whether it ended)."""
        engine, out = zlib.decompressobj(wbits), []
        try:
            for piece in _growing(data):
                out.append(engine.decompress(piece, self.left + 1))
                self.left -= len(out[-1])
                if self.left <= 0:
                    self.left, self.capped = 0, True
                    break
                if engine.eof:
                    break
        except zlib.error:
            return b"".join(out), False, False
        return b"".join(out), True, engine.eof


def _growing(data: memoryview) -> Iterator[memoryview]:
    """Small pieces first, for what comes before damage; larger ones later, for speed."""
    start, size = 0, PIECE
    while start < len(data):
        yield data[start : start + size]
        start, size = start + size, min(size * 2, 1 << 16)


def is_telling(data: bytes) -> bool:
    """Whether a guessed decoding gave something worth decoding further, rather than noise."""
    if TELLING.search(data):
        return True
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" or _inflates(data)
    return True


def _inflates(data: bytes) -> bool:
    for offset in range(min(TRIED_PREFIX, len(data))):
        out, sound, _ = Budget(PIECE).inflate(memoryview(data)[offset : offset + 1024], -zlib.MAX_WBITS)
        if sound and out:
            return True
    return False


def texts_of(data: bytes) -> Iterator[View]:
    """Every way the bytes may be read as text."""
    try:
        yield View("", data.decode(), verbatim=data.isascii())
        valid = True
    except UnicodeDecodeError:
        valid = False
        yield from _forced_texts(data)
    if not valid or WIDE.search(data):
        for start in (0, 1):
            for charset in ("utf-16-le", "utf-16-be"):
                text = data[start:].decode(charset, "replace")
                yield View(charset, text, readable=len(data) <= SMALL or _looks_written(text))


def _forced_texts(data: bytes) -> Iterator[View]:
    """Bytes that are not UTF-8, at least not all. Noise is searched, not decoded further: its marks are chance."""
    small, ascii_share = len(data) <= SMALL, len(data.translate(None, HIGH)) / len(data)
    loose = data.decode("utf-8", "replace")
    loose_readable = small or loose.count("\ufffd") < len(loose) / 20
    readable = small or ascii_share > 0.6
    yield View("", loose, readable=loose_readable)
    yield View("latin-1", data.decode("latin-1"), readable=readable, verbatim=True)
    yield View("shift-jis", data.decode("cp932", "replace"), readable=readable, verbatim=True)
    if not (readable and loose_readable):
        yield View("", b"\n".join(PRINTABLE.findall(data)).decode("ascii"), verbatim=True)


def _looks_written(text: str) -> bool:
    return _share(text, "ascii") > 0.3 or _share(text, "latin-1") > 0.9


def _share(text: str, charset: str) -> float:
    return len(text.encode(charset, "ignore")) / (len(text) or 1)


def contents_of(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes | str]]:
    """(name, content) of every stream, member and page in the bytes, wherever it begins."""
    if b"%PDF" in data:
        yield from (("pdf", text) for text in pdf_texts(data))
    if data.isascii():
        return
    view = memoryview(data)
    yield from _marked_streams(data, view, budget)
    if CONTROL.search(data):
        yield from _raw_deflate(view, budget)


def _marked_streams(data: bytes, view: memoryview, budget: Budget) -> Iterator[tuple[str, bytes]]:
    starts = [found.start() for found in STREAM.finditer(data)]
    if ZLIB_START.match(data) and 0 not in starts:
        starts.insert(0, 0)
    end = 0
    for start in starts:
        if start < end:
            continue
        name, offset, wbits = _stream_at(data, start)
        if not name or budget.left <= 0:
            continue
        out, _, _ = budget.inflate(view[offset:], wbits)
        if out:
            yield name, out


def _stream_at(data: bytes, start: int) -> tuple[str, int, int]:
    """(name, where the stream begins, zlib's window bits); an empty name where there is none."""
    if data.startswith(b"PK\x03\x04", start):
        if len(data) < start + 30:
            return "", 0, 0
        method, name_length, extra_length = struct.unpack_from("<8xH16xHH", data, start)
        return ("zip" if method == 8 else ""), start + 30 + name_length + extra_length, -zlib.MAX_WBITS
    if data.startswith(b"\x1f\x8b", start):
        return "gzip", start, zlib.MAX_WBITS | 16
    sound = len(data) > start + 2 and int.from_bytes(data[start : start + 2], "big") % 31 == 0
    return ("zlib" if sound else ""), start, zlib.MAX_WBITS


def _raw_deflate(view: memoryview, budget: Budget) -> Iterator[tuple[str, bytes]]:
    for offset in range(min(DEFLATE_OFFSETS, len(view))):
        # The first step is a cheap trial: noise fails within a few bytes.
        engine = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            trial = engine.decompress(view[offset : offset + 512], PIECE)
        except zlib.error:
            continue
        if len(trial) < 4 or budget.left <= 0:
            continue
        out, _, ended = budget.inflate(view[offset:], -zlib.MAX_WBITS)
        if ended or is_telling(trial):
            yield "deflate", out
