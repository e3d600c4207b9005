"""The review of everybody's access: who may sign in, as what, which programs have keys, and who confirmed all of it.

An administrator signs it at least every 90 days. Ten days before that the start page says so; once the term is over no
role is given to anybody until it is signed.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django_otp.models import Device

from orderhub import keystates
from orderhub.errors import RuleViolation
from orderhub.models import ApiKey
from privacy import audit
from privacy.access import LABELS
from privacy.models import AccessReview
from privacy.models.event import EventCode

TERM_DAYS = 90
NAG_FROM_DAYS = 80
IDLE_DAYS = 90


@dataclass(frozen=True)
class Line:
    """One account as the review shows it. `idle_days`: since the last sign-in, or since it was added or taken up again."""

    pk: int
    username: str
    name: str
    is_active: bool
    is_superuser: bool
    roles: tuple[str, ...]
    last_login: datetime | None
    idle_days: int
    has_second_factor: bool

    @property
    def is_idle(self) -> bool:
        return self.is_active and self.idle_days >= IDLE_DAYS

    @property
    def role_words(self) -> str:
        return ", ".join(str(LABELS.get(role, role)) for role in self.roles)


@dataclass(frozen=True)
class KeyLine:
    """One API key as the review shows it. `stores`: their names, `#4711` where there is none of that number."""

    pk: int
    client: str
    prefix: str
    owner: str
    scopes: tuple[str, ...]
    store_ids: tuple[int, ...]
    stores: tuple[str, ...]
    networks: tuple[str, ...]
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    state: keystates.State
    ending: str

    @property
    def level(self) -> str:
        return keystates.LEVELS[self.state]


@dataclass(frozen=True)
class State:
    """How the review stands. `days`: whole days since the last signature, or since the first account was added."""

    last: AccessReview | None
    days: int

    @property
    def is_due(self) -> bool:
        return self.days >= NAG_FROM_DAYS

    @property
    def is_overdue(self) -> bool:
        return self.days > TERM_DAYS


def lines(*, now: datetime) -> list[Line]:
    """Every account of staff, those in use first, by name. Three statements, whatever their number."""
    staff = get_user_model().objects.filter(is_client=False)
    users = list(staff.order_by("-is_active", "username").prefetch_related("groups"))
    enrolled = _with_second_factor()
    return [
        Line(
            pk=user.pk, username=user.get_username(), name=user.get_full_name(), is_active=user.is_active,
            is_superuser=user.is_superuser, roles=tuple(sorted(group.name for group in user.groups.all())),
            last_login=user.last_login, idle_days=_idle_days(user, now),
            has_second_factor=user.pk in enrolled,
        )
        for user in users
    ]  # fmt: skip


def key_lines(*, now: datetime) -> list[KeyLine]:
    """Every API key, those that are not revoked first, by name. Two statements, whatever their number."""
    keys = ApiKey.objects.select_related("owner").defer("secret_hash")
    names = dict(apps.get_model("stores", "Store").objects.values_list("pk", "name"))
    return [
        KeyLine(
            pk=key.pk, client=key.name, prefix=key.prefix, owner=key.owner.get_username(), scopes=tuple(key.scopes),
            store_ids=tuple(key.store_ids), stores=tuple(names.get(pk, f"#{pk}") for pk in key.store_ids),
            networks=tuple(key.networks), expires_at=key.expires_at, last_used_at=key.last_used_at,
            revoked_at=key.revoked_at, state=keystates.state(key, now=now), ending=keystates.ending_level(key, now=now),
        )
        for key in keys.order_by(F("revoked_at").asc(nulls_first=True), "name")
    ]  # fmt: skip


def digest(shown: list[Line], keys: list[KeyLine]) -> str:
    """SHA-256 of what is signed: accounts, their roles and second factors, and what keys open for whom and until when.

    Sign-ins and uses apart: they go on meanwhile.
    """
    people = [
        [line.pk, line.username, line.is_active, line.is_superuser, line.roles, line.has_second_factor]
        for line in shown
    ]
    programs = [
        [line.pk, line.client, line.owner, line.scopes, line.store_ids, line.networks, line.expires_at, line.revoked_at]
        for line in keys
    ]
    content = [sorted(people), sorted(programs)]
    return hashlib.sha256(json.dumps(content, separators=(",", ":"), default=str).encode()).hexdigest()


def state(*, now: datetime) -> State:
    """One query, two where nobody ever signed."""
    last = AccessReview.objects.select_related("signed_by").order_by("-signed_at").first()
    since = last.signed_at if last else _first_account()
    return State(last, max(0, (now - since).days) if since else 0)


def sign(*, seen: str, request, now: datetime) -> AccessReview:
    """Keep the signature of the request's user under what they saw. RuleViolation if it changed since.

    `seen`: the digest of the page that was signed.
    """
    with transaction.atomic():
        shown = lines(now=now)
        found = digest(shown, key_lines(now=now))
        if found != seen:
            raise RuleViolation(
                _("Somebody's access changed since you opened this page. Read the list again, then sign.")
            )
        review = AccessReview.objects.create(signed_by=request.user, signed_at=now, accounts=len(shown), digest=found)
        audit.record(EventCode.ACCESS_REVIEWED, request=request, kind="access review", ids=[review.pk])
    return review


def why_no_roles(*, now: datetime) -> str:
    """Why no role may be given to anybody now, or ''."""
    found = state(now=now)
    if not found.is_overdue:
        return ""
    told = _("The access review was last signed %(days)d days ago. Sign it first: until then no role is given.")
    if found.last is None:
        told = _("The access review was never signed in %(days)d days. Sign it first: until then no role is given.")
    return told % {"days": found.days}


def _first_account() -> datetime | None:
    staff = get_user_model().objects.filter(is_client=False)
    return staff.order_by("date_joined").values_list("date_joined", flat=True).first()


def _with_second_factor() -> set[int]:
    """Ids of the accounts that have one, of whatever kind."""
    kinds = [model for model in apps.get_models() if issubclass(model, Device)]
    return {pk for kind in kinds for pk in kind._base_manager.filter(confirmed=True).values_list("user_id", flat=True)}


def _idle_days(user, now: datetime) -> int:
    """Since the last sign-in or, where that is later, since the account was added or made active again."""
    return max(0, (now - max(user.last_login or user.date_joined, user.active_since)).days)
