"""What a marketplace's own label shop is asked and answers, in our own words: plain dataclasses, no models, no HTTP."""

from dataclasses import dataclass, field
from datetime import datetime

from orderhub.money import Money


@dataclass(frozen=True)
class LabelWish:
    """A parcel that wants a label. Weight in g, sides in mm; `ship_at` aware UTC. `ship_from`: an address of ours.

    The marketplace knows where its order goes: no buyer's address is sent. `reference` names the parcel for ever.
    """

    order_number: str
    marketplace: str  # its code: US, FR
    reference: str
    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    ship_at: datetime
    currency: str
    items: tuple[tuple[str, int], ...]  # (item id, units)
    ship_from: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class LabelOffer:
    """One service that could carry it. `token`: goes back with `offer_id`. `scanned`: no word says it is not.

    `answerable` False: it wants answers we do not ask for, and cannot be bought here.
    """

    offer_id: str
    token: str
    carrier_id: str
    carrier_name: str
    service_id: str
    service_name: str
    price: Money
    formats: tuple[str, ...]
    deliver_by: datetime | None = None
    scanned: bool = True
    answerable: bool = True


@dataclass(frozen=True)
class BoughtLabel:
    """A label that was bought. `document` holds a buyer's address."""

    shipment_id: str
    tracking_number: str
    format: str
    document: bytes = field(repr=False)


@dataclass(frozen=True)
class ParcelScan:
    """One event of a parcel's way. `code`: the marketplace's own word; `backwards`: on its way back to the sender."""

    code: str
    at: datetime
    backwards: bool = False
