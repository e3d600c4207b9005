"""Logos: whatever is sent in, only pixels drawn again are kept."""

import struct
import zlib
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from orderhub.errors import RuleViolation
from stores import logos
from stores.models.settings import brand_storage
from tests.factories import make_store

CANARY = b"GPS-OF-THE-WAREHOUSE"
NOT_A_PICTURE = "not a PNG, JPEG or WebP picture"


def drawn(size=(40, 20), mode="RGB", format="PNG", colour=None, **options) -> bytes:
    file = BytesIO()
    Image.new(mode, size, colour or 0).save(file, format, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def frames(format: str) -> bytes:
    file = BytesIO()
    first, *more = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    first.save(file, format, save_all=True, append_images=more, duration=50, loop=0)
    return file.getvalue()


def huge_jpeg() -> bytes:
    """A real JPEG whose header claims 65,500 × 65,500 pixels."""
    sent = bytearray(drawn(format="JPEG"))
    start = sent.index(b"\xff\xc0")
    sent[start + 5 : start + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(sent)


def huge_webp() -> bytes:
    """A lossless WebP of a few bytes that claims 16,383 × 16,383 pixels."""
    body = b"\x2f" + struct.pack("<I", 16_382 | 16_382 << 14) + bytes(16)
    data = b"WEBPVP8L" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(data)) + data


def cleaned(sent: bytes, name: str = "logo.png") -> Image.Image:
    made = logos.cleaned(SimpleUploadedFile(name, sent, content_type="image/png"))
    found = Image.open(BytesIO(made))
    assert found.format == "PNG" and made.startswith(b"\x89PNG")
    return found


HOSTILE = {
    "empty": (b"", "empty"),
    "html named png": (b"<!doctype html><script>alert(1)</script>", NOT_A_PICTURE),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', NOT_A_PICTURE),
    "xml with entities": (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><svg>&a;</svg>', NOT_A_PICTURE),
    "gif": (drawn(format="GIF"), NOT_A_PICTURE),
    "moving gif": (frames("GIF"), NOT_A_PICTURE),
    "tiff": (drawn(format="TIFF"), NOT_A_PICTURE),
    "bmp": (drawn(format="BMP"), NOT_A_PICTURE),
    "icon": (drawn(format="ICO"), NOT_A_PICTURE),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run", NOT_A_PICTURE),
    "pdf": (b"%PDF-1.7\n1 0 obj<<>>endobj", NOT_A_PICTURE),
    "zip": (b"PK\x03\x04" + bytes(60), NOT_A_PICTURE),
    "only the signature": (b"\x89PNG\r\n\x1a\n", NOT_A_PICTURE),
    "cut png": (drawn((300, 300), colour=(9, 8, 7))[:-40], NOT_A_PICTURE),
    "jpeg of thousands of scans": (drawn(format="JPEG")[:-2] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" * 5000, NOT_A_PICTURE),
    "cut jpeg": (drawn((300, 300), format="JPEG")[:-300], NOT_A_PICTURE),
    "cut webp": (drawn((300, 300), format="WEBP", colour=(1, 99, 3))[:-20], NOT_A_PICTURE),
    "png without pixels": (png(20, 20), NOT_A_PICTURE),
    "png with too few pixels": (png(400, 400, chunk(b"IDAT", zlib.compress(bytes(50)))), NOT_A_PICTURE),
    "png with a wrong check sum": (
        png(1, 1, chunk(b"IDAT", zlib.compress(bytes(4))), chunk(b"tEXt", b"a\0b")[:-1] + b"?"), NOT_A_PICTURE,
    ),
    "png bomb": (png(60_000, 60_000, chunk(b"IDAT", zlib.compress(bytes(9_999)))), "larger than 4,000"),
    "png just too wide": (png(4_001, 1, chunk(b"IDAT", zlib.compress(bytes(12_004)))), "larger than 4,000"),
    "jpeg bomb": (huge_jpeg(), "larger than 4,000"),
    "webp bomb": (huge_webp(), "larger than 4,000"),
    "bomb in a comment": (
        png(1, 1, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(90_000_000))), chunk(b"IDAT", zlib.compress(bytes(4)))),
        NOT_A_PICTURE,
    ),
    "moving png": (frames("PNG"), "moves"),
    "moving webp": (frames("WEBP"), "moves"),
    "more than 1 MB": (drawn() + bytes(logos.MOST_BYTES), "larger than 1 MB"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_small_still_picture_is_refused_with_a_reason(name):
    sent, reason = HOSTILE[name]
    with pytest.raises(RuleViolation, match=reason):
        cleaned(sent)


ACCEPTED = {
    "one pixel": (drawn((1, 1)), (1, 1)),
    "as large as allowed": (drawn((4000, 4000), mode="1"), (300, 300)),
    "wide": (drawn((3000, 300)), (600, 60)),
    "tall": (drawn((30, 900)), (10, 300)),
    "small stays small": (drawn((60, 40)), (60, 40)),
    "jpeg": (drawn(format="JPEG"), (40, 20)),
    "webp": (drawn(format="WEBP"), (40, 20)),
    "cmyk": (drawn(mode="CMYK", format="JPEG"), (40, 20)),
    "grey": (drawn(mode="L"), (40, 20)),
    "grey, 16 bits": (drawn(mode="I;16"), (40, 20)),
    "palette": (drawn(mode="P"), (40, 20)),
    "named as something else": (drawn(format="JPEG"), (40, 20)),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_pictures_are_drawn_again_at_most_600_by_300_in_their_own_shape(name):
    sent, size = ACCEPTED[name]
    found = cleaned(sent, "logo.exe" if name == "named as something else" else "logo.png")
    assert (found.size, found.mode in {"RGB", "RGBA"}) == (size, True)


def test_what_is_transparent_stays_so():
    found = cleaned(drawn(mode="RGBA", colour=(1, 2, 3, 0)))
    assert found.getpixel((0, 0))[3] == 0


def test_nothing_but_pixels_comes_along():
    """EXIF, comments, colour profiles, and a script behind the picture's end."""
    words, exif = PngInfo(), Image.Exif()
    words.add_text("Comment", CANARY.decode())
    exif[0x010E] = CANARY.decode()
    sources = [
        drawn(pnginfo=words, exif=exif.tobytes(), icc_profile=CANARY) + b"<script>" + CANARY,
        drawn(format="JPEG", exif=exif.tobytes(), comment=CANARY, icc_profile=CANARY) + CANARY,
        drawn(format="WEBP", exif=exif.tobytes(), xmp=CANARY),
    ]
    for sent in sources:
        assert CANARY in sent
        made = logos.cleaned(SimpleUploadedFile("logo.png", sent))
        assert CANARY not in made and b"script" not in made
        assert set(Image.open(BytesIO(made)).info) == set()


def test_a_picture_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert cleaned(drawn((40, 20), format="JPEG", exif=exif.tobytes())).size == (20, 40)


# -- keeping


@pytest.fixture
def folder(settings, tmp_path):
    brand = settings.STORAGES["brand"] | {"OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"brand": brand}
    return tmp_path


@pytest.mark.django_db
def test_a_new_logo_takes_the_place_of_the_old_one_after_the_commit(
    noon, folder, django_capture_on_commit_callbacks
):  # fmt: skip
    store = make_store()
    made = logos.cleaned(SimpleUploadedFile("../../evil.png", drawn()))
    logos.keep(store, made)
    first = store.brand_logo.name
    with django_capture_on_commit_callbacks(execute=True):
        logos.keep(store, made)
        assert len(list(folder.iterdir())) == 2  # a rollback would still need the old one
    store.refresh_from_db()
    assert [path.name for path in folder.iterdir()] == [store.brand_logo.name]
    assert store.brand_logo.name != first and "evil" not in store.brand_logo.name
    assert len(store.brand_logo.name) == len("0123456789abcdef0123456789abcdef.png")


@pytest.mark.django_db
def test_a_removed_logo_is_gone_and_removing_twice_does_no_harm(noon, folder, django_capture_on_commit_callbacks):
    store = make_store()
    logos.keep(store, logos.cleaned(SimpleUploadedFile("a.png", drawn())))
    for _time in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            logos.remove(store)
    store.refresh_from_db()
    assert (store.brand_logo.name, list(folder.iterdir())) == ("", [])
    assert not brand_storage().exists("0" * 32 + ".png")
