"""What a label would cost: the parcel's weight and size, and the offers for it. Weights in g, sides in mm."""

from datetime import datetime, timedelta

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from orderhub.errors import ConnectorError, RuleViolation, TryLater
from orders.models import Order
from shipments import buywords, labelling
from shipments.models.shipment import LabelProvider
from shipments.providers.base import ParcelFacts, Rate
from shipments.providers.registry import provider_for, sells_for

SLACK = timedelta(seconds=30)  # a rate this close to its end is asked for again
MOST_WEIGHT_G, MOST_SIDE_MM = 1_000_000, 10_000
SIDES = ("length_mm", "width_mm", "height_mm")


def preset(order: Order) -> dict[str, int]:
    """Weight and size as far as they are known: what a rule wishes, else what the products say. Guesses, to be checked.

    Several units are stacked on their flattest side. No query where lines and products were prefetched, else two.
    """
    found = {"weight_g": order.weight_g} if order.weight_g else {}
    wished = order.wishes.get("size_mm")
    sides = list(wished) if wished else _stacked(order)
    return found | dict(zip(SIDES, sides, strict=True)) if sides else found


def _stacked(order: Order) -> list[int]:
    prefetch_related_objects([order], "items__product")
    lines = [line for line in order.items.all() if line.quantity > line.quantity_shipped]
    sizes = [
        (
            sorted((getattr(line.product, side) or 0 for side in SIDES), reverse=True),
            line.quantity - line.quantity_shipped,
        )
        for line in lines
        if line.is_physical and line.product
    ]
    if (
        not sizes
        or len(sizes) != len([line for line in lines if line.is_physical])
        or any(0 in sides for sides, _ in sizes)
    ):
        return []
    return [
        max(sides[0] for sides, _units in sizes),
        max(sides[1] for sides, _units in sizes),
        sum(sides[2] * units for sides, units in sizes),
    ]


def facts(
    order: Order, *, now: datetime, ship_date=None, items: dict[int, int] | None = None, **measured
) -> ParcelFacts:
    """The parcel, as measured: `weight_g` and the three sides. `items`: units by line id; None: all that is left.

    RuleViolation where something is missing.
    """
    for name in ("weight_g", *SIDES):
        most = MOST_WEIGHT_G if name == "weight_g" else MOST_SIDE_MM
        if not 0 < (measured.get(name) or 0) <= most:
            raise RuleViolation(
                _(
                    "Type the weight and the three sides of the parcel of order %(number)s: no label is sold without them."
                )
                % {"number": order.order_number}
            )
    left = {line.pk: (line.amazon_item_id, line.quantity - line.quantity_shipped) for line in order.items.all()}
    wanted = {pk: units for pk, (_id, units) in left.items()} if items is None else items
    packed = tuple((left[pk][0], units) for pk, units in sorted(wanted.items()) if pk in left and units > 0)
    if not packed:
        raise RuleViolation(_("Nothing is left to send in order %(number)s.") % {"number": order.order_number})
    return ParcelFacts(
        **measured, ship_date=ship_date or now.astimezone(order.store.zone).date(), items=packed,
        reference=f"oh{order.pk}-{now:%y%m%d%H%M%S}",
    )  # fmt: skip


def not_sold(order: Order) -> str:
    """Why no provider sells a label for it."""
    told = _("No label can be bought for order %(number)s: its store buys none from Amazon, or its account is stopped.")
    return told % {"number": order.order_number}


def check(order: Order) -> None:
    """RuleViolation, with what to do, where no label can be bought for this order."""
    if refusal := order.why_not_shippable():
        raise RuleViolation(refusal)
    if not sells_for(order):
        raise RuleViolation(not_sold(order))
    labelling.check_address(order)


class NotBoughtNow(RuleViolation):
    """No label, for now: the provider is busy (`wait_s` > 0), or its answer is awaited (`unknown`)."""

    def __init__(self, message: str, *, wait_s: float = 0, unknown: bool = False):
        super().__init__(message)
        self.wait_s, self.unknown = wait_s, unknown


def quote(order: Order, parcel: ParcelFacts, *, now: datetime) -> list[Rate]:
    """The offers, cheapest first. Buys nothing. RuleViolation, in words, for whatever stands in the way; NotBoughtNow
    where it helps to ask again later."""
    check(order)
    try:
        rates = provider_for(LabelProvider.AMAZON_SHIPPING, order.store).quote(order, parcel, now=now)
    except TryLater as error:
        raise NotBoughtNow(buywords.of(error, order.order_number), wait_s=max(1.0, error.wait_s)) from None
    except ConnectorError as error:
        raise RuleViolation(buywords.of(error, order.order_number)) from None
    if not rates:
        raise RuleViolation(
            _(
                "No carrier takes this parcel of order %(number)s. Check weight and size, or ship it with a carrier of your own."
            )
            % {"number": order.order_number}
        )
    return rates


class PriceRose(RuleViolation):
    """The offer was over and costs more now: the person decides. `rates`: the new offers."""

    def __init__(self, message: str, rates: list[Rate]):
        super().__init__(message)
        self.rates = rates


def renewed(order: Order, parcel: ParcelFacts, rate: Rate, *, now: datetime) -> Rate:
    """The same service at today's offer. PriceRose where it costs more, or is not offered any more."""
    rates = quote(order, parcel, now=now)
    same = next((found for found in rates if found.is_same_service(rate)), None)
    number = {"number": order.order_number}
    if same is None:
        raise PriceRose(
            _("The prices for order %(number)s were over, and this service is not offered any more. Choose again.")
            % number,
            rates,
        )
    if same.currency != rate.currency or same.price > rate.price:
        raise PriceRose(
            _("The price for order %(number)s has risen meanwhile. Nothing was bought: choose again.") % number, rates
        )
    return same


def is_over(rate: Rate, *, now: datetime) -> bool:
    return rate.expires_at is not None and rate.expires_at <= now + SLACK
