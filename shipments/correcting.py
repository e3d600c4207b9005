"""Correcting a tracking number at Amazon: the same package, edited; never a second one (R45, R47). Off unless a store asks."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import Order
from shipments import outbox
from shipments.models import Shipment, ShipmentNotification
from stores.connectors.base import RemoteOrder
from stores.models import Store

State = ShipmentNotification.State


def is_ours(notice: ShipmentNotification, remote: RemoteOrder) -> bool:
    """Whether what this notice says is at Amazon.

    A correction only where the package under our reference has the new number: the reference alone was there before.
    """
    number = notice.shipment.tracking_number
    if notice.correction_of_id is not None:
        return any(
            package.reference == notice.package_reference and package.tracking_number == number
            for package in remote.packages
        )
    return any(
        package.reference == notice.package_reference or (package.tracking_number and package.tracking_number == number)
        for package in remote.packages
    )


def known_at_amazon(notice: ShipmentNotification, notices: Iterable[ShipmentNotification]) -> Shipment:
    """The parcel Amazon shows: that of the last correction it accepted, or of the first notice."""
    accepted = [row for row in notices if row.correction_of_id == notice.pk and row.state == State.CONFIRMED]
    return max(accepted, key=lambda row: row.pk).shipment if accepted else notice.shipment


def candidate(
    notice: ShipmentNotification, shipments: Iterable[Shipment], notices: Iterable[ShipmentNotification]
) -> Shipment | None:
    """The parcel whose number Amazon could be given instead of a voided one's; None where it shows the right one.

    `shipments`, `notices`: all of the order. Pure.
    """
    if notice.state != State.CONFIRMED or not notice.is_first_word:
        return None
    known = known_at_amazon(notice, notices)
    if known.voided_at is None:
        return None
    newer = [found for found in shipments if found.active and found.pk > known.pk]
    newest = max(newer, key=lambda found: found.pk, default=None)
    return newest if newest and newest.tracking_number != known.tracking_number else None


def why_not(store: Store, new: Shipment, notices: Iterable[ShipmentNotification]) -> str:
    """Why Amazon cannot be given this parcel's number, as a sentence that says what to do; or ''."""
    if not store.correct_tracking:
        return _("This store does not let tracking numbers be corrected at Amazon: switch it on, on the store's page.")
    if store.amazon_told_by == Store.ToldBy.CONNECTOR:
        return _("The connector between BigCommerce and Amazon tells Amazon of this store's parcels. Correct it there.")
    if new.confirms_order:
        return _("The label is Amazon's own: Amazon knows its number already.")
    if any(row.correction_of_id and row.state not in (*State.FINAL, State.WITHDRAWN) for row in notices):
        return _("A correction of this order is under way: retry it, or mark it as done by hand, first.")
    return ""


def correct(notice: ShipmentNotification, *, by, now: datetime) -> ShipmentNotification:
    """Queue a correction of what Amazon was told: same package, new parcel, sent by itself. Returns it.

    RuleViolation, with what to do, where there is nothing to correct or the store does not allow it; of two people at
    once, one is refused.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().select_related("store").get(pk=notice.order_id)
        rows = list(order.notifications.select_related("shipment"))
        first = next(row for row in rows if row.pk == notice.pk)
        new = candidate(first, list(order.shipments.all()), rows)
        if new is None:
            raise RuleViolation(_("There is no number to correct: Amazon was told of a parcel that was not voided."))
        if refusal := why_not(order.store, new, rows):
            raise RuleViolation(refusal)
        child = ShipmentNotification.objects.create(
            order=order, channel=first.channel, shipment=new, package_reference=first.package_reference,
            created_at=now, next_attempt_at=now, correction_of=first, single_only=True, asked_for=True,
        )  # fmt: skip
        outbox.note(order, {"channel": child.channel, "state": child.state, "change": "corrected"}, now=now, by=by)
    return child
