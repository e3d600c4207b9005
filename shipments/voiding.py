"""Voiding a parcel: its units wait to be sent again, and what Amazon was told stays told (R47, R83)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import RuleViolation
from orders.models import Order, OrderEvent, OrderItem
from orders.retention import parcel_of, periods_for, recompute
from privacy import retention
from shipments import labelcancelling, labelling, outbox
from shipments.models import ManualUpdate, Shipment, ShipmentNotification

State = ShipmentNotification.State


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


def why_not(shipment: Shipment) -> str:
    """Why this parcel cannot be voided, as a sentence that says what to do instead; or ''."""
    if shipment.voided_at is not None:
        return _("This shipment is voided already.")
    if shipment.combined_with_id is not None:
        number = shipment.combined_with.order.order_number
        return _("This order travels in the parcel of order %(number)s: void that one.") % {"number": number}
    if shipment.delivered_at is not None and not shipment.is_return:
        return _("This parcel was delivered: it cannot be voided any more.")
    return ""


def void(shipment: Shipment, *, by, now: datetime) -> Shipment:
    """Void a parcel with all that travels in it. All or nothing; of two people at once, one is refused.

    RuleViolation, with what to do, where it cannot be. The label keeps its file until it is due, never longer than it had.
    """
    if refusal := why_not(shipment):
        raise RuleViolation(refusal)
    labelcancelling.cancel_label(shipment, now=now)  # the provider first: what it refuses changes nothing here
    with transaction.atomic():
        together = [shipment, *shipment.riders.filter(voided_at__isnull=True)]
        ids = sorted(found.order_id for found in together)
        orders = {order.pk: order for order in Order.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
        for found in together:
            found.order = orders[found.order_id]
            _void_one(found, by=by, now=now)
    failpoints.reach("void.after_commit")
    shipment.refresh_from_db()
    return shipment


def _void_one(shipment: Shipment, *, by, now: datetime) -> None:
    order = shipment.order
    live = Shipment.objects.filter(pk=shipment.pk, voided_at__isnull=True)
    if not live.update(voided_at=now, voided_by=by):
        raise RuleViolation(_("This shipment is voided already."))
    if not shipment.is_return:
        _unpack(shipment)
        outbox.withdraw(shipment, now=now)
        ManualUpdate.objects.open().filter(shipment=shipment).update(
            done_at=now, done_how=ManualUpdate.DoneHow.VOIDED, done_by=by
        )
    recompute(order)
    order.refresh_from_db()
    labelling.follow_order(order)  # never later than it was
    OrderEvent.objects.create(
        order=order, kind=OrderEvent.Kind.VOIDED, at=now, actor=by,
        params={"tracking": shipment.tracking_number, "shipment": shipment.pk},
    )  # fmt: skip


def _unpack(shipment: Shipment) -> None:
    """Its units are left to send again, and an order that was sent waits to be sent."""
    for packed in shipment.items.all():
        OrderItem.objects.filter(pk=packed.item_id).update(quantity_shipped=F("quantity_shipped") - packed.quantity)
    sent = Order.objects.filter(pk=shipment.order_id, status=Order.Status.SHIPPED, shipped_at__isnull=False)
    sent.update(status=Order.Status.AWAITING_SHIPMENT, shipped_at=None)
