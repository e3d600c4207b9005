"""Archives of customised lines as tests need them, good and hostile, and lines that wait for one."""

import io
import json
import struct
import zipfile
import zlib

from PIL import Image

from orderhub import clock
from orders.models import ItemPersonalData, Order
from stores.models import Store
from tests.factories import make_order, make_store

PICTURES = (b"\x89PNG", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"RIFF")


def tree(*leaves: dict) -> dict:
    return {"customizationData": {"type": "PageContainerCustomization", "children": list(leaves)}}


def text(value: str, label: str = "Name") -> dict:
    return {"type": "TextCustomization", "label": label, "inputValue": value}


def image(name: str, label: str = "Photo") -> dict:
    return {"type": "ImageCustomization", "label": label, "image": {"imageName": name, "buyerFilename": "me.png"}}


def picture(size: tuple[int, int] = (40, 30), form: str = "PNG", mode: str = "RGB", **more) -> bytes:
    made = io.BytesIO()
    Image.new(mode, size, "#336699" if mode == "RGB" else 0).save(made, form, **more)
    return made.getvalue()


def zipped(document: dict | bytes | None = None, **files: bytes) -> bytes:
    """A ZIP; the keyword `a__png` names the file a.png. Pictures are not packed again."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        if document is not None:
            archive.writestr("1.json", document if isinstance(document, bytes) else json.dumps(document))
        for name, content in files.items():
            packing = zipfile.ZIP_STORED if content[:4] in PICTURES else zipfile.ZIP_DEFLATED
            archive.writestr(name.replace("__", "."), content, packing)
    return made.getvalue()


GOOD = tree(text("Ada & Bob"))


def _named(name: str, content: bytes = b"x", **attributes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.json", json.dumps(GOOD))
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        for key, value in attributes.items():
            setattr(info, key, value)
        archive.writestr(info, content)
    return made.getvalue()


def bomb() -> bytes:
    """About 200 kB that would be 200 MB."""
    return zipped(GOOD, bomb__png=bytes(200 * 1024 * 1024))


def many_entries() -> bytes:
    """As many directory entries as fit into the size that is downloaded at most: half a million."""
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    one = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    count = (25 * 1024 * 1024 - 100) // len(one)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, len(one) * count, len(local), 0)
    return local + one * count + end


def lying_size(*, said: int) -> bytes:
    """Both headers of the big entry say `said` bytes; the stream holds 30 MB."""
    content = bytes(30 * 1024 * 1024)
    sent = zipped(GOOD, big__png=content)
    real, lie = struct.pack("<I", len(content)), struct.pack("<I", said)
    assert sent.count(real) == 2
    return sent.replace(real, lie)


def overlapping() -> bytes:
    """Two directory entries that lead to one stream, which is counted for each."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("1.json", json.dumps(GOOD))
        archive.writestr("a.png", bytes(range(256)) * 4000)
    sent = made.getvalue()
    end = sent.rindex(b"PK\x05\x06")
    directory = int.from_bytes(sent[end + 16 : end + 20], "little")
    last = sent.rindex(b"PK\x01\x02")
    extra = sent[last:end].replace(b"a.png", b"b.png")
    local = sent[:directory]
    head = list(struct.unpack("<4s4H2IH", sent[end:]))
    head[3] = head[4] = 3
    head[5] += len(extra)
    return local + sent[directory:end] + extra + struct.pack("<4s4H2IH", *head)


def encrypted() -> bytes:
    sent = bytearray(zipped(GOOD))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        sent[sent.index(signature) + place] |= 1
    return bytes(sent)


def huge_picture(width: int, height: int) -> bytes:
    """A PNG whose header says it has so many pixels, which are not there."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(100_000))), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def wide_document() -> bytes:
    return b'{"a": [' + b"[]," * 9_000_000 + b"[]]}"


HOSTILE = {  # the archive, and the code of the rule it breaks
    "bomb": (bomb, "Ratio"),
    "nested": (lambda: zipped(GOOD, inner__png=zipped(GOOD)), "Nested"),
    "slip": (lambda: _named("../../../../tmp/slipped.png"), "Name"),
    "slip of windows": (lambda: _named("..\\..\\slipped.png"), "Name"),
    "absolute name": (lambda: _named("/etc/cron.d/slipped"), "Name"),
    "symlink": (lambda: _named("link.png", b"/etc/passwd", external_attr=0o120777 << 16, create_system=3), "Link"),
    "half a million entries": (many_entries, "TooManyEntries"),
    "51 entries": (lambda: zipped(GOOD, **{f"f{number}": b"" for number in range(50)}), "TooManyEntries"),
    "size said too small": (lambda: lying_size(said=10), "NotAnArchive"),
    "size said too large": (lambda: lying_size(said=31 * 1024 * 1024), "Ratio"),
    "two names, one stream": (overlapping, "Overlap"),
    "encrypted": (encrypted, "Encrypted"),
    "deep document": (lambda: zipped(b"[" * 100_000 + b"]" * 100_000), "Json"),
    "52 levels": (lambda: zipped(b'{"a":' * 52 + b"1" + b"}" * 52), "Json"),
    "document of 27 MB": (lambda: zipped(wide_document()), "TooLarge"),
    "a key twice": (lambda: zipped(b'{"customizationData": {}, "customizationData": {}}'), "Json"),
    "no document": (lambda: zipped(a__png=picture()), "NoDocument"),
    "a name twice": (lambda: _named("1.JSON"), "NameTwice"),
    "other packing": (lambda: _named("a.png", b"x" * 99, compress_type=zipfile.ZIP_LZMA), "Method"),
    "no archive": (lambda: b"<html>Access denied</html>", "NotAnArchive"),
    "cut short": (lambda: zipped(GOOD, a__png=picture())[:-40], "NotAnArchive"),
    "empty": (lambda: b"", "NotAnArchive"),
}  # fmt: skip


def waiting(url: str = "https://zme-caps.amazon.com/t/one", *, order: Order | None = None, **given) -> ItemPersonalData:
    """A line whose archive may be fetched now."""
    store = Store.objects.first() or make_store(import_customization=True)
    order = order or make_order(store)
    fields = {"customized_url": url, "next_attempt_at": clock.now()} | given
    return ItemPersonalData.objects.create(item=order.items.first(), **fields)
