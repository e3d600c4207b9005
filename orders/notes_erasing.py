"""Which notes of staff name the buyer of their order, and how those are erased.

A note is compared with the order's own row of persons, in one folded form for both: NFKC, lower case, no accents, every
mark and line break a single blank. It is overwritten whole where it holds one of these; all other notes stay:
- a name: the whole of it, or two of its words side by side in any order. A single word of it from three letters on
  counts too where the note writes it with a capital or in a script that has none, or where it has six letters or
  more: "Mme Durand", "durand", but not "petit colis" of a M. Petit. Particles and titles never count alone. A note too many costs a remark, a note
  too few keeps a person;
- a company or user name, a real e-mail address, as a whole;
- a street line, or it without its numbers, or its number beside one of its words;
- a phone number: its last seven digits, however they are grouped.
Scripts without blanks between words (from Thai on) are searched anywhere in the text, blanks apart. Names and streets
count in Roman characters as well, where somebody wrote those.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime

from orders.models import OrderNote, OrderPersonalData
from privacy import datakeys, markers
from privacy.fields import give_keys

FIELD = "notes"  # as certificates name it
NAMES = ("buyer_name", "recipient_name", "romanised_name")
WHOLE = ("buyer_company", "recipient_company", "romanised_company", "buyer_username")
STREETS = ("street1", "street2", "street3", "romanised_street1", "romanised_street2", "romanised_street3")
# fmt: off
NOT_ALONE = frozenset([
    "and", "bin", "das", "dei", "del", "della", "den", "der", "des", "die", "dos", "les", "mlle", "mme", "monsieur",
    "madame", "mrs", "the", "und", "van", "von", "herr", "frau",
])
# fmt: on
NUMBER_SUFFIXES = frozenset({"bis", "ter", "quater"})
TAIL = 7  # digits of a phone number that are the same with and without its prefixes
LEAST_DIGITS = 5
LEAST_LETTERS = 3  # of a word that counts alone, and of a company or user name
SURE_LETTERS = 6  # of a word that counts alone in small letters too
JOINED = 8  # letters and digits from which a text is looked for across blanks and line breaks
UNSPACED = 0x0E00  # Unicode: from here on stand scripts that write no blanks between words
_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ı": "i"})
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_EXTENSION = re.compile(r"\s*(?:ext|x|poste|#)", re.IGNORECASE)


def fold(text: str) -> str:
    """Letters and digits in their plainest form, words apart by one blank."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(sign for sign in parts if unicodedata.category(sign) not in {"Mn", "Cf"}).translate(_LETTERS)
    return " ".join(_WORD.findall(plain))


def _spellings(text: str) -> set[str]:
    """The folded text, and the one with umlauts spelt out; '' never."""
    spelt_out = unicodedata.normalize("NFKC", text).casefold().translate(_SPELT_OUT)
    return {fold(text), fold(spelt_out)} - {""}


def _digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(sign)) for sign in text if sign.isdecimal())


def _unspaced(folded: str) -> bool:
    return any(ord(sign) >= UNSPACED for sign in folded)


class _Text:
    """A note in the forms in which it is searched."""

    def __init__(self, text: str):
        folded = fold(text)
        self.words = f" {folded} "
        self.joined = folded.replace(" ", "")
        written = _WORD.findall(unicodedata.normalize("NFKC", text))
        self.capitals = {fold(word) for word in written if not word[0].islower()}  # or of a script without them
        self.digits = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in self.joined)

    def holds(self, folded: str) -> bool:
        """Whether these words stand in the text one after the other; long ones also in pieces."""
        joined = folded.replace(" ", "")
        if len(joined) >= JOINED or _unspaced(folded):
            return joined in self.joined
        return f" {folded} " in self.words


class Traces:
    """What of one order's people a note may not keep."""

    def __init__(self, person: OrderPersonalData):
        self.names = self._folded(person, NAMES, least=2)
        self.whole = self._folded(person, WHOLE, least=LEAST_LETTERS)
        if person.buyer_email and not markers.is_relay(person.buyer_email):
            self.whole |= _spellings(person.buyer_email)
        self.streets = self._folded(person, STREETS, least=4)
        tail = _digits(_EXTENSION.split(person.phone)[0])[-TAIL:]
        self.phone = tail if len(tail) >= LEAST_DIGITS else ""

    @staticmethod
    def _folded(person: OrderPersonalData, names: tuple[str, ...], *, least: int) -> set[str]:
        """Spellings of these fields that are long enough to mean something; scripts without blanks need fewer signs."""
        found = {spelling for name in names for spelling in _spellings(getattr(person, name))}
        return {text for text in found if len(text.replace(" ", "")) >= (min(least, 3) if _unspaced(text) else least)}

    def are_in(self, text: str) -> bool:
        """Whether the text names the person, where it lives or how it is reached."""
        note = _Text(text)
        return (
            any(note.holds(whole) for whole in self.whole)
            or any(_has_name(note, name) for name in self.names)
            or any(_has_street(note, street) for street in self.streets)
            or (bool(self.phone) and self.phone in note.digits)
        )


def _has_name(note: _Text, name: str) -> bool:
    words = name.split()
    if note.holds(name) or any(_counts_alone(note, word) for word in words):
        return True
    long = [word for word in words if len(word) > 1]
    return any(f" {one} {other} " in note.words for one in long for other in long if one != other)


def _counts_alone(note: _Text, word: str) -> bool:
    if _unspaced(word):
        return len(word) > 1 and word in note.joined
    if len(word) < LEAST_LETTERS or word in NOT_ALONE or f" {word} " not in note.words:
        return False
    return len(word) >= SURE_LETTERS or word in note.capitals


def _has_street(note: _Text, street: str) -> bool:
    words = street.split()
    numbers = [word for word in words if any(map(str.isdigit, word))]
    named = [word for word in words if word not in numbers and word not in NUMBER_SUFFIXES]
    if note.holds(street) or (len(named) > 1 and len("".join(named)) >= JOINED and note.holds(" ".join(named))):
        return True
    return any(
        f" {first} {second} " in note.words
        for number in numbers
        for word in named
        if len(word) > LEAST_LETTERS
        for first, second in ((number, word), (word, number))
    )


class _Holder:
    """Notes of orders; see privacy.registry.Holder. Before the persons, whose names it reads."""

    def destroy_files(self, order_ids: list[int], *, now: datetime) -> dict[int, int]:
        return {}

    def redact_due_files(self, *, now: datetime, marker: str) -> Iterator[tuple[int, str]]:
        return iter(())

    def overwrite(self, order_ids: list[int], *, marker: str, now: datetime) -> dict[int, list[str]]:
        """Overwrite the notes that name their buyer; the same few statements for any number. Safe to repeat."""
        found = _naming(order_ids)
        if found:
            _under_new_keys(set(found.values()), but=set(found))
            OrderNote.objects.filter(pk__in=found).update(marker=marker, text=marker)
        return {order_id: [FIELD] for order_id in found.values()}

    def leftovers(self, order_ids: list[int], *, now: datetime) -> set[int]:
        """Orders with a note that still names a person their row still holds; once that is erased there is none left."""
        return set(_naming(order_ids).values())


def _naming(order_ids: list[int]) -> dict[int, int]:
    """Notes that name their buyer, each with its order; two queries, one where there are no notes."""
    notes = list(
        OrderNote.objects.filter(order__among=order_ids, marker="").order_by("pk").values_list("pk", "order", "text")
    )
    if not notes:
        return {}
    persons = OrderPersonalData.objects.filter(pk__in={order_id for _pk, order_id, _text in notes}, marker="")
    traces = {person.pk: Traces(person) for person in persons}
    return {pk: order_id for pk, order_id, text in notes if order_id in traces and traces[order_id].are_in(text)}


def _under_new_keys(order_ids: set[int], *, but: set[int]) -> None:
    """The old key goes with the notes that name somebody; what stays of these orders gets another one."""
    staying = list(OrderNote.objects.filter(order__among=order_ids, marker="").exclude(pk__in=but).order_by("pk"))
    datakeys.destroy(f"notes:{order_id}" for order_id in order_ids)
    give_keys(staying)
    OrderNote.objects.bulk_create(staying, update_conflicts=True, unique_fields=["id"], update_fields=["text"])


NOTES = _Holder()
