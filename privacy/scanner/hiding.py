"""Ways in which software hides a text without meaning to. For proving that a scanner finds them."""

import base64
import binascii
import gzip
import html
import io
import json
import pickle
import quopri
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from email.charset import BASE64, QP, Charset
from email.header import Header
from urllib.parse import quote, quote_plus

Encoding = tuple[str, Callable[[str], bytes]]

# These change the text for good, so they come first in a chain: lower-cased base64 is gone, not hidden.
FIRST_ONLY = {"upper", "lower", "no-accents", "decomposed", "full-width"}

# How many decodings it takes to undo one of these; all others take one, character sets and variants none.
LAYERS = {"signed cookie": 3, "json in json": 2, "pdf stream": 2, "pickle 2": 0, "pickle 4": 0, "pickle 5": 0}


def encodings() -> list[Encoding]:
    """Named ways of hiding. ValueError from one that cannot hold the text, as not every character set can."""
    return [*_CHARSETS, *_VARIANTS, *_ESCAPES, *_RADIX, *_PACKED]


def layers(name: str) -> int:
    """How many decodings undo this way of hiding."""
    free = {free_name for free_name, _ in (*_CHARSETS, *_VARIANTS)}
    return 0 if name in free else LAYERS.get(name, 1)


def chained(*steps: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """One way of hiding after another. Bytes in between travel as text: UTF-8, or one character a byte."""

    def hide(text: str) -> bytes:
        for step in steps[:-1]:
            text = _as_text(step(text))
        return steps[-1](text)

    return hide


def _as_text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _raw(text: str) -> bytes:
    """The bytes that a binary packing gets: undoes `_as_text` where it read bytes as characters."""
    if any("\x7f" < char < "\xa0" for char in text):
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            return text.encode()
    return text.encode()


def _charset(name: str) -> Callable[[str], bytes]:
    return lambda text: text.encode(name)


def _full_width(text: str) -> bytes:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text).encode()


def _no_accents(text: str) -> bytes:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).encode()


def _zip(text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.txt", "nothing here")
        archive.writestr("order.txt", _raw(text))
    return out.getvalue()


def _deflate(text: str) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(_raw(text)) + engine.flush()


def _pdf_stream(text: str) -> bytes:
    packed = base64.a85encode(zlib.compress(_raw(text)), wrapcol=72) + b"~>"
    return b"4 0 obj\n<< /Filter [ /ASCII85Decode /FlateDecode ] >>\nstream\n" + packed + b"endstream\n"


def _pdf_string(text: str) -> bytes:
    data = b"\xfe\xff" + text.encode("utf-16-be")
    return b"/Title (" + b"".join(b"\\%03o" % byte for byte in data) + b")"


def _base64(prefix: bytes = b"", *, before: bytes = b"") -> Callable[[str], bytes]:
    return lambda text: before + base64.b64encode(prefix + _raw(text))


def _unicode_escapes(text: str) -> bytes:
    wide = text.encode("utf-16-be")
    return "".join(f"\\u{wide[i : i + 2].hex()}" for i in range(0, len(wide), 2)).encode()


def _quoted_printable(data: bytes) -> bytes:
    out = quopri.encodestring(data)
    if quopri.decodestring(out) != data:
        raise ValueError("Mail does not keep these line ends.")
    return out


def _mail_header(text: str, kind: int) -> bytes:
    if not text.isprintable():
        raise ValueError("A mail header keeps no control characters.")
    charset = Charset("utf-8")
    charset.header_encoding = kind
    return b"Subject: " + Header(text, charset).encode().encode()


def _url_safe(text: str) -> bytes:
    return base64.urlsafe_b64encode(_raw(text)).rstrip(b"=")


def _signed_cookie(text: str) -> bytes:
    """As Django signs compressed data: a dot, URL-safe base64 of zlib, time and signature."""
    body = base64.urlsafe_b64encode(zlib.compress(json.dumps({"q": text}).encode())).rstrip(b"=")
    return b"." + body + b":1vNQb2:hV3nO9yXb1Kq0c7dU5s-2mW8rT4eY6iA_zLpGfJkQxE"


def _pickle(protocol: int) -> Callable[[str], bytes]:
    return lambda text: pickle.dumps({"args": (text,), "id": 17}, protocol)


_CHARSETS: list[Encoding] = [
    ("utf-8", _charset("utf-8")),
    ("utf-16", _charset("utf-16")),
    ("utf-16-le", _charset("utf-16-le")),
    ("utf-16-be", _charset("utf-16-be")),
    ("utf-16 at an odd offset", lambda text: b"\x07" + text.encode("utf-16-le")),
    ("latin-1", _charset("latin-1")),
    ("shift-jis", _charset("shift_jis")),
]
_VARIANTS: list[Encoding] = [
    ("upper", lambda text: text.upper().encode()),
    ("lower", lambda text: text.lower().encode()),
    ("no-accents", _no_accents),
    ("decomposed", lambda text: unicodedata.normalize("NFD", text).encode()),
    ("full-width", _full_width),
]
_ESCAPES: list[Encoding] = [
    ("json", lambda text: json.dumps({"name": text}).encode()),
    ("json in json", lambda text: json.dumps({"body": json.dumps([text])}).encode()),
    ("json with slashes", lambda text: json.dumps(text).replace("/", "\\/").encode()),
    ("json, every character", _unicode_escapes),
    ("html", lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace")),
    ("html decimal", lambda text: "".join(f"&#{ord(c)};" for c in text).encode()),
    ("html hex", lambda text: "".join(f"&#x{ord(c):x};" for c in text).encode()),
    ("percent", lambda text: quote(text, safe="").encode()),
    ("percent plus", lambda text: b"q=" + quote_plus(text).encode() + b"&page=2"),
    ("percent, every byte", lambda text: "".join(f"%{b:02X}" for b in text.encode()).encode()),
    ("quoted-printable", lambda text: _quoted_printable(text.encode())),
    ("quoted-printable, wrapped", lambda text: _quoted_printable(b"x" * 68 + text.encode())),
    ("mail header, base64", lambda text: _mail_header(text, BASE64)),
    ("mail header, quoted", lambda text: _mail_header(text, QP)),
    ("python repr", lambda text: repr(text.encode()).encode()),
    ("octal", lambda text: "".join(f"\\{b:03o}" for b in text.encode()).encode()),
    ("pdf string", _pdf_string),
]
_RADIX: list[Encoding] = [
    ("base64", _base64()),
    ("base64, one byte before", _base64(b"\x01")),
    ("base64, two bytes before", _base64(b"\x01\x02")),
    ("base64, a letter before", _base64(before=b"x")),
    ("base64, two letters before", _base64(before=b"id")),
    ("base64, three letters before", _base64(before=b"v2k")),
    ("base64 url-safe", _url_safe),
    ("base64 wrapped", lambda text: base64.encodebytes(b"." * 50 + _raw(text))),
    ("base64 in a data url", lambda text: b"data:text/plain;base64," + base64.b64encode(_raw(text))),
    ("hex", lambda text: _raw(text).hex().encode()),
    ("hex upper", lambda text: _raw(text).hex().upper().encode()),
    ("hex bytea", lambda text: b"\\x" + _raw(text).hex().encode()),
    ("hex, a digit before", lambda text: b"f" + _raw(text).hex().encode()),
    ("hex apart", lambda text: binascii.hexlify(_raw(text), " ")),
]
_PACKED: list[Encoding] = [
    ("zlib", lambda text: zlib.compress(_raw(text))),
    ("zlib stored", lambda text: zlib.compress(_raw(text), 0)),
    ("zlib in a file", lambda text: b"\x00\xffhead\n" * 40 + zlib.compress(_raw(text), 9) + b"\xfftail" * 40),
    ("gzip", lambda text: gzip.compress(_raw(text), mtime=0)),
    ("deflate", _deflate),
    ("zip", _zip),
    ("pdf stream", _pdf_stream),
    ("signed cookie", _signed_cookie),
    ("pickle 0", _pickle(0)),
    ("pickle 2", _pickle(2)),
    ("pickle 4", _pickle(4)),
    ("pickle 5", _pickle(5)),
]
