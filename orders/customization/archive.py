"""Reads the ZIP of a customised line (Amazon's reference, section 13), trusting nothing that it says of itself.

Entries are inflated one at a time and counted while they are: sizes in headers are never believed.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from orderhub.errors import UnexpectedAnswer

MOST_ENTRIES = 50
MOST_BYTES = 25 * 1024 * 1024  # of all entries together, inflated
MOST_JSON = 1024 * 1024
MOST_RATIO = 100
SMALL = 1024 * 1024  # bytes of an entry below which no ratio is counted: a plain white preview is not an attack
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
DIRECTORY_ENTRY = b"PK\x01\x02"
ENCRYPTED = 0x1 | 0x40 | 0x2000
PACKED = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\xfd7zXZ", b"BZh")
_PIECE = 64 * 1024


class Refused(UnexpectedAnswer):
    """The archive is none, or hostile. `code` says which rule it breaks; the text holds nothing of its content."""

    def __init__(self, code: str):
        super().__init__(f"customisation archive refused: {code}", code=code)


def entries(sent: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file in the archive, JSON first. Refused as soon as a rule is broken: take nothing
    for good before the end is reached."""
    if sent.count(DIRECTORY_ENTRY) > 2 * MOST_ENTRIES:  # before a list of a million entries is made of it
        raise Refused("TooManyEntries")
    try:
        with zipfile.ZipFile(BytesIO(sent)) as archive:
            listed = archive.infolist()
            _check(listed, len(sent))
            total = 0
            for info in sorted(listed, key=lambda info: not _is_json(info.filename)):
                content = _inflated(archive, info, MOST_BYTES - total)
                total += len(content)
                yield info.filename, content
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError):
        raise Refused("NotAnArchive") from None


def _check(listed: list[zipfile.ZipInfo], size: int) -> None:
    """What the directory says, before anything is inflated."""
    if len(listed) > MOST_ENTRIES:
        raise Refused("TooManyEntries")
    names = [info.orig_filename for info in listed]
    if len({name.casefold() for name in names}) != len(names):
        raise Refused("NameTwice")
    if not all(map(_is_flat, names)):
        raise Refused("Name")
    if any(info.flag_bits & ENCRYPTED for info in listed):
        raise Refused("Encrypted")
    if any(stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG} for info in listed):
        raise Refused("Link")
    if any(info.compress_type not in METHODS for info in listed):
        raise Refused("Method")
    if sum(info.compress_size for info in listed) > size:  # entries that lie over one another
        raise Refused("Overlap")


def _is_flat(name: str) -> bool:
    """A plain file name: no folder, no drive, nothing hidden, nothing that cannot be seen."""
    return (
        0 < len(name) <= 255 and name.isprintable() and not name.startswith(".") and not set(name) & set('/\\:*?"<>|')
    )


def _is_json(name: str) -> bool:
    return name.lower().endswith(".json")


def _inflated(archive: zipfile.ZipFile, info: zipfile.ZipInfo, room: int) -> bytes:
    """The content, counted piece by piece. `room`: how many bytes all entries together may still have."""
    most = min(room, MOST_JSON if _is_json(info.filename) else MOST_BYTES)
    pieces, size = [], 0
    with archive.open(info) as source:
        while piece := source.read(_PIECE):
            size += len(piece)
            if size > most:
                raise Refused("TooLarge")
            if size > SMALL and size > MOST_RATIO * info.compress_size:
                raise Refused("Ratio")
            pieces.append(piece)
    content = b"".join(pieces)
    if size != info.file_size:
        raise Refused("Size")
    if content.startswith(PACKED):
        raise Refused("Nested")
    return content
