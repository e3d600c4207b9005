"""Batches of labels, as short as the rule they prove."""

from collections.abc import Sequence

from orderhub import clock, jobs
from orders.models import Order
from shipments import batchchecking, batching
from shipments.jobs import run_batch
from shipments.models import LabelBatch
from shipments.models.shipment import LabelProvider
from tests.factories import make_order, make_user
from tests.shipments import numbers


def make_batch(orders: Sequence[Order], given: Sequence[str] | None = None, *, by=None, **common) -> LabelBatch:
    """A draft for these orders, each with a tracking number of its own unless numbers are given, in their order."""
    batch = batching.create([order.pk for order in orders], by=by or make_user("Support"), now=clock.now())
    if given is None:
        given = [number_for(order) for order in orders]
    rows = batch.rows.order_by("position")
    typed = {row.pk: {"tracking_number": number} for row, number in zip(rows, given, strict=False)}
    batching.save(batch, common={"carrier": "ups", "service": "UPS Ground"} | common, rows=typed)
    return LabelBatch.objects.get(pk=batch.pk)


def make_bought_batch(orders: Sequence[Order], *, weight_g: int | None = 800, by=None, **common) -> LabelBatch:
    """A draft whose labels are to be bought, in parcels of one size."""
    given = {"provider": LabelProvider.AMAZON_SHIPPING, "length_mm": 200, "width_mm": 150, "height_mm": 50} | common
    batch = make_batch(orders, [], by=by, carrier="", service="", **given)
    batch.rows.update(weight_g=weight_g)
    return batch


def number_for(order: Order) -> str:
    """A number of UPS that nobody else has."""
    return numbers.ups(order.pk)


def start(batch: LabelBatch) -> int:
    """Press the button, having looked at the page."""
    batch.refresh_from_db()
    return batching.start(batch, seen=batchchecking.check(batch, now=clock.now()).seen, now=clock.now())


def run_now(batch: LabelBatch) -> str:
    """Run the batch's job and what it enqueues."""
    with jobs.inline():
        return jobs.run(run_batch.job_name, batch.pk)


def make_labels(batch: LabelBatch) -> LabelBatch:
    """From the draft to its end."""
    start(batch)
    run_now(batch)
    batch.refresh_from_db()
    return batch


def outcomes(batch: LabelBatch) -> dict[str, str]:
    """State of each row, by order number."""
    return dict(batch.rows.values_list("order__order_number", "state"))


def many_orders(count: int, *stores) -> list[Order]:
    """Orders of these stores in turn."""
    return [make_order(stores[place % len(stores)]) for place in range(count)]
