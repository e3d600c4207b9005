"""Tags put on orders and taken off, of one order or of hundreds in the same few statements."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from orders.models import Order, OrderEvent, Tag

PUT_ON, TAKEN_OFF = "", "removed"
_Link = Order.tags.through


def put_on(order_ids: Collection[int], tags: Collection[Tag], *, by, now: datetime) -> int:
    """Put these tags on; returns how many orders had not all of them. Safe to repeat: an order says so once."""
    with transaction.atomic():
        had = _links(_locked(order_ids), tags)
        new = {order: [tag for tag in tags if tag.pk not in had[order]] for order in had}
        links = [_Link(order_id=order, tag_id=tag.pk) for order, wanted in new.items() for tag in wanted]
        _Link.objects.bulk_create(links, ignore_conflicts=True)
        return _note(new, PUT_ON, by=by, now=now)


def take_off(order_ids: Collection[int], tags: Collection[Tag], *, by, now: datetime) -> int:
    """Take these tags off; returns how many orders had one. Safe to repeat."""
    with transaction.atomic():
        had = _links(_locked(order_ids), tags)
        gone = {order: [tag for tag in tags if tag.pk in had[order]] for order in had}
        _Link.objects.filter(order__in=list(gone), tag__in=[tag.pk for tag in tags]).delete()
        return _note(gone, TAKEN_OFF, by=by, now=now)


def stands_otherwise(tag: Tag, *, now: datetime) -> None:
    """The tag gets another name, or goes: every order with it is another one to clients. One statement; call it before."""
    Order.objects.filter(pk__in=_Link.objects.filter(tag=tag).values("order")).move(now)


def _locked(order_ids: Collection[int]) -> list[int]:
    """Those that exist, locked in one order: two people who tag the same orders wait for each other once."""
    return list(Order.objects.filter(pk__in=order_ids).select_for_update().order_by("pk").values_list("pk", flat=True))


def _links(order_ids: list[int], tags: Collection[Tag]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {pk: set() for pk in order_ids}
    for order, tag in _Link.objects.filter(order__in=order_ids, tag__in=[tag.pk for tag in tags]).values_list(
        "order", "tag"
    ):
        found[order].add(tag)
    return found


def _note(changed: dict[int, list[Tag]], change: str, *, by, now: datetime) -> int:
    events = [
        OrderEvent(
            order_id=order, kind=OrderEvent.Kind.TAGGED, at=now, actor=by,
            params={"tags": ", ".join(tag.name for tag in tags)} | ({"change": change} if change else {}),
        )
        for order, tags in changed.items()
        if tags
    ]  # fmt: skip
    OrderEvent.objects.bulk_create(events)
    return len(events)
