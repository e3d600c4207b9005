"""Connecting from the first tile to the imported order, through the screens and the simulator."""

import pytest

from orderhub import clock
from orders.models import Order
from stores.models import AmazonAccount, Store
from stores.simulator import scenarios
from tests.factories import connect, make_user
from tests.orders.driving import import_now, sweep, time_passes

pytestmark = pytest.mark.django_db
ADD = "/admin/stores/amazonaccount/add/"


def fill(world, seller=scenarios.NA, *, each: int = 3) -> dict[str, list[str]]:
    """Orders of each of the seller's sources; their numbers by source."""
    return {
        code: [world.add_order(seller, marketplace=code, created=clock.now()).order_id for _count in range(each)]
        for code in seller.marketplaces
    }


def test_r8_f6_a_unified_seller_through_the_canadian_tile_gets_the_remedy_and_its_canadian_orders(
    client, world, travel
):
    client.force_login(make_user("Support"))
    numbers = fill(world)
    travel(world, minutes=5)
    base = client.post(ADD, {"country": "CA"})["Location"].removesuffix("authorise/")
    typed = {"new_merchant": "Maple Lane", "seller_id": scenarios.NA.seller_id, "token": scenarios.NA.refresh_token}
    page = client.post(f"{base}account/", typed).content.decode()
    assert "Use the Amazon.com tile, with the order source Amazon.ca" in page
    client.post(f"{base}other-tile/")
    client.post(f"{base}sources/", {"sources": ["CA"]})
    client.post(f"{base}products/", {"CA": "sku"})
    sweep()
    canada = Store.objects.get()
    assert canada.marketplace == "CA"
    assert sorted(canada.orders.values_list("order_number", flat=True)) == sorted(numbers["CA"])
    page = client.get(f"/admin/stores/amazonaccount/{canada.account_id}/change/").content.decode()
    assert "3 orders on Amazon.com: connect this order source." in page


def test_r12_each_order_lies_in_the_store_of_its_source(world, travel):
    numbers = fill(world)
    travel(world, minutes=5)
    import_now(connect(scenarios.NA))
    for store in Store.objects.all():
        assert sorted(store.orders.values_list("order_number", flat=True)) == sorted(numbers[store.marketplace])
    assert Order.objects.count() == 9


@pytest.mark.sampled(3)
@pytest.mark.parametrize("sources", [("US",), ("US", "CA"), ("US", "CA", "MX")])
def test_stores_of_one_account_cost_the_searches_of_one(world, travel, sources):
    """Two hours of sweeps: what Amazon's own log counts does not depend on the number of stores."""
    fill(world)
    travel(world, minutes=5)
    connect(scenarios.NA, sources=sources)
    time_passes(world, minutes=120)
    assert world.calls("searchOrders") == SEARCHES_IN_TWO_HOURS
    assert Order.objects.count() == 3 * len(sources)
    assert AmazonAccount.objects.get().stores.count() == len(sources)


SEARCHES_IN_TWO_HOURS = 20  # every 6 minutes at steps of 3, the poll being due after 5
