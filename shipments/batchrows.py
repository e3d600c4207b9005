"""What the steps of a batch share: its lock, the rows that can be typed for, and a fault of ours in one of them."""

import logging
import uuid
from contextlib import contextmanager

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from shipments.models import LabelBatch, LabelBatchRow

log = logging.getLogger("orderhub.batches")


def open_rows(batch: LabelBatch):
    """Rows of a batch that can be typed for: all of a draft; once it was started, those that failed."""
    state = LabelBatchRow.State.WAITING if batch.started_at is None else LabelBatchRow.State.FAILED
    return batch.rows.filter(state=state).order_by("position", "pk")


def lock_open(batch: LabelBatch) -> None:
    """Hold a batch that no job is at, and see its state as it is. Inside a transaction; RuleViolation for a busy one."""
    held = LabelBatch.objects.select_for_update().values_list("state", "started_at")
    batch.state, batch.started_at = held.get(pk=batch.pk)
    if batch.state == LabelBatch.State.RUNNING:
        raise RuleViolation(
            _("Labels of this batch are being made right now: nothing can be changed until that has ended.")
        )
    if batch.state == LabelBatch.State.PRICING:
        raise RuleViolation(
            _("Prices for this batch are being asked for right now: nothing can be changed until that has ended.")
        )


def fault(row: LabelBatchRow, error: Exception) -> str:
    """Log a fault of ours at one row, without its words; the sentence to keep: an id to look up."""
    error_id = uuid.uuid4().hex[:12]
    told = {"order_id": row.order_id, "error_id": error_id, "error": type(error).__name__}
    log.error("batch_row_failed", extra=told)
    return _("OrderHub failed at this order: tell your administrator error %(id)s.") % {"id": error_id}


@contextmanager
def in_words_of(batch: LabelBatch):
    """Sentences that are kept are in the language of who made the batch."""
    with translation.override(batch.created_by.language if batch.created_by else settings.LANGUAGE_CODE):
        yield
