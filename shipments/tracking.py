"""How far a parcel got: what a provider or the marketplace reports, onto the shipment and the erasure clock.

A status never goes back. The clock goes by the earliest delivery ever reported: an earlier one shortens the time an
address is kept, a later one changes nothing (R78). Of a service that nobody scans the delivery is shown and moves no
date (R79).
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Least

from orderhub.errors import ConnectorError, CredentialsRejected, RuleViolation, TryLater
from orderhub.jobs import CALLS_S
from orders.models import Order, OrderEvent
from orders.retention import facts_of, parcel_of, periods_for, recompute
from privacy import retention
from shipments import labelling, mails
from shipments.models import Label, Shipment
from shipments.models.shipment import LabelProvider, TrackingStatus
from shipments.providers.base import Scan
from shipments.providers.registry import provider_for
from stores.models import AmazonAccount

RANK = {status: place for place, status in enumerate(TrackingStatus.values)}
FOLLOWED_FOR = timedelta(days=60)  # a parcel nobody delivered by then is not asked for any more
EVERY = timedelta(minutes=50)  # the job runs hourly
AHEAD = timedelta(hours=1)  # a scan further in the future is a mistake


def apply(shipment: Shipment, scans: Iterable[Scan], *, now: datetime) -> bool:
    """Take over what was reported of a parcel, with all orders that travel in it; whether anything changed.

    Safe to repeat, in any order and at once.
    """
    news = _read(scans, now)
    if not _is_news(shipment, news):
        return False
    with transaction.atomic():
        together = [shipment, *shipment.riders.filter(voided_at__isnull=True)]
        ids = {found.order_id for found in together}
        rows = Order.objects.select_for_update(of=("self",)).select_related("store").filter(pk__in=ids)
        orders = {order.pk: order for order in rows.order_by("pk")}
        for found in together:
            found.order = orders[found.order_id]
            _apply_one(found, news, now=now)
    return True


class _News(NamedTuple):
    """The furthest status, and the first and the last word on when it was delivered."""

    status: str
    first: datetime | None
    last: datetime | None


def _read(scans: Iterable[Scan], now: datetime) -> _News:
    real = [scan for scan in scans if scan.at <= now + AHEAD]
    status = max((scan.status for scan in real), key=RANK.__getitem__, default="")
    deliveries = [scan.at for scan in real if scan.status == TrackingStatus.DELIVERED]
    return _News(status, min(deliveries, default=None), max(deliveries, default=None))


def _is_news(shipment: Shipment, news: _News) -> bool:
    if RANK[news.status] > RANK[shipment.tracking_status]:
        return True
    known = shipment.first_delivered_at
    return news.first is not None and (known is None or news.first < known or news.last != shipment.delivered_at)


def _apply_one(shipment: Shipment, news: _News, *, now: datetime) -> None:
    """With its order locked. The rows decide, not the row in hand."""
    behind = [name for name, place in RANK.items() if place < RANK[news.status]]
    row = Shipment.objects.filter(pk=shipment.pk)
    row.filter(tracking_status__in=behind).update(tracking_status=news.status)
    if news.first is not None:
        is_first = row.filter(first_delivered_at__isnull=True).update(first_delivered_at=news.first)
        row.update(delivered_at=news.last, first_delivered_at=Least(F("first_delivered_at"), news.first))
        if is_first and not shipment.is_return:
            OrderEvent.objects.create(
                order=shipment.order, kind=OrderEvent.Kind.DELIVERED, at=now,
                params={"due": news.last.isoformat(), "tracking": shipment.tracking_number, "shipment": shipment.pk},
            )  # fmt: skip
            mails.after_delivery(shipment, now=now)
    shipment.refresh_from_db(fields=["tracking_status", "delivered_at", "first_delivered_at"])
    if news.first is not None and shipment.tracked:
        recompute(shipment.order)
        Order.objects.touch([shipment.order_id], now)  # a later scan has no line of the timeline
        labelling.follow_order(shipment.order)
        _bring_labels_forward(shipment)


def _bring_labels_forward(shipment: Shipment) -> None:
    """Each label on its shipment's own clock, never later than it was."""
    periods, order = periods_for(shipment.order.store), None
    for label in Label.objects.filter(shipment=shipment, redacted_at__isnull=True):
        order = order or retention.order_due(facts_of(shipment.order), periods)
        due = retention.label_due(parcel_of(shipment, label_created_at=label.created_at), order, periods)
        Label.objects.filter(pk=label.pk, due_at__gt=due.at).update(due_at=due.at, due_rule=due.rule)


# -- what imports reported


def take_in_deliveries(*, now: datetime, budget_s: float = CALLS_S) -> tuple[int, bool]:
    """What follows from deliveries that a page of orders only noted: event and clocks; how many, and whether time ran out.

    Safe to repeat: a shipment whose delivery was taken in knows its first instant.
    """
    started, count = time.monotonic(), 0
    noted = Shipment.objects.filter(delivered_at__isnull=False, first_delivered_at__isnull=True).order_by("pk")
    for shipment in noted.iterator(chunk_size=200):
        if time.monotonic() - started > budget_s:
            return count, True
        count += apply(shipment, [Scan(TrackingStatus.DELIVERED, shipment.delivered_at)], now=now)
    return count, False


# -- asking the provider


def to_follow(now: datetime):
    """Parcels whose way is reported to us and not at its end, those not asked for the longest first.

    One whose delivery came with an imported order is asked for once more: the provider knows the instant.
    """
    never = Q(tracking_checked_at__isnull=True)
    under_way = never | Q(delivered_at__isnull=True) | Q(tracking_checked_at__lt=F("delivered_at"))
    waited = never | Q(tracking_checked_at__lte=now - EVERY)
    return Shipment.objects.filter(
        waited, under_way, provider=LabelProvider.AMAZON_SHIPPING, tracked=True, voided_at__isnull=True,
        combined_with__isnull=True, created_at__gte=now - FOLLOWED_FOR,
    ).order_by(F("tracking_checked_at").asc(nulls_first=True), "pk")  # fmt: skip


def follow(account: AmazonAccount, *, now: datetime, budget_s: float = CALLS_S) -> tuple[int, int, bool]:
    """Ask for the parcels of one account: asked, changed, and whether time ran out. Safe to repeat.

    CredentialsRejected passes. One parcel that cannot be asked for stops no other; a busy provider ends the run.
    """
    asked, changed, started = [], 0, time.monotonic()
    rows = to_follow(now).filter(order__store__account=account).select_related("order__store__account", "purchase")
    more, providers = False, {}
    try:
        for shipment in rows.iterator(chunk_size=100):
            if time.monotonic() - started > budget_s:
                more = True
                break
            store = shipment.order.store
            provider = providers.get(store.pk) or providers.setdefault(store.pk, provider_for(shipment, store))
            asked.append(shipment.pk)
            changed += _follow_one(shipment, provider, now)
    except TryLater:
        asked.pop()
    finally:
        _mark_asked(asked, now)
    return len(asked), changed, more


def _follow_one(shipment: Shipment, provider, now: datetime) -> bool:
    purchase = getattr(shipment, "purchase", None)
    if purchase is None:
        return False
    try:
        scans = provider.track(purchase)
    except (TryLater, CredentialsRejected):
        raise
    except (ConnectorError, RuleViolation):
        return False
    return apply(shipment, scans, now=now)


def _mark_asked(ids: Sequence[int], now: datetime) -> None:
    if ids:
        Shipment.objects.filter(pk__in=ids).update(tracking_checked_at=now)
