"""AES-256-GCM under the master keys: text in, text out. See privacy/keys.py for where the keys come from.

The stored text is `v1:<key id>:<base64 of nonce and ciphertext>`; the place (`table.column`) is authenticated with it,
so a value moved to another column does not decrypt.
"""

import secrets
from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidTag

from privacy import keys

VERSION = "v1"
NONCE_BYTES = 12


class CannotDecrypt(Exception):
    """The key is missing or the stored text was altered. Holds the column's name, never its content."""


def encrypt(text: str, *, place: str) -> str:
    """`text` under the newest key, bound to `place` (`table.column`)."""
    found = keys.master()
    name = next(iter(found))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = found[name].encrypt(nonce, text.encode(), place.encode())
    return f"{VERSION}:{name}:{b64encode(nonce + sealed).decode()}"


def decrypt(stored: str, *, place: str) -> str:
    """The text behind `stored`. Raises CannotDecrypt rather than ever returning ciphertext."""
    try:
        version, name, packed = stored.split(":", 2)
        if version != VERSION:
            raise ValueError
        raw = b64decode(packed, validate=True)
        key = keys.master()[name]
        return key.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()).decode()
    except (ValueError, KeyError, InvalidTag):
        raise CannotDecrypt(place) from None


def key_id(stored: str) -> str:
    """Under which key a text is; '' for what is not encrypted."""
    version, _mark, rest = stored.partition(":")
    return rest.partition(":")[0] if version == VERSION else ""
