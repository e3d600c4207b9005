"""Orders of a BigCommerce store that mirror Amazon's: JSON to numbers and back; pure. Of a person nothing is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from stores.connectors.bigcommerce.mapping import Misread

AWAITING_SHIPMENT, AWAITING_FULFILLMENT, SHIPPED = 9, 11, 2
PHYSICAL = "physical"
MOST_NUMBER, MOST_LINK, MOST_METHOD = 50, 500, 250  # characters


@dataclass(frozen=True)
class Mirror:
    """An order at BigCommerce. `numbers`: of the same order elsewhere; connectors fill one of two fields."""

    order_id: int
    status_id: int
    numbers: frozenset[str]
    archived: bool = False


@dataclass(frozen=True)
class MirrorLine:
    """A line to be sent. `left`: units no shipment holds yet. `address_id`: 0 where BigCommerce names none."""

    line_id: int
    address_id: int
    left: int


@dataclass(frozen=True)
class MirrorShipment:
    address_id: int
    tracking_number: str


@dataclass(frozen=True)
class Standing:
    """How far an order is sent at BigCommerce."""

    lines: tuple[MirrorLine, ...]
    shipments: tuple[MirrorShipment, ...]


@dataclass(frozen=True)
class Part:
    """What goes to one address: (line id, units)."""

    address_id: int
    items: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Told:
    """What a store is told of a parcel. `provider` or `carrier`: BigCommerce's word for who brings it, never both.

    `link`: our own address of the tracking page, where BigCommerce has no word. `cost`: in the order's currency.
    """

    tracking_number: str
    provider: str = ""
    carrier: str = ""
    link: str = ""
    method: str = ""
    cost: Decimal | None = None


def has_number(row: object, number: str) -> bool:
    """Whether this is the mirror of an order of that number elsewhere: connectors fill one field or the other."""
    order = _dict(row, "order")
    return number in (order.get("external_order_id"), order.get("external_id"))


def mirror(row: object) -> Mirror:
    order = _dict(row, "order")
    numbers = (order.get("external_order_id"), order.get("external_id"))
    return Mirror(
        order_id=_whole(order, "id", least=1),
        status_id=_whole(order, "status_id"),
        numbers=frozenset(number for number in numbers if isinstance(number, str) and number),
        archived=order.get("is_deleted") is True,
    )


def lines(rows: Sequence[object]) -> tuple[MirrorLine, ...]:
    """Those of goods that travel. An order always has lines: an empty list is no answer."""
    if not rows:
        raise Misread("products")
    found = [_dict(row, "products") for row in rows]
    return tuple(
        MirrorLine(
            line_id=_whole(row, "id", least=1),
            address_id=_whole(row, "order_address_id", default=0),
            left=max(0, _whole(row, "quantity") - _whole(row, "quantity_shipped", default=0)),
        )
        for row in found
        if row.get("type") in (None, PHYSICAL)
    )


def address_ids(rows: Sequence[object]) -> tuple[int, ...]:
    """The ids alone: the rows hold names and streets."""
    return tuple(_whole(_dict(row, "shipping_addresses"), "id", least=1) for row in rows)


def shipments(rows: Sequence[object]) -> tuple[MirrorShipment, ...]:
    return tuple(_shipment(_dict(row, "shipments")) for row in rows)


def _shipment(row: dict) -> MirrorShipment:
    number = row.get("tracking_number") or ""
    if not isinstance(number, str):
        raise Misread("shipments.tracking_number")
    return MirrorShipment(_whole(row, "order_address_id"), number)


def shipment_body(part: Part, told: Told) -> dict:
    """`shipping_provider` is always there: without it BigCommerce writes `custom`. Nothing for the buyer to read."""
    body = {
        "order_address_id": part.address_id,
        "items": [{"order_product_id": line_id, "quantity": units} for line_id, units in part.items],
        "tracking_number": told.tracking_number[:MOST_NUMBER],
        "shipping_provider": told.provider,
        "tracking_carrier": "" if told.provider else told.carrier,
        "tracking_link": told.link if len(told.link) <= MOST_LINK else "",
        "shipping_method": told.method[:MOST_METHOD],
        "comments": "",
    }
    return body if told.cost is None else body | {"merchant_shipping_cost": f"{told.cost:.4f}"}


def _dict(row: object, path: str) -> dict:
    if not isinstance(row, dict):
        raise Misread(path)
    return row


def _whole(row: dict, name: str, *, least: int = 0, default: int | None = None) -> int:
    """A whole number; `default` where there is none."""
    value = row.get(name)
    if value is None and default is not None:
        return default
    if type(value) is not int or not least <= value < 2**53:
        raise Misread(name)
    return value
