"""API keys: made, found again by what a client sends, and revoked.

A token is `oh_<installation>_<8 letters>_<43 letters>`. The last part has 256 random bits, so its plain SHA-512 is as
good as a slow hash; only that is kept.
"""

import hashlib
import re
import secrets
import string
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from zoneinfo import available_timezones

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orderhub.models import ApiKey, User
from orderhub.models.apikey import LONGEST, PACIFIC
from orderhub.rest.scopes import SCOPES

LETTERS = string.ascii_lowercase + string.digits
KINDS = {"production": "live", "demo": "demo", "development": "dev"}
TOKEN = re.compile(r"oh_(?:live|demo|dev)_(?P<prefix>[a-z0-9]{8})_(?P<secret>[A-Za-z0-9_-]{43})")
USER_PART = re.compile(r"(?:oh_(?:live|demo|dev)_)?(?P<prefix>[a-z0-9]{8})")
MOST_A_MINUTE = 6000
SEEN_EVERY = timedelta(minutes=1)


class Reason:
    """Why a key was revoked, as codes."""

    BY_HAND = "by_hand"
    IN_ADDRESS = "in_address"  # it was sent in a query string, where logs and proxies keep it


def create(
    *, name: str, owner: User, scopes: Collection[str], store_ids: Collection[int], days: int, now: datetime,
    networks: Iterable[str] = (), naive_zone: str = PACIFIC, rate_per_minute: int = 120,
) -> tuple[ApiKey, str]:  # fmt: skip
    """Make a key; returns it and its token, which cannot be had again. RuleViolation for what makes no key."""
    _check(name, scopes, store_ids, days, naive_zone, rate_per_minute)
    listed = [str(network) for network in read_networks(networks)]
    prefix, secret = "".join(secrets.choice(LETTERS) for _letter in range(8)), secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            user = User(username=_username(name), is_client=True, language=settings.LANGUAGE_CODE)
            user.set_unusable_password()
            user.save()
            key = ApiKey.objects.create(
                name=name, prefix=prefix, secret_hash=_hash(secret), user=user, owner=owner, scopes=sorted(scopes),
                store_ids=sorted(store_ids), networks=listed, naive_zone=naive_zone, rate_per_minute=rate_per_minute,
                created_at=now, expires_at=now + timedelta(days=days),
            )  # fmt: skip
    except IntegrityError as error:
        raise RuleViolation(_("There is a key of this name already. Choose another name.")) from error
    return key, f"oh_{KINDS.get(settings.ORDERHUB_ENV, 'dev')}_{prefix}_{secret}"


def change(
    key: ApiKey, *, name: str, owner: User, scopes: Collection[str], store_ids: Collection[int], networks: Iterable[str],
    naive_zone: str, rate_per_minute: int,
) -> list[str]:  # fmt: skip
    """Change a key that is not revoked; returns the names of what changed. It ends when it did. RuleViolation otherwise.

    The next request is judged by it: nothing of a key is remembered between requests.
    """
    _check(name, scopes, store_ids, 1, naive_zone, rate_per_minute)
    wanted = {
        "name": name, "owner_id": owner.pk, "scopes": sorted(scopes), "store_ids": sorted(store_ids),
        "networks": [str(network) for network in read_networks(networks)], "naive_zone": naive_zone,
        "rate_per_minute": rate_per_minute,
    }  # fmt: skip
    try:
        with transaction.atomic():
            row = ApiKey.objects.select_for_update(of=("self",)).get(pk=key.pk)
            if row.revoked_at is not None:
                raise RuleViolation(_("This key was revoked, which is final. Make a new one."))
            changed = [column for column, value in wanted.items() if getattr(row, column) != value]
            ApiKey.objects.filter(pk=row.pk).update(**wanted)
            if "name" in changed:
                User.objects.filter(pk=row.user_id).update(username=_username(name))
    except IntegrityError as error:
        raise RuleViolation(_("There is a key of this name already. Choose another name.")) from error
    return changed


def _username(name: str) -> str:
    """Of the account the key acts under, as logs show it."""
    return f"API: {name}"


def _check(name: str, scopes, store_ids, days: int, naive_zone: str, rate_per_minute: int) -> None:
    if not name.strip() or len(name) > 60 or not name.isprintable():
        raise RuleViolation(_("Name the client, in at most 60 characters."))
    if not scopes or not set(scopes) <= set(SCOPES):
        raise RuleViolation(_("Choose what the key may do."))
    if not store_ids:
        raise RuleViolation(_("Choose at least one store."))
    if not 1 <= days <= LONGEST.days:
        raise RuleViolation(_("A key lasts between 1 and 365 days."))
    if naive_zone not in available_timezones():
        raise RuleViolation(_("Choose a time zone, such as America/Los_Angeles."))
    if not 1 <= rate_per_minute <= MOST_A_MINUTE:
        raise RuleViolation(_("Allow between 1 and 6000 requests a minute."))


def read_networks(texts: Iterable[str]) -> list:
    """Networks as they were typed. RuleViolation that names the one that is none."""
    found = []
    for text in texts:
        try:
            found.append(ip_network(text.strip()))
        except ValueError as error:
            told = _("%(text)s is no network. Write it like 192.0.2.0/24 or 2001:db8::/48.")
            raise RuleViolation(told % {"text": text.strip()[:60]}) from error
    return found


def basic_pair(token: str) -> tuple[str, str]:
    """What clients of ShipStation call API key and API secret."""
    return token[: -(43 + 1)], token[-43:]


def find(prefix: str, secret: str) -> ApiKey | None:
    """The key of this token, whatever its state; one query. As long for an unknown prefix as for a wrong secret."""
    key = ApiKey.objects.select_related("owner", "user").filter(prefix=prefix).first()
    same = constant_time_compare(key.secret_hash if key else _hash(""), _hash(secret))
    return key if key and same else None


def read_token(token: str) -> tuple[str, str] | None:
    """Prefix and secret of a token, None where it is none."""
    found = TOKEN.fullmatch(token)
    return (found["prefix"], found["secret"]) if found else None


def read_pair(user: str, password: str) -> tuple[str, str] | None:
    """Prefix and secret out of user name and password. Either may hold the whole token."""
    for text in (user, password):
        if TOKEN.fullmatch(text):
            return read_token(text)
    found = USER_PART.fullmatch(user)
    return (found["prefix"], password) if found and len(password) == 43 else None


def is_allowed_from(key: ApiKey, address: str) -> bool:
    """Whether the key may be used from this address ('' where it is not known)."""
    if not key.networks:
        return True
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    return any(found in ip_network(text) for text in key.networks)


def seen(key: ApiKey, *, now: datetime) -> None:
    """Note that the key was used; a write a minute at most."""
    if key.last_used_at is None or not timedelta(0) <= now - key.last_used_at < SEEN_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


def revoke(key: ApiKey, reason: str, *, now: datetime) -> bool:
    """End the key for good; returns whether it was this call. The next request with it is refused."""
    with transaction.atomic():
        done = ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now, revoked_because=reason)
        User.objects.filter(pk=key.user_id).update(is_active=False)
    return bool(done)


def _hash(secret: str) -> str:
    return hashlib.sha512(secret.encode()).hexdigest()
