"""Data keys: what a person's record, or a file, is encrypted with. Destroying one destroys every copy of the record.

An owner is `order:12`, `customer:…`, `item:7` or `file:…`. Its key is random, kept wrapped by the master key in a
table of its own, which long-lived backups leave out.
"""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from orderhub import bulk, clock
from privacy import keys
from privacy.models import DataKey
from privacy.sealing import CannotDecrypt, decrypt, encrypt

PLACE = "privacy_datakey.wrapped"
NONCE_BYTES = 12
MARK = "oh1:"  # what a sealed text begins with


class Sealed(str):
    """Text that is ciphertext already: what writes it does not encrypt it again."""


def obtain(owners: Iterable[str], *, fresh: bool = False) -> dict[str, str]:
    """The wrapped key of each owner; who has none gets one. Two statements, one where all are `fresh`."""
    wanted = list(dict.fromkeys(owners))
    found = {} if fresh else known(wanted)
    missing = [owner for owner in wanted if owner not in found]
    if not missing:
        return found
    now = clock.now()
    made = [DataKey(owner=owner, wrapped=_new(), created_at=now) for owner in missing]
    if fresh:
        bulk.insert(made)
        return found | {row.owner: row.wrapped for row in made}
    DataKey.objects.bulk_create(made, ignore_conflicts=True)
    return found | known(missing)  # another writer's, where it was quicker


def destroy(owners: Iterable[str]) -> int:
    """Destroy the keys of these owners; returns how many there were. Safe to repeat."""
    named = list(owners)
    return DataKey.objects.filter(owner__among=named)._raw_delete("default") if named else 0


def hand_over(owner: str, to: str) -> None:
    """Let a key belong to another owner from now on."""
    destroy([to])
    DataKey.objects.filter(owner=owner).update(owner=to)


def known(owners: list[str]) -> dict[str, str]:
    """The wrapped keys of those owners that have one."""
    return dict(DataKey.objects.filter(owner__among=owners).values_list("owner", "wrapped"))


def _new() -> str:
    return encrypt(b64encode(secrets.token_bytes(keys.KEY_BYTES)).decode(), place=PLACE)


@lru_cache(maxsize=512)
def _cipher(wrapped: str) -> AESGCM:
    return AESGCM(b64decode(decrypt(wrapped, place=PLACE)))


def rewrap(wrapped: str) -> str:
    """The same key under the newest master key."""
    return encrypt(decrypt(wrapped, place=PLACE), place=PLACE)


def seal(text: str, wrapped: str, *, place: str) -> Sealed:
    """`text` under an owner's key, bound to `place` (`table.column`)."""
    return Sealed(MARK + b64encode(seal_bytes(text.encode(), wrapped, place=place)).decode())


def unseal(stored: str, wrapped: str, *, place: str) -> str:
    """The text behind `stored`. Raises CannotDecrypt rather than ever returning ciphertext."""
    try:
        return unseal_bytes(b64decode(stored.removeprefix(MARK), validate=True), wrapped, place=place).decode()
    except ValueError:
        raise CannotDecrypt(place) from None


def seal_bytes(data: bytes, wrapped: str, *, place: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher(wrapped).encrypt(nonce, data, place.encode())


def unseal_bytes(data: bytes, wrapped: str, *, place: str) -> bytes:
    try:
        return _cipher(wrapped).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], place.encode())
    except (ValueError, InvalidTag):
        raise CannotDecrypt(place) from None
