"""The parcel of a batch's row, and the offer that was chosen for it. Reads only.

`row.offer` is {} until prices are asked for; {"parcel"} while they are; then there is "rate" with it, or "refused", a
sentence. No address and no name is in it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orderhub.wording import day_and_time
from orders.models import Order
from shipments import offers, quoting
from shipments.models import LabelBatch, LabelBatchRow
from shipments.providers.base import ParcelFacts, Rate
from shipments.providers.registry import sells_for


@dataclass(frozen=True)
class Offer:
    """What came of asking: the chosen rate, or why there is none."""

    parcel: ParcelFacts
    rate: Rate | None = None
    refused: str = ""

    @property
    def awaited(self) -> bool:
        return self.rate is None and not self.refused


def of(row: LabelBatchRow) -> Offer | None:
    """The row's offer; None where prices were never asked for."""
    told = row.offer
    if "parcel" not in told:
        return None
    rate = offers.rate_of(told["rate"]) if "rate" in told else None
    return Offer(offers.parcel_of(told["parcel"]), rate, told.get("refused", ""))


def kept(parcel: ParcelFacts, rate: Rate | None = None, *, refused: str = "") -> dict:
    """As of() reads it back."""
    found: dict = {"parcel": offers.plain(parcel)}
    if rate is not None:
        found["rate"] = offers.plain(rate)
    return found | ({"refused": refused} if refused else {})


def measures(row: LabelBatchRow, batch: LabelBatch) -> dict[str, int]:
    """Weight in g and sides in mm: the row's own, else what products and rules say, else the batch's size."""
    known = quoting.preset(row.order)
    found = {"weight_g": row.weight_g or known.get("weight_g")}
    sources = (row, known, batch)
    for side in quoting.SIDES:
        values = (source.get(side) if isinstance(source, dict) else getattr(source, side) for source in sources)
        found[side] = next(filter(None, values), None)
    return {name: value for name, value in found.items() if value}


def parcel_of(
    row: LabelBatchRow, batch: LabelBatch, *, now: datetime, known: dict[str, int] | None = None
) -> ParcelFacts:
    """The parcel as it would be asked for now. `known`: its measures(), where they are at hand. RuleViolation where a measure is missing, or nothing is left to send."""
    if batch.ship_date and batch.ship_date < now.astimezone(row.order.store.zone).date():
        raise RuleViolation(_("The ship date is over: choose today or a later day for all rows."))
    return quoting.facts(
        row.order, now=now, ship_date=batch.ship_date, **(measures(row, batch) if known is None else known)
    )


def is_same(parcel: ParcelFacts, other: ParcelFacts) -> bool:
    """Whether one is asked for as the other was: weight, size, day and content."""
    return replace(parcel, reference=other.reference) == other


def choose(order: Order, rates: list[Rate]) -> Rate:
    """The cheapest that arrives in time. Where none does, the cheapest whose day is not said, else the one that is least
    late."""
    if order.deliver_by is None:
        return min(rates, key=lambda rate: rate.price)
    in_time = [rate for rate in rates if rate.deliver_by and rate.deliver_by <= order.deliver_by]
    if usable := in_time or [rate for rate in rates if rate.deliver_by is None]:
        return min(usable, key=lambda rate: rate.price)
    return min(rates, key=lambda rate: (rate.deliver_by, rate.price))


def judge(checked, batch: LabelBatch, now: datetime) -> None:
    """Which rows have a price for the parcel they are now; the others' prices are still to be asked for."""
    for found in checked.fit:
        row = found.row
        found.known = measures(row, batch)
        try:
            found.parcel = parcel_of(row, batch, now=now, known=found.known)
        except RuleViolation as error:
            found.error = str(error)
            continue
        if not sells_for(row.order):
            found.error = quoting.not_sold(row.order)
            continue
        offer = of(row)
        fits = offer is not None and not offer.awaited and is_same(found.parcel, offer.parcel)
        found.to_price = not fits or bool(offer.refused)
        if fits:
            found.error, found.rate = offer.refused, offer.rate
            if offer.rate and (late := _late(row.order, offer.rate)):
                found.warning = " ".join(filter(None, [found.warning, late]))


def _late(order: Order, rate: Rate) -> str:
    if order.deliver_by is None or rate.deliver_by is None or rate.deliver_by <= order.deliver_by:
        return ""
    zone = order.store.zone
    told = _("No offer arrives by %(promised)s, which Amazon promised: this one arrives by %(arrives)s.")
    return told % {
        "promised": day_and_time(order.deliver_by.astimezone(zone)),
        "arrives": day_and_time(rate.deliver_by.astimezone(zone)),
    }
