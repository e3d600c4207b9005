"""Asking the provider what the labels of a batch would cost: by a job, row by row, before anything is bought.

Asking buys nothing: it is safe to run twice, at once, and to kill at any line.
"""

import time
from datetime import datetime, timedelta

from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import RuleViolation
from shipments import batchchecking, batchoffers, batchrows, offers, quoting
from shipments.models import LabelBatch, LabelBatchRow

State = LabelBatch.State
MOST_STARTS = 5  # times one row's prices are asked for without an answer


def ask(batch: LabelBatch, *, now: datetime) -> int:
    """Let the job ask for the price of every row that has none, else of all anew; how many. RuleViolation for none."""
    with transaction.atomic():
        batchrows.lock_open(batch)
        checked = batchchecking.check(batch, now=now)
        wanted = checked.to_price or checked.fit
        if not (batch.buys and wanted):
            raise RuleViolation(_("No price can be asked for yet: mend the rows below first."))
        rows = [found.row for found in wanted]
        for found in wanted:
            found.row.offer, found.row.starts = batchoffers.kept(found.parcel), 0
        LabelBatchRow.objects.bulk_update(rows, ["offer", "starts"], batch_size=100)
        LabelBatch.objects.filter(pk=batch.pk).update(state=State.PRICING)
    batch.refresh_from_db()
    return len(rows)


def awaited(batch: LabelBatch):
    """Rows whose price is still to be asked for."""
    asked = batch.rows.filter(offer__has_key="parcel")
    return asked.exclude(offer__has_any_keys=["rate", "refused"]).order_by("position", "pk")


def run(batch: LabelBatch, *, now: datetime, budget_s: float) -> tuple[int, bool]:
    """Ask until the time is up or no row is left: how many were answered, and whether there is more to ask at once.

    A provider that is busy is asked again by a later run.
    """
    began, answered = time.monotonic(), 0
    with batchrows.in_words_of(batch):
        for pk in awaited(batch).values_list("pk", flat=True):
            spent = time.monotonic() - began
            if spent > budget_s:
                return answered, True
            if not _one(pk, batch, now=now + timedelta(seconds=spent)):
                return answered, False
            answered += 1
            failpoints.reach("batch.after_price")
    _end(batch)
    return answered, False


def _one(pk: int, batch: LabelBatch, *, now: datetime) -> bool:
    """Ask for one row's price and keep what came of it; False where the provider is busy."""
    mine = LabelBatchRow.objects.filter(pk=pk, batch__state=State.PRICING)
    if not mine.update(starts=F("starts") + 1):
        return True  # somebody stopped it
    row = LabelBatchRow.objects.select_related("order__store__merchant", "order__store__account").get(pk=pk)
    parcel = offers.parcel_of(row.offer["parcel"])
    if row.starts > MOST_STARTS:
        kept = batchoffers.kept(
            parcel, refused=_("Amazon did not say what it costs, asked five times. Ask again later.")
        )
    else:
        try:
            kept = batchoffers.kept(parcel, batchoffers.choose(row.order, quoting.quote(row.order, parcel, now=now)))
        except quoting.NotBoughtNow:
            return False
        except RuleViolation as error:
            kept = batchoffers.kept(parcel, refused=str(error))
        except AnyDatabaseError:
            raise
        except Exception as error:
            kept = batchoffers.kept(parcel, refused=batchrows.fault(row, error))
    mine.update(offer=kept, starts=0)
    return True


def _end(batch: LabelBatch) -> None:
    with transaction.atomic():
        held = LabelBatch.objects.select_for_update().filter(pk=batch.pk, state=State.PRICING).first()
        if held is not None and not awaited(held).exists():
            LabelBatch.objects.filter(pk=held.pk).update(state=_before(held))


def _before(batch: LabelBatch) -> str:
    return State.DRAFT if batch.started_at is None else State.DONE


def stop(batch: LabelBatch) -> None:
    """Ask no further: rows without an answer have no price. Nothing where nobody is asking any more."""
    with transaction.atomic():
        held = LabelBatch.objects.select_for_update().filter(pk=batch.pk, state=State.PRICING).first()
        if held is None:
            return
        awaited(held).update(offer={}, starts=0)
        LabelBatch.objects.filter(pk=held.pk).update(state=_before(held))
