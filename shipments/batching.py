"""Labels for many orders in one go: prepared as a draft, made row by row by a job, told to each account together (R54).

A row and its parcel come together in one transaction, so that a run that is killed anywhere neither doubles nor loses.
Rows are claimed by a conditional UPDATE with lease and start number; one bad row stops no other.
"""

import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import RuleViolation
from orderhub.jobs import MAX_STARTS
from orders.models import Order
from shipments import batchchecking, dispatching
from shipments.models import LabelBatch, LabelBatchRow, Shipment, ShipmentNotification
from shipments.models.shipment import LabelProvider
from stores.models import AmazonAccount, Store

log = logging.getLogger("orderhub.batches")
State, RowState = LabelBatch.State, LabelBatchRow.State
MOST = 2000  # orders in one batch
PROVIDERS = (LabelProvider.MANUAL,)  # those `_make` knows; the page offers no other
LEASE = timedelta(seconds=150)  # longer than a run and its last row
HELD_BACK = timedelta(minutes=15)  # no notice before the batch ends, or this has passed
PROLONG_AT, PROLONG_FOR = timedelta(minutes=5), timedelta(hours=2)
POISON = "Poison"  # as the error of a row that ended its run three times
ERROR_MOST = 400


@dataclass
class Report:
    """What one run did. `more`: it ran out of time. `accounts`: those whose notices are due now, as the batch ended."""

    made: int = 0
    failed: int = 0
    more: bool = False
    finished: bool = False
    accounts: tuple[int, ...] = ()

    def sentence(self) -> str:
        ending = "done" if self.finished else "to be continued" if self.more else "other rows still held"
        return f"{self.made} labels made, {self.failed} refused; {ending}"


# -- the draft


def create(order_ids: Sequence[int], *, by, now: datetime) -> LabelBatch:
    """A draft with a row for each order, in the order given. Carrier and service as their stores used last; what a rule
    wishes for an order stands in its row. RuleViolation for none, or for more than fit."""
    ids = list(dict.fromkeys(order_ids))
    if not ids:
        raise RuleViolation(_("Choose at least one order."))
    if len(ids) > MOST:
        raise RuleViolation(_("Choose at most %(count)d orders at once.") % {"count": MOST})
    wishes = dict(Order.objects.filter(pk__in=ids).values_list("pk", "wishes"))
    last = Shipment.objects.filter(order__store__in=Order.objects.filter(pk__in=ids).values("store"), is_return=False)
    carrier, service = last.order_by("-pk").values_list("carrier", "service").first() or ("", "")
    with transaction.atomic():
        batch = LabelBatch.objects.create(created_at=now, created_by=by, carrier=carrier, service=service)
        LabelBatchRow.objects.bulk_create(
            LabelBatchRow(
                batch=batch, order_id=pk, position=position, carrier=str(wishes[pk].get("carrier", ""))[:40],
                service=str(wishes[pk].get("service", ""))[:80],
            )
            for position, pk in enumerate([pk for pk in ids if pk in wishes], start=1)
        )  # fmt: skip
    return batch


def save(batch: LabelBatch, *, common: dict, rows: dict[int, dict]) -> None:
    """Keep what was typed: `common` for a draft, columns by row id. RuleViolation where labels are being made."""
    with transaction.atomic():
        _lock_open(batch)
        if batch.state == State.DRAFT and common:
            LabelBatch.objects.filter(pk=batch.pk).update(**common)
            for name, value in common.items():
                setattr(batch, name, value)
        open_rows = {row.pk: row for row in batchchecking.open_rows(batch).filter(pk__in=rows)}
        for pk, row in open_rows.items():
            for name, value in rows[pk].items():
                setattr(row, name, value)
        typed = ["carrier", "service", "tracking_number", "weight_g"]
        LabelBatchRow.objects.bulk_update(open_rows.values(), typed, batch_size=100)


def remove(batch: LabelBatch, row_ids: Sequence[int]) -> int:
    """Take orders out of a draft, or those that failed out of a batch that is done; how many went."""
    with transaction.atomic():
        _lock_open(batch)
        return batchchecking.open_rows(batch).filter(pk__in=row_ids).delete()[0]


def discard(batch: LabelBatch) -> None:
    """Delete a draft. RuleViolation once labels were made: then it is the record of them."""
    with transaction.atomic():
        _lock_open(batch)
        if batch.state != State.DRAFT:
            raise RuleViolation(_("Labels of this batch were made: it is kept as their record."))
        batch.rows.all().delete()
        batch.delete()


def _lock_open(batch: LabelBatch) -> None:
    """Hold a batch of which no label is being made, and see its state as it is."""
    batch.state = LabelBatch.objects.select_for_update().values_list("state", flat=True).get(pk=batch.pk)
    if batch.state == State.RUNNING:
        raise RuleViolation(
            _("Labels of this batch are being made right now: nothing can be changed until that has ended.")
        )


# -- starting


def start(batch: LabelBatch, *, seen: str, now: datetime) -> int:
    """Let the job make a label for every row that nothing stands in the way of; how many. Those refused are kept as such.

    Of a draft, its rows; of a batch that is done, those that failed. `seen`: what check().seen said when the page was
    shown. RuleViolation where nothing can be made, or what was seen is no longer so; of two people, one is refused.
    """
    with transaction.atomic():
        before = batch.state
        _lock_open(batch)
        if batch.state != before:
            raise RuleViolation(_("Somebody else started this batch meanwhile: look at it again."))
        checked = batchchecking.check(batch, now=now)
        if not checked.fit:
            raise RuleViolation(_("No label can be made yet: mend the rows below first."))
        if checked.seen != seen:
            raise RuleViolation(
                _("The rows were checked again, and what can be made has changed: look at them, then start.")
            )
        changes = {"state": State.RUNNING, "started_at": now, "finished_at": None, "told_from": now + HELD_BACK}
        LabelBatch.objects.filter(pk=batch.pk).update(**changes)
        _keep_refused(checked)
        fit = LabelBatchRow.objects.filter(pk__in=[found.row.pk for found in checked.fit])
        fit.update(state=RowState.WAITING, error="", starts=0)
    batch.refresh_from_db()
    return len(checked.fit)


def _keep_refused(checked: batchchecking.Checked) -> None:
    """The others fail with what stood in their way, and those that leave keep what was doubted."""
    rows = []
    for found in checked.verdicts:
        found.row.error, found.row.warning = found.error[:ERROR_MOST], found.warning[:ERROR_MOST]
        if found.error:
            found.row.state = RowState.FAILED
        if found.error or found.warning:
            rows.append(found.row)
    LabelBatchRow.objects.bulk_update(rows, ["state", "error", "warning"], batch_size=100)


# -- the run


def run(batch: LabelBatch, *, now: datetime, budget_s: float) -> Report:
    """Make labels until the time is up or no row is left. Safe to run twice, at once, and to kill at any line."""
    report, until = Report(), time.monotonic() + budget_s
    if batch.state != State.RUNNING:
        return report
    _hold_back(batch, now=now)
    _take_back(batch, now=now)
    language = batch.created_by.language if batch.created_by else settings.LANGUAGE_CODE
    with translation.override(language):
        for pk, fence in (
            batch.rows.filter(state=RowState.WAITING).order_by("position", "pk").values_list("pk", "fence")
        ):
            if time.monotonic() > until:
                report.more = True
                return report
            _one(pk, fence, batch, now=now, report=report)
    _finish(batch, now=now, report=report)
    return report


def _hold_back(batch: LabelBatch, *, now: datetime) -> None:
    """A long batch goes on holding its notices back; one that takes hours does not."""
    if batch.told_from - now > PROLONG_AT or now - batch.started_at > PROLONG_FOR:
        return
    later = now + HELD_BACK
    with transaction.atomic():
        _held_back(batch).update(next_attempt_at=later)
        LabelBatch.objects.filter(pk=batch.pk, state=State.RUNNING).update(told_from=later)
    batch.told_from = later


def _held_back(batch: LabelBatch):
    """Notices that wait for nothing but the end of the batch."""
    return ShipmentNotification.objects.filter(
        shipment__batch_row__batch=batch, channel=ShipmentNotification.Channel.AMAZON,
        state=ShipmentNotification.State.PENDING, next_attempt_at=batch.told_from,
    )  # fmt: skip


def _take_back(batch: LabelBatch, *, now: datetime) -> None:
    """Rows of a run that died: no parcel was made, else they were settled with it. Three times dead: a person looks."""
    dead = batch.rows.filter(state=RowState.RUNNING, lease_until__lte=now)
    dead.filter(starts__gte=MAX_STARTS).update(state=RowState.FAILED, lease_until=None, error=POISON, starts=0)
    dead.update(state=RowState.WAITING, lease_until=None)


def _one(pk: int, fence: int, batch: LabelBatch, *, now: datetime, report: Report) -> None:
    """Make one row's label, or keep why not."""
    claim = {"state": RowState.RUNNING, "lease_until": now + LEASE, "fence": fence + 1, "starts": F("starts") + 1}
    if not LabelBatchRow.objects.filter(pk=pk, state=RowState.WAITING, fence=fence).update(**claim):
        return  # another run has it
    row = LabelBatchRow.objects.select_related("order__store__merchant").get(pk=pk)
    if error := _refusal(row, batch, now=now):
        report.failed += _mine(row).update(
            state=RowState.FAILED, lease_until=None, starts=0, error=error[:ERROR_MOST]
        )  # fmt: skip
    else:
        report.made += 1
    failpoints.reach("batch.after_row")


def _refusal(row: LabelBatchRow, batch: LabelBatch, *, now: datetime) -> str:
    """Make the row's label; why it was refused, or ''. A fault of ours is an id to look up: it stops no other row."""

    def settle(shipment: Shipment) -> None:
        if not _mine(row).update(state=RowState.DONE, lease_until=None, starts=0, error="", shipment=shipment):
            raise RuleViolation(_("The row was taken over meanwhile."))

    try:
        _make(row, batch, now=now, within=settle)
    except RuleViolation as error:
        return str(error)
    except AnyDatabaseError:  # nothing is known of the row: the next run tries it again
        raise
    except Exception as error:
        error_id = uuid.uuid4().hex[:12]
        told = {"order_id": row.order_id, "error_id": error_id, "error": type(error).__name__}
        log.error("batch_row_failed", extra=told)
        return _("OrderHub failed at this order: tell your administrator error %(id)s.") % {"id": error_id}
    return ""


def _mine(row: LabelBatchRow):
    """The row, while it is still held under the start number in hand."""
    return LabelBatchRow.objects.filter(pk=row.pk, state=RowState.RUNNING, fence=row.fence)


def _make(row: LabelBatchRow, batch: LabelBatch, *, now: datetime, within) -> Shipment:
    """The parcel and label of one row, from the batch's provider."""
    if batch.provider == LabelProvider.MANUAL:
        wish = wish_of(row, batch, now=now)
        return dispatching.ship(row.order, wish, now=now, by=batch.created_by, tell_from=batch.told_from, within=within)
    raise RuleViolation(_("Labels of this kind cannot be made in a batch: make it on the order's page."))


def wish_of(row: LabelBatchRow, batch: LabelBatch, *, now: datetime) -> dispatching.ParcelWish:
    """The parcel as typed; without a date it leaves today, in its store's time zone."""
    carrier, service = batchchecking.carrier_of(row, batch)
    return dispatching.ParcelWish(
        carrier=carrier, service=service, tracking_number=row.tracking_number, weight_g=row.weight_g,
        ship_date=batch.ship_date or now.astimezone(row.order.store.zone).date(),
    )  # fmt: skip


def _finish(batch: LabelBatch, *, now: datetime, report: Report) -> None:
    """Once no row is left: its notices are due now, all together; who must be woken is in the report.

    Where a store waits before Amazon is told, they go when they would have gone, never sooner.
    """
    with transaction.atomic():
        running = LabelBatch.objects.select_for_update().filter(pk=batch.pk, state=State.RUNNING).first()
        if running is None or batch.rows.filter(state__in=[RowState.WAITING, RowState.RUNNING]).exists():
            return
        LabelBatch.objects.filter(pk=batch.pk).update(state=State.DONE, finished_at=now)
        due = _held_back(running).exclude(order__store__notify_when=Store.NotifyWhen.DELAY)
        told = AmazonAccount.objects.filter(pk__in=due.values("order__store__account"))
        report.accounts = tuple(told.order_by("pk").values_list("pk", flat=True))
        due.update(next_attempt_at=now)
    report.finished = True
