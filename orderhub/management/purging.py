"""All that Amazon sent of one seller, removed: first erased by the one redactor, with certificates, then the rows.

What is kept: certificates, the security log and the log of views, as proof; the account's and its stores' own
settings, without the token, so that the proof has something to refer to.
"""

from collections import Counter
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Least

from orderhub import trees
from orders.models import Customer, HistoryRead, Order, Product, QuarantinedOrder, SkippedOrder
from privacy import erasure
from privacy.models import DataKey
from shipments.models import Feed, Label, LabelBatch, Shipment
from stores.models import AmazonAccount, RateBucket, Store, UnconnectedOrder

BATCH = 200


class NotErased(Exception):
    """Some orders could not be erased, so nothing of them is removed. Holds their ids."""


def counted(account: AmazonAccount) -> Counter:
    """How much there is, by what it is. Changes nothing."""
    orders = _orders(account)
    return Counter(
        orders=orders.count(),
        shipments=Shipment.objects.filter(order__in=orders).count(),
        labels=Label.objects.filter(shipment__order__in=orders).count(),
        customers=Customer.objects.filter(account=account).count(),
    ) + Counter({model._meta.db_table.split("_", 1)[1]: rows.count() for model, rows in _beside(account)})


def stop(account: AmazonAccount) -> None:
    """Forget the token and stop: whatever runs for this account ends at its next write, and none begins."""
    with transaction.atomic():
        AmazonAccount.objects.filter(pk=account.pk).update(
            status=AmazonAccount.Status.PENDING, status_reason="", refresh_token="", participations=[],
            page_token="", window_after=None, window_bound=None, next_poll_at=None, epoch=F("epoch") + 1,
        )  # fmt: skip
        Store.objects.filter(account=account).update(active=False)


def erase(account: AmazonAccount, *, now: datetime) -> int:
    """Make all of it due now and let the one redactor erase it; returns how many orders were. Safe to repeat."""
    with transaction.atomic():
        labels = Label.objects.filter(shipment__order__in=_orders(account), redacted_at__isnull=True)
        labels.update(due_at=Least(F("due_at"), now))
        holding = _orders(account).exclude(pii_state__in=[Order.PiiState.NONE, Order.PiiState.REDACTED])
        holding.filter(Q(redaction_due_at__gt=now) | Q(redaction_due_at=None)).update(redaction_due_at=now)
    erased, more = 0, True
    while more:
        report = erasure.redact_due(now=now)
        erased, more = erased + report.redacted, report.more
    left = _orders(account).filter(pii_state__in=[Order.PiiState.PRESENT, Order.PiiState.REDACTING])
    if left.exists():
        raise NotErased(list(left.values_list("pk", flat=True)[:20]))
    return erased


def remove(account: AmazonAccount) -> Counter:
    """Delete the rows and files, batch by batch, each in a transaction of its own. Safe to kill and to repeat."""
    gone: Counter = Counter()
    customers = set(Customer.objects.filter(account=account).values_list("pk", flat=True))
    while ids := list(_orders(account).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        customers |= set(Order.objects.filter(pk__in=ids).exclude(customer=None).values_list("customer", flat=True))
        _delete_files(Label.objects.filter(shipment__order__in=ids))
        with transaction.atomic():
            _forget_log(ids)
            DataKey.objects.filter(owner__in=[f"order:{pk}" for pk in ids]).delete()
            gone += trees.delete(Order, ids)
    with transaction.atomic():
        gone += trees.delete(
            Customer, Customer.objects.filter(pk__in=customers, orders=None).values_list("pk", flat=True)
        )
        for model, rows in _beside(account):
            gone += trees.delete(model, list(rows.values_list("pk", flat=True)))
        LabelBatch.objects.filter(rows=None).delete()
    return gone


def _orders(account: AmazonAccount):
    return Order.objects.filter(store__account=account)


def _beside(account: AmazonAccount) -> list[tuple[type[models.Model], models.QuerySet]]:
    """What Amazon sent that hangs on no order."""
    of_account = (QuarantinedOrder, HistoryRead, UnconnectedOrder, RateBucket, Feed)
    of_store = (SkippedOrder, Product)
    return [
        *((model, model.objects.filter(account=account)) for model in of_account),
        *((model, model.objects.filter(store__account=account)) for model in of_store),
    ]


def _delete_files(labels) -> None:
    """Stand-ins of erased labels: the originals are gone with the erasure."""
    for label in labels.only("file"):
        if label.file:
            label.file.storage.delete(label.file.name)


def _forget_log(order_ids: list[int]) -> None:
    kind = ContentType.objects.get_for_model(Order)
    LogEntry.objects.filter(content_type=kind, object_id__in=[str(pk) for pk in order_ids]).delete()
