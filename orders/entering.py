"""Orders that no marketplace sends: entered by hand or read from a file, into a Handmade or manual store.

Handmade counts as Amazon for erasure and mails, and so does any order with a relay address (A10). Rows are locked in
the order store, orders, persons, customers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import chain, repeat

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import RuleViolation
from orderhub.money import LIMIT
from orders import customers, linking, mapping, pagesaving, ruling
from orders.models import Order, OrderEvent, OrderItem, OrderPersonalData
from orders.models.person import LATCHED
from orders.pagesaving import Plan
from orders.retention import periods_for
from privacy import markers, retention
from stores.models import Store

Status = Order.Status
PLATFORMS = (Store.Platform.HANDMADE, Store.Platform.MANUAL)
AT_ONCE = 100  # orders written together, as a page of an import
CHECK_HOLD = "To be checked"  # deciding.HOLD_REASONS["check"]
AMAZON, MANUAL = "amazon", "manual"  # Order.origin_marketplace
NO_COLUMNS = ("item", "line_key")  # of a line as it is typed
SOURCES = {
    OrderEvent.Kind.ENTERED: "hand",
    OrderEvent.Kind.FROM_FILE: "file",
    OrderEvent.Kind.FROM_CLIENT: "api",
}  # as rules know them
TOTALS = ("item_total", "shipping_total", "tax_total", "discount_total", "order_total")


class NumberTaken(RuleViolation):
    """The store has an order of this number."""

    def __init__(self, number: str):
        super().__init__(
            _("This store already has an order %(number)s. Type another number.") % {"number": number}
        )  # fmt: skip


@dataclass(repr=False)  # no repr: it would carry a person into tracebacks
class Entry:
    """One order as it was typed. `number` '': to be given. Keys are names of columns; instants are aware.

    A line may name the row it corrects as `item`, and what a client calls it as `line_key`, once an order. `tags`: ids and names of tags that exist. `client_key`: what an API
    client calls the order; a code, nothing of a person.
    """

    number: str
    order: dict
    person: dict
    lines: list[dict]
    status: str = Status.AWAITING_SHIPMENT
    tags: dict[int, str] = field(default_factory=dict)
    client_key: str = ""


def stores() -> Iterable[Store]:
    """Stores that orders can be entered into."""
    return Store.objects.filter(platform__in=PLATFORMS, active=True).select_related("merchant").order_by("name")


def existing(store: Store, numbers: Iterable[str]) -> set[str]:
    """Which of these order numbers the store has already; one query."""
    return set(store.orders.filter(order_number__in=list(numbers)).values_list("order_number", flat=True))


def enter(store: Store, entries: list[Entry], *, kind: str, by, now: datetime) -> list[Order]:
    """Write these orders, all or none; a constant number of statements for each 100.

    `kind`: the event that says where they come from. RuleViolation for a store that takes none, and for a number that
    is there already: of two people who enter it at once, one is refused.
    """
    with transaction.atomic():
        here = Store.objects.select_for_update(no_key=True, of=("self",)).select_related("merchant").get(pk=store.pk)
        _check_store(here)
        taken = existing(here, filter(None, (entry.number for entry in entries)))
        if taken:
            raise NumberTaken(sorted(taken)[0])
        _give_numbers(here, entries, now)
        deciding = Deciding(here, source=SOURCES[kind], now=now)
        written = []
        for start in range(0, len(entries), AT_ONCE):
            some, plan = entries[start : start + AT_ONCE], Plan()
            for entry in some:
                _plan(plan, here, entry, kind=kind, by=by, now=now)
            deciding.complete(plan, {entry.number: set(entry.tags.values()) for entry in some})
            tags = [zip(repeat(order), entry.tags) for order, entry in zip(plan.fresh, some, strict=True)]
            plan.ruled.tags[:0] = chain.from_iterable(tags)
            pagesaving.save(plan, [here.pk])
            failpoints.reach("enter.inside")
            written += plan.fresh
    return written


def _check_store(store: Store) -> None:
    if store.platform not in PLATFORMS:
        raise RuleViolation(_("Orders of %(store)s come from its marketplace: none can be entered.") % {"store": store})
    if not store.active:
        raise RuleViolation(_("%(store)s is inactive and takes no orders. Make it active first.") % {"store": store})


def _give_numbers(store: Store, entries: list[Entry], now: datetime) -> None:
    """A day and a running number, such as M261120-3, to those that have none. The store is locked meanwhile."""
    nameless = [entry for entry in entries if not entry.number]
    if not nameless:
        return
    start = f"M{now.astimezone(store.zone):%y%m%d}-"
    taken = set(store.orders.filter(order_number__startswith=start).values_list("order_number", flat=True))
    taken |= {entry.number for entry in entries}
    following = len(taken)
    for entry in nameless:
        while f"{start}{following}" in taken or not following:
            following += 1
        entry.number = f"{start}{following}"
        taken.add(entry.number)


def _plan(plan: Plan, store: Store, entry: Entry, *, kind: str, by, now: datetime) -> None:
    order = Order(
        store=store, order_number=entry.number, client_key=entry.client_key, fulfilled_by=Order.FulfilledBy.MERCHANT, status=entry.status,
        decided_status=entry.status, first_imported_at=now, modified_at=now,
    )  # fmt: skip
    person = OrderPersonalData(order=order)
    fill(order, person, entry, now=now)
    due = retention.order_due(retention.Facts(imported_at=now), periods_for(store))
    set_origin(order, person, due)
    items = [_line(order, key, given) for key, given in zip(line_keys(entry.lines), entry.lines, strict=True)]
    plan.keep(order, person, items=items)
    plan.fresh.append(order)
    plan.events.append(OrderEvent(order=order, kind=kind, at=now, actor=by, params={"status": order.status}))


def fill(order: Order, person: OrderPersonalData, entry: Entry, *, now: datetime) -> None:
    """The columns as they were typed, and what follows from them alone."""
    for name, value in entry.order.items():
        setattr(order, name, value)
    for name, value in entry.person.items():
        setattr(person, name, value)
    order.ordered_at = order.ordered_at or now
    order.is_gift = bool(person.gift_message)
    order.is_business = bool(person.buyer_company or person.purchase_order_number)
    order.paid_at = _paid_at(order, now)
    for name, amount in totals(entry.lines, order.shipping_total).items():
        setattr(order, name, amount)
    if order.status == Status.ON_HOLD:
        order.hold_reason = order.hold_reason or CHECK_HOLD
    else:
        order.hold_reason, order.hold_until = "", None
    mapping.fill_custom_fields(order, person, latched=False)
    held = any(getattr(person, name) for name in LATCHED)
    order.pii_state = Order.PiiState.PRESENT if held else Order.PiiState.NONE


def _paid_at(order: Order, now: datetime) -> datetime | None:
    """With the order, unless it came unpaid: then when somebody said that it no longer is."""
    if order.status == Status.AWAITING_PAYMENT:
        return None
    if order.paid_at or order.status == Status.CANCELLED:
        return order.paid_at
    return now if order.pk else order.ordered_at


def set_origin(order: Order, person: OrderPersonalData, due: retention.Due) -> None:
    """Amazon's once is Amazon's always: another address later does not take the due date away."""
    amazon = order.store.platform == Store.Platform.HANDMADE or markers.is_relay(person.buyer_email)
    was = order.pk is not None and order.origin_marketplace == AMAZON
    order.origin_marketplace = AMAZON if amazon or was else MANUAL
    if order.origin_marketplace == AMAZON:
        order.redaction_due_at, order.redaction_rule = due.at, due.rule


def line_keys(lines: list[dict], *, taken: Iterable[str] = ()) -> list[str]:
    """What tells these lines apart: a client's own word where it gave one that is free, else a number."""
    found: list[str] = []
    used = set(taken)
    number = max((int(key) for key in used if key.isdecimal()), default=0)
    for line in lines:
        key = line.get("line_key", "")
        if not key or key in used:
            number += 1
            while str(number) in used:
                number += 1
            key = str(number)
        used.add(key)
        found.append(key)
    return found


def _line(order: Order, item_id: str, given: dict) -> OrderItem:
    values = {name: value for name, value in given.items() if name not in NO_COLUMNS}
    return OrderItem(order=order, amazon_item_id=item_id, **values)


def totals(lines: list[dict], shipping: Decimal | None) -> dict[str, Decimal | None]:
    """The columns of Order with sums in them: None where no line says an amount. RuleViolation beyond any column."""
    item = _sum(line["unit_price"] * line["quantity"] for line in lines if line.get("unit_price") is not None)
    tax = _sum(line["tax"] for line in lines if line.get("tax") is not None)
    discount = _sum(line["discount"] for line in lines if line.get("discount") is not None)
    known = [amount for amount in (item, shipping, tax) if amount is not None]
    whole = sum(known) - (discount or 0) if known else None
    found = dict(zip(TOTALS, (item, shipping, tax, discount, whole), strict=True))
    if any(amount is not None and abs(amount) >= LIMIT for amount in found.values()):
        raise RuleViolation(_("The total of this order is too large. Check its amounts."))
    return found


def _sum(amounts: Iterable[Decimal]) -> Decimal | None:
    known = list(amounts)
    return sum(known) if known else None


class Deciding:
    """What follows from some orders of one store together: products, weights, customers, rules. As in an import."""

    def __init__(self, store: Store, *, source: str, now: datetime):
        """`source`: one of rules.facts.SOURCES."""
        self.source, self.now = source, now
        self.products, self.ruler = linking.ProductLinks(), ruling.Ruler([store])

    def complete(self, plan: Plan, tags: dict[str, set[str]]) -> None:
        """Before the plan is saved. `tags`: names of those the orders have, by their numbers."""
        orders = list(plan.orders())
        self.products.link(plan.lines(), make={order.order_number for order in orders})
        for order in orders:
            if not order.weight_is_typed:
                order.weight_g = mapping.weight_of(plan.items_of(order))
        customers.attach([(order, plan.person_of(order)) for order in orders], None, now=self.now)
        entering = [self._subject(plan, order, tags.get(order.order_number, set())) for order in orders]
        plan.take(self.ruler.run(entering, now=self.now))  # it passes over those that do not enter, or did before
        self.ruler.note_broken()

    def _subject(self, plan: Plan, order: Order, tags: set[str]) -> ruling.Subject:
        items = plan.items_of(order)
        products = {item.product_id: item.product for item in items if item.product_id}
        return ruling.Subject(order, plan.person_of(order), items, tags, products, source=self.source)
