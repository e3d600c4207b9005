"""From what our rows say to what clients are told: a sweep over the timeline, over changed orders and over accounts.

Nothing calls it but its job, so that orders and shipments need not know of clients. Run twice, or killed anywhere, it
tells nobody twice: each delivery is named for what it tells of, and the cursor moves last.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import F, Max, Q

from orderhub.jobs import BUDGET_S
from orderhub.webhooks import events
from orderhub.webhooks.models import Delivery, FeedCursor
from orderhub.webhooks.subscriptions import Fact, Subscription, current, put
from orders.models import Order, OrderEvent
from shipments.models import Label
from stores import authorizations
from stores.models import AmazonAccount, Store

BATCH = 500  # rows of a statement
SETTLES = timedelta(minutes=5)  # no transaction of ours lasts longer: by then every lower id is there to be read
Status = AmazonAccount.Status


def feed(*, now: datetime, budget_s: float = BUDGET_S) -> int:
    """Write what is to be told since the last time; returns how many deliveries are new. Safe to repeat."""
    ends_at = time.monotonic() + budget_s
    cursor, subscriptions = _cursor(now), current(now=now)
    if not subscriptions:  # whoever comes later hears only of what happens later
        top = _top()
        _move(cursor, position=top, reached=top, mark=top, marked_at=now, orders_at=now, orders_id=0)
        return 0
    _feed_timeline(cursor, subscriptions, now, ends_at)
    if any(events.UPDATED in one.codes for one in subscriptions):
        _feed_changes(cursor, subscriptions, now, ends_at)
    else:
        _move(cursor, orders_at=now, orders_id=0)
    if any(events.ACCOUNT_CODES & one.codes for one in subscriptions):
        put(_accounts(now), subscriptions, now=now)
    return Delivery.objects.filter(created_at=now).exclude(event=events.PING).count()


def _cursor(now: datetime) -> FeedCursor:
    """The one row; at the very beginning it stands at the end of what is there."""
    found = FeedCursor.objects.filter(pk=1).first()
    if found is not None:
        return found
    top = _top()
    there = {"position": top, "reached": top, "mark": top, "marked_at": now, "orders_at": now}
    return FeedCursor.objects.get_or_create(pk=1, defaults=there)[0]


def _move(cursor: FeedCursor, **values) -> None:
    for name, value in values.items():
        setattr(cursor, name, value)
    FeedCursor.objects.filter(pk=cursor.pk).update(**values)


def _top() -> int:
    return OrderEvent.objects.aggregate(top=Max("pk"))["top"] or 0


# -- the timeline


def _feed_timeline(cursor: FeedCursor, subscriptions: list[Subscription], now: datetime, ends_at: float) -> None:
    """What is new first; then again what came lately, for ids that were given before and committed after."""
    top, before = max(_top(), cursor.reached), cursor.reached
    for facts, last in _lines(before, top):
        put(facts, subscriptions, now=now)
        _move(cursor, reached=last)
        if time.monotonic() > ends_at:
            return
    _move(cursor, reached=top)
    for facts, _last in _lines(cursor.position, before):
        put(facts, subscriptions, now=now)
        if time.monotonic() > ends_at:
            return
    if not timedelta(0) <= now - cursor.marked_at < SETTLES:
        _move(cursor, position=cursor.mark, mark=top, marked_at=now)


def _lines(after: int, upto: int) -> Iterator[tuple[list[Fact], int]]:
    """Facts of the lines between two ids, a batch at a time, with the last id of each. Two statements a batch."""
    rows = OrderEvent.objects.filter(pk__lte=upto, kind__in=events.KINDS).order_by("pk")
    while after < upto:
        batch = list(
            rows.filter(pk__gt=after).values("pk", "kind", "params", "at", "order_id", "order__store_id")[:BATCH]
        )
        if not batch:
            return
        after = batch[-1]["pk"]
        yield list(_facts(batch)), after


def _facts(batch: list[dict]) -> Iterator[Fact]:
    parcels = [found for row in batch if (found := _parcel(row)) is not None]
    labelled = set(Label.objects.filter(shipment_id__among=parcels).values_list("shipment_id", flat=True))
    for row in batch:
        for code in events.codes_of(row["kind"], row["params"]):
            yield Fact(
                code, f"event:{row['pk']}:{code}", row["at"], frozenset({row["order__store_id"]}),
                order_id=row["order_id"], shipment_id=_parcel(row), labelled=_parcel(row) in labelled,
            )  # fmt: skip


def _parcel(row: dict) -> int | None:
    found = row["params"].get("shipment")
    return found if type(found) is int else None


# -- changed orders


def _feed_changes(cursor: FeedCursor, subscriptions: list[Subscription], now: datetime, ends_at: float) -> None:
    """Orders by the instant they were last changed at, a little of the past again: transactions take their time.

    An order changed several times since is told of once. One that only came in is told of as that.
    """
    stores = _stores(subscriptions)
    at, pk = min((cursor.orders_at, cursor.orders_id), (now - SETTLES, 0))
    rows = Order.objects.filter(modified_at__lte=now).exclude(modified_at=F("first_imported_at"))
    rows = rows if stores is None else rows.filter(store_id__among=stores)
    while time.monotonic() < ends_at:
        further = Q(modified_at__gte=at) & (Q(modified_at__gt=at) | Q(pk__gt=pk))
        batch = list(
            rows.filter(further).order_by("modified_at", "pk").values_list("pk", "modified_at", "store_id")[:BATCH]
        )
        put(map(_change, batch), subscriptions, now=now)
        if len(batch) < BATCH:
            _move(cursor, orders_at=now, orders_id=0)
            return
        pk, at, _store = batch[-1]
        _move(cursor, orders_at=max(at, cursor.orders_at), orders_id=pk if at >= cursor.orders_at else cursor.orders_id)


def _change(row: tuple[int, datetime, int]) -> Fact:
    pk, at, store_id = row
    stamp = at.strftime("%Y%m%d%H%M%S%f")
    return Fact(events.UPDATED, f"order:{pk}:{stamp}", at, frozenset({store_id}), order_id=pk)


def _stores(subscriptions: Iterable[Subscription]) -> list[int] | None:
    wanted = [one.stores for one in subscriptions if events.UPDATED in one.codes]
    return None if None in wanted else sorted(frozenset().union(*wanted))


# -- accounts


def _accounts(now: datetime) -> Iterator[Fact]:
    """Accounts that need somebody, as the start page has them. Each stop, and each threshold, has one name. Two queries."""
    found = list(authorizations.concerned(now))
    stores: dict[int, set[int]] = {}
    for pk, account_id in Store.objects.filter(account__in=[one.pk for one in found]).values_list("pk", "account_id"):
        stores.setdefault(account_id, set()).add(pk)
    for account in found:
        passed = authorizations.mark(account, now)
        if passed is None or account.status not in (*authorizations.STOPPED, Status.ACTIVE):
            continue
        stopped = passed == authorizations.STOPPED_TOLD
        until = f"{account.authorization_expires_at:%Y%m%d}"
        name = f"stopped:{account.epoch}:{account.status}:{until}" if stopped else f"ends:{until}:{passed}"
        code = events.NEEDS_AUTHORIZATION if stopped else events.EXPIRING
        yield Fact(
            code, f"account:{account.pk}:{name}", now, frozenset(stores.get(account.pk, ())), account_id=account.pk
        )
