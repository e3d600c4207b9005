"""What a parcel label says, before anybody draws it. Weights in g, dates in the sender's own days."""

from dataclasses import dataclass
from datetime import date

from shipments.labels.addresses import Address, clean, lines_for
from shipments.labels.barcodes import code128_payload

__all__ = ["Address", "LabelContent", "LabelData", "lines_for", "redacted_label", "shipping_label"]

POUNDS_AND_OUNCES = frozenset({"US", "PR", "GU", "VI"})
GRAMS_PER_OUNCE = 28.349523125  # international avoirdupois ounce
MOST_REFERENCES = 4


@dataclass(frozen=True, repr=False)  # no repr, as for Address
class LabelData:
    """What is known of one parcel. An untracked service has an empty `tracking_number`."""

    order_number: str
    shipment_id: int
    carrier: str
    service: str
    tracking_number: str
    ship_date: date
    ship_to: Address
    ship_from: Address
    weight_g: int | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class LabelContent:
    """All that is drawn, already decided: every text clean, every line in its place.

    The captions are fields so that a caller with a catalogue can replace them (`dataclasses.replace`).
    """

    title: str  # names the document: the shipment's id, never a person
    carrier: str
    service: str
    from_lines: tuple[str, ...]
    to_lines: tuple[str, ...]
    barcode: str  # a cleaned Code 128 payload
    barcode_text: str
    footers: tuple[tuple[str, str], ...]  # caption, value
    postable: bool = True  # False: the page is drawn so that nobody takes it for a label
    to_phone: str = ""  # apart from the lines: sorting machines expect the town or country last
    notice: str = ""  # stands in place of postage on a page that must not travel
    from_caption: str = "FROM"
    to_caption: str = "TO"


def shipping_label(data: LabelData) -> LabelContent:
    """The label of a parcel. BarcodeRefused (a ValueError) where the tracking number cannot be a bar code.

    Without a tracking number the bars hold the shipment's id, so that the packing bench can still scan it.
    """
    tracked = bool(clean(data.tracking_number))
    barcode = code128_payload(data.tracking_number) if tracked else str(data.shipment_id)
    home = data.ship_from.country
    # The return address is read where the parcel ends up, so it is "abroad" seen from there.
    away = data.ship_to.country or home
    return LabelContent(
        title=str(data.shipment_id),
        carrier=clean(data.carrier),
        service=clean(data.service),
        from_lines=(
            *lines_for(data.ship_from, sending_country=away),
            *filter(None, [_phone(data.ship_from)]),
        ),
        to_lines=tuple(lines_for(data.ship_to, sending_country=home)),
        to_phone=_phone(data.ship_to),
        barcode=barcode,
        barcode_text=_grouped(barcode) if tracked else f"Shipment {data.shipment_id}",
        footers=_filled_in(
            ("ORDER", data.order_number),
            ("DATE", data.ship_date.isoformat()),
            ("SHIPMENT", str(data.shipment_id)),
            ("WEIGHT", weight_text(data.weight_g, country=home)),
            ("REF", " · ".join(filter(None, map(clean, data.references[:MOST_REFERENCES])))),
        ),
    )


def redacted_label(
    *,
    order_number: str,
    shipment_id: int,
    carrier: str,
    service: str,
    tracking_number: str,
    ship_date: date,
    marker: str,
) -> LabelContent:
    """The page that takes a label's place once its addresses are erased. No tracking number makes it fail.

    The bars hold the shipment's id: with the tracking number, a carrier's scanner would take the parcel.
    """
    return LabelContent(
        title=str(shipment_id),
        carrier=clean(carrier),
        service=clean(service),
        from_lines=(clean(marker),),
        to_lines=(clean(marker),),
        barcode=str(shipment_id),
        barcode_text=f"Shipment {shipment_id}",
        footers=_filled_in(
            ("ORDER", order_number),
            ("DATE", ship_date.isoformat()),
            ("TRACKING", tracking_number),
        ),
        postable=False,
        notice="NOT VALID FOR SHIPPING",
    )


def weight_text(weight_g: int | None, *, country: str) -> str:
    """1.25 kg; 2 lb 12.1 oz where the sender weighs in pounds; a dash where it is not known."""
    if not weight_g or weight_g < 0:
        return "—"
    if country.strip().upper() not in POUNDS_AND_OUNCES:
        return f"{weight_g / 1000:.3f}".rstrip("0").rstrip(".") + " kg"
    tenths = round(weight_g / GRAMS_PER_OUNCE * 10) or 1
    pounds, rest = divmod(tenths, 160)
    return " ".join([f"{pounds} lb"] * bool(pounds) + [f"{rest / 10:g} oz"])


def _phone(address: Address) -> str:
    phone = clean(address.phone)
    return phone and f"Tel. {phone}"


def _grouped(payload: str) -> str:
    """Long runs of digits in fours, as people read them aloud; anything else as it is."""
    if not payload.isdigit() or len(payload) < 12:
        return payload
    return " ".join(payload[start : start + 4] for start in range(0, len(payload), 4))


def _filled_in(*footers: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    cleaned = ((caption, clean(value)) for caption, value in footers)
    return tuple((caption, value) for caption, value in cleaned if value)
