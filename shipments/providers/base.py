"""What every source of labels can do, whoever sells them. Plain dataclasses; no models, no HTTP.

A rate expires (Amazon's after 10 minutes), so it is quoted again before it is bought. A void may stay pending for days.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True)
class ParcelFacts:
    """The parcel a rate is asked for. No address: the provider knows it, or reads it when it is needed."""

    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    ship_date: date
    items: tuple[tuple[str, int], ...]  # (the marketplace's item id, units)


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
    """One source of labels for one order's store. Every method may raise the errors of orderhub/errors.py."""

    confirms_order: bool

    def quote(self, order, parcel: ParcelFacts) -> list[Rate]: ...

    def buy(self, order, rate: Rate, *, label_format: str, idempotency_key: str) -> Bought: ...

    def document(self, shipment) -> bytes:
        """The label's bytes again."""

    def void(self, shipment) -> VoidResult: ...

    def track(self, shipment) -> list[Scan]: ...
