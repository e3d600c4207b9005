"""DPP 1.7: what was deleted or reduced for its age does not come back, by whatever reading of Amazon's orders."""

from datetime import timedelta

import pytest
from django.db import transaction

from orderhub import clock
from orders import fetching
from orders.models import Order
from orders.page import PageWriter
from stores.simulator import scenarios
from tests.factories import connect, make_account, make_store
from tests.orders.driving import import_now
from tests.privacy.old import DAY, erase, months_ago, old_order, retire
from tests.privacy.test_latch import offered

pytestmark = pytest.mark.django_db


def amazons(world, *, age: timedelta) -> str:
    """The number of an order that was made so long ago and that Amazon changed an hour ago."""
    now = clock.now()
    made = world.add_order(scenarios.NA, marketplace="US", created=now - age, updated=now - timedelta(hours=1))
    return made.order_id


def test_d1_7b_an_import_passes_over_orders_of_that_age(world):
    eighteen = clock.now() - months_ago()
    amazons(world, age=eighteen + DAY)
    young = amazons(world, age=eighteen - DAY)
    told = import_now(connect(sources=("US",)))
    assert "1 imported" in told and "1 too_old" in told
    assert Order.objects.get().order_number == young


def test_d1_7b_what_went_does_not_come_back(world, travel):
    number = amazons(world, age=clock.now() - months_ago() - 9 * DAY)
    account = connect(sources=("US",))
    import_now(account)
    travel(world, days=10)
    erase(Order.objects.get(order_number=number))
    assert retire().startswith("1 deleted")
    world.update(number, service_level="EXPEDITED")
    travel(world, minutes=5)
    assert "1 too_old" in import_now(account)
    assert fetching.fetch(account, number, now=clock.now()) == "too_old"
    assert not Order.objects.exists()
    assert "orders are kept for 18 months" in fetching.words("too_old")


def test_d1_7b_a_reduced_order_takes_nothing_in_whatever_the_months_are_now(noon, settings):
    settings.RETENTION_NON_PII_MONTHS = 6
    store = make_store(account=make_account(), legal_hold="fr_accounting")
    order = old_order(store, months_ago(7))
    retire()
    settings.RETENTION_NON_PII_MONTHS = 18
    before = Order.objects.values().get()
    assert before["reduced_at"] == noon
    with transaction.atomic():
        counts = PageWriter(store.account, now=noon).write(offered(order, at=noon))
    assert counts == {"too_old": 1}
    assert Order.objects.values().get() == before
