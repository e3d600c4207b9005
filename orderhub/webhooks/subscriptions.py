"""Who hears of what right now: endpoints that are on, narrowed to what their keys see and may."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from orderhub.webhooks import events
from orderhub.webhooks.models import LASTS, Delivery, Endpoint, Surface


@dataclass(frozen=True)
class Fact:
    """One thing that happened, and where a client finds it. `source` is its name for good."""

    code: str
    source: str
    at: datetime
    store_ids: frozenset[int]
    order_id: int | None = None
    shipment_id: int | None = None
    account_id: int | None = None
    labelled: bool = False


@dataclass(frozen=True)
class Subscription:
    """`stores`: None for all of them."""

    endpoint_id: int
    codes: frozenset[str]
    stores: frozenset[int] | None
    since: datetime
    without_label: bool

    def hears(self, fact: Fact) -> bool:
        return (
            fact.code in self.codes
            and (self.stores is None or bool(self.stores & fact.store_ids))
            and fact.at >= self.since
            and not (self.without_label and fact.labelled)
        )


def current(*, now: datetime) -> list[Subscription]:
    """One query."""
    rows = Endpoint.objects.heard(now=now).select_related("key").defer("url", "secret").order_by("pk")
    return [found for found in map(_of, rows) if found.codes]


def _of(endpoint: Endpoint) -> Subscription:
    codes, key = events.codes_for(endpoint.surface, endpoint.events), endpoint.key
    stores = frozenset(endpoint.store_ids) if endpoint.store_ids else None
    if key is not None:  # what it was allowed when it was made may have been taken away since
        codes = frozenset(code for code in codes if key.may(events.scope_of(code)))
        stores = frozenset(key.store_ids) & (stores if stores is not None else frozenset(key.store_ids))
    only = endpoint.surface == Surface.SHIPSTATION and endpoint.events == [events.WITHOUT_LABEL]
    return Subscription(endpoint.pk, codes, stores, endpoint.created_at, only)


def put(facts: Iterable[Fact], subscriptions: list[Subscription], *, now: datetime) -> None:
    """A delivery for everyone who hears of a fact, unless it is there. One statement."""
    rows = [
        Delivery(
            endpoint_id=one.endpoint_id, event=fact.code, source=fact.source, order_id=fact.order_id,
            shipment_id=fact.shipment_id, account_id=fact.account_id, happened_at=fact.at, created_at=now,
            store_id=_store(fact), next_attempt_at=now, tried_until=now + LASTS,
        )
        for fact in facts for one in subscriptions if one.hears(fact)
    ]  # fmt: skip
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)


def _store(fact: Fact) -> int | None:
    """The one store it is of; none for an account, which has several."""
    return next(iter(fact.store_ids)) if fact.order_id is not None else None
