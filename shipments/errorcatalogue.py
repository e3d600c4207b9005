"""From an error's code or text to what it means and what to do. Pure: it asks no database."""

import re

from shipments.errorentries import AMAZON, BIGCOMMERCE, ENTRIES, OTHER, Entry, Kind, Step, Who

__all__ = ["AMAZON", "BIGCOMMERCE", "ENTRIES", "OTHER", "Entry", "Kind", "Step", "Who"]
STATUS = re.compile(r"[2-5]\d\d")
EVERYTHING = (*ENTRIES, OTHER)
BY_KEY = {entry.key: entry for entry in EVERYTHING}
STEPS = {step.code: step for entry in EVERYTHING for step in entry.steps}
_BY_CODE = {(entry.channel, code.lower()): entry for entry in ENTRIES for code in entry.codes}


def find(code: str, text: str = "", *, channel: str = AMAZON) -> Entry:
    """The entry of an error: what its text tells first, as one code stands for many reasons; OTHER where none fits.

    `text`: the marketplace's own words, if they may be read. `channel`: whose error it is.
    """
    for entry in ENTRIES:
        if entry.channel in ("", channel) and any(words.lower() in text.lower() for words in entry.said):
            return entry
    return _by_code(code, channel) or OTHER


def _by_code(code: str, channel: str) -> Entry | None:
    """A status that is not named stands for its hundred; a code may be written with blanks."""
    wanted = code.strip().lower()
    if channel == BIGCOMMERCE:
        wanted = wanted.removeprefix(BIGCOMMERCE)  # a refusal of a shipment is kept as BigCommerce400, say
    names = [wanted, wanted.replace(" ", "-"), wanted.replace(" ", "")]
    if STATUS.fullmatch(wanted):
        names.append(f"{wanted[0]}xx")
    found = (_BY_CODE.get((whose, name)) for name in names for whose in (channel, ""))
    return next(filter(None, found), None)


def codes_of(kind: str) -> list[str]:
    """Every exact code of a kind, for filters of the database."""
    return [code for entry in ENTRIES if entry.kind == kind for code in entry.codes]


def search(words: str) -> list[Entry]:
    """The entries that hold all of these words, in code, meaning or steps; all of them where there are none."""
    wanted = words.lower().split()
    return [entry for entry in EVERYTHING if all(word in _text(entry) for word in wanted)]


def by_code_or_words(typed: str) -> list[Entry]:
    """What somebody looks for: a code that is known leads to its entries of each marketplace, all else is searched."""
    exact = {entry.key: entry for channel in (AMAZON, BIGCOMMERCE) if (entry := _by_code(typed, channel))}
    return list(exact.values()) or search(typed)


def _text(entry: Entry) -> str:
    steps = (str(step.text) for step in entry.steps)
    return " ".join([entry.key, *entry.codes, *entry.said, str(entry.meaning), *steps]).lower()
