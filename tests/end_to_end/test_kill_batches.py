"""A worker is killed in the middle of a batch, or two work on one: no order leaves twice, and none is forgotten."""

import pytest

from orderhub import clock, jobs
from orders.models import Order
from shipments import batchchecking, batching
from shipments.jobs import run_batch
from shipments.models import Label, LabelBatch, LabelBatchRow, Shipment, ShipmentNotification
from tests.end_to_end.killing import REFUSED, died_at, job, twice_at_once
from tests.factories import make_store, make_user
from tests.shipments.batches import make_batch, many_orders, run_now, start

pytestmark = pytest.mark.django_db(transaction=True)
State = LabelBatchRow.State


def assert_each_left_once(orders) -> None:
    assert sorted(Shipment.objects.values_list("order", flat=True)) == sorted(order.pk for order in orders)
    assert Label.objects.count() == ShipmentNotification.objects.count() == len(orders)
    assert set(Order.objects.values_list("status", flat=True)) == {"shipped"}
    for row in LabelBatchRow.objects.select_related("shipment"):
        assert (row.state, row.shipment.order_id, row.shipment.tracking_number) == (
            State.DONE, row.order_id, row.tracking_number,
        )  # fmt: skip


def sweep(minutes: float = 2) -> None:
    clock.advance(minutes=minutes)
    with jobs.inline():
        jobs.run("shipments.run_batches")


@pytest.mark.parametrize("visit", [1, 3])
@pytest.mark.parametrize("place", ["ship.after_commit", "batch.after_row"])
def test_f43_a_batch_killed_anywhere_loses_and_doubles_nothing(noon, place, visit):
    orders = many_orders(4, make_store())
    batch = make_batch(orders)
    start(batch)
    assert died_at(place, job(run_batch, batch), visit=visit)
    assert Shipment.objects.count() == LabelBatchRow.objects.filter(state=State.DONE).count() == visit
    assert not ShipmentNotification.objects.waiting(clock.now()).exists()
    sweep()
    batch.refresh_from_db()
    assert batch.state == LabelBatch.State.DONE
    assert_each_left_once(orders)
    assert ShipmentNotification.objects.waiting(clock.now()).count() == 4


def test_f43_killed_again_and_again_it_ends(noon):
    """The job itself is slowed down after three kills; every row still leaves once."""
    orders = many_orders(5, make_store())
    batch = make_batch(orders)
    start(batch)
    for _round in range(3):
        assert died_at("batch.after_row", job(run_batch, batch))
        clock.advance(minutes=3)
    sweep(minutes=16)
    sweep(minutes=16)
    batch.refresh_from_db()
    assert batch.state == LabelBatch.State.DONE
    assert_each_left_once(orders)


def test_f06_a_row_whose_run_died_three_times_waits_for_a_person(noon):
    poison, other = many_orders(2, make_store())
    batch = make_batch([poison, other])
    start(batch)
    row = batch.rows.get(order=poison)
    for _start in range(3):  # died after the claim, before the parcel
        claim = {"state": State.RUNNING, "lease_until": clock.now(), "starts": row.starts + 1, "fence": row.fence + 1}
        LabelBatchRow.objects.filter(pk=row.pk).update(**claim)
        row.refresh_from_db()
        clock.advance(minutes=1)
    run_now(batch)
    row.refresh_from_db()
    assert (row.state, row.error, row.starts) == (State.FAILED, batching.POISON, 0)
    assert Shipment.objects.get().order == other
    batch.refresh_from_db()
    assert start(batch) == 1
    run_now(batch)
    assert_each_left_once([poison, other])


def test_f33_a_worker_that_wakes_up_after_its_lease_makes_nothing(noon):
    """Its row was given to another run: the parcel is rolled back with the row it cannot settle."""
    orders = many_orders(1, make_store())
    batch = make_batch(orders)
    start(batch)
    held = LabelBatch.objects.get(pk=batch.pk)
    row = held.rows.select_related("order__store__merchant").get()
    LabelBatchRow.objects.filter(pk=row.pk).update(
        state=State.RUNNING, lease_until=clock.now(), fence=1, starts=1
    )  # fmt: skip
    row.refresh_from_db()
    late = LabelBatchRow.objects.select_related("order__store__merchant").get(pk=row.pk)
    LabelBatchRow.objects.filter(pk=row.pk).update(fence=2)
    assert "taken over" in batching._refusal(late, held, now=clock.now())
    assert not Shipment.objects.exists() and not ShipmentNotification.objects.exists()
    assert Order.objects.get().status == "awaiting_shipment"


def test_f33_two_runs_of_one_batch_without_a_lease_make_each_label_once(noon):
    orders = many_orders(12, make_store())
    batch = make_batch(orders)
    start(batch)

    def work() -> None:
        batching.run(LabelBatch.objects.get(pk=batch.pk), now=clock.now(), budget_s=60)

    assert twice_at_once(work) == [0, 0]
    batch.refresh_from_db()
    assert batch.state == LabelBatch.State.DONE
    assert_each_left_once(orders)


def test_f33_of_two_people_who_start_one_batch_one_is_refused(noon):
    batch = make_batch(many_orders(3, make_store()), by=make_user("Support"))
    seen = batchchecking.check(batch, now=clock.now()).seen

    def work() -> None:
        batching.start(LabelBatch.objects.get(pk=batch.pk), seen=seen, now=clock.now())

    assert twice_at_once(work) == [0, REFUSED]
    batch.refresh_from_db()
    assert batch.state == LabelBatch.State.RUNNING
