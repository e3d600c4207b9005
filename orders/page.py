"""Writing one page of orders: decided here in memory, written set-based by orders/pagesaving.py.

Rules kept here: Amazon's newer word wins over older (version guard); blank never overwrites personal data; nothing
overwrites erased personal data; what we shipped stays shipped.
"""

import hashlib
import importlib
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime
from functools import cache
from types import ModuleType

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from orders import customers, latch, linking, mapping, pagesaving, roman, ruling
from orders.models import ItemPersonalData, Order, OrderEvent, OrderItem, OrderPersonalData, SkippedOrder
from orders.models.order import CANCELLED_ALERT
from orders.pagesaving import Plan
from orders.retention import periods_for
from privacy import holds, retention
from stores import marketplaces, statusmap
from stores.connectors.base import PERSON_FIELDS, OrderPage, RemoteOrder, RemotePerson
from stores.models import AmazonAccount, Store, UnconnectedOrder

_CODE = re.compile(r"[A-Z]+(_[A-Z]+)*")
Status = Order.Status
Kind = OrderEvent.Kind
UNPAID = Status.AWAITING_PAYMENT
ADDRESS = ("recipient_company", "street1", "street2", "street3", "city", "district", "state", "postal_code")


class PageWriter:
    """Writes pages of one account. Call inside a transaction; the account's lease keeps other writers away."""

    def __init__(self, account: AmazonAccount, *, now: datetime):
        self.account, self.now = account, now
        self.oldest = holds.limit(now)
        stores = account.stores.prefetch_related("status_map")
        self.stores: dict[str, Store] = {store.marketplace: store for store in stores}
        self.by_id = {store.pk: store for store in stores}
        self.status_maps = {store.pk: statusmap.as_map(store) for store in stores}
        self.products = linking.ProductLinks()
        self.ruler = ruling.Ruler(stores)

    def forget(self) -> None:
        """After a page that was rolled back: what was made with it, or named by a rule, may not be there."""
        self.products = linking.ProductLinks()
        self.ruler = ruling.Ruler(self.by_id.values())

    def write(self, page: OrderPage) -> Counter:
        """Write one page; returns what became of its orders, by name."""
        newest: dict[str, RemoteOrder] = {}
        for remote in page.orders:  # one order twice on a page: the newer word counts
            if remote.number not in newest or remote.updated_at >= newest[remote.number].updated_at:
                newest[remote.number] = remote
        known = self._known(newest)
        files = linking.not_physical(newest.values())
        plan, self.offered = Plan(), []
        for remote in newest.values():
            self._decide(_with_files(remote, files), known.get(remote.number), plan)
        self._complete(plan)
        pagesaving.save(plan, list(self.by_id))
        latch.record(self.offered, client=latch.IMPORT, now=self.now)
        self._tell_of_parcels(newest, known)
        pagesaving.quarantine(self.account, page, plan, readable=list(newest), now=self.now)
        return plan.counts

    def _tell_of_parcels(self, remotes: dict[str, RemoteOrder], known: dict[str, Order]) -> None:
        """Parcels the marketplace shows for orders that were here already, to those who keep parcels."""
        found = [(order, remotes[number]) for number, order in known.items() if remotes[number].packages]
        if found:
            for reader in _parcel_readers():
                reader.seen(found, self.now)

    def _known(self, remotes: dict[str, RemoteOrder]) -> dict[str, Order]:
        """Orders of this page we have, locked against shipping and erasure, with what belongs to them.

        Persons are locked too: an erasure half done has let go of the order, and what it overwrites must not be read.
        """
        mine = Order.objects.filter(store__in=list(self.by_id), order_number__in=list(remotes))
        found = list(mine.select_for_update().order_by("pk"))
        for order in found:
            order.store = self.by_id[order.store_id]
        persons = OrderPersonalData.objects.select_for_update().order_by("pk")
        self.persons = persons.in_bulk([order.pk for order in found]) if found else {}
        self.items: dict[int, dict[str, OrderItem]] = {}
        for item in OrderItem.objects.filter(order__in=found).select_related("product") if found else []:
            self.items.setdefault(item.order_id, {})[item.amazon_item_id] = item
        wished = [item.pk for order in found if remotes[order.order_number].customized for item in self._lines(order)]
        self.wishes = ItemPersonalData.objects.in_bulk(wished) if wished else {}
        return {order.order_number: order for order in found}

    def _lines(self, order: Order) -> list[OrderItem]:
        return list(self.items.get(order.pk, {}).values())

    # -- decisions, no database

    def _is_gone(self, remote: RemoteOrder, order: Order | None) -> bool:
        """Older than what may be kept, or reduced already."""
        too_old = remote.created_at is not None and remote.created_at <= self.oldest
        return too_old or (order is not None and order.reduced_at is not None)

    def _decide(self, remote: RemoteOrder, order: Order | None, plan: Plan) -> None:
        if self._is_gone(remote, order):
            plan.counts["too_old"] += 1  # what went after its term does not come back
            return
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

    def _take_in(self, remote: RemoteOrder, store: Store, plan: Plan) -> None:
        order = Order(store=store, order_number=remote.number, first_imported_at=self.now, modified_at=self.now)
        mapping.fill(order, remote)
        decided = self._status_of(remote, store.pk)
        order.status, order.custom_status = decided
        order.decided_status = order.status
        order.content_hash = fingerprint(remote, decided)
        order.paid_at = None if order.status in {UNPAID, Status.CANCELLED} else order.ordered_at
        if not order.by_amazon:
            due = retention.order_due(retention.Facts(imported_at=self.now), periods_for(store))
            order.redaction_due_at, order.redaction_rule = due.at, due.rule
            if any(getattr(remote.person, name) for name in mapping.PERSONAL):
                order.pii_state = Order.PiiState.PRESENT
        if any(item.cancel_reason is not None for item in remote.items) and order.is_open:
            order.cancel_requested_at = self.now
            order.cancel_reason_code = _code(next(i.cancel_reason for i in remote.items if i.cancel_reason is not None))
            plan.events.append(self._event(order, Kind.CANCEL_REQUESTED, {}))
        person = OrderPersonalData(order=order, **{name: getattr(remote.person, name) for name in PERSON_FIELDS})
        mapping.fill_custom_fields(order, person, latched=False)
        plan.keep(order, person, items=[mapping.item(order, found) for found in remote.items])
        if store.import_customization and order.is_open:
            plan.wished |= {(order.order_number, item_id): url for item_id, url in remote.customized.items()}
        if order.by_amazon or order.is_open:
            plan.looked_up.add(order.order_number)
        source = store.market.label if store.market else store.name
        plan.events.append(self._event(order, Kind.IMPORTED, {"source": source, "status": order.status}))
        plan.fresh.append(order)
        plan.counts["imported"] += 1

    def _update(self, remote: RemoteOrder, order: Order, plan: Plan) -> None:
        decided = self._status_of(remote, order.store_id)
        digest = fingerprint(remote, decided)
        if order.amazon_updated_at and remote.updated_at < order.amazon_updated_at:
            plan.counts["older"] += 1
            return
        same = remote.updated_at == order.amazon_updated_at and digest == order.content_hash
        if same and not self._brings_more(remote, order):
            plan.counts["unchanged"] += 1
            return
        before = order.status
        mapping.fill(order, remote)
        order.content_hash = digest
        self._move_status(decided, order, plan)
        if before == UNPAID and order.status not in {UNPAID, Status.CANCELLED}:
            order.paid_at = order.paid_at or remote.updated_at
            plan.looked_up.add(order.order_number)
        self._note_cancel_request(remote, order, plan)
        person = self._merge_person(remote, order, plan)
        plan.keep(order, person, items=self._merged_items(remote, order))
        self._note_wishes(remote, order, person, plan)
        if order.status != before:
            plan.events.append(self._event(order, Kind.STATUS, {"before": before, "after": order.status}))
        order.modified_at = max(order.modified_at, self.now)
        plan.changed.append(order)
        plan.counts["updated"] += 1

    def _brings_more(self, remote: RemoteOrder, order: Order) -> bool:
        """What Amazon, or a switch of ours, kept back when the order was read at this very state: people, wishes."""
        person = self.persons.get(order.pk) or OrderPersonalData(order=order)
        if order.masked or person.marker or order.by_amazon:
            return False
        wishes = order.is_open and order.store.import_customization and remote.customized
        lines = self.items.get(order.pk, {}) if wishes else {}
        if any(item_id in lines and lines[item_id].pk not in self.wishes for item_id in remote.customized):
            return True
        return any(getattr(remote.person, name) and not getattr(person, name) for name in PERSON_FIELDS)

    def _status_of(self, remote: RemoteOrder, store_id: int) -> tuple[str, str]:
        return mapping.status_of(remote, self.status_maps[store_id])

    def _move_status(self, decided: tuple[str, str], order: Order, plan: Plan) -> None:
        """A word that means what it meant before changes nothing: what people decided since stands."""
        wanted, word = decided
        known = (order.decided_status, order.custom_status)
        settled = order.status == Status.SHIPPED and bool(order.shipped_at or not known[1])
        if settled and wanted == Status.CANCELLED:
            order.alert = CANCELLED_ALERT
            plan.events.append(self._event(order, Kind.CANCELLED_AFTER_SHIPPING, {}))
        if settled and not order.shipped_at:
            return  # Amazon itself said shipped: no later word is a reading of ours, which alone could be corrected
        order.decided_status, order.custom_status = wanted, word
        if settled or decided == known:
            return
        if wanted == Status.SHIPPED and order.told_shipped:
            return  # our own notice comes back: a part of it left, or its parcel was voided after Amazon was told
        if wanted == Status.SHIPPED:
            order.status, order.hold_reason, order.hold_until = Status.SHIPPED, "", None
            if not word:
                plan.events.append(self._event(order, Kind.SHIPPED_ELSEWHERE, {}))
        elif wanted == Status.CANCELLED or order.status != Status.ON_HOLD or not order.hold_reason:
            # a person's hold outlives Amazon's "unshipped"; one for a word we did not know ends with a word we know
            order.status = wanted
            order.hold_until = order.hold_until if wanted == Status.ON_HOLD else None
        else:
            order.decided_status = known[0]  # not applied: it counts once the hold has ended

    def _note_cancel_request(self, remote: RemoteOrder, order: Order, plan: Plan) -> None:
        asked = [item.cancel_reason for item in remote.items if item.cancel_reason is not None]
        if asked and order.is_open and not order.cancel_requested_at and not order.cancel_reason_code:
            order.cancel_requested_at, order.cancel_reason_code = self.now, _code(asked[0])
            plan.events.append(self._event(order, Kind.CANCEL_REQUESTED, {}))

    def _merge_person(self, remote: RemoteOrder, order: Order, plan: Plan) -> OrderPersonalData:
        """Blank never overwrites; an erased order takes only the place, and only where it has none."""
        person = self.persons.get(order.pk) or OrderPersonalData(order=order)
        latched = latch.is_shut(order, person)
        offered = [name for name in mapping.PERSONAL if getattr(remote.person, name)]
        if latched and offered:
            plan.counts["latched"] += 1
            self.offered.append(order.pk)
        gone, moved = latch.shut(order) if latched else (), False
        whole = ADDRESS if remote.person.street1 and not latched else ()  # an address came: what it lacks is not there
        for name in (
            RemotePerson.KEPT if order.by_amazon else PERSON_FIELDS
        ):  # whatever Amazon says later, FBA has no person
            value = getattr(remote.person, name)
            if (not value and name not in whole) or (latched and (name in gone or getattr(person, name))):
                continue
            if getattr(person, name) != value:
                setattr(person, name, value)
                moved = moved or name in roman.SHIP_TO
        if moved and not latched and order.is_open and roman.forget(person):
            plan.events.append(self._event(order, Kind.ROMAN_DROPPED, {}))
        if not latched and not order.by_amazon and offered:
            order.pii_state = Order.PiiState.PRESENT
        mapping.fill_custom_fields(order, person, latched=latched)
        return person

    def _note_wishes(self, remote: RemoteOrder, order: Order, person: OrderPersonalData, plan: Plan) -> None:
        """Where the buyer's wishes are kept, for lines whose wishes we do not have. Addresses expire: the newest counts."""
        if order.masked or person.marker or not order.is_open or not order.store.import_customization:
            return
        lines = self.items.get(order.pk, {})
        for item_id, url in remote.customized.items():
            kept = self.wishes.get(lines[item_id].pk) if item_id in lines else None
            if kept is None or (not kept.marker and kept.state == ItemPersonalData.State.WAITING):
                plan.wished[order.order_number, item_id] = url

    def _merged_items(self, remote: RemoteOrder, order: Order) -> list[OrderItem]:
        known = self.items.get(order.pk, {})
        merged = []
        for found in remote.items:
            item = mapping.item(order, found)
            before = known.get(found.item_id)
            if before is not None:
                item.quantity = max(item.quantity, before.quantity_shipped)
                item.product, item.weight_g, item.warehouse_location = (
                    before.product,
                    before.weight_g,
                    before.warehouse_location,
                )
            merged.append(item)
        return merged

    def _complete(self, plan: Plan) -> None:
        """What follows from all orders of the page together: products, weights, customers, rules."""
        self.products.link(plan.lines(), make=plan.looked_up)
        for order in plan.orders():
            if not order.weight_is_typed:
                order.weight_g = mapping.weight_of(plan.items_of(order))
        open_to = [(order, plan.person_of(order)) for order in plan.orders() if not order.by_amazon]
        customers.attach(open_to, self.account, now=self.now)
        self._rule(plan)

    def _rule(self, plan: Plan) -> None:
        """Rules run once, on what waits to be sent for the first time (R42)."""
        entering = [order for order in plan.orders() if _enters(order)]
        if not self.ruler.rules:
            for order in entering:
                order.rules_ran_at = self.now  # a rule made later is for later orders
            return
        tags = pagesaving.tags_of(entering)
        plan.take(self.ruler.run([self._subject(order, plan, tags) for order in entering], now=self.now))
        if self.ruler.broken:
            self.ruler.note_broken()

    @staticmethod
    def _subject(order: Order, plan: Plan, tags: dict[int, set[str]]) -> ruling.Subject:
        items = plan.items_of(order)
        customised = any((order.order_number, item.amazon_item_id) in plan.wished for item in items)
        products = {item.product_id: item.product for item in items if item.product}
        return ruling.Subject(
            order, plan.person_of(order), items, tags.get(order.pk, set()), products, customised=customised
        )

    def _event(self, order: Order, kind: str, params: dict) -> OrderEvent:
        return OrderEvent(order=order, kind=kind, params=params, at=self.now)


@cache
def _parcel_readers() -> tuple[ModuleType, ...]:
    """Modules of other apps called `remote_parcels`: their `seen(found, now)` is called once a page, in its transaction."""
    having = [config for config in apps.get_app_configs() if module_has_submodule(config.module, "remote_parcels")]
    return tuple(importlib.import_module(f"{config.name}.remote_parcels") for config in having)


def _with_files(remote: RemoteOrder, files: set[tuple[str, str]]) -> RemoteOrder:
    """The order, with those lines marked that are nothing one could send."""
    if not any((remote.marketplace_id, item.asin) in files for item in remote.items):
        return remote
    items = (replace(item, is_physical=(remote.marketplace_id, item.asin) not in files) for item in remote.items)
    return replace(remote, items=tuple(items))


def _enters(order: Order) -> bool:
    waits = order.status in {Status.AWAITING_SHIPMENT, Status.ON_HOLD}
    return waits and order.rules_ran_at is None and not order.by_amazon and not order.masked


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
