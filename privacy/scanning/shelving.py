"""Files: whether the documents of erased orders are stand-ins, and whether every file has a row that gives it a clock."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.files.storage import Storage, storages

from privacy import registry
from privacy.purposes import Shelf

from .chunks import chunks
from .results import Finding

log = logging.getLogger("orderhub.privacy")
CHUNK = 500
SETTLING = timedelta(hours=1)  # a file is there before the row that names it
MANY = 20  # files; where most of so many have no row, it is the table that is wrong


def documents() -> Iterator[Finding | None]:
    """One item a document of an erased order; None where it is as it should be."""
    for shelf in registry.shelves():
        for name, order_id, wrong in shelf.examine():
            yield Finding("document", f"{shelf.alias}:{name}", order_id, (wrong,)) if wrong else None


def files(*, now: datetime) -> Iterator[Finding | None]:
    """One item a file of a personal storage; a finding where no row names it, so that nothing would ever erase it."""
    for shelf in registry.shelves():
        if shelf.personal:
            for name, stray in _looked_at(shelf, before=now - SETTLING):
                yield Finding("stray", f"{shelf.alias}:{name}", 0) if stray else None


def sweep_strays(*, now: datetime) -> dict[str, int]:
    """Delete the files without a row that were let be long enough, by storage. Safe to repeat.

    Where most files of a storage seem to have none, the tables are not those of the files: nothing is deleted, and it
    is said in the log.
    """
    gone: dict[str, int] = {}
    for shelf in registry.shelves():
        looked_at = dict(_looked_at(shelf, before=now - shelf.stray_after))
        strays = [name for name, stray in looked_at.items() if stray]
        if len(strays) > MANY and len(strays) * 2 > len(looked_at):
            log.error("strays_left", extra={"code": shelf.alias, "count": len(strays)})
            continue
        for name in strays:
            storages[shelf.alias].delete(name)
        gone[shelf.alias] = len(strays)
    return gone


def _looked_at(shelf: Shelf, *, before: datetime) -> Iterator[tuple[str, bool]]:
    """(name, whether it is an old file that no row names) of every file."""
    storage = storages[shelf.alias]
    for names in chunks(walk(storage), CHUNK):
        known = shelf.known(names)
        for name in names:
            yield name, name not in known and _older(storage, name, before)


def _older(storage: Storage, name: str, instant: datetime) -> bool:
    try:
        return storage.get_modified_time(name) < instant
    except FileNotFoundError:  # deleted meanwhile
        return False


def walk(storage: Storage, folder: str = "") -> Iterator[str]:
    """The name of every file of a storage."""
    try:
        folders, names = storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" if folder else name for name in sorted(names))
    for inner in sorted(folders):
        yield from walk(storage, f"{folder}/{inner}" if folder else inner)
