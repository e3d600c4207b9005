"""Where the master keys come from: newest first, each `id:base64 of 32 bytes`.

KEY_PROVIDER names a class with a method `declared()`. Two are here: the environment, and a file that only its owner
reads. One that asks a key management service is a class of the same shape.
"""

import stat
from base64 import b64decode
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

KEY_BYTES = 32


class KeyProvider(Protocol):
    def declared(self) -> tuple[str, ...]:
        """Every key that may still be needed, `id:base64`, the one to encrypt with first."""


class EnvironmentKeys:
    """FIELD_ENCRYPTION_KEYS of the environment."""

    def declared(self) -> tuple[str, ...]:
        return tuple(settings.FIELD_ENCRYPTION_KEYS)


class FileKeys:
    """FIELD_ENCRYPTION_KEYS_FILE: a key a line. Refused where anybody but its owner may read it."""

    def declared(self) -> tuple[str, ...]:
        path = Path(settings.FIELD_ENCRYPTION_KEYS_FILE)
        try:
            found = path.stat()
        except OSError as error:
            raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS_FILE: there is no such file") from error
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS_FILE: only its owner may read it (chmod 600)")
        return _lines(path, found.st_mtime_ns)


@lru_cache(maxsize=2)
def _lines(path: Path, _changed: int) -> tuple[str, ...]:
    return tuple(line.strip() for line in path.read_text().splitlines() if line.strip())


def master() -> dict[str, AESGCM]:
    """The master keys by id, the newest first."""
    return _parsed(_provider(settings.KEY_PROVIDER).declared())


def newest() -> str:
    """The id of the key that is encrypted with now."""
    return next(iter(master()))


@lru_cache(maxsize=2)
def _provider(path: str) -> KeyProvider:
    return import_string(path)()


@lru_cache(maxsize=4)
def _parsed(declared: tuple[str, ...]) -> dict[str, AESGCM]:
    try:
        pairs = [entry.split(":", 1) for entry in declared]
        keys = {name: AESGCM(b64decode(text, validate=True)) for name, text in pairs}
    except ValueError as error:
        raise ImproperlyConfigured(
            "FIELD_ENCRYPTION_KEYS: id:base64 of 32 bytes, separated by commas (in a file: one a line)"
        ) from error
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is empty")
    return keys
