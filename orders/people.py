"""Finding orders by whom they are for, although names, addresses and phones are encrypted.

Beside each person stand keyed hashes of its words: names, user name and company word by word, e-mail addresses whole,
phones by their last digits. A search hashes its own words and asks for the orders that have them all. Nobody with the
table alone can try names without the key, and the hashes go with the erasure.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils.crypto import salted_hmac

from orderhub import bulk
from orders.models import BuyerWord, Order, OrderPersonalData
from orders.notes_erasing import fold

PURPOSE = "orders.people.word"
NAMES = (
    "buyer_name", "buyer_username", "buyer_company", "recipient_name", "recipient_company", "romanised_name",
    "romanised_company",
)  # fmt: skip
PHONE_DIGITS = 8  # from the end: the same with and without a country's prefix
LEAST_LETTERS = 2
MOST_WORDS = 8  # of a search
MOST_FOUND = 50


def words_of(person: OrderPersonalData) -> set[int]:
    """The hashes under which this person is found; none once it is erased."""
    if person.marker:
        return set()
    return {_hashed(word) for word in _words(person)}


def index(persons: Iterable[OrderPersonalData], *, fresh: bool = False) -> None:
    """Keep the words of these persons, whose orders have their rows. One statement; adds, never takes away."""
    rows = [BuyerWord(order_id=person.order_id, word=word) for person in persons for word in words_of(person)]
    if fresh:
        bulk.insert(rows)
    elif rows:
        BuyerWord.objects.bulk_create(rows, ignore_conflicts=True)


def forget(order_ids: Iterable[int]) -> set[int]:
    """Drop the words of these orders; returns those that had some."""
    rows = BuyerWord.objects.filter(order__among=list(order_ids))
    held = set(rows.values_list("order", flat=True))
    if held:
        rows._raw_delete("default")
    return held


def find(text: str, *, among: QuerySet | None = None) -> QuerySet:
    """The newest orders, fifty at most, whose person has every word of the text. Nothing for a text without words.

    `among`: orders that the reader may see at all; without it every order is looked at.
    """
    wanted = [_hashed(word) for word in searched(text)]
    if not wanted:
        return Order.objects.none()
    matching = BuyerWord.objects.filter(word__in=wanted).order_by().values("order").annotate(found=Count("pk"))
    ids = matching.filter(found=len(wanted)).values("order")
    orders = Order.objects.all() if among is None else among
    return orders.filter(pk__in=ids).order_by("-ordered_at", "-pk")[:MOST_FOUND]


def searched(text: str) -> list[str]:
    """The words a search looks for: an e-mail address, a phone number, or names."""
    text = text.strip()
    if "@" in text:
        return [_address(text)] if " " not in text else []
    digits = _digits(text)
    if len(digits) >= PHONE_DIGITS and len(digits) >= len(text.replace(" ", "")) / 2:
        return [digits[-PHONE_DIGITS:]]
    return list(dict.fromkeys(_long(fold(text))))[:MOST_WORDS]


def search_digest(text: str, *, now: datetime) -> str:
    """What the log keeps of a search: a hash that is the same for a day, and tells nothing after it."""
    told = " ".join(sorted(searched(text)))
    return salted_hmac(f"{PURPOSE}.{now:%Y-%m-%d}", told, algorithm="sha256").hexdigest()[:16]


def _words(person: OrderPersonalData) -> set[str]:
    found = {word for name in NAMES for word in _long(fold(getattr(person, name)))}
    if person.buyer_email:
        found.add(_address(person.buyer_email))
    digits = _digits(person.phone)
    if len(digits) >= PHONE_DIGITS:
        found.add(digits[-PHONE_DIGITS:])
    return found


def _long(folded: str) -> list[str]:
    return [word for word in folded.split() if len(word) >= LEAST_LETTERS or ord(word[0]) > 0x2E7F]


def _address(text: str) -> str:
    return text.strip().casefold()


def _digits(text: str) -> str:
    """Digits of any script and width, as the plain ones."""
    return "".join(str(unicodedata.decimal(sign)) for sign in text if sign.isdecimal())


@lru_cache(maxsize=2)
def _key(secret: str) -> bytes:
    return salted_hmac(PURPOSE, "key", secret=secret, algorithm="sha256").digest()


def _hashed(word: str) -> int:
    """Eight bytes of a keyed hash, as the signed number a database column holds."""
    digest = hmac.digest(_key(settings.SECRET_KEY), word.encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], signed=True)
