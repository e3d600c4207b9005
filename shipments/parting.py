"""Sending a part of an order: what it will mean, then exactly that or nothing."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import Order, OrderItem
from shipments import dispatching, foretelling, labelling
from shipments.dispatching import ParcelWish
from shipments.foretelling import Case, Foretold
from shipments.models import Shipment, ShipmentNotification

SALT = "shipments.parting"


class ChangedMeanwhile(RuleViolation):
    """What the preview said is not so any more: it must be read again."""

    def __init__(self):
        super().__init__(_("Something changed meanwhile. Read again what will happen, then confirm."))


@dataclass(frozen=True)
class Plan:
    """What sending this parcel means. `whole`: nothing is left afterwards; `erasure`: a sentence, or ''."""

    order: Order
    wish: ParcelWish
    foretold: Foretold
    whole: bool
    erasure: str

    @property
    def seal(self) -> str:
        """Stands for what the preview said: another wish, other units left or another case have another one."""
        left = sorted(foretelling.units_left(self.order).items())
        said = (self.order.pk, self.wish, self.foretold.case, self.foretold.code, left)
        return salted_hmac(SALT, repr(said), algorithm="sha256").hexdigest()

    def hold_to(self, shipment: Shipment) -> None:
        """Inside the parcel's transaction: RuleViolation, and no parcel, where it turned out otherwise."""
        notice = ShipmentNotification.objects.filter(
            order=shipment.order_id, channel=ShipmentNotification.Channel.AMAZON, shipment=shipment, correction_of=None
        )
        is_first = self.foretold.case in {Case.TOLD, Case.WITHHELD}
        if notice.exists() != is_first or (shipment.order.status == Order.Status.SHIPPED) != self.whole:
            raise ChangedMeanwhile


def may_part(order: Order) -> bool:
    """Whether there is more than one unit to send."""
    return sum(foretelling.units_left(order).values()) > 1


def plan(order: Order, wish: ParcelWish, *, now: datetime) -> Plan:
    """What sending it would mean; changes nothing. RuleViolation, with what to do, where it cannot be sent like that."""
    fit = dispatching.clean(wish, order.order_number)
    order = _read(order.pk)
    if refusal := order.why_not_shippable():
        raise RuleViolation(refusal)
    left, wanted = foretelling.units_left(order), wish.items or {}
    if not any(wanted.values()):
        raise RuleViolation(_("Type how many units leave in this parcel, for one line at least."))
    if any(units > left.get(pk, 0) for pk, units in wanted.items()):
        number = {"number": order.order_number}
        raise RuleViolation(_("More is wanted of order %(number)s than is left to send: look at it again.") % number)
    if wish.with_label:
        labelling.check_address(order)
    whole = foretelling.is_whole(left, wanted)
    foretold = foretelling.marketplaces(order, wish, fit, whole=whole, now=now)
    return Plan(order, wish, foretold, whole, foretelling.erasure(order, whole=whole, now=now))


def _read(pk: int) -> Order:
    lines = Prefetch("items", OrderItem.objects.order_by("pk"))
    order = Order.objects.select_related("store__merchant", "store__account").prefetch_related(lines).get(pk=pk)
    foretelling.load([order])
    return order


def send(order: Order, wish: ParcelWish, *, as_seen: str, by, now: datetime) -> Shipment:
    """Send it, if it still means what was read: `as_seen` is the seal of that plan. All or nothing, as dispatching.ship."""
    found = plan(order, wish, now=now)
    if found.seal != as_seen:
        raise ChangedMeanwhile
    fresh = Order.objects.select_related("store__merchant", "store__account").get(pk=order.pk)  # nothing read ahead
    return dispatching.ship(fresh, wish, now=now, by=by, within=found.hold_to)
