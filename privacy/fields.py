"""Columns encrypted with AES-256-GCM. Keys come from FIELD_ENCRYPTION_KEYS, newest first, each `id:base64`.

The stored text is `v1:<key id>:<base64 of nonce and ciphertext>`; the table and column are authenticated with it, so a
value moved to another column does not decrypt. Nothing is searchable.
"""

import secrets
from base64 import b64decode, b64encode
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

VERSION = "v1"
NONCE_BYTES = 12


class CannotDecrypt(Exception):
    """The key is missing or the stored text was altered. Holds the column's name, never its content."""


@lru_cache(maxsize=4)
def _keys(declared: tuple[str, ...]) -> dict[str, AESGCM]:
    try:
        pairs = [entry.split(":", 1) for entry in declared]
        keys = {name: AESGCM(b64decode(text, validate=True)) for name, text in pairs}
    except ValueError as error:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS: id:base64 of 32 bytes, separated by commas") from error
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is empty")
    return keys


def encrypt(text: str, *, place: str) -> str:
    """`text` under the newest key, bound to `place` (`table.column`)."""
    keys = _keys(tuple(settings.FIELD_ENCRYPTION_KEYS))
    name = next(iter(keys))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = keys[name].encrypt(nonce, text.encode(), place.encode())
    return f"{VERSION}:{name}:{b64encode(nonce + sealed).decode()}"


def decrypt(stored: str, *, place: str) -> str:
    """The text behind `stored`. Raises CannotDecrypt rather than ever returning ciphertext."""
    try:
        version, name, packed = stored.split(":", 2)
        if version != VERSION:
            raise ValueError
        raw = b64decode(packed, validate=True)
        key = _keys(tuple(settings.FIELD_ENCRYPTION_KEYS))[name]
        return key.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()).decode()
    except (ValueError, KeyError, InvalidTag):
        raise CannotDecrypt(place) from None


class EncryptedTextField(models.TextField):
    """Text that is ciphertext in the database. The empty string stays empty."""

    @property
    def _place(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        return encrypt(value, place=self._place) if value else value

    def from_db_value(self, value, expression, connection):
        return decrypt(value, place=self._place) if value else value

    def get_lookup(self, lookup_name):
        """Only emptiness can be asked: equal texts have different ciphertexts."""
        if lookup_name not in {"exact", "isnull"}:
            raise TypeError("an encrypted column cannot be searched")
        return super().get_lookup(lookup_name)
