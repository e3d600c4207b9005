"""Labels for many orders in one go: prepared as a draft, made row by row by a job, told to each account together (R54).

A row and its parcel come together in one transaction, so that a run that is killed anywhere neither doubles nor loses.
Rows are claimed by a conditional UPDATE with lease and start number; one bad row stops no other.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import RuleViolation
from orderhub.jobs import MAX_STARTS
from orders.models import Order
from shipments import batchbuying, batchchecking, batchrows, dispatching, quoting
from shipments.models import LabelBatch, LabelBatchRow, Shipment, ShipmentNotification
from stores.models import AmazonAccount, Store

State, RowState = LabelBatch.State, LabelBatchRow.State
MOST = 2000  # orders in one batch
BUSY_FOR = timedelta(hours=1)  # as long a provider that is busy is waited for
LEASE = timedelta(seconds=150)  # longer than a run and its last row
HELD_BACK = timedelta(minutes=15)  # no notice before the batch ends, or this has passed
PROLONG_AT, PROLONG_FOR = timedelta(minutes=5), timedelta(hours=2)
POISON = "Poison"  # as the error of a row that ended its run three times
STOPPED = "Stopped"  # as the error of a row that somebody kept from being made
UNPRICED = "Unpriced"  # as the error of a row whose price was still to be asked for
ERROR_MOST = 400


@dataclass
class Report:
    """What one run did. `more`: it ran out of time. `busy`: the provider is, and is asked again by a later run.
    `accounts`: those whose notices are due now, as the batch ended."""

    made: int = 0
    failed: int = 0
    more: bool = False
    busy: bool = False
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
        batchrows.lock_open(batch)
        if batch.state == State.DRAFT and common:
            LabelBatch.objects.filter(pk=batch.pk).update(**common)
            for name, value in common.items():
                setattr(batch, name, value)
        open_rows = {row.pk: row for row in batchrows.open_rows(batch).filter(pk__in=rows)}
        for pk, row in open_rows.items():
            for name, value in rows[pk].items():
                setattr(row, name, value)
        typed = ["carrier", "service", "tracking_number", "weight_g", *quoting.SIDES]
        LabelBatchRow.objects.bulk_update(open_rows.values(), typed, batch_size=100)


def remove(batch: LabelBatch, row_ids: Sequence[int]) -> int:
    """Take orders out of a draft, or those that failed out of a batch that is done; how many went."""
    with transaction.atomic():
        batchrows.lock_open(batch)
        return batchrows.open_rows(batch).filter(pk__in=row_ids).delete()[0]


def discard(batch: LabelBatch) -> None:
    """Delete a draft. RuleViolation once labels were made: then it is the record of them."""
    with transaction.atomic():
        batchrows.lock_open(batch)
        if batch.state != State.DRAFT:
            raise RuleViolation(_("Labels of this batch were made: it is kept as their record."))
        batch.rows.all().delete()
        batch.delete()


# -- starting


def start(batch: LabelBatch, *, seen: str, now: datetime) -> int:
    """Let the job make a label for every row that nothing stands in the way of; how many. Those refused are kept as such,
    and so are those without a price where labels are bought.

    Of a draft, its rows; of a batch that is done, those that failed. `seen`: what check().seen said when the page was
    shown. RuleViolation where nothing can be made, or what was seen is no longer so; of two people, one is refused.
    """
    with transaction.atomic():
        before = batch.state
        batchrows.lock_open(batch)
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
        told = found.error or (UNPRICED if found.to_price else "")
        found.row.error, found.row.warning = told[:ERROR_MOST], found.warning[:ERROR_MOST]
        if found.error or found.to_price:
            found.row.state = RowState.FAILED
        if found.error or found.warning or found.to_price:
            rows.append(found.row)
    LabelBatchRow.objects.bulk_update(rows, ["state", "error", "warning"], batch_size=100)


# -- the run


def run(batch: LabelBatch, *, now: datetime, budget_s: float) -> Report:
    """Make labels until the time is up or no row is left. Safe to run twice, at once, and to kill at any line."""
    report, began = Report(), time.monotonic()
    if batch.state != State.RUNNING:
        return report
    _hold_back(batch, now=now)
    _take_back(batch, now=now)
    waiting = batch.rows.filter(state=RowState.WAITING).order_by("position", "pk").values_list("pk", "fence")
    with batchrows.in_words_of(batch):
        for pk, fence in waiting:
            spent = time.monotonic() - began
            if spent > budget_s:
                report.more = True
                return report
            at = now + timedelta(seconds=spent) if batch.buys else now  # prices are over after ten minutes
            _one(pk, fence, batch, now=at, report=report)
            if report.busy:
                return report
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
    row = LabelBatchRow.objects.select_related("order__store__merchant", "order__store__account").get(pk=pk)
    try:
        error = _refusal(row, batch, now=now)
    except _NotNow as later:
        _mine(row).update(state=RowState.WAITING, lease_until=None, starts=0)
        report.busy = later.busy
        return
    if error:
        report.failed += _mine(row).update(
            state=RowState.FAILED, lease_until=None, starts=0, error=error[:ERROR_MOST]
        )  # fmt: skip
    else:
        report.made += 1
    failpoints.reach("batch.after_row")


class _NotNow(Exception):
    """The row waits for a later run. `busy`: and so do the rows after it."""

    def __init__(self, *, busy: bool):
        super().__init__()
        self.busy = busy


def _refusal(row: LabelBatchRow, batch: LabelBatch, *, now: datetime) -> str:
    """Make the row's label; why it was refused, or ''. A fault of ours is an id to look up: it stops no other row."""

    def settle(shipment: Shipment) -> None:
        if not _mine(row).update(state=RowState.DONE, lease_until=None, starts=0, error="", shipment=shipment):
            raise RuleViolation(_("The row was taken over meanwhile."))

    try:
        _make(row, batch, now=now, within=settle)
    except batchbuying.HeldElsewhere:
        raise _NotNow(busy=False) from None
    except quoting.NotBoughtNow as error:
        if error.wait_s and now - batch.started_at < BUSY_FOR:
            raise _NotNow(busy=True) from None
        return str(error)
    except RuleViolation as error:
        return str(error)
    except AnyDatabaseError:  # nothing is known of the row: the next run tries it again
        raise
    except Exception as error:
        return batchrows.fault(row, error)
    return ""


def _mine(row: LabelBatchRow):
    """The row, while it is still held under the start number in hand."""
    return LabelBatchRow.objects.filter(pk=row.pk, state=RowState.RUNNING, fence=row.fence)


def _make(row: LabelBatchRow, batch: LabelBatch, *, now: datetime, within) -> Shipment:
    """The parcel and label of one row, from the batch's provider."""
    if batch.buys:
        return batchbuying.make(row, batch, now=now, within=within)
    wish = wish_of(row, batch, now=now)
    return dispatching.ship(row.order, wish, now=now, by=batch.created_by, tell_from=batch.told_from, within=within)


def wish_of(row: LabelBatchRow, batch: LabelBatch, *, now: datetime) -> dispatching.ParcelWish:
    """The parcel as typed; without a date it leaves today, in its store's time zone."""
    carrier, service = batchchecking.carrier_of(row, batch)
    return dispatching.ParcelWish(
        carrier=carrier, service=service, tracking_number=row.tracking_number, weight_g=row.weight_g,
        ship_date=batch.ship_date or now.astimezone(row.order.store.zone).date(),
    )  # fmt: skip


def stop(batch: LabelBatch) -> int:
    """Make no more labels of it: rows that wait are not made, and can be made later; how many."""
    with transaction.atomic():
        running = LabelBatch.objects.select_for_update().filter(pk=batch.pk, state=State.RUNNING).first()
        if running is None:
            return 0
        waiting = running.rows.filter(state=RowState.WAITING)
        return waiting.update(state=RowState.FAILED, error=STOPPED, starts=0)


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
