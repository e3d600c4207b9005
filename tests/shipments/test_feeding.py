"""Many parcels in one submission: each told once, whatever happens to the submission, through the simulator."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from orderhub import clock, jobs
from orders.models import Order, OrderEvent
from shipments import confirming, feeding, voiding
from shipments.jobs import follow_account_feeds
from shipments.models import Feed, Shipment, ShipmentNotification
from stores.connecting import connector_for
from stores.connectors.amazon.client import AmazonClient
from stores.models import AmazonAccount, RateBucket
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_shipment
from tests.longer import sampled
from tests.orders.driving import (
    all_told,
    assert_amazon_knows_once,
    assert_nothing_is_stuck,
    impatient_clients,
    import_now,
    notify_now,
    ship_everything,
    time_passes,
    time_passes_until,
)

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State
MANY = 12
CONFIRMATION = (
    "createFeedDocument", "uploadFeedDocument", "createFeed", "getFeed", "getFeeds", "getFeedDocument",
    "downloadFeedDocument", "confirmShipment", "cancelFeed",
)  # fmt: skip


@pytest.fixture
def shipped(simulate):
    """`shipped(12)`: a world of as many imported and shipped orders, in two stores of one account."""

    def start(orders: int = MANY, *, strict: bool = False, **given):
        world = simulate(scenarios.empty(now=NOON))
        world.strict_resend = strict
        for number in range(orders):
            at = NOON - timedelta(hours=2, seconds=number)
            world.add_order(
                scenarios.NA, marketplace="CA" if number % 3 == 2 else "US", created=at, updated=at, **given
            )
        account = connect(scenarios.NA, sources=("US", "CA"))
        import_now(account)
        return world, account, ship_everything()

    return start


def calls(world) -> Counter:
    return Counter({name: world.calls(name) for name in CONFIRMATION if world.calls(name)})


def follow_now(account: AmazonAccount) -> str:
    with jobs.inline():
        return jobs.run(follow_account_feeds.job_name, account.pk)


def states() -> set[str]:
    return set(ShipmentNotification.objects.values_list("state", flat=True))


def feed() -> Feed:
    return Feed.objects.get()


# -- the good case


def test_r54_more_than_the_burst_goes_in_one_submission_for_all_stores_of_the_account(shipped):
    world, account, orders = shipped()
    notify_now(account)
    assert states() == {State.IN_FEED}
    assert (feed().state, feed().messages) == (Feed.State.SUBMITTED, MANY)
    time_passes(world, minutes=6)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()
    assert calls(world)["confirmShipment"] == 0
    assert sum(calls(world).values()) <= 10
    assert (feed().state, feed().accepted, feed().refused) == (Feed.State.DONE, MANY, 0)
    told = OrderEvent.objects.filter(kind="notice", params__state="confirmed")
    assert told.count() == MANY


def test_r44_a_submission_says_carrier_service_number_date_and_every_line_as_a_single_call_does(shipped):
    world, account, orders = shipped()
    Shipment.objects.update(service="UPS Ground", carrier="Bob's Bikes & <Co>")
    notify_now(account)
    time_passes(world, minutes=6)
    for order in orders:
        package = world.orders[order.order_number].packages[0]
        assert (package.carrier, package.service) == ("Bob's Bikes & <Co>", "UPS Ground")
        assert package.reference == order.notifications.get().package_reference
        assert package.tracking == order.shipments.get().tracking_number
        assert package.items == dict(order.items.values_list("amazon_item_id", "quantity"))


@pytest.mark.parametrize("gzipped", [False, True])
def test_every_refused_message_is_its_order_s_own_and_explained(shipped, gzipped):
    world, account, orders = shipped()
    world.gzip_reports = gzipped
    world.faults.arm("createFeed", "feed_partial", every=5)
    time_passes(world, minutes=6)
    refused = ShipmentNotification.objects.filter(state=State.REJECTED)
    assert refused.count() == 2 and set(refused.values_list("error_code", flat=True)) == {"90002"}
    assert ShipmentNotification.objects.filter(state=State.CONFIRMED).count() == MANY - 2
    assert (feed().accepted, feed().refused) == (MANY - 2, 2)
    assert sum(world.effective_confirmations().values()) == MANY - 2
    for row in refused:
        confirming.retry(row, now=clock.now())
    time_passes(world, minutes=6)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()


def test_ten_or_fewer_are_told_one_by_one(shipped):
    world, account, orders = shipped(10)
    notify_now(account)
    assert calls(world) == {"confirmShipment": 10}
    assert Feed.objects.count() == 0


def test_single_labels_are_gathered_for_a_while_and_then_told_together(shipped):
    world, account, orders = shipped(0)
    for number in range(MANY):
        at = NOON - timedelta(minutes=5, seconds=number)
        world.add_order(scenarios.NA, marketplace="US", created=at, updated=at)
    import_now(account)
    for order in Order.objects.shippable():
        make_shipment(order, tracking_number=f"1Z{order.pk:010d}", with_label=False)
        world.clock.set(clock.advance(seconds=3))
    jobs.run("shipments.notify_marketplaces")
    assert calls(world) == {}  # the first has waited 36 s
    time_passes(world, minutes=9)
    assert calls(world)["confirmShipment"] == 0
    assert calls(world)["createFeed"] == 1
    assert all_told()


def test_while_a_submission_runs_a_few_more_go_one_by_one(shipped):
    world, account, orders = shipped()
    notify_now(account)
    ago = [NOON - timedelta(minutes=5, seconds=number) for number in range(14)]
    later = [world.add_order(scenarios.NA, marketplace="US", created=at, updated=at) for at in ago]
    world.clock.set(clock.advance(minutes=1))
    import_now(account)
    ship_everything()
    time_passes(world, minutes=2, step=0.25)
    assert Feed.objects.count() == 1
    for order in later:
        assert world.effective_confirmations()[order.order_id] == 1


# -- what may happen to a submission


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", ["feed_fatal", "feed_stuck"])
@pytest.mark.parametrize("strict", [False, True], ids=["edits", "strict"])
def test_f25_a_submission_that_leads_to_nothing_is_read_and_then_told_one_by_one(shipped, kind, strict):
    world, account, orders = shipped(strict=strict)
    world.faults.arm("createFeed", kind)
    time_passes(world, minutes=165 if kind == "feed_stuck" else 24, step=3)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()
    assert feed().state == Feed.State.FAILED
    assert feed().error_code == {"feed_fatal": "FeedFatal", "feed_stuck": "FeedStuck"}[kind]
    assert world.calls("getOrder") >= MANY  # each was read before it was sent again
    assert {entry["channel"] for entry in world.ledger} == {"call"}
    assert all(row.single_only for row in ShipmentNotification.objects.all())


@pytest.mark.long
def test_f25_a_submission_that_was_stuck_and_runs_after_all_makes_no_second_notice(shipped):
    world, account, orders = shipped()
    world.feed_delays = (60, 3 * 3600)
    time_passes(world, minutes=240, step=6)
    assert_amazon_knows_once(world, orders)
    assert {entry["channel"] for entry in world.ledger if entry["effect"] == "created"} == {"call"}
    assert {entry["channel"] for entry in world.ledger if entry["effect"] == "edited"} == {"feed"}


@pytest.mark.parametrize(
    "kind",
    sampled(
        ["500_after", "timeout_after", "cut", "reset", "truncated_json", "html", "empty", "garbled"],
        {"500_after", "timeout_after", "truncated_json"},
    ),
)
def test_f10_an_answer_to_a_submission_that_was_not_seen_is_looked_up_and_nothing_is_sent_twice(
    shipped, monkeypatch, kind
):
    impatient_clients(monkeypatch)
    world, account, orders = shipped()
    world.faults.arm("createFeed", kind, **({"bytes": 7, "head": True} if kind == "cut" else {}))
    notify_now(account)
    assert feed().state == Feed.State.UNKNOWN
    assert states() == {State.IN_FEED}
    time_passes(world, minutes=40)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()
    assert (len(world.feeds), feed().found_again) == (1, True)


@pytest.mark.parametrize("kind", sampled(["500_before", "503", "timeout_before"], {"500_before"}))
def test_f09_a_submission_that_never_arrived_is_made_again_after_a_quarter_of_an_hour(shipped, monkeypatch, kind):
    impatient_clients(monkeypatch)
    world, account, orders = shipped()
    world.faults.arm("createFeed", kind)
    notify_now(account)
    time_passes(world, minutes=12)
    assert (len(world.feeds), states()) == (0, {State.IN_FEED})
    time_passes(world, minutes=15)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()
    assert len(world.feeds) == 1


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "operation", ["createFeedDocument", "uploadFeedDocument", "getFeed", "getFeedDocument", "downloadFeedDocument"]
)
@pytest.mark.parametrize(
    "kind",
    sampled(
        ["429", "500_before", "500_after", "timeout_after", "html", "empty", "garbled", "truncated_json", "redirect"],
        {"429", "500_after", "html"},
    ),
)
def test_f08_to_f14_bad_answers_around_a_submission_lose_nothing_and_double_nothing(
    shipped, monkeypatch, operation, kind
):
    impatient_clients(monkeypatch)
    world, account, orders = shipped()
    world.faults.arm(operation, kind, times=3)
    time_passes_until(all_told, world)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()


def test_r52_a_closed_bucket_of_submissions_spends_nothing_and_leaves_nothing(shipped):
    world, account, orders = shipped()
    world.faults.arm("createFeed", "429", times=1, retry_after=600)
    notify_now(account)
    assert Feed.objects.count() == 0
    assert ShipmentNotification.objects.filter(state=State.CONFIRMED).count() == 10  # the burst of the single call
    assert not ShipmentNotification.objects.filter(starts__gt=0).exists()
    time_passes(world, minutes=20)
    assert_amazon_knows_once(world, orders)


def test_f24_a_revoked_token_in_the_middle_gives_the_notices_back(shipped):
    world, account, orders = shipped()
    world.faults.arm("createFeed", "403_revoked")
    notify_now(account)
    account.refresh_from_db()
    assert account.status == AmazonAccount.Status.REVOKED
    assert states() == {State.PENDING} and Feed.objects.count() == 0
    assert not ShipmentNotification.objects.filter(attempts__gt=0).exists()
    AmazonAccount.objects.update(status=AmazonAccount.Status.ACTIVE)
    time_passes(world, minutes=12)
    assert_amazon_knows_once(world, orders)


def test_an_application_that_may_not_submit_tells_one_by_one(shipped, monkeypatch):
    from stores.connectors.amazon.client import AccessDenied

    world, account, orders = shipped()

    def refused(self, content_type):
        raise AccessDenied("POST /feeds: 403", code="Unauthorized")

    monkeypatch.setattr(AmazonClient, "create_feed_document", refused)
    time_passes(world, minutes=6)
    assert_amazon_knows_once(world, orders)
    assert set(Feed.objects.values_list("state", "error_code")) == {(Feed.State.FAILED, "FeedsNotAllowed")}


def test_a_report_that_counts_otherwise_is_not_believed(shipped):
    world, account, orders = shipped()
    notify_now(account)
    Feed.objects.update(messages=MANY + 1)
    time_passes(world, minutes=4)
    assert feed().error_code == "CountsDiffer"
    time_passes(world, minutes=12)
    assert_amazon_knows_once(world, orders)
    assert world.calls("getOrder") >= MANY


def test_two_submissions_of_the_same_minute_are_not_guessed_between(shipped):
    world, account, orders = shipped()
    world.faults.arm("createFeed", "500_after")
    notify_now(account)
    connector = connector_for(account)
    other = connector.create_feed(connector.feed_document(b"<AmazonEnvelope/>"), ["ATVPDKIKX0DER"])
    assert other in world.feeds and len(world.feeds) == 2
    time_passes(world, minutes=40)
    assert feed().error_code == "FeedAmbiguous"
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()


# -- with what people do meanwhile


def test_a_parcel_voided_before_its_submission_is_not_in_it(shipped):
    world, account, orders = shipped(MANY + 1)
    voided = orders[0]
    voiding.void(voided.shipments.get(), by=None, now=NOON)
    notify_now(account)
    assert feed().messages == MANY
    assert voided.notifications.get().state == State.WITHDRAWN
    time_passes(world, minutes=6)
    assert_amazon_knows_once(world, orders[1:])


def test_r47_a_parcel_voided_while_its_submission_runs_stays_told(shipped):
    world, account, orders = shipped()
    notify_now(account)
    voided = orders[0]
    voiding.void(voided.shipments.get(), by=None, now=NOON)
    voided.refresh_from_db()
    make_shipment(voided, tracking_number="1ZNEW00000", with_label=False)
    time_passes(world, minutes=12)
    assert_amazon_knows_once(world, orders)
    voided.refresh_from_db()
    assert voided.status == Order.Status.SHIPPED
    assert world.orders[voided.order_number].packages[0].tracking != "1ZNEW00000"


def test_a_notice_withheld_meanwhile_is_left_out(shipped):
    world, account, orders = shipped(MANY + 1)
    Order.objects.filter(pk=orders[3].pk).update(wishes={"no_notice": True})
    notify_now(account)
    assert feed().messages == MANY
    assert orders[3].notifications.get().state == State.MANUAL


# -- what the database forbids


def test_one_open_submission_an_account(shipped):
    world, account, _orders = shipped()
    notify_now(account)
    with pytest.raises(IntegrityError), transaction.atomic():
        Feed.objects.create(account=account)


def test_a_notice_in_a_submission_has_one(shipped):
    shipped(1)
    row = ShipmentNotification.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        ShipmentNotification.objects.filter(pk=row.pk).update(state=State.IN_FEED, request_hash="x")


# -- cost


@pytest.mark.parametrize("orders", [11, 44])
def test_handing_over_and_reading_back_cost_the_same_statements_for_11_and_44(
    shipped, orders, django_assert_max_num_queries
):
    world, account, _orders = shipped(orders)
    connector = connector_for(account)
    with django_assert_max_num_queries(42):
        confirming.notify_due(account, connector, now=clock.now())
    world.clock.set(clock.advance(minutes=4))
    with django_assert_max_num_queries(32):
        feeding.follow(account, connector, now=clock.now())
    assert ShipmentNotification.objects.filter(state=State.CONFIRMED).count() == orders
    assert RateBucket.objects.filter(operation="createFeed").exists()
