"""Ship-by deadlines in words and in queries. A day is a day in the store's own time zone."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.models import Order
from stores.models import Store

SOON = timedelta(hours=24)
LATE, TODAY, NEXT = "late", "today", "next"


@dataclass(frozen=True)
class Deadline:
    """An order's ship-by: the instant in the store's zone, what is left in words, and how urgent it is."""

    at: datetime
    left: str
    level: str  # bad, warn or ok

    @property
    def zone(self) -> str:
        """The zone as people say it: the city's name."""
        return str(self.at.tzinfo).rsplit("/", 1)[-1].replace("_", " ")


def of(order: Order, *, now: datetime) -> Deadline | None:
    """The deadline of an order that waits to be sent; None where nothing waits or Amazon named none."""
    return ship_by_of(order, now=now) if order.is_open else None


def ship_by_of(order: Order, *, now: datetime) -> Deadline | None:
    """The instant until which the marketplace wants to hear that it left, whether it waits here or not."""
    if order.ship_by is None:
        return None
    left = order.ship_by - now
    level = "bad" if left < timedelta(0) else "warn" if left < SOON else "ok"
    return Deadline(order.ship_by.astimezone(order.store.zone), left_in_words(left), level)


def left_in_words(left: timedelta) -> str:
    """`2 h left`, `3 days left`, `late by 3 h`."""
    span = span_in_words(abs(left))
    return (_("late by %(span)s") if left < timedelta(0) else _("%(span)s left")) % {"span": span}


def span_in_words(span: timedelta) -> str:
    """A length of time in its largest whole unit: minutes, hours below two days, days."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return _("%(count)d min") % {"count": minutes}
    hours = minutes // 60
    if hours < 48:
        return _("%(count)d h") % {"count": hours}
    return ngettext("%(count)d day", "%(count)d days", hours // 24) % {"count": hours // 24}


def waiting() -> Q:
    """Orders somebody here must still send; those whose address is erased are sent from Seller Central."""
    live = [Order.PiiState.NONE, Order.PiiState.PRESENT]
    return Q(
        status=Order.Status.AWAITING_SHIPMENT, fulfilled_by=Order.FulfilledBy.MERCHANT, pii_state__in=live
    )  # fmt: skip


def zones() -> list[str]:
    """Time zones of all stores; one query."""
    return sorted(set(Store.objects.order_by().values_list("time_zone", flat=True)))


def when(bucket: str, *, now: datetime, zone_names: list[str]) -> Q:
    """Orders waiting that are late, due today, or due on a later day."""
    if bucket == LATE:
        return waiting() & Q(ship_by__lt=now)
    if bucket == TODAY:
        return waiting() & Q(ship_by__gte=now) & _per_zone(now, 0, 1, zone_names)
    return waiting() & _per_zone(now, 1, 8, zone_names)


def on_day(offset: int, *, now: datetime, zone_names: list[str]) -> Q:
    """Orders waiting whose deadline falls on the day `offset` days from today, and is still ahead."""
    return waiting() & Q(ship_by__gte=now) & _per_zone(now, offset, offset + 1, zone_names)


def midnight(now: datetime, zone_name: str, offset: int) -> datetime:
    """The start of a day in a zone, `offset` days from the day it is there now."""
    zone = ZoneInfo(zone_name)
    day: date = now.astimezone(zone).date() + timedelta(days=offset)
    return datetime.combine(day, time(0), tzinfo=zone)


def _per_zone(now: datetime, first: int, end: int, zone_names: list[str]) -> Q:
    found = Q(pk__in=[])
    for name in zone_names:
        found |= Q(
            store__time_zone=name,
            ship_by__gte=midnight(now, name, first),
            ship_by__lt=midnight(now, name, end),
        )
    return found
