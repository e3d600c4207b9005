"""What a page of orders costs in statements. The figures are printed: run with -s."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from orderhub import clock
from orders import importing
from orders.models import Order, OrderPersonalData
from stores.connecting import connector_for
from stores.models import AmazonAccount
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect

pytestmark = pytest.mark.django_db
MOST = {"postgresql": 28, "sqlite": 60}  # three of them find or make the data keys of a page
MOST_ASKING = {"postgresql": 40, "sqlite": 75}  # with one question to the catalogue, its bucket and what it answered


def statements(account: AmazonAccount) -> int:
    """Of one run over a window of one page, Amazon's bucket and the cursor included."""
    account.refresh_from_db()
    account.imported_until = NOON.replace(day=1)
    connector = connector_for(account)
    with CaptureQueriesContext(connection) as seen:
        report = importing.import_changes(account, connector, now=clock.now())
    assert (report.pages, report.complete) == (1, True)
    return len(seen)


def figures(world, orders: int) -> dict[str, int]:
    """Statements for a page of new orders with new and with known products, of unchanged and of changed orders."""
    account = connect(scenarios.NA, sources=("US",))
    found = {"asking": statements(account)}
    Order.objects.all().delete()
    found |= {"new": statements(account), "unchanged": statements(account)}
    for number in list(world.orders):
        changed_at = NOON.replace(hour=11, minute=57)
        world.update(number, service_level="EXPEDITED", buyer_name="Somebody Else", updated=changed_at)
    found["changed"] = statements(account)
    named = OrderPersonalData.objects.filter(order__service_level="EXPEDITED").values_list("buyer_name", flat=True)
    assert list(named) == ["Somebody Else"] * orders
    print(f"\n{connection.vendor}: statements for a page of {orders} orders: {found}")
    return found


def test_a_page_of_100_orders_costs_few_statements(simulate):
    found = figures(simulate(scenarios.backlog(now=NOON, orders=100)), 100)
    assert found.pop("asking") <= MOST_ASKING[connection.vendor]
    assert max(found.values()) <= MOST[connection.vendor]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite splits statements at 999 parameters")
def test_on_postgresql_the_number_of_statements_does_not_depend_on_the_orders(simulate):
    found = {}
    for orders in (1, 10, 100):
        undo = transaction.savepoint()
        found[orders] = figures(simulate(scenarios.backlog(now=NOON, orders=orders)), orders)
        transaction.savepoint_rollback(undo)
    assert found[1] == found[10] == found[100]
