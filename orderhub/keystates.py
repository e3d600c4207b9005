"""How API keys stand, in words: on their list and page, in the access review, and on the start page before one ends."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orderhub.models import ApiKey
from orderhub.wording import day

SOON = timedelta(days=30)
NEAR = timedelta(days=14)
URGENT = timedelta(days=7)
STILL_ASKED = timedelta(days=7)  # a key that is over, and that a client goes on sending
MOST_NAMED = 10


class State(models.TextChoices):
    """What a key is: the first of these that holds."""

    REVOKED = "revoked", gettext_lazy("revoked")
    EXPIRED = "expired", gettext_lazy("expired")
    LEFT = "left", gettext_lazy("responsible left")
    USABLE = "usable", gettext_lazy("usable")


LEVELS = {State.REVOKED: "muted", State.EXPIRED: "bad", State.LEFT: "bad", State.USABLE: "ok"}


def state(key: ApiKey, *, now: datetime) -> State:
    """As `those`; needs `owner` loaded to cost no query."""
    if key.revoked_at is not None:
        return State.REVOKED
    if key.expires_at <= now:
        return State.EXPIRED
    return State.USABLE if key.owner.is_active else State.LEFT


def those(wanted: str, *, now: datetime) -> Q:
    """The condition of a state."""
    over, left = Q(expires_at__lte=now), Q(owner__is_active=False)
    standing = Q(revoked_at__isnull=True)
    return {
        State.REVOKED: ~standing,
        State.EXPIRED: standing & over,
        State.LEFT: standing & ~over & left,
        State.USABLE: standing & ~over & ~left,
    }[State(wanted)]


def ending_level(key: ApiKey, *, now: datetime) -> str:
    """bad once it is over or within 7 days, warn within 30, else ''; '' for a key that was revoked."""
    if key.revoked_at is not None or key.expires_at > now + SOON:
        return ""
    return "bad" if key.expires_at <= now + URGENT else "warn"


def left(key: ApiKey, *, now: datetime) -> str:
    """`29 days left`; `over` once it is."""
    rest = key.expires_at - now
    if rest <= timedelta(0):
        return _("over")
    if rest < timedelta(days=1):
        return _("less than a day left")
    return ngettext("%(days)d day left", "%(days)d days left", rest.days) % {"days": rest.days}


def alarms(*, now: datetime) -> list[tuple[str, str, int]]:
    """What administrators must know of keys: a sentence, its level, the key's id. One query.

    A key that ends within 30 days; one that was used within the last 7 and is over, or whose responsible left.
    """
    lately = Q(last_used_at__gt=now - STILL_ASKED)
    wanted = Q(expires_at__lte=now + SOON, expires_at__gt=now) | lately & (
        those(State.EXPIRED, now=now) | those(State.LEFT, now=now)
    )
    rows = ApiKey.objects.filter(wanted, revoked_at__isnull=True).select_related("owner").order_by("expires_at", "pk")
    return [(_alarm(key, now), ending_level(key, now=now) or "bad", key.pk) for key in rows[:MOST_NAMED]]


def _alarm(key: ApiKey, now: datetime) -> str:
    told = {
        State.EXPIRED: _("The API key of %(client)s is over since %(day)s: its requests are refused. Make a new one."),
        State.LEFT: _(
            "The API key of %(client)s is refused: whoever is responsible for it is inactive. Name somebody else on its page, or revoke it."
        ),
        State.USABLE: _(
            "The API key of %(client)s ends on %(day)s (%(left)s). Make a new one and give it to the client, then revoke this one."
        ),
    }[state(key, now=now)]  # fmt: skip
    return told % {"client": key.name, "day": day(key.expires_at), "left": left(key, now=now)}
