"""The state of the simulated Amazon: sellers, orders, feeds, tokens, and what truly happened to each order.

One lock covers every change of state. What is known in advance (an order that ships elsewhere next Tuesday,
a feed that is done in three minutes) waits in a queue and is applied, dated to its own instant, when somebody
next looks; so the clock may be set back only before the first look.
"""

import copy
import heapq
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import fields as dataclass_fields
from datetime import datetime, timedelta
from typing import Any

from stores.simulator.bigcommerce_world import Shop
from stores.simulator.buckets import Buckets
from stores.simulator.clock import SimClock, whole_milliseconds
from stores.simulator.faults import VISIBILITY, Faults
from stores.simulator.marketplaces import MARKETPLACES, Seller
from stores.simulator.orders import SimItem, SimOrder, SimPackage, items_from
from stores.simulator.parcels import Parcels
from stores.simulator.replica import Replica
from stores.simulator.tokens import Tokens

_ORDER_PREFIXES = {
    "US": 112,
    "CA": 702,
    "MX": 703,
    "UK": 203,
    "DE": 303,
    "FR": 404,
    "ES": 405,
    "IT": 406,
    "JP": 250,
}
_LATER = ("ships_at", "cancels_at", "pays_at", "asks_cancel_at")


class World:
    def __init__(
        self,
        now: datetime,
        *,
        sellers: Iterable[Seller] = (),
        shops: Iterable[Shop] = (),
        seed: int = 7,
        scale: float = 1.0,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = SimClock(now, scale)
        self.random = random.Random(seed)
        self.sellers = {seller.seller_id: seller for seller in sellers}
        self.shops = {shop.store_hash: copy.deepcopy(shop) for shop in shops}  # of BigCommerce
        self.tokens = Tokens(self.random, {s.refresh_token: s.seller_id for s in self.sellers.values()})
        self.buckets = Buckets()
        self.faults = Faults()
        self.ledger: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.feeds: dict[str, Any] = {}
        self.documents: dict[str, Any] = {}
        self.pages: dict[str, Any] = {}
        self.replica = Replica()
        self.parcels = Parcels()  # labels sold to sellers, and where their parcels are
        self.digital_asins: set[str] = set()  # SP-API has no such flag; the scenarios say which products are files
        self.stock: dict[
            tuple[str, str], int
        ] = {}  # (seller id, SKU): what the listing still sells, where not a number of its own
        self.fba_stock: dict[tuple[str, str], int] = {}  # the same in Amazon's warehouses
        self.files_url = ""  # where this world's own files are served; '' before it is served over HTTP
        self.throttling = True
        self.strict_resend = False  # a used reference sent again on a shipped order is refused, not an edit
        self.leaky_afn = False  # names on Amazon-fulfilled orders, which Amazon says it never sends
        self.missing_role = "refuse"  # or "blank": what a sign-in without the buyers' data role gets
        self.negative_discounts = False  # the documents leave the sign open
        self.gzip_reports = False
        self.feed_delays = (60, 120)  # seconds in the queue, seconds in progress
        self.redirect_uris: list[str] = []  # empty: any
        self.application_draft = False  # a draft is asked for with version=beta
        self.consent_refusals: dict[str, str] = {}  # seller id to the code Amazon's page shows (SPDC8143, ...)
        self._orders: dict[str, SimOrder] = {}
        self._due: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._watches: list[tuple[str, int, Callable[[], None]]] = []
        self._sequence = 0
        self._settling = False

    # --- time
    def schedule(self, at: datetime, action: Callable[[datetime], None]) -> None:
        with self.lock:
            self._sequence += 1
            heapq.heappush(self._due, (whole_milliseconds(at), self._sequence, action))

    def after_calls(self, operation: str, count: int, action: Callable[[], None]) -> None:
        """Let something happen, once, before the call that follows the first `count` calls of an operation."""
        with self.lock:
            self._watches.append((operation, count, action))

    def settle(self) -> None:
        """Apply everything that was to happen until now."""
        with self.lock:
            if self._settling:  # an action looks at orders: what is due after it must wait for it
                return
            self._settling = True
            try:
                now = self.clock.now()
                while self._due and self._due[0][0] <= now:
                    at, _, action = heapq.heappop(self._due)
                    action(at)
                for watch in [watch for watch in self._watches if self.calls(watch[0]) >= watch[1]]:
                    self._watches.remove(watch)
                    watch[2]()
            finally:
                self._settling = False

    # --- orders
    @property
    def orders(self) -> dict[str, SimOrder]:
        self.settle()
        return self._orders

    def visible(self, seller_id: str) -> list[SimOrder]:
        """The seller's orders that Amazon would show now, oldest change first."""
        now = self.clock.now()
        mine = [order for order in self.orders.values() if order.seller_id == seller_id and self.shows(order, now)]
        return sorted(mine, key=lambda order: (order.updated, order.order_id))

    @staticmethod
    def shows(order: SimOrder, now: datetime) -> bool:
        return order.created <= now and (order.visible_at is None or order.visible_at <= now)

    def new_order_id(self, marketplace: str) -> str:
        prefix = _ORDER_PREFIXES.get(marketplace, 171)
        while True:
            number = f"{prefix}-{self.random.randrange(10**7):07d}-{self.random.randrange(10**7):07d}"
            if number not in self._orders:
                return number

    def new_item_id(self) -> str:
        return str(self.random.randrange(10**13, 10**14))

    def add_order(self, seller: Seller | str, **given: Any) -> SimOrder:
        """A new order of `seller`; fields as in SimOrder, items as SimItem or dicts.

        Known ahead: `ships_at` (elsewhere, by `ships_with` = (carrier, tracking)), `cancels_at`, `pays_at`
        (starts PENDING), `asks_cancel_at` = (instant, reason). `updated` is now unless given, or `created`
        where that lies ahead.
        """
        with self.lock:
            now = self.clock.now()
            later = {name: given.pop(name) for name in _LATER if given.get(name)}
            ships_with = given.pop("ships_with", ("USPS", ""))
            order = self._make_order(seller if isinstance(seller, str) else seller.seller_id, now, given, later)
            delay = self.faults.take("searchOrders", VISIBILITY)
            if delay:
                order.visible_at = max(now, order.created) + timedelta(seconds=delay.options.get("seconds", 600))
            self._orders[order.order_id] = order
            self._plan(order, later, ships_with)
            return order

    def _make_order(self, seller_id: str, now: datetime, given: dict, later: dict) -> SimOrder:
        marketplace = given.setdefault("marketplace", self.sellers[seller_id].marketplaces[0])
        created = whole_milliseconds(given.pop("created", now))
        updated = whole_milliseconds(given.pop("updated", max(created, now)))
        given.setdefault("order_id", self.new_order_id(marketplace))
        given.setdefault("ship_from", created)
        given.setdefault("ship_by", created + timedelta(days=2))
        given.setdefault("deliver_from", created + timedelta(days=4))
        given.setdefault("deliver_by", created + timedelta(days=7))
        given.setdefault("buyer_email", f"{self.random.getrandbits(48):012x}@{MARKETPLACES[marketplace].mail_domain}")
        items = items_from(given.pop("items", None) or [SimItem()])
        for item in items:
            item.item_id = item.item_id or self.new_item_id()
        if "pays_at" in later:
            given.setdefault("status", "PENDING")
        order = SimOrder(seller_id=seller_id, created=created, updated=updated, items=items, **given)
        order.address.country = order.address.country or MARKETPLACES[marketplace].country
        order.seller_order_id = order.seller_order_id or order.order_id
        if order.order_id in self._orders:
            raise ValueError(f"Order {order.order_id} exists.")
        return order

    def _plan(self, order: SimOrder, later: dict[str, Any], ships_with: tuple[str, str]) -> None:
        if "pays_at" in later:
            self.schedule(later["pays_at"], lambda at: self._pay(order, at))
        if "ships_at" in later:
            self.schedule(later["ships_at"], lambda at: self.ship_elsewhere(order.order_id, *ships_with, at=at))
        if "asks_cancel_at" in later:
            at, reason = later["asks_cancel_at"]
            self.schedule(at, lambda when: self.request_cancellation(order.order_id, reason, at=when))
        if "cancels_at" in later:
            self.schedule(later["cancels_at"], lambda at: self._cancel_if_open(order, at))

    def _pay(self, order: SimOrder, at: datetime) -> None:
        if order.status == "PENDING":
            order.status = "UNSHIPPED"
            self._touch(order, at)

    def _cancel_if_open(self, order: SimOrder, at: datetime) -> None:
        if order.status not in ("SHIPPED", "CANCELLED"):
            self.cancel(order.order_id, at=at)

    def _touch(self, order: SimOrder, at: datetime | None = None) -> None:
        order.updated = whole_milliseconds(at or self.clock.now())

    def _order(self, order_id: str, at: datetime | None) -> SimOrder:
        if at is None:
            self.settle()
        return self._orders[order_id]

    def update(self, order_id: str, **changes: Any) -> SimOrder:
        """Set fields of an order, as if Amazon or its seller had changed it now."""
        with self.lock:
            order = self._order(order_id, None)
            unknown = set(changes) - {field.name for field in dataclass_fields(SimOrder)}
            if unknown:
                raise ValueError(f"No such field: {', '.join(sorted(unknown))}")
            for name, value in changes.items():
                setattr(order, name, value)
            if "updated" not in changes:
                self._touch(order)
            return order

    def cancel(self, order_id: str, *, by: str = "BUYER", reason: str = "", at: datetime | None = None) -> None:
        """ValueError for a shipped order, which nobody can cancel."""
        with self.lock:
            order = self._order(order_id, at)
            if order.status == "SHIPPED":
                raise ValueError(f"Order {order_id} is shipped.")
            order.status = "CANCELLED"
            for item in order.items:
                item.cancelled_by, item.cancel_reason = by, reason or "Ordered by mistake"
            self._touch(order, at)

    def request_cancellation(self, order_id: str, reason: str, *, at: datetime | None = None) -> None:
        """The buyer asks for it; the seller has still to decide."""
        with self.lock:
            order = self._order(order_id, at)
            for item in order.items:
                item.cancel_request = reason
            self._touch(order, at)

    def ship_elsewhere(
        self, order_id: str, carrier: str = "USPS", tracking: str = "", *, at: datetime | None = None
    ) -> None:
        """Shipped in Seller Central, or by Amazon: it is in the packages, and not in the ledger."""
        with self.lock:
            order = self._order(order_id, at)
            open_items = {item.item_id: item.open_quantity for item in order.items if item.open_quantity > 0}
            if order.status in ("SHIPPED", "CANCELLED") or not open_items:
                return
            when = whole_milliseconds(at or self.clock.now())
            reference = f"SC-{order_id[-7:]}-{len(order.packages) + 1}"
            tracking = tracking or f"9400{int(order_id.replace('-', '')) % 10**16:016d}"
            order.packages.append(SimPackage(reference, carrier, tracking, when, when, open_items))
            order.recount()
            self._touch(order, when)

    # --- what truly happened
    def record_confirmation(
        self, order: SimOrder, package: SimPackage, channel: str, effect: str, at: datetime
    ) -> None:
        self.ledger.append(
            {
                "order_id": order.order_id,
                "seller_id": order.seller_id,
                "package_reference": package.reference,
                "carrier": package.carrier,
                "tracking": package.tracking,
                "items": dict(package.items),
                "channel": channel,
                "effect": effect,
                "at": at,
            }
        )
        self._touch(order, at)

    def effective_confirmations(self) -> dict[str, int]:
        """Packages created per order; more than one for an order shipped whole is a duplicate."""
        self.settle()
        with self.lock:
            return dict(Counter(entry["order_id"] for entry in self.ledger if entry["effect"] == "created"))

    def calls(self, operation: str, status: int | None = None) -> int:
        """Calls that reached the operation, whatever the answer; or only those answered with `status`."""
        with self.lock:
            seen = [entry for entry in self.requests if entry["operation"] == operation]
            return sum(status is None or entry["status"] == status for entry in seen)

    # --- sign-in
    @property
    def client_secrets(self) -> list[str]:
        """The application's live secrets: two during a rotation."""
        return self.tokens.client_secrets

    def rotate_secret(self, *, add: str = "", drop: str = "") -> int:
        """Make a client secret live, or end one; returns how many are live. Tokens survive."""
        with self.lock:
            self.tokens.client_secrets += [add] if add else []
            self.tokens.client_secrets[:] = [secret for secret in self.tokens.client_secrets if secret != drop]
            return len(self.tokens.client_secrets)

    def revoke(self, seller: Seller | str) -> None:
        """The seller disables the application: refresh tokens and live access tokens die."""
        with self.lock:
            self.tokens.revoke(seller if isinstance(seller, str) else seller.seller_id)

    def renew(self, seller: Seller | str) -> str:
        """The seller authorizes again: a new refresh token."""
        with self.lock:
            return self.tokens.authorize(seller if isinstance(seller, str) else seller.seller_id)

    def authorization_code(self, seller: Seller | str) -> str:
        """A code as the consent page sends it back: good once, for five minutes."""
        with self.lock:
            return self.tokens.new_code(seller if isinstance(seller, str) else seller.seller_id, self.clock.now())

    def become(self, other: "World") -> None:
        """Take over another world's whole state; the lock stays."""
        with self.lock:
            state = {name: value for name, value in vars(other).items() if name != "lock"}
            vars(self).update(state)
