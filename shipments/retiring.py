"""Orders of Amazon that have reached eighteen months (DPP 1.7): deleted with all that hangs on them, or, where a law
holds them, reduced to the columns it names and deleted when it ends.

Personal data is erased long before, by the one redactor and with a certificate. An order that still has some is left
alone and named: nothing here is a way past the erasure. What is the seller's own stays: products, stock, settings, and
orders that did not come from Amazon. So does the proof: certificates and the security log.

A batch is one transaction; its files go before it. Killed anywhere, the next run finds the same orders.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from orderhub import failpoints, trees
from orderhub.jobs import BUDGET_S
from orders import oldorders, reducing, stock
from orders.models import Customer, HistoryRead, Order, OrderItem, QuarantinedOrder, SkippedOrder
from privacy import audit, clockgate, datakeys, holds
from privacy.erasure import ALARM_AFTER
from privacy.models import SecurityEvent
from privacy.models.event import EventCode, Outcome
from shipments.models import Feed, Label, LabelBatch
from stores.models import Store, UnconnectedOrder

log = logging.getLogger("orderhub.privacy")
BATCH = 250
LEDGER_BATCH = 5000
REMIND = timedelta(hours=20)  # the same alarm is not told twice a day
Due = Callable[[Store, datetime], QuerySet[Order]]  # which orders of a store are due
Deed = Callable[[list[int], str, datetime], None]  # what is done to them, under which hold
LIVE = Exists(Label.objects.filter(shipment__order=OuterRef("pk"), redacted_at=None))  # a label keeps its own date


@dataclass
class Report:
    """What a run did. `ledgers`: rows of imports, submissions and batches. `unerased`: ids of old orders whose erasure
    is late, at most as many as an event names. `more`: the time ended before the work did."""

    deleted: int = 0
    reduced: int = 0
    ledgers: int = 0
    unerased: list[int] = field(default_factory=list)
    more: bool = False
    held: str = ""  # why nothing was even begun

    def sentence(self) -> str:
        if self.held:
            return f"held: {self.held}"
        told = f"{self.deleted} deleted, {self.reduced} reduced, {self.ledgers} rows of ledgers"
        return f"{told}; ALARM: {len(self.unerased)} not erased" if self.unerased else told


def retire(*, now: datetime, actor: str, budget_s: float = BUDGET_S) -> Report:
    """The whole night: where the clock can be trusted, retire what is due and tell the security log. Safe to repeat."""
    if held := clockgate.why_held(now):
        return Report(held=held)
    report = retire_due(now=now, budget_s=budget_s)
    _tell(report, now=now, actor=actor)
    return report


def retire_due(*, now: datetime, budget_s: float = BUDGET_S) -> Report:
    """Delete or reduce what has reached its term, store by store and batch by batch, until nothing has or the budget
    (seconds) ends. Safe to repeat and to kill. A constant number of statements for each batch."""
    report, ends_at = Report(), time.monotonic() + budget_s
    for store in Store.objects.order_by("pk"):
        report.deleted += _work(store, oldorders.to_delete, _delete, now=now, ends_at=ends_at)
        report.reduced += _work(store, oldorders.to_reduce, _reduce, now=now, ends_at=ends_at)
        if time.monotonic() > ends_at:
            report.more = True
            break
    if not report.more:
        report.ledgers = _delete_ledgers(holds.limit(now))
    report.unerased = _late(now)
    return report


def _work(store: Store, due: Due, deed: Deed, *, now: datetime, ends_at: float) -> int:
    """Do the deed to a store's orders that are due, the newest first; to how many it was done."""
    count, until = 0, now
    while time.monotonic() <= ends_at:
        batch = due(store, now).exclude(LIVE).filter(ordered_at__lte=until)
        found = dict(batch.values_list("pk", "ordered_at")[:BATCH])
        if not found:
            break
        until = min(found.values())  # what was reduced before is not looked through again
        done = _one_batch(store, list(found), due, deed, now)
        if not done:
            break  # somebody else is at it, or a law holds them by now: the next night looks again
        count += done
    return count


def _one_batch(store: Store, ids: list[int], due: Due, deed: Deed, now: datetime) -> int:
    """The files, then the rows in one transaction. The store is read again under its lock: a law given to it counts."""
    failpoints.reach("retire.before_files")
    labels = Label.objects.filter(shipment__order__among=ids).exclude(file="")
    storages["labels"].delete_all(list(labels.values_list("file", flat=True)))  # stand-ins: no address is in them
    failpoints.reach("retire.after_files")
    with transaction.atomic():
        fresh = Store.objects.select_for_update(no_key=True).get(pk=store.pk)
        rows = due(fresh, now).exclude(LIVE).filter(pk__among=ids).select_for_update(of=("self",))
        locked = list(rows.order_by("pk").values_list("pk", flat=True))
        if locked:
            deed(locked, oldorders.hold_of(fresh), now)
        failpoints.reach("retire.inside")
    failpoints.reach("retire.after_rows")
    return len(locked)


def _delete(ids: list[int], _hold: str, _now: datetime) -> None:
    stock.forget_sent(ids)
    customers = _customers_of(ids)
    _forget(ids)
    trees.delete(Order, ids)
    _delete_customers(customers)


def _reduce(ids: list[int], hold: str, now: datetime) -> None:
    customers = _customers_of(ids)
    _forget(ids)
    trees.delete(Order, ids, keep=reducing.KEPT)
    reducing.reduce(ids, hold=hold, now=now)
    _delete_customers(customers)


def _customers_of(ids: list[int]) -> list[int]:
    orders = Order.objects.filter(pk__among=ids, customer__isnull=False).order_by()
    return list(orders.values_list("customer", flat=True).distinct())


def _delete_customers(customer_ids: list[int]) -> None:
    """Erased ones of whom no order is left."""
    alone = Customer.objects.filter(pk__among=customer_ids, orders=None).exclude(marker="")
    trees.delete(Customer, list(alone.values_list("pk", flat=True)))


def _forget(ids: list[int]) -> None:
    """What is about these orders and hangs on them by no key: the admin's history, keys of texts."""
    kind = ContentType.objects.get_for_model(Order)
    LogEntry.objects.filter(content_type=kind, object_id__among=[str(pk) for pk in ids]).delete()
    lines = OrderItem.objects.filter(order__among=ids).values_list("pk", flat=True)
    owners = [f"{what}:{pk}" for what in ("order", "notes") for pk in ids]
    datakeys.destroy([*owners, *(f"item:{pk}" for pk in lines)])


def _delete_ledgers(limit: datetime) -> int:
    """What imports, submissions and batches wrote down, as old as that, and about no order that is here. Laws of
    accounting hold none of it."""
    old = [
        SkippedOrder.objects.filter(seen_at__lte=limit),
        QuarantinedOrder.objects.filter(seen_at__lte=limit),
        UnconnectedOrder.objects.filter(seen_at__lte=limit),
        HistoryRead.objects.filter(finished_at__lte=limit),
        Feed.objects.filter(finished_at__lte=limit, notices=None),
        LabelBatch.objects.filter(created_at__lte=limit, rows=None).exclude(state__in=LabelBatch.State.BUSY),
    ]
    return sum(map(_delete_rows, old))


def _delete_rows(rows: QuerySet) -> int:
    count = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:LEDGER_BATCH]):
        with transaction.atomic():
            trees.delete(rows.model, ids)
        count += len(ids)
    return count


def _late(now: datetime) -> list[int]:
    """Old orders whose personal data, or label, should have been erased an hour ago and was not."""
    before = now - ALARM_AFTER
    label = Exists(Label.objects.filter(shipment__order=OuterRef("pk"), redacted_at=None, due_at__lt=before))
    overdue = Q(redaction_due_at__lt=before) & ~oldorders.ERASED
    rows = oldorders.old(now).filter(Q(overdue) | label, reduced_at=None).order_by("ordered_at", "pk")
    return list(rows.values_list("pk", flat=True)[: audit.MOST_IDS])


def _tell(report: Report, *, now: datetime, actor: str) -> None:
    """One event for a run that did something, one for what is stuck; the same alarm once a day."""
    if report.deleted or report.reduced:
        audit.record(EventCode.RETIRED, actor=actor, kind="deleted, reduced", ids=[report.deleted, report.reduced])
    if not report.unerased:
        return
    log.error("old_orders_not_erased", extra={"count": len(report.unerased)})
    failed = {"code": EventCode.RETIRED, "outcome": Outcome.FAILED, "kind": "order"}
    last = SecurityEvent.objects.filter(**failed, at__gt=now - REMIND).order_by("-pk").values_list("ids", flat=True)
    if last.first() != report.unerased:
        audit.record(**failed, actor=actor, ids=report.unerased, reason="not erased")
