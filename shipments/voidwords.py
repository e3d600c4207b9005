"""What voiding a parcel will do, in words, before it is done. Changes nothing."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from orderhub.wording import utc
from orders.models import Order
from orders.retention import parcel_of, periods_for
from privacy import retention
from shipments.models import ManualUpdate, Shipment, ShipmentNotification

State = ShipmentNotification.State
SALT = "shipments.voiding"


@dataclass(frozen=True)
class Consequences:
    """What voiding would do, said before it is done. `due_at`: when the address goes then; `at_once`: it is due already.

    `notice`: the notice to Amazon, if there is one; `told`: it was sent, or may have been, and stays.
    """

    due_at: datetime | None
    at_once: bool
    notice: ShipmentNotification | None
    told: bool


def consequences(shipment: Shipment, *, now: datetime) -> Consequences:
    """What voiding this parcel would do to its order; changes nothing."""
    order = shipment.order
    notice = order.notifications.filter(channel="amazon", correction_of__isnull=True).first()
    told = notice is not None and not (
        notice.is_withheld or (notice.attempts == 0 and notice.state in {State.PENDING, State.RETRY_AT})
    )
    if order.redaction_due_at is None or order.masked:
        return Consequences(None, False, notice, told)
    others = order.shipments.exclude(pk=shipment.pk).prefetch_related("labels")
    left = tuple(parcel_of(other, label_created_at=other.label_created_at) for other in others)
    facts = retention.Facts(imported_at=order.first_imported_at, fully_shipped=False, parcels=left)
    due = retention.order_due(facts, periods_for(order.store))
    return Consequences(due.at, due.at <= now, notice, told)


@dataclass(frozen=True)
class Told:
    """What happens to one order of the parcel. `alarm`: what must be read before all else, or ''."""

    order: Order
    sentences: tuple[str, ...]
    alarm: str = ""


def of(shipment: Shipment, *, now: datetime) -> list[Told]:
    """For each order in the parcel, the parcel's own first; a few queries for each, of which a parcel has at most 20."""
    riders = shipment.riders.filter(voided_at__isnull=True).select_related("order__store").order_by("pk")
    return [_one(found, now=now) for found in [shipment, *riders]]


def seal(told: list[Told]) -> str:
    """Stands for what was read: where anything else would happen, another one."""
    said = [(one.order.pk, one.sentences, one.alarm) for one in told]
    return salted_hmac(SALT, repr(said), algorithm="sha256").hexdigest()


def _one(shipment: Shipment, *, now: datetime) -> Told:
    order = shipment.order
    if shipment.is_return:
        return Told(order, (_("The return label is void: tell the buyer not to use it."),))
    found = consequences(shipment, now=now)
    sentences = [_("The units in it wait to be sent again."), *_label(shipment), *_notice(shipment, found)]
    if found.due_at is None or found.at_once:
        return Told(order, tuple(sentences), _at_once(order) if found.at_once else "")
    kept = _("Personal data will be kept until %(at)s.") % {"at": utc(found.due_at)}
    return Told(order, (*sentences, kept))


def _at_once(order: Order) -> str:
    """R83, A15: said before the void, as nothing brings an address back."""
    return _(
        "The address of order %(number)s is then due to be erased at once, as its time without a parcel is over: no other label can be made for it here. Send it again from Seller Central."
    ) % {"number": order.order_number}


def _label(shipment: Shipment) -> list[str]:
    if shipment.combined_with_id is not None:
        return []
    if shipment.provider != Shipment.Provider.MANUAL:
        return [_("Amazon is asked to take its label back first. Where it refuses, nothing is voided.")]
    return [_("Do not use its label any more.")] if shipment.labels.all() else []


def _notice(shipment: Shipment, found: Consequences) -> list[str]:
    if by_hand := _by_hand(shipment):
        return [by_hand]
    notice = found.notice
    if notice is None or notice.state == State.WITHDRAWN:
        return []
    if notice.shipment_id != shipment.pk:
        kept = _("The notice to Amazon is about another parcel of the order, and stays.")
        return [kept]
    if found.told:
        return _stays(shipment, notice)
    other = shipment.order.shipments.exclude(pk=shipment.pk).filter(voided_at__isnull=True, is_return=False)
    following = other.order_by("created_at", "pk").first()
    if notice.error_code == ShipmentNotification.TOLD_BY_PROVIDER:
        return []
    if following is not None:
        told = _("Amazon was not told yet: it will be told of the parcel with the number %(tracking)s instead.")
        return [told % {"tracking": following.tracking_number}]
    if found.at_once:
        return [_("Amazon was not told: the notice is withdrawn.")]
    return [_("Amazon was not told: the notice is withdrawn, and Amazon will be told of the next parcel.")]


def _stays(shipment: Shipment, notice: ShipmentNotification) -> list[str]:
    """R47: what Amazon was told stays told."""
    number = {"tracking": shipment.tracking_number}
    if notice.state in State.STUCK:
        return [_("The notice to Amazon failed and stays on the order's page: Amazon is not told of a new label.")]
    if notice.state == State.CONFIRMED_EXTERNAL:
        return [_("Amazon has a shipment from elsewhere: it is not told of a new label.")]
    told = [_("Amazon keeps the number %(tracking)s: a new label is not told.") % number]
    if shipment.order.store.correct_tracking:
        hint = _("This store allows a correction: once the new label is made, correct the number on the order's page.")
        return [*told, hint]
    return [*told, _("If the parcel leaves with another number, correct it in Seller Central.")]


def _by_hand(shipment: Shipment) -> str:
    update = ManualUpdate.objects.filter(order=shipment.order_id, shipment=shipment).first()
    if update is None:
        return ""
    if update.done_at is None:
        return _("It leaves the list “Updates by hand in Amazon”, and Amazon will be told of its next parcel.")
    told = _("Amazon was told of it by hand and keeps the number %(tracking)s: a new label is not told.")
    return told % {"tracking": shipment.tracking_number}
