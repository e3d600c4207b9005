"""Compares values with text after Unicode folding, many values in one pass."""

import functools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

# A planted value carries a token such as ZQname17QZ; the token is what identifies it.
TOKEN = re.compile(r"ZQ\w+?QZ", re.ASCII)
INVISIBLE = {"Mn", "Me", "Cf"}  # accents and vowel signs, joiners, direction marks, soft hyphens
# Those beyond the basic plane: in one class with the others the search would be slow.
SELECTORS = re.compile("[\U000e0000-\U000e01ef]+")


@functools.cache
def _invisible() -> re.Pattern[str]:
    chars = map(chr, range(0x80, 0x10000))
    return re.compile(f"[{''.join(c for c in chars if unicodedata.category(c) in INVISIBLE)}]+")


def fold(text: str, *, spaced: bool = False) -> str:
    """NFKC, case folding, no accents, no invisible characters and no white space ("+" is a space in URLs).

    `spaced` leaves the white space where it is.
    """
    if text.isascii():
        text = text.lower()
    else:
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
        text = SELECTORS.sub("", _invisible().sub("", text))
    text = text.replace("+", " ")
    # Extracted PDF text and wrapped mail put white space inside words, so none of it counts.
    return text if spaced else "".join(text.split())


class Matcher:
    """Finds needles in text. A needle is known by its token, or by the whole value where it has none."""

    def __init__(
        self,
        needles: Mapping[str, str],
        *,
        survivors: Iterable[str],
        part: int,
        token: re.Pattern[str] = TOKEN,
    ):
        """`part`: how many first characters betray a truncated value; 0 looks for complete ones only.

        `survivors`: values that may stay. They explain what looks like the beginning of a needle.
        """
        self._part = part
        self._by_anchor: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
        named = [*needles.items(), *((None, value) for value in survivors)]
        self._anchor_length = part or 6
        for name, value in named:
            form = self._form(value, token)
            if not form:
                raise ValueError(f"Needle {name} is empty after folding: it would be found everywhere.")
            self._by_anchor[form[: self._anchor_length]].append((form, name))
        self._regex = re.compile(_trie_pattern(self._by_anchor) or r"(?!)")

    @staticmethod
    def _form(value: str, token: re.Pattern[str]) -> str:
        found = token.search(value)
        return fold(found[0] if found else value)

    def names_in(self, text: str) -> set[str]:
        """The names of all needles in the text."""
        folded = fold(text)
        names: set[str] = set()
        position = 0
        pieces: dict[str, set[str]] = defaultdict(set)
        while found := self._regex.search(folded, position):
            whole, piece, cut_short = self._names_at(folded, found.start(), found[0])
            names |= whole
            pieces[piece] |= cut_short
            position = found.start() + 1  # values may overlap
        if any(pieces.values()):
            names |= _standing_apart(text, pieces)
        return names

    def _names_at(self, folded: str, start: int, anchor: str) -> tuple[set[str], str, set[str]]:
        """(needles here, the beginning seen where there is none, the needles that beginning fits best)."""
        # The expression prefers the longest anchor; a short needle may be the beginning of it.
        beginnings = (anchor[:end] for end in range(1, len(anchor) + 1))
        known = [entry for beginning in beginnings for entry in self._by_anchor.get(beginning, ())]
        whole = {name for form, name in known if folded.startswith(form, start)}
        if whole or not self._part:
            return {name for name in whole if name is not None}, "", set()
        fits = [(_common_length(folded, start, form), name) for form, name in known]
        longest = max(length for length, _ in fits)
        best = {name for length, name in fits if length == longest}
        if longest < self._part or None in best:
            return set(), "", set()
        return set(), folded[start : start + longest], best


def _standing_apart(text: str, pieces: Mapping[str, set[str]]) -> set[str]:
    """The needles whose piece begins or ends like a word.

    In the middle of base64 six matching characters are chance, once there are thousands of needles.
    """
    spaced = fold(text, spaced=True)
    names: set[str] = set()
    for piece, fitting in pieces.items():
        body = r"\s*".join(map(re.escape, piece))
        if fitting and re.search(rf"(?<![a-z0-9]){body}|{body}(?![a-z0-9])", spaced):
            names |= fitting
    return names


def _common_length(text: str, start: int, form: str) -> int:
    piece = text[start : start + len(form)]
    return next((i for i, (a, b) in enumerate(zip(piece, form, strict=False)) if a != b), len(piece))


def _trie_pattern(words: Iterable[str]) -> str:
    """One expression for all words, shared beginnings merged: its time does not grow with their number."""
    trie: dict = {}
    for word in words:
        node = trie
        for char in word:
            node = node.setdefault(char, {})
        node[""] = {}
    return _node_pattern(trie)


def _node_pattern(node: dict) -> str:
    branches = [re.escape(char) + _node_pattern(child) for char, child in sorted(node.items()) if char]
    if not branches:
        return ""
    pattern = branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
    return f"(?:{pattern})?" if "" in node else pattern
