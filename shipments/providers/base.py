"""What every source of labels can do, whoever sells them. Plain dataclasses; no models, no HTTP.

A rate expires (Amazon's after 10 minutes), so it is quoted again before it is bought. A void may stay pending for days.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True)
class ParcelFacts:
    """The parcel a rate is asked for. No address: the provider knows it, or reads it when it is needed.

    `reference` names the parcel at the provider, for ever.
    """

    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    ship_date: date
    items: tuple[tuple[str, int], ...]  # (the marketplace's item id, units)
    reference: str = ""


@dataclass(frozen=True)
class Rate:
    """One offer. `token`: what the provider wants back with it, beside `rate_id`."""

    rate_id: str
    carrier: str  # one of our codes, or the provider's own name
    carrier_name: str
    service: str
    price: Decimal
    currency: str
    tracked: bool
    formats: tuple[str, ...]  # of Label.Format
    deliver_by: datetime | None = None
    expires_at: datetime | None = None
    token: str = ""
    carrier_id: str = ""  # the provider's own, wanted back when the parcel is followed
    service_id: str = ""

    def is_same_service(self, other: "Rate") -> bool:
        return (self.carrier_id, self.service_id) == (other.carrier_id, other.service_id)


@dataclass(frozen=True)
class Bought:
    """A label that was bought. `confirms_order`: the provider tells the marketplace itself, so that we must not."""

    provider: str
    provider_ref: str
    tracking_number: str
    carrier: str
    service: str
    tracked: bool
    confirms_order: bool
    format: str = "pdf"
    price: Decimal | None = None
    currency: str = ""
    document: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class VoidResult:
    """`outcome`: accepted, pending or refused."""

    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class Scan:
    """One event of a parcel's way. `status`: one of Shipment.Tracking; `at` aware UTC."""

    status: str
    at: datetime


class Provider(Protocol):
    """One source of labels for one store. Every method may raise the errors of orderhub/errors.py.

    `purchase` is a LabelPurchase: what was wanted, kept before it was asked for.
    """

    confirms_order: bool

    def quote(self, order, parcel: ParcelFacts, *, now: datetime) -> list[Rate]: ...

    def buy(self, purchase) -> Bought:
        """Buy what the purchase wants; called again with the same purchase, it buys nothing new."""

    def document(self, purchase) -> bytes:
        """The label's bytes again."""

    def void(self, purchase) -> VoidResult: ...

    def track(self, purchase) -> list[Scan]: ...

    def parcels_there(self, order) -> set[str]:
        """Tracking numbers the marketplace shows for the order: what a lost answer may have bought."""
