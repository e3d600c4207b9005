"""The state of a simulated BigCommerce store: orders copied from Amazon, their shipments, the mails buyers would get.

Where BigCommerce's documents are silent (a second shipment of shipped items, filters nobody knows) it does what would
hurt most, unless told otherwise.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from stores.simulator.orders import SimAddress, SimOrder

SHIPPED, PARTIALLY_SHIPPED, AWAITING_FULFILLMENT = 2, 3, 11
STATUSES = (
    "Incomplete", "Pending", "Shipped", "Partially Shipped", "Refunded", "Cancelled", "Declined", "Awaiting Payment",
    "Awaiting Pickup", "Awaiting Shipment", "Completed", "Awaiting Fulfillment", "Manual Verification Required",
    "Disputed", "Partially Refunded",
)  # fmt: skip
WINDOW = timedelta(seconds=30)
EVERY_SCOPE = frozenset({"store_v2_orders", "store_channel_settings_read_only", "store_v2_information_read_only"})


@dataclass
class MirrorLine:
    """`line_id` is the order_product_id of a shipment."""

    line_id: int
    address_id: int
    sku: str
    name: str
    quantity: int
    product_id: int = 0
    kind: str = "physical"
    quantity_refunded: int = 0


@dataclass
class MirrorShipment:
    """`items`: line id to quantity. `told`: the other fields, as they were sent."""

    shipment_id: int
    address_id: int
    items: dict[int, int]
    created: datetime
    told: dict[str, str]


@dataclass
class MirrorOrder:
    """`external_order_id` or `external_id` holds the Amazon order id: connectors differ."""

    order_id: int
    created: datetime
    lines: list[MirrorLine]
    addresses: dict[int, SimAddress]
    external_order_id: str = ""
    external_id: str | None = None
    channel_id: int = 1
    order_source: str = "external"
    status_id: int = AWAITING_FULFILLMENT
    email: str = ""
    shipped: datetime | None = None
    archived: bool = False
    shipments: dict[int, MirrorShipment] = field(default_factory=dict)

    def line(self, line_id: Any) -> MirrorLine | None:
        return next((line for line in self.lines if line.line_id == line_id), None)

    def quantity_shipped(self, line: MirrorLine) -> int:
        sent = sum(shipment.items.get(line.line_id, 0) for shipment in self.shipments.values())
        return min(line.quantity, sent)

    def count(self, address_id: int | None = None) -> tuple[int, int]:
        """Units ordered and units shipped, of one address or of all."""
        lines = [line for line in self.lines if address_id in (None, line.address_id)]
        return sum(line.quantity for line in lines), sum(self.quantity_shipped(line) for line in lines)

    @property
    def is_shipped_whole(self) -> bool:
        physical = [line for line in self.lines if line.kind == "physical"]
        return all(self.quantity_shipped(line) >= line.quantity for line in physical)


@dataclass
class Shop:
    """One store. `ledger` and `mails`: what truly happened, numbers only, nobody's name.

    `status_mail` and `channel_status_mail` are the switch the API shows, store-wide and per channel;
    `mailed_statuses` are the ticks of the control panel, which it does not show. A mail needs both.
    """

    store_hash: str
    token: str
    name: str = "Maple Lane Goods"
    scopes: frozenset[str] = EVERY_SCOPE
    channel_id: int | None = 1_206_321  # of its Amazon channel
    more_amazon_channels: tuple[int, ...] = ()
    status_mail: bool | None = True
    channel_status_mail: dict[int, bool] = field(default_factory=dict)
    mailed_statuses: frozenset[int] = frozenset({SHIPPED, PARTIALLY_SHIPPED})
    quota: int = 150  # calls in 30 s
    refuses_reshipping: bool = False
    refuses: bool = False  # every shipment
    hides_addresses: bool = False  # of an order's lines
    status_after_shipping: int | None = None  # where shipments leave the order's status alone
    ignored_filters: frozenset[str] = frozenset()
    orders: dict[int, MirrorOrder] = field(default_factory=dict)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    mails: list[dict[str, Any]] = field(default_factory=list)
    window: datetime | None = None
    used: int = 0
    last_id: int = 100

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    # --- orders
    def mirror(self, order: SimOrder, *, by: str = "external_order_id", **given: Any) -> MirrorOrder:
        """A copy of an Amazon order as a marketplace connector makes one; `by`: the field that gets its id."""
        address_id = self.next_id()
        lines = [
            MirrorLine(self.next_id(), address_id, item.sku, item.title, item.quantity, product_id=self.next_id())
            for item in order.items
        ]
        given = {"channel_id": self.channel_id or 1, "email": order.buyer_email, by: order.order_id} | given
        copy = MirrorOrder(self.next_id(), order.created, lines, {address_id: order.address}, **given)
        self.orders[copy.order_id] = copy
        return copy

    def set_status(self, order: MirrorOrder, status_id: int, now: datetime) -> None:
        """By hand: a mail goes out where the status is another one."""
        changed, order.status_id = order.status_id != status_id, status_id
        if changed:
            self._mail(order, now)

    # --- shipments
    def ship(
        self, order: MirrorOrder, address_id: int, items: dict[int, int], told: dict[str, str], now: datetime
    ) -> MirrorShipment:
        """A new shipment; the order's status follows, and a mail goes out even where it stays the same."""
        shipment = MirrorShipment(self.next_id(), address_id, items, now, told)
        order.shipments[shipment.shipment_id] = shipment
        moved = SHIPPED if order.is_shipped_whole else PARTIALLY_SHIPPED
        order.status_id = moved if self.status_after_shipping is None else self.status_after_shipping
        order.shipped = order.shipped or now
        self.record(order, "shipment_created", now, shipment)
        self._mail(order, now)
        return shipment

    def record(self, order: MirrorOrder, effect: str, now: datetime, shipment: MirrorShipment | None = None) -> None:
        entry: dict[str, Any] = {"order_id": order.order_id, "effect": effect, "status_id": order.status_id, "at": now}
        if shipment is not None:
            tracking = shipment.told.get("tracking_number", "")
            entry |= {"shipment_id": shipment.shipment_id, "tracking": tracking, "items": dict(shipment.items)}
        self.ledger.append(entry)

    def _mail(self, order: MirrorOrder, now: datetime) -> None:
        switched_on = self.channel_status_mail.get(order.channel_id, self.status_mail)
        if switched_on and order.status_id in self.mailed_statuses:
            self.mails.append({"order_id": order.order_id, "status_id": order.status_id, "at": now})

    # --- quota
    def spend(self, now: datetime) -> bool:
        """One call of this window's quota; False where none is left."""
        if self.window is None or not self.window <= now < self.window + WINDOW:
            self.window, self.used = now, 0
        self.used += 1
        return self.used <= self.quota

    def rate_headers(self, now: datetime) -> dict[str, str]:
        left_of_window = (self.window or now) + WINDOW - now
        return {
            "X-Rate-Limit-Requests-Quota": str(self.quota),
            "X-Rate-Limit-Requests-Left": str(max(0, self.quota - self.used)),
            "X-Rate-Limit-Time-Window-Ms": str(WINDOW // timedelta(milliseconds=1)),
            "X-Rate-Limit-Time-Reset-Ms": str(max(0, left_of_window // timedelta(milliseconds=1))),
        }
