"""Walks through the layers of a value and searches each of them."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .binaries import Budget, contents_of, is_telling, texts_of
from .matching import Matcher
from .results import Counts, Hit
from .runs import decodings_of, runs_in
from .texts import as_bytes, layers_of, without_ascii85

Found = dict[str, tuple[str, ...]]  # needle name -> the shortest chain of decodings that shows it

MAX_DEPTH = 4
INFLATE_LIMIT = 20 * 1024 * 1024
READ_FACTOR = 5  # all layers together, in sizes of the place and of what it may unfold to
MEMO_ENTRIES = 50_000
WINDOW, OVERLAP = 32 * 1024 * 1024, 1024 * 1024


class Scanner:
    """Looks for named values in whatever it is given. One object a run: it remembers what it has read."""

    def __init__(
        self,
        needles: Mapping[str, str],
        *,
        survivors: Iterable[str] = (),
        part: int = 6,
        max_depth: int = MAX_DEPTH,
        inflate_limit: int = INFLATE_LIMIT,
    ):
        """`needles`: name -> value. `survivors`: values that may stay, where they begin like a needle.

        `part`: how many first characters of the token (of the value, where it has none) betray a truncated
        one; 0 finds complete ones only. `inflate_limit`: bytes one place may unfold to; `counts.capped` tells.
        """
        self.counts = Counts()
        self._matcher = Matcher(needles, survivors=survivors, part=part)
        self._max_depth = max_depth
        self._inflate_limit = inflate_limit
        self._memo: dict[tuple, Found] = {}
        self._budget = self._new_budget(0)

    def scan_text(self, text: str, place: str) -> list[Hit]:
        """One hit per needle in the text, however wrapped."""
        return self._scan(text, place, len(text))

    def scan_bytes(self, data: bytes, place: str) -> list[Hit]:
        """One hit per needle in the bytes, however wrapped."""
        return self._scan(bytes(data), place, len(data))

    def scan_value(self, value: Any, place: str) -> list[Hit]:
        """A database cell, a JSON document, anything: containers are searched key by key and item by item."""
        best: dict[str, Hit] = {}
        for leaf in _leaves(value):
            found = self.scan_bytes(leaf, place) if isinstance(leaf, bytes) else self.scan_text(leaf, place)
            for hit in found:
                known = best.get(hit.needle_name)
                if known is None or len(hit.path) < len(known.path):
                    best[hit.needle_name] = hit
        return sorted(best.values())

    def scan_folder(self, path: str | Path) -> list[Hit]:
        """Every file below, its name too; links are not followed. OSError where one cannot be read."""
        root = Path(path)
        if not root.is_dir():
            raise NotADirectoryError("There is no such folder to scan.")
        hits: list[Hit] = []
        for file in sorted(root.rglob("*")):
            place = str(file.relative_to(root))
            names = self.scan_text(file.name, place)
            hits += [Hit(hit.place, hit.needle_name, ("file-name", *hit.path)) for hit in names]
            if file.is_file() and not file.is_symlink():
                hits += self._scan_file(file, place)
        return hits

    def _scan_file(self, file: Path, place: str) -> list[Hit]:
        hits: dict[str, Hit] = {}
        try:
            with file.open("rb") as stream:
                while data := stream.read(WINDOW):
                    for hit in self.scan_bytes(data, place):
                        hits.setdefault(hit.needle_name, hit)
                    if len(data) == WINDOW:
                        stream.seek(-OVERLAP, 1)
        except OSError as error:
            # The original error quotes the name, which may be a person's.
            raise OSError(error.errno, f"Cannot read {self._safe(place)}") from None
        return list(hits.values())

    def _scan(self, content: str | bytes, place: str, size: int) -> list[Hit]:
        self.counts.places += 1
        self.counts.bytes += size
        self._budget = self._new_budget(size)
        found = self._search(content, self._max_depth)
        self.counts.capped += self._budget.capped
        safe = self._safe(place) if found else place
        return sorted(Hit(safe, name, path) for name, path in found.items())

    def _new_budget(self, size: int) -> Budget:
        return Budget(self._inflate_limit, to_read=READ_FACTOR * (self._inflate_limit + size))

    def _safe(self, place: str) -> str:
        """The place, or a digest of it where it tells a value itself (a file named after a person)."""
        self._budget = self._new_budget(len(place))  # what the content used up must not blind us to its name
        if not self._search(place, self._max_depth):
            return place
        return f"place withheld, sha256 {hashlib.sha256(place.encode('utf-8', 'replace')).hexdigest()[:12]}"

    def _search(self, content: str | bytes, depth: int, *, verbatim: bool = False) -> Found:
        key = (type(content), verbatim, depth, len(content), hash(content))
        if (known := self._memo.get(key)) is not None:
            return known
        search = self._search_bytes if isinstance(content, bytes) else self._search_text
        found = search(content, depth, verbatim)
        if not self._budget.capped:  # else the answer is incomplete
            if len(self._memo) >= MEMO_ENTRIES:
                self._memo.clear()
            self._memo[key] = found
        return found

    def _search_bytes(self, data: bytes, depth: int, _verbatim: bool) -> Found:
        found: Found = {}
        for view in texts_of(data):
            if view.readable:
                _add(found, self._search(view.text, depth, verbatim=view.verbatim), view.charset)
            else:
                _add(found, self._plain(view.text), view.charset)
        if depth:
            for name, content in contents_of(data, self._budget):
                self._descend(found, name, content, depth)
        return found

    def _search_text(self, text: str, depth: int, verbatim: bool) -> Found:
        found = self._plain(text)
        if not verbatim and (data := as_bytes(text)) is not None:
            _add(found, self._search(data, depth), "bytes")
        if depth:
            text, streams = without_ascii85(text)
            for stream in streams:
                self._descend(found, "ascii85", stream, depth)
            for name, content in layers_of(text):
                self._descend(found, name, content, depth)
            self._search_runs(found, text, depth)
        return found

    def _search_runs(self, found: Found, text: str, depth: int) -> None:
        noise: dict[str, list[bytes]] = {}
        new_runs = []
        for run in runs_in(text):
            key = ("run", depth, len(run), hash(run))
            if key in self._memo:
                _add(found, self._memo[key])
                continue
            new_runs.append(key)
            self._memo[key] = self._search_run(run, depth, noise)
            _add(found, self._memo[key])
        if self._search_noise(found, noise) or self._budget.capped:
            for key in new_runs:  # which of them it was is not known: they are read again next time
                self._memo.pop(key, None)

    def _search_run(self, run: str, depth: int, noise: dict[str, list[bytes]]) -> Found:
        found: Found = {}
        for name, data in decodings_of(run):
            if is_telling(data):
                self._descend(found, name, data, depth)
            else:
                noise.setdefault(name, []).append(data)
        return found

    def _search_noise(self, found: Found, noise: dict[str, list[bytes]]) -> bool:
        """Bytes that look like nothing: searched as they are, all at once. Whether something was found."""
        seen = False
        for name, pieces in noise.items():
            self.counts.decodings += len(pieces)
            for view in texts_of(b"\n\n\n\n".join(pieces)):
                more = self._plain(view.text)
                seen = seen or bool(more)
                _add(found, more, name, view.charset)
        return seen

    def _plain(self, text: str) -> Found:
        return dict.fromkeys(self._matcher.names_in(text), ())

    def _descend(self, found: Found, name: str, content: str | bytes, depth: int) -> None:
        self.counts.decodings += 1
        if self._budget.may_read(len(content)):
            _add(found, self._search(content, depth - 1), name)


def _add(found: Found, more: Found, *steps: str) -> None:
    for name, path in more.items():
        longer = (*filter(None, steps), *path)
        if name not in found or len(longer) < len(found[name]):
            found[name] = longer


def _leaves(value: Any) -> Iterable[str | bytes]:
    """The texts and bytes in a value. A container met twice is read once, so circles end."""
    waiting, seen = [value], set()
    while waiting:
        item = waiting.pop()
        if item is None:
            continue
        if isinstance(item, str):
            yield item
        elif isinstance(item, bytes | bytearray | memoryview):
            yield bytes(item)
        elif isinstance(item, Mapping | list | tuple | set | frozenset):
            if id(item) not in seen:
                seen.add(id(item))
                waiting += [*item.keys(), *item.values()] if isinstance(item, Mapping) else item
        else:
            yield str(item)  # Decimal, datetime, UUID and the like say all they hold
