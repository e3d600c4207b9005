"""What the simulator knows of an order, before anybody asks for it. Money in the marketplace's currency."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)


@dataclass
class SimAddress:
    name: str = ""
    line1: str = ""
    line2: str = ""
    line3: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    company: str = ""
    district: str = ""
    municipality: str = ""
    phone: str = ""
    address_type: str = "RESIDENTIAL"


@dataclass
class SimItem:
    """`unit_price` is for one; every other amount is for the whole line. Discounts are positive."""

    item_id: str = ""
    asin: str = "B0SIMULATE"
    sku: str = "SKU-1"
    title: str = "Walnut desk tray"
    quantity: int = 1
    unit_price: Decimal = Decimal("19.90")
    tax: Decimal = ZERO
    shipping: Decimal = ZERO
    shipping_tax: Decimal = ZERO
    gift_wrap_price: Decimal = ZERO
    gift_wrap_tax: Decimal = ZERO
    cod_fee: Decimal = ZERO
    other: Decimal = ZERO
    discount: Decimal = ZERO
    shipping_discount: Decimal = ZERO
    promotion_ids: tuple[str, ...] = ()
    gift: bool = False
    gift_message: str = ""
    gift_wrap: str = ""
    customized_url: str = ""
    engraving: str = ""  # the first line of what the buyer wrote; '' for the simulator's own
    customized_zip: bytes = b""  # served in place of the simulator's own
    condition: str = "NEW"
    programs: tuple[str, ...] = ()
    business_price: bool = False
    points: int = 0
    serial_numbers: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    ioss_number: str = ""
    scheduled: tuple[datetime, datetime] | None = None
    facilitator_tax: bool = False
    cancel_request: str = ""
    cancelled_by: str = ""
    cancel_reason: str = ""
    quantity_shipped: int = 0
    extra: dict[str, Any] = field(default_factory=dict)  # laid over the line's answer

    @property
    def open_quantity(self) -> int:
        return self.quantity - self.quantity_shipped

    @property
    def taxes(self) -> Decimal:
        return self.tax + self.shipping_tax + self.gift_wrap_tax

    @property
    def discounts(self) -> Decimal:
        return self.discount + self.shipping_discount

    @property
    def total(self) -> Decimal:
        charges = self.unit_price * self.quantity + self.shipping + self.gift_wrap_price + self.cod_fee + self.other
        return charges + self.taxes - self.discounts


@dataclass
class SimPackage:
    """`items`: order item id to quantity. `edits` counts the changes after the first confirmation."""

    reference: str
    carrier: str
    tracking: str
    ship_time: datetime
    created: datetime
    items: dict[str, int]
    service: str = ""
    edits: int = 0


@dataclass
class SimOrder:
    """`marketplace` is a code ("US"), `updated` is lastUpdatedTime, `extra` is laid over the answer.

    None in `extra` takes a field away. `replaces`: the order it was made for, `replaces_as`: "REPLACEMENT" or "EXCHANGE".
    """

    order_id: str
    seller_id: str
    marketplace: str
    created: datetime
    updated: datetime
    status: str = "UNSHIPPED"
    fulfilled_by: str = "MERCHANT"
    items: list[SimItem] = field(default_factory=list)
    packages: list[SimPackage] = field(default_factory=list)
    address: SimAddress = field(default_factory=SimAddress)
    buyer_name: str = ""
    buyer_email: str = ""
    buyer_company: str = ""
    purchase_order_number: str = ""
    seller_order_id: str = ""
    programs: tuple[str, ...] = ()
    service_level: str = "STANDARD"
    ship_from: datetime | None = None
    ship_by: datetime | None = None
    deliver_from: datetime | None = None
    deliver_by: datetime | None = None
    payment_method: str = "CreditCard"
    channel_name: str = "AMAZON"
    replaces: str = ""
    replaces_as: str = "REPLACEMENT"
    drop_off: str = ""
    delivery_instructions: str = ""
    delivery_hours: tuple[tuple[str, int, int], ...] = ()
    delivery_capabilities: tuple[str, ...] = ()
    tax_id: str = ""
    visible_at: datetime | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def item(self, item_id: str) -> SimItem | None:
        return next((item for item in self.items if item.item_id == item_id), None)

    def package(self, reference: str) -> SimPackage | None:
        return next((package for package in self.packages if package.reference == reference), None)

    def shipped_elsewhere_than(self, reference: str, item_id: str) -> int:
        """Units of the item that lie in the order's other packages."""
        return sum(package.items.get(item_id, 0) for package in self.packages if package.reference != reference)

    def recount(self) -> None:
        """Quantities shipped and the status, from the packages."""
        for item in self.items:
            item.quantity_shipped = self.shipped_elsewhere_than("", item.item_id)
        if all(item.open_quantity <= 0 for item in self.items):
            self.status = "SHIPPED"
        elif any(item.quantity_shipped for item in self.items):
            self.status = "PARTIALLY_SHIPPED"

    @property
    def total(self) -> Decimal:
        return sum((item.total for item in self.items), ZERO)


def items_from(items: Iterable[SimItem | dict[str, Any]]) -> list[SimItem]:
    return [item if isinstance(item, SimItem) else SimItem(**item) for item in items]
