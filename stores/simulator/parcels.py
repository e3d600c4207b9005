"""What the simulated Amazon Shipping knows: quotes, parcels bought, and how far each has come by now.

Offers, prices and days on the way are made up; their shape is Amazon's (Shipping API v2).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

VALID_FOR = timedelta(minutes=10)  # "You must complete the purchase within 10 minutes of rate creation"
HEAVIEST_G = 31_500
LETTER_G = 250
FORMATS = ("PDF", "PNG", "ZPL")
# How a parcel goes: hours after the purchase, with the event and the status of that stretch.
COURSE = (
    (0, "ReadyForReceive", "PreTransit"),
    (6, "PickupDone", "InTransit"),
    (12, "Departed", "InTransit"),
    (30, "ArrivedAtCarrierFacility", "InTransit"),
    (46, "OutForDelivery", "OutForDelivery"),
    (52, "Delivered", "Delivered"),
)


@dataclass(frozen=True)
class Offer:
    """One service. Prices in dollars before the currency's factor; `scanned`: whether anybody reports its way."""

    carrier_id: str
    carrier_name: str
    service_id: str
    service_name: str
    base: Decimal
    per_kg: Decimal
    days: int
    scanned: bool = True
    heaviest_g: int = HEAVIEST_G


def _offer(carrier: str, name: str, service: str, title: str, base: str, per_kg: str, days: int, **more: Any) -> Offer:
    return Offer(carrier, name, service, title, Decimal(base), Decimal(per_kg), days, **more)


_LETTER = {"scanned": False, "heaviest_g": LETTER_G}
OFFERS: dict[str, tuple[Offer, ...]] = {
    "US": (
        _offer("USPS", "USPS", "USPS_PTP_GROUND_ADVANTAGE", "USPS Ground Advantage", "5.40", "1.10", 5),
        _offer("UPS", "UPS", "UPS_PTP_GND", "UPS Ground", "8.90", "0.85", 4),
        _offer("AMZN_US", "Amazon Shipping", "AMZN_US_GROUND", "Amazon Shipping Ground", "6.10", "0.70", 3),
        _offer("USPS", "USPS", "USPS_PTP_FC_LETTER", "USPS First-Class Letter", "1.85", "0.00", 6, **_LETTER),
    ),
    "FR": (
        _offer("COLISSIMO", "Colissimo", "COLISSIMO_HOME", "Colissimo Domicile", "6.35", "1.20", 3),
        _offer("CHRONOPOST", "Chronopost", "CHRONO_13", "Chrono 13", "14.20", "1.50", 1),
        _offer("LA_POSTE", "La Poste", "LETTRE_VERTE", "Lettre verte", "2.32", "0.00", 4, **_LETTER),
    ),
    "JP": (
        _offer("YAMATO", "Yamato", "YAMATO_TAQBIN", "TA-Q-BIN", "5.80", "0.60", 2),
        _offer("JAPAN_POST", "Japan Post", "JP_YUPACK", "Yu-Pack", "5.30", "0.55", 2),
    ),
}
ELSEWHERE = (
    _offer("DHL", "DHL Express", "DHL_EXPRESS_WORLDWIDE", "Express Worldwide", "18.40", "4.00", 2),
    _offer("UPS", "UPS", "UPS_STANDARD", "UPS Standard", "9.70", "1.05", 4),
)
FACTORS = {"JPY": Decimal(150), "MXN": Decimal(18), "CAD": Decimal("1.35")}


def price_of(offer: Offer, weight_g: Decimal, currency: str) -> Decimal:
    dollars = offer.base + offer.per_kg * weight_g / 1000
    return (dollars * FACTORS.get(currency, Decimal(1))).quantize(Decimal(1) if currency == "JPY" else Decimal("0.01"))


@dataclass
class Quote:
    """The answer to one getRates. `rates`: rate id to offer and price."""

    token: str
    seller_id: str
    order_id: str
    reference: str
    items: dict[str, int] | None
    currency: str
    weight_g: Decimal
    ship_at: datetime
    made_at: datetime
    rates: dict[str, tuple[Offer, Decimal]] = field(default_factory=dict)


@dataclass
class SimParcel:
    """A label that was bought. `cancelled_at`: None while it stands."""

    shipment_id: str
    seller_id: str
    order_id: str
    reference: str
    offer: Offer
    price: Decimal
    currency: str
    tracking: str
    bought_at: datetime
    formats: tuple[str, ...] = FORMATS
    cancelled_at: datetime | None = None
    ends_with: str = "Delivered"  # or Lost, Undeliverable: what its last event is
    hours_late: float = 0

    def events(self, now: datetime) -> list[tuple[datetime, str, str]]:
        """What the carrier has reported by now, oldest first: instant, event, status."""
        if not self.offer.scanned or self.cancelled_at:
            return []
        found = []
        for hours, event, status in COURSE:
            at = self.bought_at + timedelta(hours=hours + (self.hours_late if hours else 0))
            last = event == "Delivered"
            if at <= now:
                found.append((at, self.ends_with if last else event, self.ends_with if last else status))
        return found


@dataclass
class Parcels:
    """All of it, in one world. Switches: how this Amazon behaves where the documents are silent."""

    quotes: dict[str, Quote] = field(default_factory=dict)
    bought: dict[str, SimParcel] = field(default_factory=dict)
    by_key: dict[tuple[str, str], str] = field(default_factory=dict)  # (seller, idempotency key) to shipment
    ledger: list[dict[str, Any]] = field(default_factory=list)  # labels bought and voided: what truly happened
    balance: dict[str, Decimal] = field(default_factory=dict)  # seller to what is left, where it is not endless
    refusals: dict[str, tuple[str, str]] = field(default_factory=dict)  # order to what a purchase is answered
    dearer: Decimal = Decimal(0)  # added to every price quoted from now on
    forgets_keys: bool = False  # a repeated purchase is not recognised once its rates are over
    cancel_again: bool = True  # a second cancellation is answered like the first

    def active(self) -> list[SimParcel]:
        return [parcel for parcel in self.bought.values() if parcel.cancelled_at is None]

    def find(self, seller_id: str, tracking: str, carrier_id: str) -> SimParcel | None:
        return next(
            (
                parcel
                for parcel in self.bought.values()
                if (parcel.seller_id, parcel.tracking, parcel.offer.carrier_id) == (seller_id, tracking, carrier_id)
            ),
            None,
        )
