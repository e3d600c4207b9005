"""Labels bought for many orders in one go: prices first, each label once, never for more than was shown. F43, R51, R54."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock, failpoints, jobs
from orderhub.errors import RuleViolation
from orders.models import Order
from shipments import batchchecking, batching, batchprices, buying
from shipments.jobs import run_batches
from shipments.models import LabelBatch, LabelBatchRow, LabelPurchase, Shipment
from shipments.models.shipment import LabelProvider
from tests.end_to_end.killing import died_at
from tests.factories import make_user
from tests.orders.driving import IMPATIENT, impatient_clients
from tests.shipments.batches import make_batch, make_labels, outcomes, run_now, start
from tests.shipments.batches import make_bought_batch as draft
from tests.shipments.shop import offers_for, open_shop, order_at, settle_now

pytestmark = pytest.mark.django_db
BUY = LabelProvider.AMAZON_SHIPPING
SIZE = {"length_mm": 200, "width_mm": 150, "height_mm": 50}
DRAFT, PRICING, RUNNING, DONE = (
    LabelBatch.State.DRAFT, LabelBatch.State.PRICING, LabelBatch.State.RUNNING, LabelBatch.State.DONE,
)  # fmt: skip


@pytest.fixture
def account(world):
    return open_shop()


@pytest.fixture
def orders(world, account):
    return [order_at(world, account) for _ in range(3)]


def ask(batch: LabelBatch) -> LabelBatch:
    batchprices.ask(batch, now=clock.now())
    run_now(batch)
    batch.refresh_from_db()
    return batch


def checked(batch: LabelBatch) -> batchchecking.Checked:
    return batchchecking.check(batch, now=clock.now())


def bought(world) -> Counter:
    """Labels Amazon sold, by order."""
    return Counter(entry["order_id"] for entry in world.parcels.ledger if entry["effect"] == "bought")


def assert_each_once(world, orders) -> None:
    assert bought(world) == {order.order_number: 1 for order in orders}
    assert world.effective_confirmations() == {order.order_number: 1 for order in orders}
    assert Shipment.objects.count() == len(orders)
    assert not Order.objects.exclude(status=Order.Status.SHIPPED).exists()


# -- prices


def test_f43_nothing_is_bought_before_prices_were_seen(world, orders):
    batch = draft(orders)
    found = checked(batch)
    assert (found.fit, found.unfit, len(found.to_price)) == ([], [], 3)
    with pytest.raises(RuleViolation, match="No label can be made yet"):
        start(batch)
    ask(batch)
    found = checked(batch)
    assert batch.state == DRAFT and found.to_price == [] and world.parcels.ledger == []
    assert {verdict.rate.service for verdict in found.fit} == {"USPS Ground Advantage"}
    assert found.total == [(Decimal("6.28") * 3, "USD")]


def test_f43_the_cheapest_offer_that_arrives_in_time_is_taken(world, account, orders):
    tight, late, unknown = orders
    Order.objects.filter(pk=tight.pk).update(deliver_by=clock.now() + timedelta(days=3, hours=12))
    Order.objects.filter(pk=late.pk).update(deliver_by=clock.now() + timedelta(days=1))
    Order.objects.filter(pk=unknown.pk).update(deliver_by=None)
    batch = ask(draft(orders, weight_g=200))
    found = {verdict.row.order_id: verdict for verdict in checked(batch).fit}
    assert found[tight.pk].rate.service == "Amazon Shipping Ground" and not found[tight.pk].warning
    assert found[unknown.pk].rate.service == "USPS First-Class Letter"  # the cheapest of all
    assert found[late.pk].rate.service == "Amazon Shipping Ground"  # the least late
    assert "No offer arrives by" in found[late.pk].warning


def test_f43_each_row_says_what_is_missing_before_anything_is_asked(world, account, orders):
    batch = draft(orders, weight_g=None, length_mm=None, width_mm=None, height_mm=None)
    fine, held, empty = batch.rows.order_by("position")
    batching.save(batch, common={}, rows={fine.pk: {"weight_g": 500} | SIZE})
    Order.objects.filter(pk=held.order_id).update(status="on_hold")
    Order.objects.filter(pk=empty.order_id).update(weight_g=None)
    errors = {verdict.row.pk: verdict.error for verdict in checked(batch).verdicts}
    assert errors[fine.pk] == ""
    assert "on hold" in errors[held.pk]
    assert "Type the weight and the three sides" in errors[empty.pk]
    ask(batch)
    assert world.calls("getRates") == 1
    assert [verdict.row.pk for verdict in checked(batch).fit] == [fine.pk]


def test_f43_products_say_the_size_of_their_parcel_and_the_batch_fills_the_gaps(world, account, orders):
    first, second, third = orders
    line = first.items.get()
    line.product.length_mm, line.product.width_mm, line.product.height_mm = 90, 80, 20
    line.product.save()
    second.items.update(product=None)
    third.items.update(product=None)
    batch = draft(orders)
    row = batch.rows.get(order=third)
    batching.save(batch, common={}, rows={row.pk: {"length_mm": 50, "width_mm": 40, "height_mm": 30}})
    parcels = {found.row.order_id: found.parcel for found in checked(batch).verdicts}
    sides = {pk: (parcel.length_mm, parcel.width_mm) for pk, parcel in parcels.items()}
    assert sides == {first.pk: (90, 80), second.pk: (200, 150), third.pk: (50, 40)}


def test_f43_a_parcel_that_changed_is_priced_again(world, orders):
    batch = ask(draft(orders))
    row = batch.rows.first()
    batching.save(batch, common={}, rows={row.pk: {"weight_g": 2000}})
    found = checked(batch)
    assert [verdict.row.pk for verdict in found.to_price] == [row.pk] and len(found.fit) == 2
    calls = world.calls("getRates")
    ask(batch)
    assert world.calls("getRates") == calls + 1
    assert len(checked(batch).fit) == 3


def test_f43_what_amazon_will_not_carry_is_said_and_stops_no_other_row(world, orders):
    batch = draft(orders)
    row = batch.rows.first()
    batching.save(batch, common={}, rows={row.pk: {"weight_g": 40_000}})
    ask(batch)
    found = checked(batch)
    assert "No carrier takes this parcel" in found.unfit[0].error and len(found.fit) == 2


def test_f51_where_amazon_is_busy_the_asking_goes_on_by_itself(world, orders, travel):
    batch = draft(orders)
    world.faults.arm("getRates", "429", times=1)
    ask(batch)
    assert batch.state == PRICING
    with pytest.raises(RuleViolation, match="being asked for right now"):
        batching.save(batch, common={}, rows={})
    travel(world, minutes=1)
    with jobs.inline():
        jobs.run(run_batches.job_name)
    batch.refresh_from_db()
    assert batch.state == DRAFT and len(checked(batch).fit) == 3


def test_f43_asking_can_be_stopped(world, orders):
    batch = draft(orders)
    world.faults.arm("getRates", "429", times=1)
    ask(batch)
    batchprices.stop(batch)
    batch.refresh_from_db()
    assert batch.state == DRAFT and len(checked(batch).to_price) == 3


def test_f01_asking_killed_at_any_row_goes_on(world, orders, monkeypatch):
    batch = draft(orders)
    batchprices.ask(batch, now=clock.now())
    monkeypatch.setenv(failpoints.ENV, "batch.after_price:raise:1")
    with pytest.raises(jobs.JobFailed):
        run_now(batch)
    monkeypatch.delenv(failpoints.ENV)
    run_now(batch)
    batch.refresh_from_db()
    assert batch.state == DRAFT and len(checked(batch).fit) == 3 and world.calls("getRates") == 3


# -- buying


def test_f43_each_label_is_bought_once_and_amazon_confirms_the_orders(world, account, orders):
    batch = make_labels(ask(draft(orders, by=make_user("Support"))))
    assert (batch.state, set(outcomes(batch).values())) == (DONE, {"done"})
    assert_each_once(world, orders)
    assert world.calls("confirmShipment") == 0 and world.calls("createFeed") == 0
    costs = Shipment.objects.values_list("cost", "cost_currency", "confirms_order", "length_mm")
    assert set(costs) == {(Decimal("6.28"), "USD", True, 200)}
    assert set(LabelPurchase.objects.values_list("batch_row__shipment", flat=True)) == set(
        Shipment.objects.values_list("pk", flat=True)
    )


def test_f43_a_price_that_rose_is_not_paid_and_the_new_one_is_shown(world, orders, travel):
    batch = ask(draft(orders))
    travel(world, minutes=11)  # the offers are over
    world.parcels.dearer = Decimal("2.00")
    make_labels(batch)
    assert world.parcels.ledger == [] and set(outcomes(batch).values()) == {"failed"}
    assert "has risen meanwhile" in batch.rows.first().error
    batch.refresh_from_db()
    assert checked(batch).total == [(Decimal("8.28") * 3, "USD")]
    make_labels(batch)
    assert_each_once(world, orders)


def test_f43_offers_that_are_over_are_renewed_at_the_same_price(world, orders, travel):
    batch = ask(draft(orders))
    travel(world, hours=2)
    make_labels(batch)
    assert_each_once(world, orders)


def test_f43_a_label_refused_stops_no_other_and_is_bought_again_alone(world, orders):
    batch = ask(draft(orders))
    refused = orders[1].order_number
    world.parcels.refusals[refused] = ("INVALID_REQUEST", "Insufficient funds.")
    make_labels(batch)
    assert outcomes(batch)[refused] == "failed" and bought(world)[refused] == 0 and len(bought(world)) == 2
    assert "payment method" in batch.rows.get(state="failed").error
    world.parcels.refusals.clear()
    batch.refresh_from_db()
    assert start(batch) == 1
    run_now(batch)
    assert_each_once(world, orders)


def test_f51_while_amazon_is_busy_rows_wait_and_none_is_lost(world, orders, travel):
    batch = ask(draft(orders))
    world.faults.arm("purchaseShipment", "429", times=1)
    make_labels(batch)
    assert batch.state == RUNNING and world.parcels.ledger == []
    travel(world, minutes=1)
    with jobs.inline():
        jobs.run(run_batches.job_name)
    batch.refresh_from_db()
    assert batch.state == DONE
    assert_each_once(world, orders)


def test_f51_after_an_hour_of_refusals_a_person_is_told(world, orders, travel):
    batch = ask(draft(orders))
    start(batch)
    travel(world, minutes=61)
    world.faults.arm("getRates", "429", times=9)
    run_now(batch)
    batch.refresh_from_db()
    assert batch.state == DONE and world.parcels.ledger == []
    assert "Amazon is busy" in batch.rows.first().error


def test_f43_a_batch_that_waits_can_be_stopped_and_what_is_made_stays(world, orders, travel):
    batch = ask(draft(orders))
    world.faults.arm("purchaseShipment", "429", times=1, after=1)
    make_labels(batch)
    assert Counter(outcomes(batch).values()) == {"done": 1, "waiting": 2}
    assert batching.stop(batch) == 2
    run_now(batch)
    batch.refresh_from_db()
    assert batch.state == DONE and Counter(outcomes(batch).values()) == {"done": 1, "failed": 2}
    assert len(bought(world)) == 1
    travel(world, minutes=1)
    make_labels(batch)
    assert_each_once(world, orders)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", ["500_before", "500_after", "cut", "timeout_after"])
def test_f23_an_answer_not_seen_is_settled_later_and_nothing_is_bought_twice(
    world, account, orders, travel, kind, monkeypatch
):
    impatient_clients(monkeypatch)
    batch = ask(draft(orders))
    more = {"seconds": IMPATIENT.total_s * 2} if "timeout" in kind else {}
    world.faults.arm("purchaseShipment", kind, **more)
    make_labels(batch)
    assert Counter(outcomes(batch).values()) == {"done": 2, "failed": 1}
    with pytest.raises(RuleViolation, match="No label can be made yet"):
        start(batch)  # it may be bought already
    assert "is being bought, or was bought" in checked(batch).unfit[0].error
    travel(world, minutes=2)
    settle_now(account)
    settle_now(account)
    assert set(outcomes(batch).values()) == {"done"}
    assert_each_once(world, orders)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", ["buy.after_intent", "buy.after_send", "buy.after_answer"])
def test_f01_a_run_killed_while_buying_is_gone_on_with_under_the_same_key(world, account, orders, travel, place):
    batch = ask(draft(orders))
    start(batch)
    assert died_at(place, lambda: batching.run(batch, now=clock.now(), budget_s=30))
    batch.refresh_from_db()
    run_now(batch)  # the dead one's row is still held; the others are made
    assert Counter(outcomes(batch).values()) == {"done": 2, "running": 1}
    travel(world, minutes=3)
    run_now(batch)
    batch.refresh_from_db()
    assert batch.state == DONE
    assert_each_once(world, orders)
    assert LabelPurchase.objects.count() == 3


def test_f43_an_order_with_a_label_bought_elsewhere_is_refused_before_and_after(world, account, orders):
    parcel, rates = offers_for(orders[0])
    world.faults.arm("purchaseShipment", "500_before")
    with pytest.raises(buying.NotBoughtNow):
        buying.buy(orders[0], rates[0], parcel=parcel, now=clock.now())
    for batch in (draft(orders), make_batch(orders)):
        found = {verdict.row.order_id: verdict.error for verdict in checked(batch).verdicts}
        assert "is being bought, or was bought" in found[orders[0].pk] and not found[orders[1].pk]


def test_f43_checking_costs_the_same_for_any_number(world, account, orders):
    def statements(batch) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert checked(batch).fit
        return len(seen)

    few, many = ask(draft(orders[:1])), ask(draft(orders))
    assert statements(few) == statements(many) <= 14


def test_no_row_of_a_batch_holds_the_buyer(world, orders):
    batch = make_labels(ask(draft(orders)))
    kept = repr(list(LabelBatchRow.objects.values())) + str(batch)
    for order in orders:
        person = world.orders[order.order_number].address
        assert not [text for text in (person.name, person.line1, person.phone) if text and text in kept]
