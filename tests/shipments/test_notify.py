"""Telling Amazon once: each rule of the outbox, through the simulator over real HTTP."""

import json
import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from orderhub import clock
from orderhub.errors import OutcomeUnknown, RuleViolation, Throttled
from orders.models import Order, OrderEvent
from shipments import confirming
from shipments.jobs import notify_account
from shipments.models import Shipment, ShipmentNotification
from stores.connecting import connector_for
from stores.connectors.amazon import mapping
from stores.models import AmazonAccount, RateBucket
from stores.simulator import scenarios
from stores.simulator.orders import SimItem
from tests.conftest import NOON
from tests.factories import connect, make_account, make_order, make_shipment, make_store
from tests.orders.driving import (
    assert_amazon_knows_once,
    assert_nothing_is_stuck,
    import_now,
    notify_now,
    ship_everything,
    time_passes,
)

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State


@pytest.fixture
def shipped(simulate):
    """`shipped(3)`: a world of three imported and shipped orders, and their account."""

    def start(orders: int = 1, **given):
        world = simulate(scenarios.empty(now=NOON))
        for number in range(orders):
            at = NOON - timedelta(hours=2, minutes=number)
            world.add_order(scenarios.NA, marketplace="US", created=at, updated=at, **given)
        account = connect(scenarios.NA, sources=("US",))
        import_now(account)
        return world, account, ship_everything()

    return start


def row() -> ShipmentNotification:
    return ShipmentNotification.objects.get()


def states() -> list[str]:
    return list(ShipmentNotification.objects.order_by("pk").values_list("state", flat=True))


def force(**changes) -> None:
    ShipmentNotification.objects.update(**changes)


def make_notice(**order) -> ShipmentNotification:
    return make_shipment(make_order(**order), with_label=False).notifications.get()


def days_pass(world, account, *, hours: int) -> None:
    """The notices alone, every half hour."""
    for _half_hour in range(2 * hours):
        world.clock.set(clock.advance(minutes=30))
        notify_now(account)


# -- the good case


def test_r43_r45_a_shipment_is_told_to_amazon_once(shipped):
    world, account, orders = shipped()
    for _run in range(3):
        notify_now(account)
    assert world.calls("confirmShipment") == 1
    assert_amazon_knows_once(world, orders)
    assert (row().state, row().confirmed_at, row().attempts) == (State.CONFIRMED, NOON, 1)
    assert OrderEvent.objects.get(kind="notice").params["state"] == State.CONFIRMED


def test_ten_notices_go_inside_amazons_burst_without_one_refusal(shipped):
    world, account, orders = shipped(10)
    notify_now(account)
    assert states() == [State.CONFIRMED] * 10
    assert (world.calls("confirmShipment"), world.calls("confirmShipment", 429)) == (10, 0)


def test_r52_more_than_the_burst_waits_for_the_bucket_and_goes_later(shipped):
    world, account, orders = shipped(14)
    force(single_only=True)
    assert "throttled" in notify_now(account)
    assert states().count(State.CONFIRMED) == 10
    assert world.calls("confirmShipment", 429) == 0
    time_passes(world, minutes=2, step=0.25)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()


def test_r44_amazon_is_told_carrier_service_number_date_and_every_line(shipped):
    items = [SimItem(sku="A", quantity=2), SimItem(sku="B")]
    world, account, orders = shipped(1, items=items)
    Shipment.objects.update(service="UPS Ground")
    notify_now(account)
    package = world.orders[orders[0].order_number].packages[0]
    assert (package.carrier, package.service) == ("UPS", "UPS Ground")
    assert package.tracking == Shipment.objects.get().tracking_number
    assert sorted(package.items.values()) == [1, 2]
    assert package.ship_time <= NOON
    assert package.ship_time >= world.orders[orders[0].order_number].created


def test_the_package_reference_is_a_json_string_of_a_positive_number(noon):
    parcel = confirming.parcel_of(make_notice())
    said = json.loads(json.dumps(mapping.confirmation(parcel)))
    reference = said["packageDetail"]["packageReferenceId"]
    assert isinstance(reference, str)
    assert int(reference) > 0


def test_a_carrier_amazon_has_no_code_for_goes_by_name(noon):
    notice = make_shipment(make_order(), carrier="Bob's Bikes", with_label=False).notifications.get()
    said = mapping.confirmation(confirming.parcel_of(notice))["packageDetail"]
    assert (said["carrierCode"], said["carrierName"]) == ("Other", "Bob's Bikes")


@pytest.mark.parametrize(
    ("market", "payment", "told"),
    [("JP", "CashOnDelivery", "DirectPayment"), ("JP", "CreditCard", None), ("US", "CashOnDelivery", None)],
)
def test_cash_on_delivery_is_told_for_japan_only(noon, market, payment, told):
    account = make_account(scenarios.JP if market == "JP" else scenarios.NA)
    grants = {"japan_enabled": True, "active": True} if market == "JP" else {}
    notice = make_notice(store=make_store(market, account=account, **grants), payment_method=payment)
    assert mapping.confirmation(confirming.parcel_of(notice)).get("codCollectionMethod") == told


def test_cash_on_delivery_is_accepted_by_amazon_co_jp(world):
    account = connect(scenarios.JP)
    at = NOON - timedelta(hours=1)
    world.add_order(scenarios.JP, created=at, updated=at, payment_method="CashOnDelivery")
    import_now(account)
    orders = ship_everything()
    notify_now(account)
    assert_amazon_knows_once(world, orders)


def test_r51_an_order_fulfilled_by_amazon_is_never_told(noon):
    order = make_order(fulfilled_by=Order.FulfilledBy.AMAZON)
    with pytest.raises(RuleViolation, match="Amazon ships it"):
        make_shipment(order)
    assert ShipmentNotification.objects.count() == 0


def test_r45_the_database_refuses_a_second_notice_of_an_order(noon):
    notice = make_notice()
    with pytest.raises(IntegrityError), transaction.atomic():
        ShipmentNotification.objects.create(
            order=notice.order, shipment=notice.shipment, channel="amazon", package_reference="99"
        )


def test_r46_a_second_parcel_of_an_order_finds_the_notice_and_adds_none(noon):
    from shipments import outbox

    notice = make_notice()
    second = Shipment.objects.create(
        order=notice.order, carrier="ups", tracking_number="1Z2", ship_date=NOON.date(), created_at=NOON
    )
    outbox.queue(second, now=NOON)
    assert row().package_reference == notice.package_reference
    assert row().shipment == notice.shipment


# -- throttled and not sent


def test_r52_r53_a_refusal_for_throttling_spends_no_attempt_and_says_so(shipped):
    world, account, orders = shipped(3)
    world.faults.arm("confirmShipment", "429", times=1, retry_after=30)
    sentence = notify_now(account)
    first = ShipmentNotification.objects.order_by("pk").first()
    assert (first.state, first.attempts, first.failing_since) == (State.RETRY_AT, 0, None)
    assert first.next_attempt_at >= NOON + timedelta(seconds=30)
    assert first.get_state_display() == "throttled or not reached, will retry"
    assert "throttled" in sentence
    assert world.calls("confirmShipment") == 1  # the others did not run into the same wall
    time_passes(world, minutes=6)
    assert_amazon_knows_once(world, orders)


def test_r52_throttling_never_ends_in_attention_even_after_a_day(shipped):
    world, account, orders = shipped()
    world.faults.arm("confirmShipment", "429", times=None)
    days_pass(world, account, hours=30)
    assert (row().state, row().attempts, row().failing_since) == (State.RETRY_AT, 0, None)
    world.faults.clear()
    time_passes(world, minutes=180, step=30)
    assert_amazon_knows_once(world, orders)


def test_what_was_provably_not_sent_spends_no_attempt_and_needs_attention_after_a_day(shipped, settings):
    world, account, orders = shipped()
    right, settings.SPAPI_BASE_URL = settings.SPAPI_BASE_URL, "http://127.0.0.1:9"  # nobody listens
    notify_now(account)
    assert (row().state, row().attempts, row().failing_since) == (State.RETRY_AT, 0, NOON)
    world.clock.set(clock.advance(hours=23))
    for _run in range(3):
        notify_now(account)
        world.clock.set(clock.advance(minutes=2))
    assert row().state == State.RETRY_AT
    world.clock.set(clock.advance(hours=1))
    notify_now(account)
    assert row().state == State.NEEDS_ATTENTION
    settings.SPAPI_BASE_URL = right
    confirming.retry(row(), now=clock.now())
    time_passes(world, minutes=6)
    assert_amazon_knows_once(world, orders)


# -- not known


def test_an_unknown_outcome_is_read_after_2_5_and_15_minutes_and_only_then_sent_again(shipped):
    world, account, orders = shipped()
    world.faults.arm("confirmShipment", "500_before", times=1)
    notify_now(account)
    reads = []
    for minute in range(1, 21):
        world.clock.set(clock.advance(minutes=1))
        before = world.calls("getOrder"), world.calls("confirmShipment")
        notify_now(account)
        if world.calls("getOrder") > before[0]:
            reads.append(minute)
        if world.calls("confirmShipment") > before[1]:
            assert reads == [2, 5, 15]
    assert reads == [2, 5, 15]
    assert world.calls("confirmShipment") == 2
    assert_amazon_knows_once(world, orders)
    assert len({entry["package_reference"] for entry in world.ledger}) == 1


@pytest.mark.long
def test_an_outcome_that_stays_unknown_for_a_day_needs_attention(shipped):
    world, account, orders = shipped()
    world.faults.arm("confirmShipment", "500_before", times=None)
    days_pass(world, account, hours=23)
    assert row().state in {State.UNKNOWN, State.RETRY_AT}
    days_pass(world, account, hours=6)
    assert row().state == State.NEEDS_ATTENTION
    assert row().is_stuck
    world.faults.clear()
    confirming.retry(row(), now=clock.now())
    time_passes(world, minutes=30)
    assert_amazon_knows_once(world, orders)


# -- refused


def test_f21_an_order_cancelled_at_amazon_is_refused_with_its_code(shipped):
    world, account, orders = shipped()
    world.cancel(orders[0].order_number)
    notify_now(account)
    assert (row().state, row().error_code) == (State.REJECTED, "NonexistentOrderItem")
    assert "NonexistentOrderItem" in row().error_text
    event = OrderEvent.objects.filter(kind="notice").first()
    assert event.params == {"channel": "amazon", "state": State.REJECTED, "code": "NonexistentOrderItem"}
    time_passes(world, minutes=30)
    assert world.calls("confirmShipment") == 1  # refused is refused


def test_a_refusal_of_one_order_does_not_stop_the_others(shipped):
    world, account, orders = shipped(3)
    world.cancel(orders[0].order_number)
    notify_now(account)
    assert states() == [State.REJECTED, State.CONFIRMED, State.CONFIRMED]


def test_already_fulfilled_by_our_own_call_is_confirmed_after_reading(shipped):
    world, account, orders = shipped()
    world.strict_resend = True
    notify_now(account)
    force(state="pending", confirmed_at=None)  # as after a restored backup
    notify_now(account)
    assert (row().state, row().error_code) == (State.UNKNOWN, "PackageToUpdateNotFound")
    notify_now(account)
    assert row().state == State.CONFIRMED
    assert_amazon_knows_once(world, orders)


def test_f23_already_fulfilled_in_seller_central_is_confirmed_outside(shipped):
    world, account, orders = shipped()
    world.ship_elsewhere(orders[0].order_number)
    notify_now(account)
    notify_now(account)
    assert row().state == State.CONFIRMED_EXTERNAL
    assert world.effective_confirmations() == {}


def test_a_cancellation_seen_while_reading_back_is_refused(shipped):
    world, account, orders = shipped()
    world.faults.arm("confirmShipment", "500_before", times=1)
    notify_now(account)
    world.cancel(orders[0].order_number)
    time_passes(world, minutes=3)
    assert row().state == State.REJECTED


@pytest.mark.long
def test_a_parcel_amazon_never_accepts_nor_shows_needs_attention_after_a_day(shipped):
    world, account, orders = shipped(1, items=[SimItem(sku="A"), SimItem(sku="B")])
    order = world.orders[orders[0].order_number]
    first = order.items[0]
    half = world.orders[order.order_id]
    world.ship_elsewhere(order.order_id)  # one of the two lines left from Seller Central
    half.packages[0].items = {first.item_id: 1}
    for item in half.items:
        item.quantity_shipped = half.shipped_elsewhere_than("", item.item_id)
    half.status = "PARTIALLY_SHIPPED"
    days_pass(world, account, hours=23)
    assert row().state in {State.UNKNOWN, State.RETRY_AT}
    days_pass(world, account, hours=6)
    assert row().state == State.NEEDS_ATTENTION
    assert row().error_code == "PackageToUpdateNotFound"


def test_an_order_amazon_does_not_know_is_refused(shipped):
    world, account, orders = shipped()
    Order.objects.update(order_number="112-9999999-9999999")
    notify_now(account)
    assert row().state == State.REJECTED
    assert row().error_code == "NotFound"


# -- credentials


def test_a_revoked_token_burns_no_attempt(shipped):
    world, account, orders = shipped(3)
    world.faults.arm("confirmShipment", "403_revoked", times=1)
    assert "stopped" in notify_now(account)
    assert set(ShipmentNotification.objects.values_list("state", "attempts")) == {(State.PENDING, 0)}
    assert world.calls("confirmShipment") == 1


# -- two holders


class Slow:
    """A connector whose call lasts until another holder has done the same work."""

    def __init__(self, connector, meanwhile):
        self.connector, self.meanwhile = connector, meanwhile

    def __getattr__(self, name):
        return getattr(self.connector, name)

    def confirm(self, parcel):
        self.meanwhile()
        raise OutcomeUnknown("late", code="Late")


def test_f32_a_holder_that_wakes_up_after_its_lease_cannot_write(shipped):
    world, account, orders = shipped()

    def another_holder_takes_over() -> None:
        world.clock.set(clock.advance(minutes=10))  # our process was stopped, its lease ended
        force(lease_until=clock.now())
        time_passes(world, minutes=21)
        assert row().state == State.CONFIRMED

    confirming.notify_due(account, Slow(connector_for(account), another_holder_takes_over), now=NOON)
    assert row().state == State.CONFIRMED
    assert_amazon_knows_once(world, orders)
    assert OrderEvent.objects.filter(kind="notice").count() == 1


def test_a_row_as_it_was_before_somebody_elses_start_cannot_be_moved(noon):
    stale = make_notice()
    force(fence=5)
    assert not ShipmentNotification.objects.move(stale, frm=stale.state, state="confirmed")
    assert row().state == State.PENDING


def test_the_database_refuses_a_call_without_intent(noon):
    make_notice()
    with pytest.raises(IntegrityError), transaction.atomic():
        force(state="in_flight", lease_until=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        force(state="in_flight", request_hash="x")


# -- a person presses retry


def test_r57_retry_of_an_accepted_notice_is_refused(noon):
    notice = make_notice()
    for state in State.FINAL:
        force(state=state, confirmed_at=NOON)
        notice.refresh_from_db()
        with pytest.raises(RuleViolation, match="already knows"):
            confirming.retry(notice, now=NOON)
        assert row().state == state


def test_r57_retry_of_a_notice_being_sent_is_refused(noon):
    notice = make_notice()
    force(state="in_flight", lease_until=NOON, request_hash="x")
    notice.refresh_from_db()
    with pytest.raises(RuleViolation, match="right now"):
        confirming.retry(notice, now=NOON)


def test_r57_retry_of_what_may_have_been_sent_reads_before_it_sends(shipped):
    world, account, orders = shipped()
    world.strict_resend = True
    world.faults.arm("confirmShipment", "500_after", times=1)
    notify_now(account)
    confirming.retry(row(), now=clock.now())
    confirming.retry(row(), now=clock.now())  # pressed twice
    notify_now(account)
    assert (world.calls("getOrder"), world.calls("confirmShipment")) == (1, 1)
    assert_amazon_knows_once(world, orders)


def test_r57_retry_of_what_was_never_sent_is_sent_at_once(shipped):
    world, account, orders = shipped()
    force(next_attempt_at=NOON + timedelta(hours=1), state="retry_at")
    confirming.retry(row(), now=NOON)
    notify_now(account)
    assert world.calls("getOrder") == 0
    assert_amazon_knows_once(world, orders)


def test_retry_with_a_row_seen_too_long_ago_is_refused(noon):
    stale = make_notice()
    force(fence=1, state="retry_at")
    with pytest.raises(RuleViolation, match="changed meanwhile"):
        confirming.retry(stale, now=NOON)


# -- the sweep


def test_the_sweep_wakes_only_accounts_with_something_due(shipped):
    from orderhub import jobs

    world, account, _orders = shipped(2)
    assert jobs.run("shipments.notify_marketplaces") == "0 accounts"  # gathered for a while
    clock.advance(seconds=45)
    assert jobs.run("shipments.notify_marketplaces") == "1 accounts"
    notify_now(account)
    assert jobs.run("shipments.notify_marketplaces") == "0 accounts"


def test_a_stopped_account_keeps_its_notices(shipped):
    world, account, _orders = shipped()
    account.stop("paused", "holiday")
    assert "paused" in notify_now(account)
    assert (row().state, world.calls("confirmShipment")) == (State.PENDING, 0)


def test_a_budget_that_is_used_up_asks_to_be_run_again(shipped):
    world, account, _orders = shipped(3)
    report = confirming.notify_due(account, connector_for(account), now=NOON, budget_s=-1)
    assert report.more
    assert states() == [State.PENDING] * 3


def test_throttled_by_our_own_bucket_makes_no_call(shipped):
    world, account, _orders = shipped()
    connector = connector_for(account)
    take = connector.client.throttle.take
    for _token in range(10):
        take("confirmShipment", rate=2, burst=10)
    with pytest.raises(Throttled):
        take("confirmShipment", rate=2, burst=10)
    notify_now(account)
    assert (row().state, row().attempts) == (State.RETRY_AT, 0)
    assert world.calls("confirmShipment") == 0
    assert RateBucket.objects.get(operation="confirmShipment").tokens < 1


def test_the_job_is_named_as_the_queue_calls_it():
    assert notify_account.job_name == "shipments.notify_account"


def test_a_hanging_amazon_ends_the_run_before_the_queue_would_kill_it(noon, monkeypatch):
    store = make_store()
    for _notice in range(5):
        make_notice(store=store)
    account = AmazonAccount.objects.get()
    monkeypatch.setattr(confirming, "SLOW_S", 0.01)

    class Hanging:
        skew_s = 0
        calls = 0

        def sign_in(self):
            """At hand."""

        def confirm(self, parcel):
            self.calls += 1
            time.sleep(0.03)
            raise OutcomeUnknown("POST …: time limit", code="time limit")

    amazon = Hanging()
    confirming.notify_due(account, amazon, now=NOON)
    assert amazon.calls == 2
    assert sorted(ShipmentNotification.objects.values_list("state", flat=True)) == ["pending"] * 3 + ["unknown"] * 2


# -- what an import sees


@pytest.mark.parametrize("state", [State.PENDING, State.NEEDS_ATTENTION])
def test_f23_an_order_shipped_in_seller_central_is_recognised_by_the_import_and_nothing_is_sent(shipped, state):
    world, account, orders = shipped(2)
    force(state=state, next_attempt_at=NOON + timedelta(hours=2))
    world.ship_elsewhere(orders[0].order_number)
    world.clock.set(clock.advance(minutes=6))
    import_now(account)
    first, second = ShipmentNotification.objects.order_by("pk")
    assert (first.state, second.state) == (State.CONFIRMED_EXTERNAL, state)
    assert world.calls("confirmShipment") == 0
    assert OrderEvent.objects.get(kind="notice", order=orders[0]).params["state"] == State.CONFIRMED_EXTERNAL


def test_an_import_settles_a_notice_whose_answer_was_lost(shipped):
    world, account, orders = shipped()
    world.faults.arm("confirmShipment", "500_after")
    notify_now(account)
    assert row().state == State.UNKNOWN
    force(next_attempt_at=NOON + timedelta(hours=2))
    world.clock.set(clock.advance(minutes=6))
    import_now(account)
    assert row().state == State.CONFIRMED
    assert world.calls("getOrder") == 0
    assert_amazon_knows_once(world, orders)
