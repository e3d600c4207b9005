"""What a page of orders comes down to, and writing it: the same few statements whatever is in it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F

from orderhub import bulk
from orders import mapping, people, roman, ruling
from orders.models import (
    ItemPersonalData,
    Order,
    OrderEvent,
    OrderItem,
    OrderPersonalData,
    QuarantinedOrder,
    SkippedOrder,
)
from orders.ruling import Outcome
from privacy.fields import give_keys
from stores.connectors.base import PERSON_FIELDS, OrderPage
from stores.models import AmazonAccount, UnconnectedOrder

PERSON_COLUMNS = [*PERSON_FIELDS, *roman.TWINS.values(), *mapping.CUSTOM_FIELDS]
OrderTag = Order.tags.through


@dataclass
class Plan:
    """What is to be written. Orders are known by their number, which is theirs before they have a row."""

    fresh: list[Order] = field(default_factory=list)
    changed: list[Order] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)
    skipped: list[SkippedOrder] = field(default_factory=list)
    unconnected: list[UnconnectedOrder] = field(default_factory=list)
    looked_up: set[str] = field(default_factory=set)  # orders whose products the catalogue may be asked about
    wished: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)  # (number, item id) to an address
    ruled: Outcome = field(default_factory=Outcome)
    counts: Counter = field(default_factory=Counter)
    _persons: dict[str, OrderPersonalData] = field(default_factory=dict, repr=False)
    _items: dict[str, list[OrderItem]] = field(default_factory=dict)

    def keep(self, order: Order, person: OrderPersonalData, *, items: list[OrderItem]) -> None:
        self._persons[order.order_number], self._items[order.order_number] = person, items

    def take(self, ruled: Outcome) -> None:
        """What the rules decided about orders of this page, which they have changed already."""
        self.ruled = ruled
        self.events += ruled.events

    def orders(self) -> Iterator[Order]:
        yield from self.fresh
        yield from self.changed

    def person_of(self, order: Order) -> OrderPersonalData:
        return self._persons[order.order_number]

    def items_of(self, order: Order) -> list[OrderItem]:
        return self._items[order.order_number]

    def lines(self) -> Iterator[tuple[Order, OrderItem]]:
        return ((order, item) for order in self.orders() for item in self.items_of(order))


def tags_of(orders: list[Order]) -> dict[int, set[str]]:
    """Names of the tags that orders have already, by order; no query where none has a row yet."""
    ids = [order.pk for order in orders if order.pk]
    found: dict[int, set[str]] = {}
    if ids:
        for order_id, name in OrderTag.objects.filter(order__in=ids).values_list("order_id", "tag__name"):
            found.setdefault(order_id, set()).add(name)
    return found


def save(plan: Plan, stores: list[int]) -> None:
    """Write the plan. Call inside a transaction."""
    bulk.insert(plan.fresh, with_ids=True)
    persons = [plan.person_of(order) for order in plan.fresh]
    for order, person in zip(plan.fresh, persons, strict=True):
        person.order_id = order.pk
    give_keys(persons, fresh=True)
    bulk.insert(persons)
    people.index(persons, fresh=True)
    bulk.insert([item for order in plan.fresh for item in plan.items_of(order)], with_ids=True)
    _save_changed(plan)
    _save_wishes(plan)
    give_keys(plan.ruled.notes)
    for rows in (plan.events, plan.ruled.firings, plan.ruled.notes):
        bulk.insert(rows)
    ruling.save_tags(plan.ruled)
    if plan.skipped:
        SkippedOrder.objects.bulk_create(
            plan.skipped, update_conflicts=True, unique_fields=["store", "order_number"],
            update_fields=["reason", "amazon_status", "seen_at"],
        )  # fmt: skip
    if plan.fresh:
        numbers = [order.order_number for order in plan.fresh]
        SkippedOrder.objects.filter(store__in=stores, order_number__in=numbers).delete()
    if plan.unconnected:
        UnconnectedOrder.objects.bulk_create(plan.unconnected, ignore_conflicts=True)


def _save_changed(plan: Plan) -> None:
    """What is known already, in the order of locking; a line or a person may be new all the same."""
    if not plan.changed:
        return
    Order.objects.bulk_create(
        plan.changed, update_conflicts=True, unique_fields=["id"], update_fields=mapping.ORDER_COLUMNS
    )
    persons = [plan.person_of(order) for order in plan.changed]
    give_keys(persons)
    OrderPersonalData.objects.bulk_create(
        persons,
        update_conflicts=True, unique_fields=["order"], update_fields=PERSON_COLUMNS,
    )  # fmt: skip
    people.index(persons)
    items = [item for order in plan.changed for item in plan.items_of(order)]
    OrderItem.objects.bulk_create(
        items, update_conflicts=True, unique_fields=["order", "amazon_item_id"], update_fields=mapping.ITEM_COLUMNS
    )


def _save_wishes(plan: Plan) -> None:
    rows = [
        ItemPersonalData(
            item=item, customized_url=plan.wished[order.order_number, item.amazon_item_id], next_attempt_at=order.amazon_updated_at
        )
        for order, item in plan.lines()
        if (order.order_number, item.amazon_item_id) in plan.wished
    ]  # fmt: skip
    give_keys(rows)
    if rows:
        ItemPersonalData.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["item"], update_fields=["customized_url", "next_attempt_at"]
        )
        plan.counts["customised"] += len(rows)


def quarantine(account: AmazonAccount, page: OrderPage, plan: Plan, *, readable: list[str], now: datetime) -> None:
    """Keep what could not be read, count how often, and let go what can be read again."""
    kept = QuarantinedOrder.objects.filter(account=account)
    if readable:
        kept.filter(order_number__in=readable).delete()
    if not page.unreadable:
        return
    kept.filter(order_number__in=[found.number for found in page.unreadable]).update(times=F("times") + 1)
    rows = {
        found.number: QuarantinedOrder(
            account=account,
            order_number=found.number,
            code=found.code[:60],
            path=found.path[:120],
            seen_at=now,
        )
        for found in page.unreadable
    }
    QuarantinedOrder.objects.bulk_create(
        rows.values(), update_conflicts=True, unique_fields=["account", "order_number"],
        update_fields=["code", "path", "seen_at"],
    )  # fmt: skip
    plan.counts["quarantined"] += len(rows)
