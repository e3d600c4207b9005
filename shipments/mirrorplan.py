"""What is left to do for a parcel at the BigCommerce store that mirrors its order, and in which words; pure.

Like Amazon, the store hears of an order's first parcel only, and as of the whole order (R45, R46, R48).
"""

from dataclasses import dataclass

from orders.models import Order
from shipments import carriers
from shipments.models import Shipment
from stores.connectors.bigcommerce.mirrors import (
    AWAITING_FULFILLMENT,
    AWAITING_SHIPMENT,
    MirrorLine,
    Part,
    Standing,
    Told,
)

TO_SHIP = frozenset(
    {1, 2, 3, 7, 8, 9, 10, 11}
)  # statuses from which a shipment is added; 2 and 10 lack the number only
REFUSALS = {
    0: "MirrorIncomplete",
    4: "MirrorRefunded",
    5: "MirrorCancelled",
    6: "MirrorDeclined",
    12: "MirrorUnverified",
    13: "MirrorDisputed",
    14: "MirrorPartlyRefunded",
}
OTHER_STATUS = "MirrorOtherStatus"
BEFORE_SHIPPED = frozenset({AWAITING_SHIPMENT, AWAITING_FULFILLMENT})


@dataclass(frozen=True)
class Plan:
    """`parts`: shipments to add, one an address. `ours`: the parcel is there, at one address at least.

    `whole`: with the parts nothing is left to send.
    """

    parts: tuple[Part, ...]
    ours: bool
    whole: bool


def decide(standing: Standing, tracking_number: str) -> Plan:
    """Only what no shipment holds yet; and nothing to an address where the parcel is already."""
    told = {sent.address_id for sent in standing.shipments if _same(sent.tracking_number, tracking_number)}
    open_lines = [line for line in standing.lines if line.left]
    to_send = [line for line in open_lines if line.address_id not in told]
    return Plan(_parts(to_send), bool(told), whole=len(to_send) == len(open_lines))


def _same(one: str, other: str) -> bool:
    return one.replace(" ", "").upper() == other.upper()


def _parts(lines: list[MirrorLine]) -> tuple[Part, ...]:
    found: dict[int, list[tuple[int, int]]] = {}
    for line in lines:
        found.setdefault(line.address_id, []).append((line.line_id, line.left))
    return tuple(Part(address_id, tuple(items)) for address_id, items in sorted(found.items()))


def refusal(status_id: int) -> str:
    """Why no shipment is added to an order of this status, as a code; '' where one is."""
    return "" if status_id in TO_SHIP else REFUSALS.get(status_id, OTHER_STATUS)


def told_of(order: Order, shipment: Shipment) -> Told:
    """Carrier and number, how it travels and what it cost; the note to the buyer stays here (R59, R63)."""
    provider, slug = carriers.named(shipment.carrier).bigcommerce
    same_money = shipment.cost is not None and shipment.cost_currency == order.currency
    return Told(
        tracking_number=shipment.tracking_number,
        provider=provider,
        carrier=slug,
        link="" if provider or slug else shipment.tracking_url,
        method=shipment.service,
        cost=shipment.cost if same_money else None,
    )
