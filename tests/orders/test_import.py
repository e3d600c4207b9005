"""Importing, through the simulator over real HTTP."""

import pytest

from orderhub.jobs import inline, run
from orders.jobs import import_account
from orders.models import Order
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect

pytestmark = pytest.mark.django_db


def test_r37_importing_the_same_orders_again_changes_nothing(simulate):
    world = simulate(scenarios.backlog(now=NOON, orders=120))
    account = connect(scenarios.NA, sources=("US",))
    run(import_account.job_name, account.pk)
    before = list(Order.objects.order_by("pk").values())
    with inline():
        run(import_account.job_name, account.pk)
    assert len(before) == 120
    assert list(Order.objects.order_by("pk").values()) == before
    assert world.calls("searchOrders") == 3
