"""What this app holds of people: label files, notes to buyers, and Amazon's own words on a refused notice, which may
repeat an address."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q

import orderhub
from orderhub import failpoints
from orders.models import Order
from privacy import markers
from privacy.models import ErasureCertificate
from privacy.registry import Table
from privacy.retention import Rule
from shipments.labels import content, pdf
from shipments.mails.erasing import MAILS
from shipments.models import Label, Shipment, ShipmentNotification
from shipments.personal_purposes import PURPOSES, SHELVES  # noqa: F401  read by the registry

TABLES = {
    "shipments_shipment": Table.of(
        operational="id order_id carrier service tracking_number tracked ship_date first_ship_at delivered_at "
        "first_delivered_at weight_g created_at voided_at is_return combined_with_id provider provider_ref confirms_order "
        "cost cost_currency length_mm width_mm height_mm tracking_status tracking_checked_at",
        staff="created_by_id voided_by_id",
        pii="note_to_buyer",
    ),
    "shipments_shipmentitem": Table.of(operational="id shipment_id item_id quantity"),
    "shipments_label": Table.of(operational="id shipment_id kind format file created_at due_at due_rule redacted_at"),
    "shipments_shipmentnotification": Table.of(
        operational="id order_id channel shipment_id package_reference state created_at next_attempt_at lease_until fence "
        "starts attempts reads failing_since asked_for request_hash error_code confirmed_at feed_id single_only "
        "correction_of_id remote_id done_reason remedies",
        staff="done_by_id",
        pii="error_text",
    ),
    "shipments_feed": Table.of(
        operational="id account_id state created_at document_id feed_id remote_status found_again messages accepted refused "
        "submitted_at finished_at next_check_at checks fence error_code"
    ),
    "shipments_labelbatch": Table.of(
        operational="id created_at state provider carrier service ship_date length_mm width_mm height_mm paper started_at finished_at "
        "told_from",
        staff="created_by_id",
    ),
    "shipments_labelbatchrow": Table.of(
        operational="id batch_id order_id position state carrier service tracking_number weight_g length_mm width_mm "
        "height_mm offer error warning shipment_id lease_until fence starts"
    ),
    "shipments_labelpurchase": Table.of(
        operational="id order_id provider state idempotency_key request_token rate_id carrier service price currency tracked "
        "parcel provider_ref tracking_number shipment_id batch_row_id created_at next_attempt_at lease_until fence attempts "
        "error_code",
        staff="created_by_id",
    ),
    "shipments_manualupdate": Table.of(
        operational="id order_id shipment_id created_at remind_at done_at done_how", staff="done_by_id"
    ),
    "shipments_outgoingmail": Table.of(
        operational="id order_id shipment_id kind state reason created_at next_attempt_at lease_until fence attempts "
        "failing_since sent_at",
        staff="created_by_id",
        pii="recipient_hash",
    ),
    "shipments_carriersetting": Table.of(public="id code amazon tracking_url hidden changed_at", staff="changed_by_id"),
}


class _Holder:
    """Label files, notes and refusals; see privacy.registry.Holder. Each label goes on its own clock."""

    def destroy_files(self, order_ids: list[int], *, now: datetime) -> dict[int, int]:
        """Destroy the labels of these orders that are due themselves, and those of returns; another keeps its own date.

        Where somebody asked for the erasure, all of them, also that of a parcel the order travels in.
        """
        for label in self._of(order_ids, now):
            erase_label(label, now=now, marker=_marker_of(label, now))
            failpoints.reach("redact.between_files")
        gone = Label.objects.filter(shipment__order__among=order_ids, redacted_at__isnull=False)
        return Counter(gone.values_list("shipment__order", flat=True))  # also those of a run that died

    def overwrite(self, order_ids: list[int], *, marker: str, now: datetime) -> dict[int, list[str]]:
        held: dict[int, list[str]] = {}
        for name, rows in self._texts(order_ids).items():
            found = set(rows.select_for_update().order_by("pk").values_list("order", flat=True))
            for order_id in found:
                held.setdefault(order_id, []).append(name)
            if found:
                rows.update(**{name: marker})
        return held

    def leftovers(self, order_ids: list[int], *, now: datetime) -> set[int]:
        left = set(self._of(order_ids, now).values_list("shipment__order", flat=True))
        return left.union(*(rows.values_list("order", flat=True) for rows in self._texts(order_ids).values()))

    @staticmethod
    def _texts(order_ids: list[int]) -> dict:
        """Rows with a text that is neither empty nor a marker, by its column."""
        bare = ["", *markers.MARKERS]
        return {
            "error_text": ShipmentNotification.objects.filter(order__among=order_ids).exclude(error_text__in=bare),
            "note_to_buyer": Shipment.objects.filter(order__among=order_ids).exclude(note_to_buyer__in=bare),
        }

    def redact_due_files(self, *, now: datetime, marker: str) -> Iterator[tuple[int, str]]:
        """Labels whose own clock ran out, whatever their order's says."""
        for pk in list(self._due(now).values_list("pk", flat=True)):
            label = Label.objects.select_related("shipment__order").get(pk=pk)
            try:
                erase_label(label, now=now, marker=marker)
            except Exception as error:  # whatever one file does, the others go in time
                yield label.shipment.order_id, type(error).__name__
            else:
                yield label.shipment.order_id, ""

    @staticmethod
    def _live():
        return Label.objects.filter(redacted_at__isnull=True).select_related("shipment__order").order_by("due_at", "pk")

    def _due(self, now: datetime):
        return self._live().filter(due_at__lte=now)

    def _of(self, order_ids: list[int], now: datetime):
        """What goes with these orders: a return's label too, whatever its own clock says (R85), and every one on request."""
        asked = Order.objects.filter(pk__among=order_ids, redaction_rule=Rule.REQUEST).values("pk")
        goes = Q(due_at__lte=now) | Q(shipment__is_return=True) | Q(shipment__order__in=asked)
        parcels = Shipment.objects.filter(order__in=asked, combined_with__isnull=False).values("combined_with")
        return self._live().filter(Q(goes, shipment__order__among=order_ids) | Q(shipment__in=parcels))


def erase_label(label: Label, *, now: datetime, marker: str) -> None:
    """Destroy the file and put a label without the address in its place. Safe to repeat and to kill at any line.

    The stand-in is a PDF whatever the file was, and the row says so from the same commit on: a run that dies before
    leaves a row that is due, with or without its old file, and the next one finds and overwrites what was begun. The
    lock keeps `write_label` away: what it draws must not appear after the erasure.
    """
    drawn = redacted_pdf(label, marker=marker)
    with transaction.atomic():
        live = Label.objects.select_for_update().filter(pk=label.pk, redacted_at__isnull=True)
        if not live:
            return
        storage, old = label.file.storage, label.file.name
        new = str(PurePosixPath(old or f"{label.shipment_id // 1000}/{label.pk}").with_suffix(".pdf"))
        for name in dict.fromkeys(filter(None, [old, new])):
            if storage.exists(name):
                storage.delete(name)
        storage.save(new, ContentFile(drawn))
        live.update(redacted_at=now, format=Label.Format.PDF, file=new)
        ErasureCertificate.objects.bulk_create([_certificate(label, now=now, marker=marker)], ignore_conflicts=True)


def _marker_of(label: Label, now: datetime) -> str:
    """The marker of its order; one that goes before its time goes for an order in its parcel that somebody asked to erase."""
    rgpd, shipment = markers.REASONS[markers.RGPD], label.shipment
    asked = shipment.order.redaction_reason == rgpd
    if not asked and label.due_at > now and not shipment.is_return:
        asked = shipment.riders.filter(order__redaction_reason=rgpd).exists()
    return markers.RGPD if asked else markers.AMAZON


def _certificate(label: Label, *, now: datetime, marker: str) -> ErasureCertificate:
    early = label.due_at > now and label.shipment.order.redaction_rule == Rule.REQUEST
    return ErasureCertificate(
        kind=ErasureCertificate.Kind.LABEL,
        order_id=label.shipment.order_id,
        order_number=label.shipment.order.order_number,
        subject_id=label.pk,
        rule=Rule.REQUEST if early else label.due_rule,
        due_at=label.shipment.order.redaction_due_at if early else label.due_at,
        done_at=now,
        fields=["label"],
        documents=1,
        marker=marker,
        version=orderhub.VERSION,
    )


def redacted_pdf(label: Label, *, marker: str) -> bytes:
    """The label that stands in for an erased one: carrier, service, tracking number, no address."""
    return pdf.draw(redacted_content(label, marker=marker))


def redacted_content(label: Label, *, marker: str) -> content.LabelContent:
    """What the stand-in says, to be drawn in any format."""
    shipment = label.shipment
    return content.redacted_label(
        order_number=shipment.order.order_number,
        shipment_id=shipment.pk,
        carrier=shipment.carrier_name,
        service=shipment.service,
        tracking_number=shipment.tracking_number,
        ship_date=shipment.ship_date,
        marker=marker,
    )


PAPERS = _Holder()
HOLDERS = (PAPERS, MAILS)
