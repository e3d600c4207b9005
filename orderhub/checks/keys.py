"""Keys that nobody else has."""

import base64
import binascii
import json

from django.conf import settings

from orderhub.checks.rules import unsafe

KNOWN = ("django-insecure", "only-for-tests", "changeme", "change-me", "secret", "example")
FAST = ("MD5", "Unsalted", "CryptPassword")  # PBKDF2SHA1 is slow
LEAST_DISTINCT = 8  # of 32 random bytes hardly ever fewer than 24 differ


def _local() -> dict:
    """The generated secrets of a development or demo installation in the same folder."""
    try:
        return json.loads((settings.VAR_DIR / "secrets.json").read_text())
    except (OSError, ValueError):
        return {}


def _field_keys() -> list[tuple[str, bytes]]:
    found = []
    for entry in settings.FIELD_ENCRYPTION_KEYS:
        name, _colon, text = entry.partition(":")
        try:
            found.append((name, base64.b64decode(text, validate=True)))
        except (ValueError, binascii.Error):
            continue  # the check of their form says so
    return found


@unsafe(30)
def secret_key_is_nobody_elses() -> str:
    key = settings.SECRET_KEY
    known = key == _local().get("secret_key") or any(word in key.lower() for word in KNOWN)
    return "SECRET_KEY is a known one or that of a demo: make a new one for production." if known else ""


@unsafe(31)
def field_keys_are_nobody_elses() -> str:
    demo = _local().get("field_key")
    known = any(entry.partition(":")[2] == demo for entry in settings.FIELD_ENCRYPTION_KEYS if demo)
    weak = any(len(set(key)) < LEAST_DISTINCT for _name, key in _field_keys())
    return "FIELD_ENCRYPTION_KEYS holds a demo's key or one that is not random: make new ones." if known or weak else ""


@unsafe(32)
def field_keys_are_not_the_secret_key() -> str:
    secret = settings.SECRET_KEY
    texts = {entry.partition(":")[2] for entry in settings.FIELD_ENCRYPTION_KEYS} - {""}
    same = any(text in secret or secret in text for text in texts)
    same = same or any(key == secret.encode()[: len(key)] for _name, key in _field_keys())
    return "FIELD_ENCRYPTION_KEYS and SECRET_KEY must be independent of each other." if same else ""


@unsafe(33)
def field_keys_differ() -> str:
    keys = _field_keys()
    safe = len({name for name, _key in keys}) == len({key for _name, key in keys}) == len(keys)
    return "" if safe else "FIELD_ENCRYPTION_KEYS names a key, or holds the same one, twice."


@unsafe(34)
def old_secret_keys_are_gone() -> str:
    short = [
        key for key in settings.SECRET_KEY_FALLBACKS if len(key) < 50 or any(word in key.lower() for word in KNOWN)
    ]
    return "SECRET_KEY_FALLBACKS holds a weak key: remove it." if short else ""


@unsafe(35)
def passwords_are_hashed_slowly() -> str:
    weak = [name for name in settings.PASSWORD_HASHERS if any(word in name for word in FAST)]
    return "PASSWORD_HASHERS must hold slow ones only (PBKDF2, scrypt, Argon2, bcrypt)." if weak else ""


@unsafe(36)
def passwords_are_long() -> str:
    lengths = [
        found.get("OPTIONS", {}).get("min_length", 8)
        for found in settings.AUTH_PASSWORD_VALIDATORS
        if "Length" in found["NAME"] or "min_length" in found.get("OPTIONS", {})
    ]
    return "" if lengths and max(lengths) >= 12 else "AUTH_PASSWORD_VALIDATORS must ask for 12 characters at least."
