"""Base64 and hex: long runs of few characters, told apart from ordinary words and numbers."""

import re
from collections.abc import Iterator

from .texts import decode_base64

RUN = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{10,}")
# As mail and PEM wrap base64.
WRAPPED = re.compile(r"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{40,100}\r?\n)+[A-Za-z0-9+/_-]{1,100}")
# Order numbers, dates, UUIDs, digests, words: base64 of sixteen characters looks like none of them.
SURELY_NOT_BASE64 = re.compile(r"[0-9A-Fa-f_-]+|[a-z/_-]+|[A-Z/_-]+")
ORDINARY = re.compile(r"[0-9A-Fa-f_-]{1,15}|[0-9-]+-[0-9-]*|[a-z/_-]+|[A-Z/_-]+")
SHORT = 16
MIXED_CASE = re.compile(r"[a-z0-9][A-Z]")  # asked of shorter runs, which are mostly words
HEX = re.compile(r"[0-9A-Fa-f]{16,}")
URL_SAFE = str.maketrans("-_", "+/")


def runs_in(text: str) -> set[str]:
    """The runs that may be base64 or hex, wrapped ones put together."""
    runs = {run for run in RUN.findall(text) if not ORDINARY.fullmatch(run)}
    if len(text) > 80 and "\n" in text:
        for block in WRAPPED.findall(text):
            lines = block.split()
            if len({len(line) for line in lines[:-1]}) == 1 and len(lines[0]) % 4 == 0:
                runs.difference_update(lines[:-1])  # the whole has them at the same alignment
            runs.add("".join(lines))
    return runs


def decodings_of(run: str) -> Iterator[tuple[str, bytes]]:
    """(name of the decoding, bytes) at every alignment."""
    if len(run) >= SHORT:
        yield from _hex_decoded(run)
    if not SURELY_NOT_BASE64.fullmatch(run) and (len(run) >= SHORT or MIXED_CASE.search(run)):
        yield from _base64_decoded(run)


def _hex_decoded(run: str) -> Iterator[tuple[str, bytes]]:
    for digits in HEX.findall(run):
        even = len(digits) // 2 * 2
        yield "hex", bytes.fromhex(digits[:even])
        yield "hex+1", bytes.fromhex(digits[1 : 1 + (len(digits) - 1) // 2 * 2])


def _base64_decoded(run: str) -> Iterator[tuple[str, bytes]]:
    name = "base64-url" if "-" in run or "_" in run else "base64"
    data = run.translate(URL_SAFE).encode("ascii")
    yield name, decode_base64(data)
    for shift in (1, 2, 3):  # what stands before may belong to the alphabet too
        yield f"{name}+{shift}", decode_base64(data[shift:])
