"""Windows, pages, bounds and the cursor, through the simulator over real HTTP."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from orderhub import clock
from orderhub.errors import UnexpectedAnswer
from orders import fetching, importing
from orders.models import Order, OrderItem, OrderPersonalData, QuarantinedOrder
from orders.page import PageWriter
from privacy import markers
from stores.connecting import connector_for
from stores.connectors.amazon import mapping
from stores.connectors.base import OrderPage
from stores.models import AmazonAccount
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect
from tests.orders.driving import assert_every_order_is_here_once, import_now, time_passes

pytestmark = pytest.mark.django_db


@pytest.fixture
def backlog(simulate):
    def start(orders: int):
        world = simulate(scenarios.backlog(now=NOON, orders=orders))
        return world, connect(scenarios.NA, sources=("US",))

    return start


def fresh(account: AmazonAccount) -> AmazonAccount:
    return AmazonAccount.objects.get(pk=account.pk)


def searches_without_token(world) -> int:
    asked = [entry for entry in world.requests if entry["operation"] == "searchOrders"]
    return sum("paginationToken" not in entry["params"] for entry in asked)


def test_f15_a_page_token_amazon_refuses_starts_the_window_again(backlog):
    world, account = backlog(250)
    world.faults.arm("searchOrders", "bad_page_token", times=1, after=1)
    assert "complete" in import_now(account)
    assert searches_without_token(world) == 2
    assert_every_order_is_here_once(world)


def test_f15_a_page_token_older_than_a_day_starts_the_window_again(backlog, travel):
    world, account = backlog(250)
    world.faults.arm("searchOrders", "429", times=1, after=1)
    import_now(account)
    assert fresh(account).page_token
    travel(world, hours=25)
    import_now(account)
    travel(world, minutes=2)  # the access token had ended as well
    import_now(account)
    assert fresh(account).page_token == ""
    assert_every_order_is_here_once(world)


@pytest.mark.long
def test_f15_page_tokens_refused_again_and_again_fail_without_a_bug_and_heal(backlog):
    world, account = backlog(250)
    world.faults.arm("searchOrders", "bad_page_token", times=5)
    import_now(account)
    assert fresh(account).next_poll_at >= clock.now() + importing.FLOOR  # not a call a minute
    assert Order.objects.count() == 100
    time_passes(world, minutes=30)
    assert_every_order_is_here_once(world)
    assert fresh(account).page_token == ""


def test_f15_a_page_that_comes_back_stops_the_run_and_keeps_what_was_written(backlog):
    world, account = backlog(250)
    world.faults.arm("searchOrders", "repeat_page", times=1, after=1)
    before = account.imported_until
    connector = connector_for(account)
    with pytest.raises(UnexpectedAnswer, match="same page"):
        importing.import_changes(account, connector, now=clock.now())
    assert Order.objects.count() == 200
    assert fresh(account).imported_until == before
    assert "complete" in import_now(account)
    assert_every_order_is_here_once(world)


@pytest.mark.parametrize("wrap", [True, False], ids=["wrapping", "empty"])
def test_f15_pages_without_end_stop_the_run_and_keep_what_was_written(backlog, wrap):
    world, account = backlog(150)
    world.faults.arm("searchOrders", "endless", times=None, wrap=wrap)
    with pytest.raises(UnexpectedAnswer):
        importing.import_changes(account, connector_for(account), now=clock.now())
    assert world.calls("searchOrders") <= 5
    assert_every_order_is_here_once(world)
    world.faults.clear()
    time_passes(world, minutes=9)
    assert fresh(account).page_token == ""
    assert fresh(account).imported_until > account.imported_until


@pytest.mark.long
def test_r23_a_bucket_that_runs_empty_goes_on_from_the_page_where_it_stopped(backlog):
    world, account = backlog(2500)
    cursor = account.imported_until
    sentence = import_now(account)
    assert "to be continued" in sentence
    assert Order.objects.count() == 2000
    stopped = fresh(account)
    assert stopped.page_token
    assert stopped.imported_until == cursor  # the cursor moves last
    time_passes(world, minutes=30, step=4)
    assert fresh(account).page_token == ""
    assert fresh(account).imported_until > cursor
    assert_every_order_is_here_once(world)
    answered = world.calls("searchOrders", 200)
    pages_of_later_polls = searches_without_token(world) - 1
    assert answered - pages_of_later_polls == 25  # 2,500 orders, no page twice
    assert world.calls("searchOrders", 429) == 0


def test_a_budget_that_is_used_up_goes_on_from_the_next_page(backlog):
    world, account = backlog(250)
    report = importing.import_changes(account, connector_for(account), now=clock.now(), budget_s=0)
    assert (report.pages, report.complete) == (1, False)
    for _run in range(2):
        account = fresh(account)
        report = importing.import_changes(account, connector_for(account), now=clock.now(), budget_s=0)
    assert report.complete
    assert world.calls("searchOrders") == 3
    assert_every_order_is_here_once(world)


@pytest.mark.parametrize("kind", ["bound_ahead", "bound_back"])
def test_f19_a_bound_ahead_of_the_clock_or_behind_the_cursor_is_refused(backlog, travel, kind):
    world, account = backlog(20)
    import_now(account)
    before = fresh(account).imported_until
    travel(world, minutes=10)
    world.faults.arm("searchOrders", kind, times=1, seconds=3 * 3600)
    import_now(account)
    assert fresh(account).imported_until == before
    assert fresh(account).window_bound is None
    travel(world, minutes=10)
    import_now(account)
    assert fresh(account).imported_until > before


def test_the_cursor_is_amazons_bound_and_never_goes_back(backlog, travel):
    world, account = backlog(5)
    seen = [account.imported_until]
    for minutes in (0, 5, 1, 60, 3):
        travel(world, minutes=minutes)
        import_now(account)
        seen.append(fresh(account).imported_until)
    assert seen == sorted(seen)
    assert seen[-1] == clock.now() - timedelta(minutes=2)  # the simulator's own lag, not our clock


def test_f17_an_order_shown_late_with_an_old_date_is_caught_by_the_overlap(backlog, travel):
    world, account = backlog(3)
    import_now(account)
    world.faults.arm("searchOrders", "delay_visibility", times=1, seconds=12 * 60)
    late = world.add_order(scenarios.NA)
    travel(world, minutes=6)
    import_now(account)
    assert not Order.objects.filter(order_number=late.order_id).exists()
    travel(world, minutes=7)
    import_now(account)
    assert Order.objects.filter(order_number=late.order_id).count() == 1


def test_f18_a_clock_of_ours_two_hours_ahead_misses_nothing(backlog):
    world, account = backlog(3)
    import_now(account)
    clock.advance(hours=2)  # ours only
    import_now(account)
    assert fresh(account).clock_skew_s == 7200
    late = world.add_order(scenarios.NA, created=world.clock.now() + timedelta(minutes=1))
    world.clock.advance(seconds=600)
    import_now(account)
    assert Order.objects.filter(order_number=late.order_id).exists()


def test_f16_orders_that_change_between_pages_are_neither_lost_nor_doubled(backlog, travel):
    world, account = backlog(250)
    importing.import_changes(account, connector_for(account), now=clock.now(), budget_s=0)
    for order in list(world.orders.values())[::10]:
        world.update(order.order_id, service_level="EXPEDITED")
    time_passes(world, minutes=12)
    assert_every_order_is_here_once(world)
    assert Order.objects.filter(service_level="EXPEDITED").count() == 25


def test_searching_1000_orders_takes_at_most_10_calls(backlog):
    world, account = backlog(1000)
    import_now(account)
    assert Order.objects.count() == 1000
    assert world.calls("searchOrders") <= 10


@pytest.mark.parametrize(
    "body",
    [{"orders": {"a": 1}}, {"orders": [], "lastUpdatedBefore": "yesterday"}, {"orders": [], "pagination": []}],
    ids=["orders no list", "bound no date", "pagination no object"],
)
def test_f13_an_answer_of_another_shape_is_unexpected_and_no_bug(body):
    from stores.connectors.amazon import mapping

    with pytest.raises(UnexpectedAnswer):
        mapping.page(body)


def test_an_order_the_database_refuses_is_quarantined_and_the_others_of_its_page_arrive(world):
    account = connect(scenarios.NA, sources=("US",))
    page = mapping.page(
        {"orders": [_readable(number) for number in ("1", "2", "3")], "lastUpdatedBefore": "2026-11-20T11:58:00Z"}
    )
    broken = replace(page.orders[1], created_at=None)

    class Amazon:
        skew_s = 0

        def orders_changed(self, *, after, page_token=""):
            yield replace(page, orders=(page.orders[0], broken, page.orders[2]))

    report = importing.import_changes(account, Amazon(), now=clock.now())

    assert report.complete
    assert sorted(Order.objects.values_list("order_number", flat=True)) == [
        page.orders[0].number,
        page.orders[2].number,
    ]
    assert QuarantinedOrder.objects.get().order_number == broken.number
    assert report.counts["quarantined"] == 1
    assert account.imported_until == page.bound


@pytest.mark.django_db(transaction=True)
def test_what_the_database_refuses_costs_the_others_nothing_outside_the_import_either(world):
    """The products made for the page that was rolled back are made anew."""
    account = connect(scenarios.NA, sources=("US",))
    page = mapping.page({"orders": [_readable(number) for number in ("1", "2", "3")]})
    broken = replace(page, orders=(*page.orders[:2], replace(page.orders[2], created_at=None)))
    with transaction.atomic():
        counts = fetching.write(PageWriter(account, now=clock.now()), broken)
    assert (counts["imported"], counts["quarantined"]) == (2, 1)
    assert OrderItem.objects.filter(product__key="S").count() == 2


def test_people_amazon_kept_back_come_with_the_same_state_of_the_order(world):
    (order,) = mapping.page({"orders": [_readable("1")]}).orders
    named = replace(order, person=replace(order.person, recipient_name="Zoé", street1="1 rue des Lilas"))
    writer = PageWriter(connect(scenarios.NA, sources=("US",)), now=clock.now())
    counts = [dict(writer.write(OrderPage((found,), (), None))) for found in (order, order, named, named, order)]
    assert counts == [{"imported": 1}, {"unchanged": 1}, {"updated": 1}, {"unchanged": 1}, {"unchanged": 1}]
    person = OrderPersonalData.objects.select_related("order").get()
    assert (person.recipient_name, person.order.pii_state) == ("Zoé", "present")
    OrderPersonalData.objects.update(marker=markers.AMAZON, recipient_name=markers.AMAZON, street1="")
    Order.objects.update(pii_state="redacting")
    assert writer.write(OrderPage((named,), (), None)) == {"unchanged": 1}


def test_wishes_come_with_the_same_state_once_the_store_takes_them(world):
    account = connect(scenarios.NA, sources=("US",))
    (order,) = mapping.page({"orders": [_readable("1")]}).orders
    custom = replace(order, customized={order.items[0].item_id: "https://zme-caps.amazon.com/x"})
    page, counts = OrderPage((custom,), (), None), []
    for takes in (False, True, True):
        account.stores.update(import_customization=takes)
        counts.append(dict(PageWriter(account, now=clock.now()).write(page)))
    assert counts == [{"imported": 1}, {"updated": 1, "customised": 1}, {"unchanged": 1}]


def _readable(number: str) -> dict:
    return {
        "orderId": f"111-0000000-000000{number}",
        "createdTime": "2026-11-20T10:00:00Z",
        "lastUpdatedTime": "2026-11-20T10:00:00Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "ATVPDKIKX0DER"},
        "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT"},
        "orderItems": [{"orderItemId": f"9{number}", "quantityOrdered": 1, "product": {"sellerSku": "S"}}],
    }
