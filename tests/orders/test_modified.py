"""`Order.modified_at`: what clients that keep copies ask for. It moves with all they can see, and with nothing else."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock
from orders import assigning, deciding, notes, products, tagging
from orders.models import Order, OrderEvent, Tag
from privacy import access, sweeping
from shipments import voiding
from tests.factories import make_order, make_shipment, make_store, make_user

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
