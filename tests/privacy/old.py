"""Orders as they are when eighteen months are over: sent, erased, told of, and with something in every table."""

from datetime import datetime, timedelta

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from orderhub import clock, jobs
from orders.models import BuyerWord, Customer, Order, OrderItem, RuleFiring, Tag
from privacy import datakeys
from privacy.audit_keeping import months_before
from shipments.models import Label, LabelBatch, LabelBatchRow, LabelPurchase, ManualUpdate, OutgoingMail
from stores.models import Store
from tests.factories import make_order, make_shipment, make_user
from tests.orders.goods import make_product

RETIRE = "shipments.retire_old_orders"
DAY = timedelta(days=1)
MONEY = {"item_total": "19.90", "shipping_total": "4.00", "tax_total": "3.98", "order_total": "23.90"}


def retire() -> str:
    with jobs.inline():
        return jobs.run(RETIRE)


def months_ago(months: int = 18) -> datetime:
    return months_before(clock.now(), months)


def erase(*orders: Order) -> None:
    """As the sweep left them long ago."""
    ids = [order.pk for order in orders]
    now = clock.now()
    Order.objects.filter(pk__in=ids).update(redaction_due_at=now)
    Label.objects.filter(shipment__order__in=ids).update(due_at=now)
    jobs.run("privacy.redact_due")
    assert set(Order.objects.filter(pk__in=ids).values_list("pii_state", flat=True)) == {"redacted"}
    assert not Label.objects.filter(shipment__order__in=ids, redacted_at=None).exists()


def old_order(store: Store, ordered_at: datetime, *, with_label: bool = False, **given) -> Order:
    """Sent, and erased."""
    order = make_order(store, ordered_at=ordered_at, paid_at=ordered_at, **MONEY | given)
    make_shipment(order, with_label=with_label)
    erase(order)
    return order


def full_order(store: Store, ordered_at: datetime, **given) -> Order:
    """One that has left something in every table an order can leave something in."""
    user = make_user()
    order = make_order(store, lines=2, ordered_at=ordered_at, **MONEY | given)
    item = order.items.first()
    OrderItem.objects.filter(pk=item.pk).update(product=make_product(store))
    person = Customer.objects.create(merchant=store.merchant, account=store.account, name="Ada Example")
    Order.objects.filter(pk=order.pk).update(customer=person, assigned_to=user, custom_field_1="aisle 5")
    shipment = make_shipment(order)
    order.notes.create(text="fragile")
    order.tags.add(Tag.objects.get_or_create(name="late")[0])
    RuleFiring.objects.get_or_create(order=order, defaults={"trace": []})
    batch = LabelBatch.objects.create(created_at=ordered_at, state="done")
    row = LabelBatchRow.objects.create(batch=batch, order=order, position=1, state="done", shipment=shipment)
    LabelPurchase.objects.create(
        order=order, provider="amazon_shipping", state="bought", idempotency_key=f"k{order.pk}", provider_ref="x",
        shipment=shipment, batch_row=row,
    )  # fmt: skip
    ManualUpdate.objects.create(order=order, shipment=shipment)
    OutgoingMail.objects.create(order=order, shipment=shipment, kind="shipped", state="cancelled")
    kind = ContentType.objects.get_for_model(Order)
    LogEntry.objects.create(user=user, content_type=kind, object_id=str(order.pk), object_repr="x", action_flag=CHANGE)
    erase(order)
    datakeys.obtain([f"notes:{order.pk}"])
    assert not BuyerWord.objects.filter(order=order).exists()
    return order


def rows_about(order: Order) -> dict[str, int]:
    """How many rows of each table lead to this order by a key, however far."""
    from orderhub import trees

    doomed = trees._grown(Order, [order.pk])
    found = {model._meta.db_table: len(rows) for model, rows in doomed.items() if rows}
    for leaf, key in trees._leaves(doomed, ()):
        count = leaf._base_manager.filter(**{f"{key}__among": trees._sorted(doomed, leaf, key)}).count()
        if count:
            found[leaf._meta.db_table] = max(count, found.get(leaf._meta.db_table, 0))
    return found


def keys_are_whole() -> None:
    """No row points to one that is not there; both databases say so."""
    connection.check_constraints()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_key_check")
        assert cursor.fetchall() == []
