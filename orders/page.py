"""Writing one page of orders: decide in memory, write set-based.

Rules kept here: Amazon's newer word wins over older (version guard); blank never overwrites personal data; nothing
overwrites erased personal data; what we shipped stays shipped.
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F

from orders import mapping, roman
from orders.models import Order, OrderEvent, OrderItem, OrderPersonalData, QuarantinedOrder, SkippedOrder
from orders.models.person import EMAIL
from orders.personal_data import erasable
from orders.retention import periods_for
from privacy import retention
from stores import marketplaces, statusmap
from stores.connectors.base import PERSON_FIELDS, OrderPage, RemoteOrder, RemotePerson
from stores.models import AmazonAccount, Store, UnconnectedOrder

_CODE = re.compile(r"[A-Z]+(_[A-Z]+)*")
Status = Order.Status
Kind = OrderEvent.Kind
ITEM_COLUMNS = [
    "sku", "asin", "title", "quantity", "unit_price", "tax", "discount", "shipping", "gift_wrap", "is_physical",
]  # fmt: skip


@dataclass
class _Plan:
    """What a page comes down to."""

    fresh: list[Order] = field(default_factory=list)
    changed: list[Order] = field(default_factory=list)
    persons: list[OrderPersonalData] = field(default_factory=list)
    items: list[OrderItem] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)
    skipped: list[SkippedOrder] = field(default_factory=list)
    unconnected: list[UnconnectedOrder] = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)


class PageWriter:
    """Writes pages of one account. Call inside a transaction; the account's lease keeps other writers away."""

    def __init__(self, account: AmazonAccount, *, now: datetime):
        self.account, self.now = account, now
        stores = account.stores.prefetch_related("status_map")
        self.stores: dict[str, Store] = {store.marketplace: store for store in stores}
        self.status_maps = {store.pk: statusmap.as_map(store) for store in stores}

    def write(self, page: OrderPage) -> Counter:
        """Write one page; returns what became of its orders, by name."""
        newest: dict[str, RemoteOrder] = {}
        for remote in page.orders:  # one order twice on a page: the newer word counts
            if remote.number not in newest or remote.updated_at >= newest[remote.number].updated_at:
                newest[remote.number] = remote
        known = self._known(newest)
        plan = _Plan()
        for remote in newest.values():
            self._decide(remote, known.get(remote.number), plan)
        self._save(plan, known)
        self._quarantine(page, plan, readable=list(newest))
        return plan.counts

    def _known(self, remotes: dict[str, RemoteOrder]) -> dict[str, Order]:
        """Orders of this page we have, locked against shipping and erasure, with what belongs to them.

        Persons are locked too: an erasure half done has let go of the order, and what it overwrites must not be read.
        """
        stores = list(self.stores.values())
        found = list(
            Order.objects.select_for_update().filter(store__in=stores, order_number__in=list(remotes)).order_by("pk")
        )
        persons = OrderPersonalData.objects.select_for_update().order_by("pk")
        self.persons = persons.in_bulk([order.pk for order in found]) if found else {}
        self.items: dict[int, dict[str, OrderItem]] = {}
        for item in OrderItem.objects.filter(order__in=found) if found else []:
            self.items.setdefault(item.order_id, {})[item.amazon_item_id] = item
        return {order.order_number: order for order in found}

    # -- decisions, no database

    def _decide(self, remote: RemoteOrder, order: Order | None, plan: _Plan) -> None:
        market = marketplaces.BY_ID.get(remote.marketplace_id)
        store = self.stores.get(market.code) if market else None
        if store is None:
            plan.counts["unconnected"] += 1
            plan.unconnected.append(
                UnconnectedOrder(
                    account=self.account,
                    marketplace_id=remote.marketplace_id,
                    order_number=remote.number,
                    seen_at=self.now,
                )
            )
            return
        if order is None:
            reason = mapping.why_skipped(remote, store)
            if reason:
                plan.counts["skipped"] += 1
                plan.skipped.append(
                    SkippedOrder(
                        store=store,
                        order_number=remote.number,
                        reason=reason,
                        amazon_status=remote.status,
                        seen_at=self.now,
                    )
                )
                return
            self._take_in(remote, store, plan)
        else:
            self._update(remote, order, plan)

    def _take_in(self, remote: RemoteOrder, store: Store, plan: _Plan) -> None:
        order = Order(store=store, order_number=remote.number, first_imported_at=self.now)
        mapping.fill(order, remote)
        decided = self._status_of(remote, store.pk)
        order.status, order.custom_status = decided
        order.decided_status = order.status
        order.content_hash = fingerprint(remote, decided)
        if not order.by_amazon:
            due = retention.order_due(retention.Facts(imported_at=self.now), periods_for(store))
            order.redaction_due_at, order.redaction_rule = due.at, due.rule
            if any(getattr(remote.person, name) for name in mapping.PERSONAL):
                order.pii_state = Order.PiiState.PRESENT
        if any(item.cancel_reason is not None for item in remote.items) and order.is_open:
            order.cancel_requested_at = self.now
            order.cancel_reason_code = _code(next(i.cancel_reason for i in remote.items if i.cancel_reason is not None))
            plan.events.append(self._event(order, Kind.CANCEL_REQUESTED, {}))
        person = {name: getattr(remote.person, name) for name in PERSON_FIELDS}
        plan.persons.append(OrderPersonalData(order=order, **person))
        plan.items += [mapping.item(order, found) for found in remote.items]
        source = store.market.label if store.market else store.name
        plan.events.append(self._event(order, Kind.IMPORTED, {"source": source, "status": order.status}))
        plan.fresh.append(order)
        plan.counts["imported"] += 1

    def _update(self, remote: RemoteOrder, order: Order, plan: _Plan) -> None:
        decided = self._status_of(remote, order.store_id)
        digest = fingerprint(remote, decided)
        if order.amazon_updated_at and remote.updated_at < order.amazon_updated_at:
            plan.counts["older"] += 1
            return
        if remote.updated_at == order.amazon_updated_at and digest == order.content_hash:
            plan.counts["unchanged"] += 1
            return
        before = order.status
        mapping.fill(order, remote)
        order.content_hash = digest
        self._move_status(decided, order, plan)
        self._note_cancel_request(remote, order, plan)
        self._merge_person(remote, order, plan)
        plan.items += self._merged_items(remote, order)
        if order.status != before:
            plan.events.append(self._event(order, Kind.STATUS, {"before": before, "after": order.status}))
        plan.changed.append(order)
        plan.counts["updated"] += 1

    def _status_of(self, remote: RemoteOrder, store_id: int) -> tuple[str, str]:
        return mapping.status_of(remote, self.status_maps[store_id])

    def _move_status(self, decided: tuple[str, str], order: Order, plan: _Plan) -> None:
        """A word that means what it meant before changes nothing: what people decided since stands."""
        wanted, word = decided
        known = (order.decided_status, order.custom_status)
        settled = order.status == Status.SHIPPED and bool(order.shipped_at or not known[1])
        if settled and wanted == Status.CANCELLED:
            plan.events.append(self._event(order, Kind.CANCELLED_AFTER_SHIPPING, {}))
        if settled and not order.shipped_at:
            return  # Amazon itself said shipped: no later word is a reading of ours, which alone could be corrected
        order.decided_status, order.custom_status = wanted, word
        if settled or decided == known:
            return
        if wanted == Status.SHIPPED:
            order.status, order.hold_reason = Status.SHIPPED, ""
            if not word:
                plan.events.append(self._event(order, Kind.SHIPPED_ELSEWHERE, {}))
        elif wanted == Status.CANCELLED or order.status != Status.ON_HOLD or not order.hold_reason:
            # a person's hold outlives Amazon's "unshipped"; one for a word we did not know ends with a word we know
            order.status = wanted
        else:
            order.decided_status = known[0]  # not applied: it counts once the hold has ended

    def _note_cancel_request(self, remote: RemoteOrder, order: Order, plan: _Plan) -> None:
        asked = [item.cancel_reason for item in remote.items if item.cancel_reason is not None]
        if asked and order.is_open and not order.cancel_requested_at and not order.cancel_reason_code:
            order.cancel_requested_at, order.cancel_reason_code = self.now, _code(asked[0])
            plan.events.append(self._event(order, Kind.CANCEL_REQUESTED, {}))

    def _merge_person(self, remote: RemoteOrder, order: Order, plan: _Plan) -> None:
        """Blank never overwrites; an erased order takes only the place, and only where it has none."""
        person = self.persons.get(order.pk) or OrderPersonalData(order=order)
        latched = order.masked or bool(person.marker)
        offered = [name for name in mapping.PERSONAL if getattr(remote.person, name)]
        if latched and offered:
            plan.counts["latched"] += 1
        gone, changed, moved = (*erasable(), EMAIL), False, False
        for name in (
            RemotePerson.KEPT if order.by_amazon else PERSON_FIELDS
        ):  # whatever Amazon says later, FBA has no person
            value = getattr(remote.person, name)
            if not value or (latched and (name in gone or getattr(person, name))):
                continue
            if getattr(person, name) != value:
                setattr(person, name, value)
                changed, moved = True, moved or name in roman.SHIP_TO
        if moved and not latched and order.is_open and roman.forget(person):
            plan.events.append(self._event(order, Kind.ROMAN_DROPPED, {}))
        if changed:
            plan.persons.append(person)
            if not latched and not order.by_amazon and offered:
                order.pii_state = Order.PiiState.PRESENT

    def _merged_items(self, remote: RemoteOrder, order: Order) -> list[OrderItem]:
        known = self.items.get(order.pk, {})
        merged = []
        for found in remote.items:
            item = mapping.item(order, found)
            if found.item_id in known:
                item.quantity = max(item.quantity, known[found.item_id].quantity_shipped)
            merged.append(item)
        return merged

    def _event(self, order: Order, kind: str, params: dict) -> OrderEvent:
        return OrderEvent(order=order, kind=kind, params=params, at=self.now)

    # -- writing, a constant number of statements

    def _save(self, plan: _Plan, known: dict[str, Order]) -> None:
        Order.objects.bulk_create(plan.fresh)
        if plan.changed:
            Order.objects.bulk_create(
                plan.changed, update_conflicts=True, unique_fields=["id"], update_fields=mapping.ORDER_COLUMNS
            )
        if plan.persons:
            OrderPersonalData.objects.bulk_create(
                plan.persons,
                update_conflicts=True,
                unique_fields=["order"],
                update_fields=[*PERSON_FIELDS, *roman.TWINS.values()],
            )
        if plan.items:
            OrderItem.objects.bulk_create(
                plan.items,
                update_conflicts=True,
                unique_fields=["order", "amazon_item_id"],
                update_fields=ITEM_COLUMNS,
            )
        if plan.events:
            OrderEvent.objects.bulk_create(plan.events)
        if plan.skipped:
            SkippedOrder.objects.bulk_create(
                plan.skipped, update_conflicts=True, unique_fields=["store", "order_number"],
                update_fields=["reason", "amazon_status", "seen_at"],
            )  # fmt: skip
        if plan.fresh:
            SkippedOrder.objects.filter(
                store__in=list(self.stores.values()),
                order_number__in=[order.order_number for order in plan.fresh],
            ).delete()
        if plan.unconnected:
            UnconnectedOrder.objects.bulk_create(plan.unconnected, ignore_conflicts=True)

    def _quarantine(self, page: OrderPage, plan: _Plan, *, readable: list[str]) -> None:
        """Keep what could not be read, count how often, and let go what can be read again."""
        kept = QuarantinedOrder.objects.filter(account=self.account)
        if readable:
            kept.filter(order_number__in=readable).delete()
        if not page.unreadable:
            return
        kept.filter(order_number__in=[found.number for found in page.unreadable]).update(times=F("times") + 1)
        rows = {
            found.number: QuarantinedOrder(
                account=self.account,
                order_number=found.number,
                code=found.code[:60],
                path=found.path[:120],
                seen_at=self.now,
            )
            for found in page.unreadable
        }
        QuarantinedOrder.objects.bulk_create(
            rows.values(), update_conflicts=True, unique_fields=["account", "order_number"],
            update_fields=["code", "path", "seen_at"],
        )  # fmt: skip
        plan.counts["quarantined"] += len(rows)


def _code(reason: str) -> str:
    """A reason as Amazon's code; what a buyer may have written in its place is not kept."""
    return reason if _CODE.fullmatch(reason) else "?"


def fingerprint(remote: RemoteOrder, decided: tuple[str, str]) -> str:
    """Tells two answers about one order apart, and one answer under two status maps. A keyless hash of the whole order
    would be a copy of personal data in disguise, so the person is left out: a change of address comes with a new update
    time. `decided`: what status_of() made of it."""
    parts = [
        *map(str, decided), remote.status, remote.service_level, remote.payment_method, remote.ship_by, remote.deliver_by,
        remote.programs, sorted((name, str(total)) for name, total in remote.totals.items()), remote.items,
    ]  # fmt: skip
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
