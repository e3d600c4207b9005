"""B09: archives of customised lines that mean harm, and what is taken from those that do not."""

import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.customization import archive, fetching
from tests.orders import wishes
from tests.orders.wishes import GOOD, HOSTILE, image, picture, text, tree, zipped

MEASURE = """
import re, sys, os
from pathlib import Path
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django; django.setup()
from orders.customization import archive, fetching
from tests.orders.wishes import GOOD, image, picture, tree, zipped
fetching.read(zipped(tree(image("a.png")), a__png=picture()))

def memory(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024

sent = sys.stdin.buffer.read()
Path("/proc/self/clear_refs").write_text("5")  # the highest so far is forgotten
before = memory("VmRSS")
try:
    fetching.read(sent)
    outcome = "read"
except archive.Refused as error:
    outcome = error.code
print(outcome, memory("VmHWM") - before)
"""


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", list(HOSTILE))
def test_b09_a_hostile_archive_is_refused_under_the_rule_it_breaks(name):
    make, code = HOSTILE[name]
    with pytest.raises(archive.Refused) as refused:
        fetching.read(make())
    assert refused.value.code == code
    assert code in str(refused.value) and "Ada" not in str(refused.value)


def _grown(sent: bytes) -> tuple[str, int]:
    """The outcome and how many MB a process of its own grew by, at its highest."""
    done = subprocess.run([sys.executable, "-c", MEASURE], input=sent, capture_output=True, check=True)
    outcome, grown = done.stdout.split()
    return outcome.decode(), int(grown)


HEAVY = (
    "bomb", "half a million entries", "size said too small", "size said too large", "document of 27 MB", "deep document",
)  # fmt: skip


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", HEAVY)
def test_b09_no_hostile_archive_costs_100_mb(name):
    make, code = HOSTILE[name]
    outcome, grown = _grown(make())
    assert (outcome, grown <= 100) == (code, True), grown


def _full_of_pictures(sent: bytes) -> bytes:
    names = ["a.png", "b.png", "c.png"]
    return zipped(tree(*map(image, names)), **{name.replace(".", "__"): sent for name in names})


@pytest.mark.sampled(9)
@pytest.mark.parametrize(
    "make",
    [
        lambda: picture((4000, 3000)),
        lambda: picture((3500, 3000), mode="P"),
        lambda: picture((3500, 3000), mode="L"),
        lambda: picture((2600, 2600), mode="RGBA"),
        lambda: picture((2600, 2600), mode="LA"),
        lambda: picture((2100, 2100), "WEBP"),
        lambda: picture((8000, 5000), "JPEG"),
        lambda: picture((40000, 1000), "JPEG"),
        lambda: picture((4000, 2500), "JPEG", progressive=True),
    ],
    ids=["RGB", "palette", "grey", "RGBA", "grey with alpha", "WebP", "JPEG", "panorama", "progressive JPEG"],
)
def test_b09_the_largest_pictures_cost_less_than_100_mb(make):
    sent = make()
    assert list(fetching.read(_full_of_pictures(sent)).pictures) == ["a.png", "b.png", "c.png"]
    outcome, grown = _grown(_full_of_pictures(sent))
    assert (outcome, grown <= 100) == ("read", True), grown


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (picture((4100, 3100)), False),
        (picture((2700, 2600), mode="RGBA"), False),
        (picture((2200, 2100), "WEBP"), False),
        (picture((8001, 5000), "JPEG"), False),
        (picture((4100, 3100), "JPEG", progressive=True), False),
        (picture((4000, 3000), "JPEG"), True),
        (wishes.huge_picture(30000, 30000), False),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", False),
        (b"GIF89a" + bytes(60), False),
        (picture()[:60], False),
        (b"", False),
    ],
    ids=[
        "12.7 MP PNG",
        "7 MP alpha",
        "4.6 MP WebP",
        "40 MP JPEG",
        "12.7 MP progressive",
        "12 MP JPEG",
        "900 MP",
        "SVG",
        "GIF",
        "cut PNG",
        "empty",
    ],
)
def test_b09_a_picture_that_is_none_is_left_out_and_the_text_kept(sent, kept):
    wish = fetching.read(zipped(tree(text("Ada"), image("a.png")), a__png=sent))
    assert [entry["value"] for entry in wish.entries] == ["Ada", "me.png"]
    assert list(wish.pictures) == (["a.png"] if kept else [])


def test_b09_pictures_are_drawn_again_and_lose_everything_but_pixels():
    from PIL import Image, PngImagePlugin

    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "<script>GPS 48.85, 2.35</script>")
    sent = picture((3000, 2000), pnginfo=notes) + b"<script>trailing</script>"
    wish = fetching.read(zipped(tree(image("a.png"), image("b.jpg")), a__png=sent, b__jpg=_with_exif()))
    (png, first), (jpeg, second) = wish.pictures["a.png"], wish.pictures["b.jpg"]
    assert (first, second) == ("png", "jpg")
    assert b"script" not in png and b"Secret camera" not in jpeg
    assert Image.open(wishes.io.BytesIO(png)).size == (1600, 1067)
    assert Image.open(wishes.io.BytesIO(jpeg)).size == (800, 1600)  # turned as the camera said


def _with_exif() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = 6, "Secret camera"
    return picture((3200, 1600), "JPEG", exif=exif)


def test_b09_only_pictures_the_document_names_are_kept_and_ten_at_most():
    names = [f"p{number}.png" for number in range(12)]
    files = {name.replace(".", "__"): picture() for name in [*names, "other.png"]}
    assert list(fetching.read(zipped(tree(*map(image, names)), **files)).pictures) == names[:10]
    assert fetching.read(zipped(GOOD, other__png=picture())).pictures == {}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_b09_a_spoilt_archive_is_read_or_refused_and_nothing_else(seed, flips):
    source, sent = random.Random(seed), bytearray(SPOILT)
    for _flip in range(flips):
        sent[source.randrange(len(sent))] = source.randrange(256)
    try:
        fetching.read(bytes(sent))
    except archive.Refused as error:
        assert error.code


SPOILT = zipped(tree(text("Ada"), image("a.png")), a__png=picture(), b__svg=b"<svg/>")
