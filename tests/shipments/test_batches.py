"""Batches of labels: every row for itself, one submission an account, nothing doubled and nothing lost."""

import os
import re
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock, jobs
from orderhub.errors import RuleViolation
from orders.models import Order
from privacy.models import AccessLog
from shipments import batchchecking, batching, picking, voiding
from shipments.jobs import run_batch
from shipments.models import LabelBatch, LabelBatchRow, Shipment, ShipmentNotification
from stores.models import Store
from stores.simulator import scenarios
from tests.factories import connect, make_account, make_order, make_shipment, make_store, make_user
from tests.orders.driving import assert_amazon_knows_once, import_now, sweep, time_passes
from tests.orders.goods import counted, make_product, order_of
from tests.shipments.batches import make_batch, make_labels, many_orders, outcomes, run_now, start

pytestmark = pytest.mark.django_db
MANY = int(os.environ.get("ORDERHUB_BATCH_ORDERS", "40"))  # 1,000 take a minute: set it to 1000 for the long run
WAITING, RUNNING, DONE, FAILED = (
    LabelBatchRow.State.WAITING, LabelBatchRow.State.RUNNING, LabelBatchRow.State.DONE, LabelBatchRow.State.FAILED,
)  # fmt: skip


def checked(batch) -> dict[str, tuple[str, str]]:
    """Error and warning of each row, by order number."""
    found = batchchecking.check(batch, now=clock.now())
    return {verdict.row.order.order_number: (verdict.error, verdict.warning) for verdict in found.verdicts}


@pytest.fixture
def woken(monkeypatch) -> Counter:
    """How often each account's notices were asked for."""
    found: Counter = Counter()

    def run(account_id: int) -> str:
        found[account_id] += 1
        return "noted"

    name = "shipments.notify_account"
    monkeypatch.setitem(jobs.declared(), name, jobs.Job(name, run, None))
    return found


# -- the draft


def test_f43_a_draft_keeps_the_orders_as_they_were_chosen(noon):
    store = make_store()
    make_shipment(make_order(store), carrier="fedex", service="FedEx Ground")
    orders = many_orders(3, store)
    Order.objects.filter(pk=orders[1].pk).update(wishes={"carrier": "usps", "service": "Priority Mail"})
    chosen = [orders[2].pk, orders[0].pk, orders[1].pk, orders[0].pk]
    batch = batching.create(chosen, by=make_user("Support"), now=noon)
    assert (batch.state, batch.carrier, batch.service) == (LabelBatch.State.DRAFT, "fedex", "FedEx Ground")
    rows = batch.rows.values_list("position", "order", "carrier", "service")
    assert list(rows) == [
        (1, orders[2].pk, "", ""), (2, orders[0].pk, "", ""), (3, orders[1].pk, "usps", "Priority Mail"),
    ]  # fmt: skip
    assert not Shipment.objects.exclude(carrier="fedex").exists()


def test_f43_a_draft_takes_neither_none_nor_too_many(noon, monkeypatch):
    orders, user = many_orders(3, make_store()), make_user("Support")
    with pytest.raises(RuleViolation, match="at least one"):
        batching.create([], by=user, now=noon)
    monkeypatch.setattr(batching, "MOST", 2)
    with pytest.raises(RuleViolation, match="at most 2"):
        batching.create([order.pk for order in orders], by=user, now=noon)
    assert not LabelBatch.objects.exists()


def test_f43_each_row_is_checked_before_anything_is_made(noon):
    store = make_store()
    fine, held, kanji, blank, short, twin, other_twin, taken = orders = many_orders(8, store)
    Order.objects.filter(pk=held.pk).update(status="on_hold")
    kanji.person.street1 = "東京都"
    kanji.person.save(update_fields=["street1"])
    make_shipment(make_order(store, order_number="111-USED"), tracking_number="1ZUSED00001")
    numbers = ["1ZFINE0001", "1ZHELD0001", "1ZKANJI001", "", "AB", "1ZTWIN0001", "1ZTWIN0001", "1ZUSED00001"]
    found = checked(make_batch(orders, numbers, carrier="other"))
    assert found.pop(fine.order_number) == ("", "")
    wanted = {
        held: "is on hold. Release it first", kanji: "is not in Roman characters", blank: "Type the tracking number",
        short: "may hold 4 to 40 letters and digits", twin: "stands in more than one row",
        other_twin: "stands in more than one row", taken: "is that of order 111-USED already",
    }  # fmt: skip
    assert {number for number, (error, _warning) in found.items() if error} == {o.order_number for o in wanted}
    for order, words in wanted.items():
        assert words in found[order.order_number][0]
    assert Shipment.objects.count() == 1


def test_f43_a_number_of_a_voided_or_an_old_parcel_may_be_used_again(noon):
    store = make_store()
    voided = make_shipment(make_order(store), tracking_number="1ZVOID00001")
    voiding.void(voided, by=None, now=noon)
    old = make_shipment(make_order(store), tracking_number="1ZOLD000001")
    Shipment.objects.filter(pk=old.pk).update(created_at=noon - timedelta(days=181))
    batch = make_batch(many_orders(2, store), ["1ZVOID00001", "1ZOLD000001"], carrier="other")
    assert set(checked(batch).values()) == {("", "")}


@pytest.mark.parametrize(("policy", "which"), [("block", 0), ("warn", 1)])
def test_f43_rows_take_from_the_shelf_in_their_order(noon, policy, which):
    store = make_store(short_stock=policy)
    product = counted(make_product(store), 3, at=noon)
    orders = [order_of((product, 2)), order_of((product, 2)), order_of((product, 1))]
    first, second, third = checked(make_batch(orders)).values()
    assert first == third == ("", "")
    assert f"needs 2 × {product.key}, and 1 are left for it" in second[which]
    assert second[1 - which] == ""


def test_f43_what_is_said_before_is_what_happens_when_the_shelf_is_empty(noon, woken):
    store = make_store(short_stock="block")
    product = counted(make_product(store), 1, at=noon)
    orders = [order_of((product, 1)), order_of((product, 1))]
    batch = make_labels(make_batch(orders))
    assert list(outcomes(batch).values()) == [DONE, FAILED]
    assert "needs 1 ×" in batch.rows.get(state=FAILED).error


def test_f43_an_order_in_two_drafts_is_warned_of_and_made_once(noon, woken):
    order = make_order()
    one, other = make_batch([order], ["1ZONE00001"]), make_batch([order], ["1ZOTHER0001"])
    assert f"It is in batch {one} as well" in checked(other)[order.order_number][1]
    make_labels(one)
    with pytest.raises(RuleViolation, match="No label can be made yet"):
        start(other)
    assert Shipment.objects.get().tracking_number == "1ZONE00001"
    assert "is already shipped" in checked(other)[order.order_number][0]


def test_f43_two_batches_that_run_with_one_order_make_one_label(noon, woken):
    order, more = many_orders(2, make_store())
    one, other = make_batch([order], ["1ZONE00001"]), make_batch([order, more], ["1ZOTHER0001", "1ZMORE0001"])
    assert start(one) == 1 and start(other) == 2
    run_now(other)
    run_now(one)
    assert outcomes(other) == {order.order_number: DONE, more.order_number: DONE}
    assert outcomes(one) == {order.order_number: FAILED}
    assert "is already shipped" in one.rows.get().error
    assert Shipment.objects.filter(order=order).count() == 1


def test_f43_the_check_reads_a_thousand_rows_with_as_many_queries_as_two(noon):
    """With what every judge looks at: stock, numbers, other batches."""
    store = make_store(short_stock="block")
    product = counted(make_product(store), 50, at=noon)

    def queries(orders) -> int:
        batch = make_batch(orders)
        make_batch(orders[:1])
        with CaptureQueriesContext(connection) as asked:
            batchchecking.check(batch, now=noon)
        return len(asked)

    few, many = (
        queries([order_of((product, 1)) for _ in range(2)]),
        queries([order_of((product, 1)) for _ in range(60)]),
    )
    assert few == many <= 8


# -- the run


def test_r43_a_batch_ships_each_order_with_label_and_notice(noon, woken):
    store = make_store()
    batch = make_labels(make_batch(many_orders(3, store)))
    assert (batch.state, batch.finished_at) == (LabelBatch.State.DONE, noon)
    assert set(outcomes(batch).values()) == {DONE}
    assert set(Order.objects.values_list("status", flat=True)) == {"shipped"}
    for row in batch.rows.select_related("shipment"):
        parcel = row.shipment
        assert (parcel.order_id, parcel.tracking_number) == (row.order_id, row.tracking_number)
        assert (parcel.carrier, parcel.service, parcel.created_by) == ("ups", "UPS Ground", batch.created_by)
        assert parcel.labels.get().file.storage.exists(parcel.labels.get().file.name)
    assert not AccessLog.objects.exists()  # nobody saw an address


def test_f43_a_row_goes_with_its_own_carrier_service_weight_and_date(noon, woken):
    store = make_store(time_zone="Pacific/Auckland")
    mine, common = many_orders(2, store)
    batch = make_batch([mine, common])
    row = batch.rows.get(order=mine)
    batching.save(batch, common={}, rows={row.pk: {"carrier": "fedex", "weight_g": 350}})
    make_labels(batch)
    own, shared = (Shipment.objects.get(order=order) for order in (mine, common))
    assert (own.carrier, own.service, own.weight_g) == ("fedex", "", 350)  # the batch's service is not FedEx's
    assert (shared.carrier, shared.service, shared.weight_g) == ("ups", "UPS Ground", None)
    assert own.ship_date.isoformat() == "2026-11-21"  # tomorrow already, where the store is


def test_f43_one_bad_row_never_sinks_a_batch(noon, woken):
    account = make_account()
    us, ca = make_store("US", account=account), make_store("CA", account=account)
    orders = many_orders(MANY, us, ca)
    unnumbered, cancelled, kanji, asking = orders[0], orders[MANY // 2], orders[MANY * 7 // 10], orders[-1]
    numbers = [f"BATCH{order.pk:08d}" for order in orders]
    numbers[0] = ""
    batch = make_batch(orders, numbers)
    assert start(batch) == MANY - 1
    Order.objects.filter(pk=cancelled.pk).update(status="cancelled")  # after the check
    Order.objects.filter(pk=asking.pk).update(cancel_requested_at=noon)
    kanji.person.recipient_name = "山田"
    kanji.person.save(update_fields=["recipient_name"])
    run_now(batch)
    batch.refresh_from_db()
    assert batch.state == LabelBatch.State.DONE
    assert Counter(outcomes(batch).values()) == {DONE: MANY - 4, FAILED: 4}
    errors = dict(batch.rows.filter(state=FAILED).values_list("order", "error"))
    assert "Type the tracking number" in errors[unnumbered.pk]
    assert "is cancelled" in errors[cancelled.pk]
    assert "not in Roman characters" in errors[kanji.pk]
    assert "asks to cancel" in errors[asking.pk]
    assert Shipment.objects.count() == ShipmentNotification.objects.count() == MANY - 4
    assert woken == {account.pk: 1}
    assert set(ShipmentNotification.objects.values_list("next_attempt_at", flat=True)) == {noon}


def test_r54_nothing_is_told_before_the_batch_ends_and_then_each_account_is_woken_once(noon, woken):
    na, eu = make_account(), make_account(scenarios.EU)
    stores = [make_store("US", account=na), make_store("CA", account=na), make_store("FR", account=eu)]
    batch = make_batch(many_orders(9, *stores))
    start(batch)
    report = batching.run(LabelBatch.objects.get(pk=batch.pk), now=noon, budget_s=-1)  # out of time at once
    assert report.more
    batching._one(*batch.rows.order_by("position").values_list("pk", "fence")[0], LabelBatch.objects.get(pk=batch.pk),
                  now=noon, report=report)  # fmt: skip
    assert ShipmentNotification.objects.get().next_attempt_at == noon + timedelta(minutes=15)
    assert not ShipmentNotification.objects.waiting(noon).exists()
    run_now(batch)
    assert ShipmentNotification.objects.waiting(noon).count() == 9
    assert woken == {na.pk: 1, eu.pk: 1}


def test_r54_a_batch_that_takes_long_goes_on_holding_its_notices_back(noon, woken):
    batch = make_batch(many_orders(2, make_store()))
    start(batch)
    report = batching.Report()
    first = batch.rows.order_by("position").values_list("pk", "fence")[0]
    batching._one(*first, LabelBatch.objects.get(pk=batch.pk), now=noon, report=report)
    later = clock.advance(minutes=11)
    batching.run(LabelBatch.objects.get(pk=batch.pk), now=later, budget_s=-1)
    assert ShipmentNotification.objects.get().next_attempt_at == later + timedelta(minutes=15)
    run_now(batch)
    assert set(ShipmentNotification.objects.values_list("next_attempt_at", flat=True)) == {later}


def test_f51_a_store_that_waits_before_amazon_is_told_waits_after_a_batch_too(noon, woken):
    late = make_store(notify_when=Store.NotifyWhen.DELAY, notify_delay_minutes=60)
    soon = make_store("CA", account=late.account, notify_when=Store.NotifyWhen.DELAY, notify_delay_minutes=5)
    never = make_store("MX", account=late.account, notify_when=Store.NotifyWhen.NEVER)
    make_labels(make_batch(many_orders(3, late, soon, never)))
    told = dict(ShipmentNotification.objects.values_list("order__store", "next_attempt_at"))
    assert told[late.pk] == noon + timedelta(minutes=60)
    assert told[soon.pk] == noon + timedelta(minutes=15)
    assert ShipmentNotification.objects.get(order__store=never).is_withheld
    assert woken == {}


def test_r54_two_stores_of_one_account_are_told_in_one_submission_when_the_batch_ends(world, noon):
    """The oracle is the simulator's ledger: silence while labels are made, then one submission for all of them."""
    for number in range(14):
        at = noon - timedelta(hours=2, minutes=number)
        world.add_order(scenarios.NA, marketplace="US" if number % 2 else "CA", created=at, updated=at)
    account = connect(scenarios.NA, sources=("US", "CA"))
    import_now(account)
    orders = list(Order.objects.shippable().order_by("pk"))
    batch = make_batch(orders)
    start(batch)
    held = LabelBatch.objects.get(pk=batch.pk)
    for pk, fence in held.rows.order_by("position").values_list("pk", "fence")[:11]:
        batching._one(pk, fence, held, now=noon, report=batching.Report())
    sweep()
    assert ShipmentNotification.objects.count() == 11
    assert world.calls("confirmShipment") + world.calls("createFeed") == 0
    with jobs.inline():
        jobs.run("shipments.run_batches")
    assert (world.calls("createFeed"), world.calls("confirmShipment")) == (1, 0)
    time_passes(world, minutes=12)
    assert_amazon_knows_once(world, orders)
    assert (world.calls("createFeed"), world.calls("confirmShipment")) == (1, 0)


def test_f43_a_fault_of_ours_at_one_row_is_an_id_and_stops_no_other(noon, woken):
    broken, fine = many_orders(2, make_store())
    batch = make_batch([broken, fine])
    start(batch)
    Order.objects.filter(pk=broken.pk).update(wishes=["no mapping"])
    run_now(batch)
    assert outcomes(batch) == {broken.order_number: FAILED, fine.order_number: DONE}
    assert re.search(r"administrator error [0-9a-f]{12}\.", batch.rows.get(order=broken).error)
    assert Shipment.objects.get().order == fine


def test_f43_a_label_that_cannot_be_drawn_leaves_the_parcel_made(noon, woken):
    order = make_order()
    batch = make_batch([order])
    start(batch)
    Store.objects.filter(pk=order.store_id).update(ship_from=["no address"])
    run_now(batch)
    batch.refresh_from_db()
    assert (batch.state, outcomes(batch)) == (LabelBatch.State.DONE, {order.order_number: DONE})
    assert Shipment.objects.count() == ShipmentNotification.objects.count() == 1


# -- again


def test_f43_only_the_failed_are_retried_with_new_numbers(noon, woken):
    store = make_store()
    orders = many_orders(3, store)
    batch = make_labels(make_batch(orders, ["1ZGOOD0001", "AB", ""]))
    assert list(outcomes(batch).values()) == [DONE, FAILED, FAILED]
    before = batch.rows.get(order=orders[0])
    second = batch.rows.get(order=orders[1])
    batching.save(batch, common={"carrier": "fedex"}, rows={
        second.pk: {"tracking_number": "1ZMENDED01"}, before.pk: {"tracking_number": "1ZCHANGED1"},
    })  # fmt: skip
    make_labels(batch)
    assert list(outcomes(batch).values()) == [DONE, DONE, FAILED]
    assert Shipment.objects.get(order=orders[1]).tracking_number == "1ZMENDED01"
    after = batch.rows.get(order=orders[0])
    assert (after.shipment_id, after.fence, after.tracking_number) == (before.shipment_id, before.fence, "1ZGOOD0001")
    assert (batch.carrier, Shipment.objects.count()) == ("ups", 2)
    assert list(woken.values()) == [2]  # once a run


def test_f43_a_number_of_this_batch_is_not_taken_twice_by_a_retry(noon, woken):
    orders = many_orders(2, make_store())
    batch = make_labels(make_batch(orders, ["1ZGOOD0001", ""]))
    row = batch.rows.get(state=FAILED)
    batching.save(batch, common={}, rows={row.pk: {"tracking_number": "1ZGOOD0001"}})
    assert f"is that of order {orders[0].order_number} already" in checked(batch)[orders[1].order_number][0]
    with pytest.raises(RuleViolation, match="No label can be made yet"):
        start(batch)


def test_r47_a_voided_row_is_batched_again(noon, woken):
    order = make_order()
    first = make_labels(make_batch([order], ["1ZFIRST001"]))
    voiding.void(first.rows.get().shipment, by=None, now=noon)
    second = make_labels(make_batch([order], ["1ZSECOND01"]))
    assert outcomes(second) == {order.order_number: DONE}
    assert first.rows.get().state == DONE and first.rows.get().shipment.voided_at == noon
    assert ShipmentNotification.objects.get().shipment == second.rows.get().shipment


def test_f43_what_was_not_seen_is_not_started(noon):
    order = make_order()
    batch = make_batch([order], ["1ZSEEN0001"])
    seen = batchchecking.check(batch, now=noon).seen
    batching.save(batch, common={}, rows={batch.rows.get().pk: {"tracking_number": "1ZOTHER001"}})
    with pytest.raises(RuleViolation, match="look at them, then start"):
        batching.start(batch, seen=seen, now=noon)
    assert LabelBatch.objects.get().state == LabelBatch.State.DRAFT


def test_f43_nothing_changes_while_labels_are_made_and_a_made_batch_is_kept(noon, woken):
    batch = make_batch([make_order()])
    stale = LabelBatch.objects.get(pk=batch.pk)
    start(batch)
    row = batch.rows.get()
    for deed in (
        lambda: batching.save(stale, common={"carrier": "usps"}, rows={row.pk: {"tracking_number": "1ZX00001"}}),
        lambda: batching.remove(stale, [row.pk]),
        lambda: batching.discard(stale),
        lambda: start(stale),
    ):
        with pytest.raises(RuleViolation, match="being made right now"):
            deed()
    run_now(batch)
    with pytest.raises(RuleViolation, match="kept as their record"):
        batching.discard(batch)
    assert batching.remove(batch, [row.pk]) == 0
    assert outcomes(batch) == {row.order.order_number: DONE}


def test_f43_a_draft_is_discarded_with_its_rows(noon):
    batch = make_batch(many_orders(2, make_store()))
    batching.discard(batch)
    assert (LabelBatch.objects.count(), LabelBatchRow.objects.count(), Order.objects.count()) == (0, 0, 2)


def test_f43_the_sweep_goes_on_with_a_batch_whose_task_was_lost(noon, woken):
    batch = make_batch(many_orders(2, make_store()))
    start(batch)
    with jobs.inline():
        assert jobs.run("shipments.run_batches") == "1 batches"
    batch.refresh_from_db()
    assert batch.state == LabelBatch.State.DONE


def test_f43_a_task_delivered_twice_does_nothing_the_second_time(noon, woken):
    batch = make_labels(make_batch(many_orders(2, make_store())))
    assert "nothing to do" in run_now(batch)
    assert jobs.run(run_batch.job_name, 4711) == "batch 4711: nothing to do"
    assert Shipment.objects.count() == 2


def test_f43_words_of_a_row_are_in_the_language_of_who_made_the_batch(noon, woken):
    order = make_order()
    batch = make_batch([order], by=make_user("Support", language="fr"))
    start(batch)
    Order.objects.filter(pk=order.pk).update(status="cancelled")
    run_now(batch)
    assert "annulée" in batch.rows.get().error


# -- what is fetched for it


def test_f43_the_pick_list_of_a_batch_holds_what_it_sent_and_what_it_will(noon, woken):
    store = make_store()
    product = make_product(store)
    sent, waiting = order_of((product, 2)), order_of((product, 3))
    batch = make_labels(make_batch([sent, waiting], ["1ZSENT0001", ""]))
    with CaptureQueriesContext(connection) as asked:
        found = picking.batch_list(batch)
    assert len(asked) <= 5
    assert [(pick.sku, pick.quantity) for pick in found.picks] == [(product.sku, 5)]
    Order.objects.filter(pk=waiting.pk).update(status="cancelled")
    assert picking.batch_list(batch).quantity == 2
    assert "is cancelled" in picking.batch_list(batch).left_out[0]
