"""Endpoints: made, changed, switched and removed by their key, in the words of either API.

subscribe(key, url=…, event="ORDER_NOTIFY", store_id=None, name="", now=…) -> Endpoint
endpoints_of(key), unsubscribe(key, endpoint_id, now=…)
"""

import secrets
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orderhub.models import ApiKey
from orderhub.webhooks import addresses, events
from orderhub.webhooks.models import LASTS, Because, Delivery, Endpoint, State, Surface
from privacy import audit
from privacy.models.event import EventCode

MOST = 20  # endpoints of one key


def make(
    key: ApiKey, *, url: str, names: Collection[str], now: datetime, store_ids: Collection[int] = (), name: str = "",
    surface: str = Surface.NATIVE,
) -> Endpoint:  # fmt: skip
    """A new endpoint, switched on. Its `secret` is to be shown once. RuleViolation for what makes none."""
    origin = addresses.shown(url)
    check_events(key, surface, names)
    check_stores(key, store_ids)
    with transaction.atomic():
        ApiKey.objects.select_for_update().get(pk=key.pk)  # two at once must not pass the limit together
        if endpoints_of(key).count() >= MOST:
            raise RuleViolation(_("A key has at most %(count)d webhooks. Delete one first.") % {"count": MOST})
        endpoint = Endpoint.objects.create(
            key=key, surface=surface, url=url, url_shown=origin, secret=f"whsec_{secrets.token_urlsafe(32)}",
            events=sorted(set(names)), store_ids=sorted(set(store_ids)), name=name[:60], created_at=now,
        )  # fmt: skip
        _tell(endpoint, key.user, "made")
    return endpoint


def subscribe(key: ApiKey, *, url: str, event: str, store_id: int | None, name: str, now: datetime) -> Endpoint:
    """As clients of ShipStation do it: one event, one store or all. The same wish again is the same endpoint.

    RuleViolation for an unknown event, a store the key does not see, or an address nothing is sent to.
    """
    stores = [] if store_id is None else [store_id]
    for there in endpoints_of(key).filter(surface=Surface.SHIPSTATION, active=True):
        if (there.url, there.events, there.store_ids) == (url, [event], stores):
            return there
    return make(key, url=url, names=[event], store_ids=stores, name=name, now=now, surface=Surface.SHIPSTATION)


def endpoints_of(key: ApiKey) -> QuerySet[Endpoint]:
    """The key's own, whatever their state, the newest first."""
    return Endpoint.objects.filter(key=key).order_by("-pk")


def unsubscribe(key: ApiKey, endpoint_id: int, *, now: datetime) -> bool:
    """Remove one of the key's endpoints with all that waits for it; whether there was one. Safe to repeat."""
    with transaction.atomic():
        endpoint = endpoints_of(key).filter(pk=endpoint_id).first()
        if endpoint is None:
            return False
        _tell(endpoint, key.user, "deleted")
        endpoint.delete()
    return True


def change(endpoint: Endpoint, *, names: Collection[str] | None = None, name: str | None = None, by) -> None:
    """Other events, or another name."""
    changes = {}
    if names is not None:
        check_events(endpoint.key, endpoint.surface, names)
        changes["events"] = sorted(set(names))
    if name is not None:
        changes["name"] = name[:60]
    with transaction.atomic():
        Endpoint.objects.filter(pk=endpoint.pk).update(**changes)
        _tell(endpoint, by, "changed")


def switch(endpoint: Endpoint, *, on: bool, by, now: datetime) -> bool:
    """Switch on, with a clean slate, or off; whether that was a change. What waits goes on waiting while it is off."""
    rows = Endpoint.objects.filter(pk=endpoint.pk, active=not on)
    fresh = {"active": True, "disabled_at": None, "disabled_because": "", "failures": 0, "failing_since": None}
    off = {"active": False, "disabled_at": now, "disabled_because": Because.BY_HAND}
    with transaction.atomic():
        done = bool(rows.update(paused_until=None, **(fresh if on else off)))
        if done:
            _tell(endpoint, by, "on" if on else "off")
    return done


def redeliver(delivery: Delivery, *, now: datetime) -> None:
    """Send it again, with its event id, for a day at most. RuleViolation while it is being sent."""
    rows = Delivery.objects.filter(pk=delivery.pk).exclude(state=State.IN_FLIGHT)
    if not rows.update(state=State.WAITING, next_attempt_at=now, tried_until=now + LASTS, delivered_at=None):
        raise RuleViolation(_("It is being sent right now. Look again in a minute."))


def check_events(key: ApiKey | None, surface: str, names: Collection[str]) -> None:
    """RuleViolation unless all of these exist and the key may hear of them."""
    known = events.SHIPSTATION if surface == Surface.SHIPSTATION else events.NATIVE
    if not names or not set(names) <= known.keys():
        raise RuleViolation(_("Choose at least one of these events: %(names)s.") % {"names": ", ".join(known)})
    lacking = {events.scope_of(code) for code in events.codes_for(surface, list(names))} - set(
        key.scopes if key else ()
    )
    if key is not None and lacking:
        told = _("To hear of these events your key needs the scope %(scopes)s.")
        raise RuleViolation(told % {"scopes": ", ".join(sorted(lacking))})


def check_stores(key: ApiKey | None, store_ids: Collection[int]) -> None:
    """RuleViolation unless all are stores the key sees."""
    if key is not None and not set(store_ids) <= set(key.store_ids):
        raise RuleViolation(_("Name only stores that your key sees."))


def _tell(endpoint: Endpoint, by, what: str) -> None:
    audit.record(EventCode.SETTINGS_CHANGED, user=by, kind="webhook", ids=[endpoint.pk], reason=what)
