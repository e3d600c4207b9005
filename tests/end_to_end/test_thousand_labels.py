"""A batch of labels from the list to Amazon's ledger: one submission, few calls, everybody told once or explained."""

import pytest

from orderhub import clock, jobs
from orders.models import Order
from shipments import errorcatalogue
from shipments.models import Feed, LabelBatchRow, ShipmentNotification
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect
from tests.orders.driving import all_told, assert_amazon_knows_once, import_now, sweep
from tests.shipments.batches import make_batch, make_labels

pytestmark = pytest.mark.django_db
CONFIRMING = (
    "createFeedDocument", "uploadFeedDocument", "createFeed", "getFeed", "getFeeds", "getFeedDocument",
    "downloadFeedDocument", "confirmShipment", "cancelFeed", "getOrder",
)  # fmt: skip
FEW, THOUSAND = 60, pytest.param(1000, marks=pytest.mark.long)
State = ShipmentNotification.State


def labelled(simulate, orders: int, *, refuse_every: int = 0):
    """A world whose orders were imported, labelled in one batch, and told until nothing goes on by itself."""
    world = simulate(scenarios.backlog(now=NOON, orders=orders))
    if refuse_every:
        world.faults.arm("createFeed", "feed_partial", every=refuse_every)
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    batch = make_labels(make_batch(list(Order.objects.order_by("pk")), carrier="other", service=""))
    for _minute in range(12):
        world.clock.set(clock.advance(minutes=1))
        sweep()
    return world, batch


def calls(world) -> dict[str, int]:
    return {name: world.calls(name) for name in CONFIRMING if world.calls(name)}


@pytest.mark.parametrize("orders", [FEW, THOUSAND])
def test_r54_a_batch_of_labels_is_told_in_one_submission_and_at_most_ten_calls(simulate, orders):
    world, batch = labelled(simulate, orders)
    assert batch.rows.filter(state=LabelBatchRow.State.DONE).count() == orders
    assert all_told() and jobs.run("shipments.notify_marketplaces") == "0 accounts"
    assert_amazon_knows_once(world, list(Order.objects.all()))
    assert Feed.objects.get().accepted == orders
    assert sum(calls(world).values()) <= 10, calls(world)
    assert calls(world)["createFeed"] == 1
    print(orders, calls(world))


@pytest.mark.parametrize(("orders", "every"), [(FEW, 20), pytest.param(1000, 50, marks=pytest.mark.long)])
def test_r54_of_a_batch_only_what_amazon_refused_needs_attention_and_says_why(simulate, orders, every):
    world, batch = labelled(simulate, orders, refuse_every=every)
    refused = ShipmentNotification.objects.filter(state__in=State.STUCK)
    assert refused.count() == orders // every
    assert ShipmentNotification.objects.filter(state=State.CONFIRMED).count() == orders - orders // every
    told = world.effective_confirmations()
    assert len(told) == orders - orders // every and set(told.values()) == {1}
    assert not set(refused.values_list("order__order_number", flat=True)) & told.keys()
    assert sum(calls(world).values()) <= 10, calls(world)
    for row in refused:
        entry = errorcatalogue.find(row.error_code, row.error_text)
        assert entry.meaning and entry.steps
    print(orders, every, calls(world))
