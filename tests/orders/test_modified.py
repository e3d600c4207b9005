"""`Order.modified_at`: what clients that keep copies ask for. It moves with all they can see, and with nothing else."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub import clock
from orders import asking, assigning, deciding, notes, products, rekeying, tagging
from orders.models import Order, OrderEvent, OrderItem, Product, Tag
from privacy import access, sweeping
from shipments import forwarding, tracking, voiding
from shipments.models import Shipment
from shipments.models.shipment import TrackingStatus
from shipments.providers.base import Scan
from stores import saving
from stores.models import MarketplaceStatus, Store
from tests.factories import make_account, make_order, make_shipment, make_store, make_user
from tests.orders.goods import make_product, order_of, question

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=3)


def old_order(**given) -> Order:
    order = make_order(**given)
    Order.objects.update(modified_at=clock.now() - LONG_AGO)
    return order


def hold(order, by, now):
    deciding.hold(order, "check", by=by, now=now)


def tag(order, by, now):
    tagging.put_on([order.pk], [Tag.objects.create(name="Fragile")], by=by, now=now)


def note(order, by, now):
    notes.add(order, "Two boxes", by=by, now=now)


def assign(order, by, now):
    assigning.assign([order.pk], by, by=by, now=now)


def weigh(order, by, now):
    products.weigh_by_hand(order, "500", by=by, now=now)


def send(order, by, now):
    make_shipment(order)


def void(order, by, now):
    shipment = make_shipment(order)
    Order.objects.update(modified_at=now - LONG_AGO)
    voiding.void(shipment, by=by, now=now)


@pytest.mark.parametrize("deed", [hold, tag, note, assign, weigh, send, void], ids=lambda deed: deed.__name__)
def test_whatever_is_done_to_an_order_moves_it(deed):
    order, now = old_order(), clock.now()
    deed(order, make_user(access.SUPPORT), now)
    order.refresh_from_db()
    assert order.modified_at >= now


def test_r97_erasing_moves_it():
    order = old_order(redaction_due_at=clock.now() - timedelta(minutes=5))
    sweeping.sweep()
    order.refresh_from_db()
    assert order.pii_state == Order.PiiState.REDACTED
    assert order.modified_at > clock.now() - timedelta(minutes=1)


@pytest.mark.parametrize("kind", sorted(OrderEvent.UNSEEN))
def test_what_changes_nothing_of_the_order_does_not_move_it(kind):
    order = old_order()
    OrderEvent.objects.create(order=order, kind=kind, at=clock.now())
    order.refresh_from_db()
    assert order.modified_at < clock.now() - timedelta(days=2)


def test_an_older_line_never_sets_it_back():
    order = make_order()
    OrderEvent.objects.create(order=order, kind=OrderEvent.Kind.NOTED, at=clock.now() - LONG_AGO)
    assert Order.objects.get(pk=order.pk).modified_at == order.modified_at


def test_one_statement_for_one_order_and_for_thirty():
    store, counts = make_store(), []
    for number in (1, 30):
        orders = [make_order(store) for _row in range(number)]
        events = [OrderEvent(order=order, kind=OrderEvent.Kind.NOTED, at=clock.now()) for order in orders]
        with CaptureQueriesContext(connection) as captured:
            OrderEvent.objects.bulk_create(events)
        counts.append(len(captured))
    assert counts[0] == counts[1]


# -- changes without a line of the timeline


def aged() -> None:
    Order.objects.update(modified_at=clock.now() - LONG_AGO)


def moved() -> set[int]:
    """Orders that were changed since aged()."""
    return set(Order.objects.filter(modified_at__gt=clock.now() - LONG_AGO / 2).values_list("pk", flat=True))


def test_a_weight_of_a_product_moves_open_orders_it_gives_another_weight():
    product = make_product()
    light, sent, typed = (order_of((product, 1)) for _row in range(3))
    Order.objects.filter(pk=sent.pk).update(status=Order.Status.SHIPPED)
    Order.objects.filter(pk=typed.pk).update(weight_is_typed=True, weight_g=90)
    aged()
    product.weight_g = 250
    products.keep_details(product, ["weight_g"], now=clock.now())
    assert moved() == {light.pk}
    aged()
    products.keep_details(product, ["weight_g"], now=clock.now())
    assert moved() == set()


def test_what_the_catalogue_says_moves_orders_whose_lines_or_weights_are_others_by_it():
    file = make_product(asin="B0FILE0001")
    known = make_product(file.store, asin="B0KNOWN001", weight_g=300)
    order, plain = order_of((file, 1)), order_of((known, 1))
    products.settle_new(now=clock.now())
    for asin, physical in (("B0FILE0001", False), ("B0KNOWN001", True)):
        question(asin, state="found", looked_up_at=clock.now(), is_physical=physical, image_error="none")
    aged()
    assert products.apply_found(now=clock.now()) == 2
    assert not order.items.get().is_physical and plain.items.get().is_physical
    assert moved() == {order.pk}


def test_orders_that_come_after_their_products_are_moved_once():
    order = order_of((make_product(weight_g=200), 2))
    aged()
    assert products.settle_new(now=clock.now()) == 1
    assert moved() == {order.pk}
    aged()
    assert products.settle_new(now=clock.now()) == 0
    assert moved() == set()


def test_lines_that_get_their_product_move_the_order():
    account = make_account()
    store = make_store(account=account)
    order = make_order(store)
    Product.objects.create(store=store, key="SKU-1", sku="SKU-1", weight_g=5)
    aged()
    assert asking.details_now(order, now=clock.now()) == 1
    assert moved() == {order.pk}


def test_products_called_otherwise_move_orders_whose_lines_get_another_product():
    store = make_store()
    first, second = (make_product(store, asin="B0SAME0001") for _row in range(2))
    kept, joined, renamed = order_of((first, 1)), order_of((second, 1)), order_of((make_product(store), 1))
    had = dict(OrderItem.objects.values_list("order", "product"))
    aged()
    rekeying.apply(store, now=clock.now())
    has = dict(OrderItem.objects.values_list("order", "product"))
    assert moved() == {pk for pk in (kept.pk, joined.pk, renamed.pk) if had[pk] != has[pk]} == {joined.pk}


def test_a_tag_renamed_or_deleted_moves_the_orders_that_have_it(client):
    client.force_login(make_user(access.SUPPORT))
    tag, order = Tag.objects.create(name="Fragile"), make_order()
    make_order(order.store)
    order.tags.add(tag)
    aged()
    page = reverse("admin:orders_tag_change", args=[tag.pk])
    client.post(page, {"name": "Fragile", "level": "bad"})
    assert moved() == set()
    client.post(page, {"name": "Glass", "level": "bad"})
    assert (Tag.objects.get().name, moved()) == ("Glass", {order.pk})
    aged()
    client.post(reverse("admin:orders_tag_delete", args=[tag.pk]), {"post": "yes"})
    assert (Tag.objects.count(), moved()) == (0, {order.pk})


def test_own_statuses_named_otherwise_move_the_orders_that_wear_one():
    order = make_order()
    make_order(order.store)
    own = MarketplaceStatus.objects.create(store=order.store, name="At the engraver", status=order.status)
    Order.objects.filter(pk=order.pk).update(own_status=own)
    aged()
    saving.remap(order.store, now=clock.now())
    assert moved() == {order.pk}


def test_dates_brought_forward_move_their_orders_and_no_others():
    order = make_order()
    make_order(order.store, redaction_due_at=clock.now() + timedelta(days=1))
    Store.objects.update(retention_unshipped_days=5)
    aged()
    forwarding.bring_forward(Store.objects.get(), now=clock.now())
    assert moved() == {order.pk}


def test_a_later_scan_of_a_delivery_moves_the_order():
    shipment, told = make_shipment(), clock.now()
    Shipment.objects.update(tracked=True)
    shipment.refresh_from_db()
    tracking.apply(shipment, [Scan(TrackingStatus.DELIVERED, told - timedelta(hours=2))], now=told)
    aged()
    tracking.apply(shipment, [Scan(TrackingStatus.DELIVERED, told - timedelta(hours=5))], now=told)
    assert moved() == {shipment.order_id}
