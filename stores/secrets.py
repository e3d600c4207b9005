"""The age of the application's client secret. Amazon stops a secret after 180 days, and every account with it.

Amazon does not say when a secret was issued: the operator does (LWA_CLIENT_SECRET_ISSUED_ON), or it counts from the
day we first saw it. Only a fingerprint is kept.
"""

import hashlib
from datetime import date, datetime

from django.conf import settings
from django.utils.translation import gettext as _

from stores.models import ClientSecretSeen

LIFETIME_DAYS = 180
WARN_DAYS, URGENT_DAYS = 150, 175
HOW_TO = "https://developer-docs.amazon.com/sp-api/docs/rotating-your-apps-lwa-credentials"


def note(now: datetime) -> None:
    """Remember when the current secret was first seen. Safe to repeat; for jobs, not for pages."""
    if settings.LWA_CLIENT_SECRET:
        ClientSecretSeen.objects.get_or_create(fingerprint=_fingerprint(), defaults={"first_seen_at": now})


def age_days(now: datetime) -> int | None:
    """Whole days since the secret was issued, or first seen here; None where neither is known. At most one query."""
    if not settings.LWA_CLIENT_SECRET:
        return None
    issued = _issued_on()
    if issued is not None:
        return max(0, (now.date() - issued).days)
    seen = ClientSecretSeen.objects.filter(fingerprint=_fingerprint()).first()
    return None if seen is None else max(0, (now - seen.first_seen_at).days)


def level(age: int | None) -> str:
    """bad, warn, or '' while there is nothing to do."""
    if age is None or age < WARN_DAYS:
        return ""
    return "bad" if age >= URGENT_DAYS else "warn"


def words(age: int | None) -> str:
    """What the operator must do about a secret of this age, in the reader's language; '' where nothing."""
    match level(age):
        case "bad":
            return _(
                "The application's client secret is %(age)d days old. Amazon stops it at 180 days: import and notices would end for all accounts. The operator must issue a new one now."
            ) % {"age": age}
        case "warn":
            return _(
                "The application's client secret is %(age)d days old. Amazon stops it at 180 days: the operator should issue a new one."
            ) % {"age": age}
    return ""


def untold(age: int | None) -> int | None:
    """The threshold (150 or 175 days) this age has passed and nobody was told of."""
    if age is None or age < WARN_DAYS:
        return None
    passed = URGENT_DAYS if age >= URGENT_DAYS else WARN_DAYS
    told = ClientSecretSeen.objects.filter(fingerprint=_fingerprint(), warned_days__gte=passed)
    return None if told.exists() else passed


def record_told(threshold: int, now: datetime) -> None:
    """Keep that people were told, after they were. Safe to repeat."""
    note(now)
    ClientSecretSeen.objects.filter(fingerprint=_fingerprint()).update(warned_days=threshold)


def _fingerprint() -> str:
    """Tells secrets apart. A plain hash: nothing can be guessed of a random secret, and no key of ours need last."""
    return hashlib.sha256(f"client secret\n{settings.LWA_CLIENT_SECRET}".encode()).hexdigest()


def _issued_on() -> date | None:
    """The operator's date. One that is no date is complained of by a check, and no page fails for it."""
    try:
        return date.fromisoformat(settings.LWA_CLIENT_SECRET_ISSUED_ON)
    except ValueError:
        return None
