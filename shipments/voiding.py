"""Voiding a parcel: its units wait to be sent again, and what Amazon was told stays told (R47, R83)."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import RuleViolation
from orders.models import Order, OrderEvent, OrderItem
from orders.retention import recompute
from shipments import labelcancelling, labelling, outbox, voidwords
from shipments.models import ManualUpdate, Shipment, ShipmentNotification
from shipments.parting import ChangedMeanwhile


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


def void(shipment: Shipment, *, by, now: datetime, as_seen: str | None = None) -> Shipment:
    """Void a parcel with all that travels in it. All or nothing; of two people at once, one is refused.

    `as_seen`: the seal of what was read (voidwords); ChangedMeanwhile, and nothing is done, where it is not so any more.
    RuleViolation, with what to do, where it cannot be. The label keeps its file until it is due, never longer than it had.
    """
    if refusal := why_not(shipment):
        raise RuleViolation(refusal)
    bought = shipment.provider != Shipment.Provider.MANUAL
    if bought:
        with transaction.atomic():
            _lock(shipment)
            _hold_to(as_seen, shipment, now=now)
        labelcancelling.cancel_label(shipment, now=now)  # the provider first: what it refuses changes nothing here
    with transaction.atomic():
        together = _lock(shipment)
        if not bought:  # else nobody can use the label any more: whatever changed since, its parcel is void
            _hold_to(as_seen, shipment, now=now)
        for found in together:
            _void_one(found, by=by, now=now)
    failpoints.reach("void.after_commit")
    shipment.refresh_from_db()
    return shipment


def _lock(shipment: Shipment) -> list[Shipment]:
    """The parcel and what travels in it, its orders held; then what tells of them, so that nothing is sent meanwhile."""
    together = [shipment, *shipment.riders.filter(voided_at__isnull=True).order_by("pk")]
    ids = [found.order_id for found in together]
    held = Order.objects.select_for_update(of=("self",)).select_related("store__account").filter(pk__in=ids)
    orders = {order.pk: order for order in held.order_by("pk")}
    for told in (ShipmentNotification, ManualUpdate):
        list(told.objects.select_for_update().filter(order__in=ids).order_by("pk").values_list("pk"))
    for found in together:
        found.order = orders[found.order_id]
    return together


def _hold_to(seal: str | None, shipment: Shipment, *, now: datetime) -> None:
    """With its orders held: RuleViolation where it cannot be voided any more, or is not what was read."""
    shipment.refresh_from_db(fields=["voided_at", "delivered_at"])
    if refusal := why_not(shipment):
        raise RuleViolation(refusal)
    if seal is not None and seal != voidwords.seal(voidwords.of(shipment, now=now)):
        raise ChangedMeanwhile


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
