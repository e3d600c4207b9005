"""Buying the label of one row of a batch, at the price that was shown for it.

A purchase of the row that an earlier run began is gone on with under its own key: nothing is bought twice.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from shipments import batchoffers, buying, buywords, quoting
from shipments.models import LabelBatch, LabelBatchRow, LabelPurchase, Shipment


class HeldElsewhere(RuleViolation):
    """Another worker is at this row's purchase: the row is looked at again later."""


def make(row: LabelBatchRow, batch: LabelBatch, *, now: datetime, within: buying.Within) -> Shipment:
    """Buy the row's label and send its order with it. RuleViolation for whatever stands in the way; NotBoughtNow and
    HeldElsewhere where it helps to wait. A price that rose is kept in the row, to be looked at."""
    if (going := _under_way(row)) is not None:
        return _go_on(going, now=now, within=within)
    offer = batchoffers.of(row)
    if offer is None or offer.rate is None:
        raise RuleViolation(_ask_first(row))
    if not batchoffers.is_same(batchoffers.parcel_of(row, batch, now=now), offer.parcel):
        raise RuleViolation(_ask_first(row))
    try:
        return buying.buy(
            row.order, offer.rate, parcel=offer.parcel, now=now, by=batch.created_by, tell_from=batch.told_from,
            within=within, batch_row=row,
        )  # fmt: skip
    except quoting.PriceRose as error:
        dearer = batchoffers.choose(row.order, error.rates)
        LabelBatchRow.objects.filter(pk=row.pk).update(offer=batchoffers.kept(offer.parcel, dearer))
        raise


def _ask_first(row: LabelBatchRow) -> str:
    told = _("The parcel of order %(number)s is not the one prices were asked for. Ask for its price again.")
    return told % {"number": row.order.order_number}


def _under_way(row: LabelBatchRow) -> LabelPurchase | None:
    """The row's own purchase of which no parcel came yet."""
    mine = row.purchases.filter(state__in=LabelPurchase.State.OPEN)
    return mine.select_related("order__store__account").first()


def _go_on(purchase: LabelPurchase, *, now: datetime, within: buying.Within) -> Shipment:
    shipment = buying.settle(purchase, now=now, within=within)
    if shipment is not None:
        return shipment
    if purchase.state == LabelPurchase.State.UNKNOWN:  # not due yet: whoever asks then settles the row with it
        raise quoting.NotBoughtNow(buywords.sentence(buywords.UNKNOWN, purchase.order.order_number), unknown=True)
    raise HeldElsewhere(_("The row was taken over meanwhile."))
