"""The daily search for gaps and the past of a source added later, through the simulator over real HTTP."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub import clock, jobs
from orders import history, importing
from orders.fetching import import_lease
from orders.history_jobs import find_gaps, read_past
from orders.jobs import import_account
from orders.models import HistoryRead, Order, OrderEvent, SkippedOrder
from privacy import access
from stores import connecting
from stores.models import AmazonAccount, RateBucket, Store, UnconnectedOrder
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_user
from tests.orders.driving import assert_every_order_is_here_once, import_now, sweep

pytestmark = pytest.mark.django_db
Kind = HistoryRead.Kind
MOST = {"postgresql": 42, "sqlite": 70}
CANADA = "A2EUQ1WTGCTBG2"


def check_gaps() -> None:
    """What the queue does every five minutes, and what that asks for."""
    with jobs.inline():
        jobs.run(find_gaps.job_name)


def later(world, travel, **delta) -> None:
    """Time passes, and the regular import keeps up at the end of it."""
    travel(world, **delta)
    sweep()


def only(kind=Kind.GAPS) -> HistoryRead:
    return HistoryRead.objects.get(kind=kind)


@pytest.fixture
def sold(simulate, travel):
    """An account connected two days ago whose orders are all here."""

    def start(orders: int, sources=("US",)):
        world = simulate(scenarios.backlog(now=NOON, orders=orders))
        account = connect(scenarios.NA, sources=sources)
        import_now(account)
        later(world, travel, days=2)
        assert_every_order_is_here_once(world)
        return world, account

    return start


def test_the_lease_is_the_one_of_the_regular_import():
    assert import_lease(7) == f"{import_account.job_name}:7"


def test_g11_a_planted_gap_is_found_and_repaired(sold):
    world, account = sold(130)
    lost = list(Order.objects.order_by("pk").values_list("order_number", flat=True)[20:25])
    Order.objects.filter(order_number__in=lost).delete()
    sweep()
    assert Order.objects.count() == 125  # the import has passed them and never looks back
    check_gaps()
    assert_every_order_is_here_once(world)
    found = only()
    assert (found.missing, found.late, found.seen, found.pages) == (5, 0, 130, 2)
    assert found.finished_at == clock.now()
    closed = OrderEvent.objects.filter(kind=OrderEvent.Kind.GAP_CLOSED)
    assert sorted(closed.values_list("order__order_number", flat=True)) == sorted(lost)


def test_f17_an_order_that_amazon_shows_16_minutes_late_still_comes_with_the_import(sold, travel):
    world, account = sold(3)
    world.faults.arm("searchOrders", "delay_visibility", times=1, seconds=16 * 60)
    world.add_order(scenarios.NA, marketplace="US", created=clock.now(), updated=clock.now())
    for _step in range(8):
        later(world, travel, minutes=5)
    assert_every_order_is_here_once(world)


def test_f17_an_order_that_amazon_shows_later_than_the_overlap_is_found_within_a_day(sold, travel):
    world, account = sold(3)
    world.faults.arm("searchOrders", "delay_visibility", times=1, seconds=30 * 60)
    hidden = world.add_order(scenarios.NA, marketplace="US", created=clock.now(), updated=clock.now())
    for _step in range(8):
        later(world, travel, minutes=6)
    assert not Order.objects.filter(order_number=hidden.order_id).exists()
    for _day in range(2):
        check_gaps()
        later(world, travel, hours=12)
    check_gaps()
    assert Order.objects.filter(order_number=hidden.order_id).exists()
    assert sum(HistoryRead.objects.values_list("missing", flat=True)) == 1


def test_a_state_the_import_missed_is_brought_up_to_date_and_counted(sold):
    world, account = sold(3)
    number = next(iter(world.orders))
    world.update(number, status="CANCELLED", updated=NOON + timedelta(hours=1))  # two days ago by now
    sweep()
    assert not Order.objects.filter(status="cancelled").exists()
    check_gaps()
    assert Order.objects.get(status="cancelled").order_number == number
    assert (only().missing, only().late) == (0, 1)
    assert not OrderEvent.objects.filter(kind=OrderEvent.Kind.GAP_CLOSED).exists()


def test_what_was_left_out_on_purpose_is_no_gap(simulate, travel):
    world = simulate(scenarios.demo(now=NOON))
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    later(world, travel, days=2)
    assert SkippedOrder.objects.exists() and UnconnectedOrder.objects.exists()
    check_gaps()
    assert (only().missing, only().late) == (0, 0)
    assert only().seen > 10


def test_what_the_import_will_bring_anyway_is_no_gap(sold, travel):
    world, account = sold(3)
    created = clock.now()
    world.add_order(scenarios.NA, marketplace="US", created=created, updated=created)
    travel(world, minutes=30)  # the worker slept: the import has not looked since
    check_gaps()
    assert (only().seen, only().missing) == (4, 0)
    assert_every_order_is_here_once(world)


def test_a_check_a_day_and_none_on_the_day_of_the_connection(sold, travel, world):
    simulated, account = sold(3)
    check_gaps()
    check_gaps()
    assert HistoryRead.objects.count() == 1
    later(simulated, travel, hours=23)
    check_gaps()
    assert HistoryRead.objects.count() == 1
    later(simulated, travel, hours=2)
    check_gaps()
    assert HistoryRead.objects.filter(kind=Kind.GAPS, missing=0, finished_at__isnull=False).count() == 2
    AmazonAccount.objects.update(verified_at=clock.now())
    later(simulated, travel, hours=23)
    check_gaps()
    assert HistoryRead.objects.count() == 2


@pytest.mark.long
def test_the_import_keeps_its_share_of_the_searches(sold, travel):
    world, account = sold(900)
    RateBucket.objects.filter(operation="searchOrders").update(tokens=8, updated_at=clock.now())
    asked = world.calls("searchOrders")
    check_gaps()
    assert world.calls("searchOrders") - asked == 3  # 8 calls were left: five stay behind
    assert only().finished_at is None
    assert only().next_at > clock.now()
    sweep()
    assert AmazonAccount.objects.get().next_poll_at > clock.now()
    for _step in range(20):
        later(world, travel, minutes=30)
        check_gaps()
    assert (only().seen, only().pages) == (900, 9)
    assert only().finished_at
    assert world.calls("searchOrders", 429) == 0


def test_a_check_goes_on_where_the_import_takes_all_there_is(sold, travel):
    world, account = sold(150)

    def check_with_one_call_left():
        RateBucket.objects.filter(operation="searchOrders").update(tokens=1, updated_at=clock.now())
        check_gaps()

    check_with_one_call_left()
    assert only().pages == 0
    for _hour in range(3):
        travel(world, hours=1, minutes=1)
        check_with_one_call_left()
    assert only().finished_at


def test_f15_a_page_token_that_ended_starts_again_with_half_the_window(sold, travel):
    world, account = sold(450)
    RateBucket.objects.filter(operation="searchOrders").update(tokens=7, updated_at=clock.now())
    check_gaps()
    begun = only()
    assert begun.page_token and begun.pages == 2
    travel(world, hours=26)
    for _step in range(6):
        later(world, travel, minutes=30)
        check_gaps()
    done = HistoryRead.objects.get(pk=begun.pk)
    assert done.finished_at and done.error_code == ""
    assert done.created_before == begun.created_before
    assert done.created_after > begun.created_after  # in two halves


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", ["429", "500_before", "html", "repeat_page", "wrong_type", "bad_page_token"])
def test_bad_answers_are_waited_out(sold, travel, kind):
    world, account = sold(230)
    lost = Order.objects.order_by("pk").values_list("pk", flat=True)
    Order.objects.filter(pk__in=list(lost[3:9])).delete()
    world.faults.arm("searchOrders", kind, times=3)
    for _step in range(30):
        check_gaps()
        if only().finished_at:
            break
        travel(world, minutes=20)
    assert only().finished_at
    assert only().missing == 6
    assert_every_order_is_here_once(world)


def test_a_refused_token_stops_the_account_and_the_reading_waits_for_its_renewal(sold, travel):
    world, account = sold(3)
    world.revoke(scenarios.NA)
    travel(world, hours=2)
    check_gaps()
    account.refresh_from_db()
    assert account.status == AmazonAccount.Status.REVOKED
    assert only().finished_at is None
    connecting.renew(account, world.renew(scenarios.NA), now=clock.now())
    later(world, travel, hours=1)
    check_gaps()
    assert only().finished_at


def test_two_writers_of_one_account_keep_apart(sold):
    world, account = sold(3)
    history.open_gap_checks(now=clock.now(), most=5)
    told = []
    jobs.under_lease(import_lease(account.pk), lambda: told.append(jobs.run(read_past.job_name, account.pk)))
    assert "already running" in told[0]
    assert only().finished_at is None


def test_a_check_in_hand_ends_when_the_stores_change_and_writes_nothing(sold):
    world, account = sold(3)
    history.open_gap_checks(now=clock.now(), most=5)
    in_hand = HistoryRead.objects.select_related("account").get()
    Order.objects.first().delete()
    connecting.read_again(AmazonAccount.objects.get(), [])
    with pytest.raises(importing.AccountReopened):
        history.read(in_hand, now=clock.now(), budget_s=30)
    assert Order.objects.count() == 2
    assert only().pages == 0
    check_gaps()
    assert_every_order_is_here_once(world)
    assert not HistoryRead.objects.filter(finished_at__isnull=True).exists()


def test_a_source_added_later_gets_its_month_by_date_of_creation_and_nothing_else_is_read_again(simulate, travel):
    world = simulate(scenarios.demo(now=NOON))
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    counted = UnconnectedOrder.objects.filter(marketplace_id=CANADA).count()
    later(world, travel, minutes=10)
    account.refresh_from_db()
    cursor = account.imported_until
    connecting.add_sources(account, ["CA"])
    account.refresh_from_db()
    assert account.imported_until == cursor
    sweep()
    canada = Store.objects.get(marketplace="CA")
    theirs = [o for o in world.orders.values() if (o.seller_id, o.marketplace) == (scenarios.NA.seller_id, "CA")]
    month = [o for o in theirs if o.created > clock.now() - timedelta(days=30)]
    here = {
        *canada.orders.values_list("order_number", flat=True),
        *canada.skipped.values_list("order_number", flat=True),
    }
    assert here >= {order.order_id for order in month if order.created <= NOON}
    assert counted >= len(month) > 10
    asked = [entry["params"] for entry in world.requests if entry["operation"] == "searchOrders"]
    asked = [params for params in asked if "createdAfter" in params]
    assert len(asked) == 1 and "marketplaceIds" in asked[0]
    assert only(Kind.BACKFILL).marketplaces == [CANADA]
    later(world, travel, hours=3)
    assert HistoryRead.objects.filter(kind=Kind.BACKFILL).count() == 1  # once
    assert not UnconnectedOrder.objects.filter(marketplace_id=CANADA).exists()


def test_two_sources_added_one_after_the_other_are_read_together(simulate, travel):
    world = simulate(scenarios.demo(now=NOON))
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    travel(world, minutes=10)
    connecting.add_sources(account, ["CA"])
    connecting.add_sources(account, ["MX"])
    assert len(only(Kind.BACKFILL).marketplaces) == 2
    sweep()
    assert only(Kind.BACKFILL).finished_at
    assert {store.marketplace for store in Store.objects.filter(orders__isnull=False)} == {"US", "CA", "MX"}


def test_orders_amazon_ships_come_once_the_store_takes_them(client, simulate, travel):
    from tests.screens.storepages import settings_of

    world = simulate(scenarios.demo(now=NOON))
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    travel(world, minutes=10)
    store = Store.objects.get()
    shipped = store.skipped.filter(reason="afn_off", amazon_status="SHIPPED").count()
    assert shipped
    client.force_login(make_user(access.SUPPORT))
    page = reverse("admin:stores_store_change", args=[store.pk])
    client.post(page, settings_of(store) | {"import_afn": "on"})
    sweep()
    assert Order.objects.filter(fulfilled_by="AFN").count() >= shipped - 5  # but those older than a month
    assert not store.skipped.filter(reason="afn_off", seen_at=clock.now()).exists()


def test_a_gap_found_is_told_on_the_start_page_and_in_the_list(client, sold, travel):
    world, account = sold(3)
    Order.objects.order_by("pk").first().delete()
    check_gaps()
    client.force_login(make_user(access.SUPPORT))
    start = client.get(reverse("admin:index")).content.decode()
    assert "The daily check found 1 order" in start
    rows = client.get(reverse("admin:orders_historyread_changelist"))
    assert rows.status_code == 200 and "search for gaps" in rows.content.decode()
    later(world, travel, hours=25)
    check_gaps()
    assert "The daily check found" not in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("lost", [2, 30])
def test_a_page_of_the_check_costs_the_same_statements_whatever_is_missing(sold, lost):
    world, account = sold(60)
    Order.objects.filter(pk__in=list(Order.objects.values_list("pk", flat=True)[:lost])).delete()
    history.open_gap_checks(now=clock.now(), most=5)
    with CaptureQueriesContext(connection) as seen:
        history.read(HistoryRead.objects.get(), now=clock.now(), budget_s=30)
    assert only().missing == lost
    print(f"{connection.vendor}: {len(seen)} statements for a page with {lost} missing orders")
    assert len(seen) <= MOST[connection.vendor]


def test_a_hundred_accounts_are_begun_and_woken_in_the_same_few_statements(noon):
    from tests.factories import make_account

    def cost(accounts: int) -> int:
        for number in range(accounts):
            make_account(
                selling_partner_id=f"A{accounts}X{number}", last_poll_at=noon, verified_at=noon - timedelta(days=3)
            )
        with CaptureQueriesContext(connection) as seen:
            assert history.open_gap_checks(now=noon, most=100) == accounts
        return len(seen)

    assert cost(2) == cost(40) <= 4
