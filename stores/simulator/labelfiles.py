"""Label files of the simulated Amazon Shipping: small, but real files, with the recipient's address on them."""

import struct
import zlib

_WIDTH, _HEIGHT = 288, 432  # points: 4 × 6 in


def draw(kind: str, lines: list[str]) -> bytes:
    """A label in one of Amazon's formats: PDF, PNG or ZPL."""
    return {"PDF": _pdf, "PNG": _png, "ZPL": _zpl}[kind](lines)


def _pdf(lines: list[str]) -> bytes:
    shown = b"".join(b"(" + _escaped(line) + b") Tj T*\n" for line in lines)
    stream = b"BT /F1 12 Tf 16 TL 20 400 Td\n" + shown + b"ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 5 0 R "
        b"/Resources << /Font << /F1 4 0 R >> >> >>" % (_WIDTH, _HEIGHT),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    out, starts = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def _escaped(text: str) -> bytes:
    raw = text.encode("cp1252", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _png(lines: list[str]) -> bytes:
    """A white sheet; what a carrier would print is in its text chunk."""
    rows = b"".join(b"\x00" + b"\xff" * _WIDTH for _row in range(_HEIGHT))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    text = b"Label\x00" + "\n".join(lines).encode("latin-1", "replace")
    chunks = ((b"IHDR", header), (b"tEXt", text), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _zpl(lines: list[str]) -> bytes:
    fields = "".join(f"^FO40,{60 + 40 * row}^A0N,30^FD{line}^FS\n" for row, line in enumerate(lines))
    return f"^XA\n^CI28\n{fields}^XZ\n".encode()
