"""A verified account between the two steps of connecting it."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from privacy.fields import CannotDecrypt, decrypt, encrypt
from stores.connecting import Verification

LIFETIME = timedelta(minutes=10)
SESSION_KEY = "pending_connections"


@dataclass(frozen=True)
class Pending:
    """What step 1 found. `merchant_id` None: `new_merchant` is created with the account."""

    verified: Verification
    token: str = field(repr=False)
    merchant_id: int | None
    new_merchant: str


def _place(key: str) -> str:
    return f"stores.pending_connection.{key}"


def keep(session, pending: Pending, *, now: datetime) -> str:
    """Seal it into the session for ten minutes; returns the random key that finds it again.

    Sessions live in our database, never in the browser. The token lies there as it does on an account:
    encrypted, bound to its place (here with the key, so that no entry can stand in for another). Used entries
    go at once, old ones at the next visit, all of them with the session, which ends after 12 hours at most.
    """
    key = secrets.token_urlsafe(24)
    sealed = encrypt(json.dumps(asdict(pending)), place=_place(key))
    session[SESSION_KEY] = _fresh(session, now) | {key: {"until": (now + LIFETIME).isoformat(), "sealed": sealed}}
    return key


def recall(session, key: str, *, now: datetime) -> Pending | None:
    """What was kept under this key, unless it is older than ten minutes, used, or another session's."""
    entry = _fresh(session, now).get(key)
    if entry is None:
        return None
    try:
        found = json.loads(decrypt(entry["sealed"], place=_place(key)))
    except CannotDecrypt:
        return None
    known = found.pop("verified")
    return Pending(verified=Verification(**(known | {"codes": tuple(known["codes"])})), **found)


def drop(session, key: str, *, now: datetime) -> None:
    """Forget one entry, and the old ones with it."""
    session[SESSION_KEY] = {other: entry for other, entry in _fresh(session, now).items() if other != key}


def _fresh(session, now: datetime) -> dict[str, dict]:
    entries = session.get(SESSION_KEY, {})
    fresh = {key: entry for key, entry in entries.items() if datetime.fromisoformat(entry["until"]) > now}
    if len(fresh) < len(entries):
        session[SESSION_KEY] = fresh
    return fresh
