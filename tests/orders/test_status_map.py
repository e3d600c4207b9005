"""Statuses of the marketplace's own and what a store makes of them (R40), through the simulator over HTTP."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock
from orderhub.models import JobRun
from orders import importing, mapping
from orders.models import Order, OrderEvent
from stores import connecting, statusmap
from stores.connecting import connector_for
from stores.models import MarketplaceStatus, Store
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_order, make_shipment, make_store
from tests.orders.driving import import_now

pytestmark = pytest.mark.django_db
Status = Order.Status
WORD = "BACKORDERED"


@pytest.fixture
def account(world):
    return connect(scenarios.NA, sources=("US", "CA"))


def add(world, status=WORD, **given):
    created = NOON - timedelta(hours=1)
    return world.add_order(
        scenarios.NA, **({"marketplace": "US", "created": created, "updated": created} | given), status=status
    )


def means(status: str, name: str = WORD, *, source: str = "US") -> None:
    """As the store's page does it."""
    store = Store.objects.get(marketplace=source)
    MarketplaceStatus.objects.update_or_create(store=store, name=name, defaults={"status": status})
    connecting.read_again(store.account, [store.market.id])


def only() -> tuple[str, str]:
    return Order.objects.values_list("status", "custom_status").get()


@pytest.mark.parametrize("status", Status.values)
def test_r40_a_mapped_status_takes_its_meaning_and_keeps_its_text(world, account, status):
    means(status)
    add(world)
    import_now(account)
    assert only() == (status, WORD)


def test_r40_an_unmapped_status_keeps_its_text_and_waits_on_hold(world, account):
    means(Status.AWAITING_SHIPMENT, "ANOTHER")
    add(world)
    import_now(account)
    assert only() == (Status.ON_HOLD, WORD)


@pytest.mark.parametrize("name", ["backordered", "BackOrdered"])
def test_upper_and_lower_case_are_one_status(world, account, name):
    means(Status.PENDING_FULFILLMENT, name)
    add(world)
    import_now(account)
    assert only() == (Status.PENDING_FULFILLMENT, WORD)


def test_a_map_counts_for_its_own_store_only(world, account):
    means(Status.AWAITING_SHIPMENT, source="CA")
    add(world)
    import_now(account)
    assert only() == (Status.ON_HOLD, WORD)


def test_r40_a_map_made_later_reaches_the_orders_that_wait(world, account, travel):
    add(world)
    import_now(account)
    assert only() == (Status.ON_HOLD, WORD)
    travel(world, minutes=10)
    import_now(account)
    means(Status.AWAITING_SHIPMENT)
    travel(world, minutes=10)
    import_now(account)
    assert only() == (Status.AWAITING_SHIPMENT, WORD)
    event = OrderEvent.objects.get(kind=OrderEvent.Kind.STATUS)
    assert event.params == {"before": "on_hold", "after": "awaiting_shipment"}


def test_r40_a_row_taken_away_puts_waiting_orders_back_on_hold(world, account, travel):
    means(Status.AWAITING_SHIPMENT)
    add(world)
    import_now(account)
    MarketplaceStatus.objects.all().delete()
    connecting.read_again(account, [])
    travel(world, minutes=10)
    import_now(account)
    assert only() == (Status.ON_HOLD, WORD)


def test_reading_again_under_the_same_map_changes_nothing(world, account, travel):
    means(Status.AWAITING_SHIPMENT)
    add(world)
    add(world, "UNSHIPPED")
    import_now(account)
    connecting.read_again(account, [])
    travel(world, minutes=10)
    import_now(account)
    assert (
        "2 unchanged" in JobRun.objects.filter(job=f"orders.history_jobs.read_past:{account.pk}").latest("pk").outcome
    )


@pytest.mark.parametrize("mend", [Status.AWAITING_SHIPMENT, Status.ON_HOLD, Status.CANCELLED, None])
def test_r40_a_status_mapped_to_shipped_by_mistake_can_be_taken_back(world, account, travel, mend):
    means(Status.SHIPPED)
    add(world)
    import_now(account)
    assert only() == (Status.SHIPPED, WORD)
    assert not OrderEvent.objects.filter(kind=OrderEvent.Kind.SHIPPED_ELSEWHERE).exists()  # Amazon said no such thing
    if mend is None:
        MarketplaceStatus.objects.all().delete()
        connecting.read_again(account, ["ATVPDKIKX0DER"])
    else:
        means(mend)
    travel(world, minutes=20)
    import_now(account)
    assert only() == (mend or Status.ON_HOLD, WORD)


def test_what_amazon_itself_called_shipped_stays_so_whatever_words_follow(world, account, travel):
    number = add(world, "UNSHIPPED").order_id
    import_now(account)
    for word in ("SHIPPED", "DELIVERED", "RETURN_ASKED"):
        world.update(number, status=word)
        travel(world, minutes=20)
        import_now(account)
        assert Order.objects.get().status == Status.SHIPPED
    means(Status.AWAITING_SHIPMENT, "RETURN_ASKED")
    travel(world, minutes=20)
    import_now(account)
    assert Order.objects.get().status == Status.SHIPPED


def test_what_amazon_says_during_a_hold_counts_once_the_hold_has_ended(world, account, travel):
    means(Status.AWAITING_PAYMENT)
    number = add(world, "UNSHIPPED").order_id
    import_now(account)
    Order.objects.get().hold("to be checked")
    world.update(number, status=WORD)
    travel(world, minutes=20)
    import_now(account)
    assert Order.objects.get().status == Status.ON_HOLD
    Order.objects.get().release()
    world.update(number, ship_by=NOON + timedelta(days=4))
    travel(world, minutes=20)
    import_now(account)
    assert only() == (Status.AWAITING_PAYMENT, WORD)


@pytest.mark.parametrize("mapped", [False, True])
def test_what_a_person_released_stays_released_while_the_word_means_the_same(world, account, travel, mapped):
    if mapped:
        means(Status.ON_HOLD)
    number = add(world).order_id
    import_now(account)
    Order.objects.get().release()
    world.update(number, ship_by=NOON + timedelta(days=4))
    travel(world, minutes=20)
    import_now(account)
    assert only() == (Status.AWAITING_SHIPMENT, WORD)
    means(Status.PENDING_FULFILLMENT)
    travel(world, minutes=20)
    import_now(account)
    assert only() == (Status.PENDING_FULFILLMENT, WORD)


def test_what_a_person_holds_stays_on_hold_whatever_the_map_says(world, account, travel):
    means(Status.AWAITING_SHIPMENT)
    add(world)
    import_now(account)
    Order.objects.get().hold("address looks wrong")
    means(Status.PENDING_FULFILLMENT)
    travel(world, minutes=10)
    import_now(account)
    assert only() == (Status.ON_HOLD, WORD)


def test_what_was_shipped_here_stays_shipped(world, account, travel):
    order = add(world, "UNSHIPPED")
    import_now(account)
    make_shipment(Order.objects.get())
    travel(world, minutes=10)
    world.update(order.order_id, status=WORD)
    for status in (Status.AWAITING_SHIPMENT, Status.ON_HOLD, Status.CANCELLED):
        means(status)
        travel(world, minutes=10)
        import_now(account)
        assert only() == (Status.SHIPPED, WORD)


def test_an_order_amazon_fulfils_stays_shipped(world, account, travel):
    Store.objects.update(import_afn=True)
    order = add(world, "SHIPPED", fulfilled_by="AMAZON")
    import_now(account)
    means(Status.ON_HOLD)
    travel(world, minutes=10)
    world.update(order.order_id, status=WORD)
    travel(world, minutes=10)
    import_now(account)
    assert only() == (Status.SHIPPED, "")


def test_the_words_amazon_defines_are_exactly_those_the_import_decides():
    assert set(mapping.STATUSES) == statusmap.AMAZON_WORDS


def test_the_map_costs_the_import_one_statement_whatever_is_in_it(world, account):
    add(world)

    def statements() -> int:
        account.refresh_from_db()
        account.imported_until = NOON.replace(day=1)
        connector = connector_for(account)
        with CaptureQueriesContext(connection) as caught:
            importing.import_changes(account, connector, now=clock.now())
        return len(caught)

    statements()
    empty = statements()
    for store in Store.objects.all():
        for number in range(20):
            MarketplaceStatus.objects.create(store=store, name=f"WORD_{number}", status=Status.ON_HOLD)
    assert statements() == empty


def test_statuses_that_wait_without_a_meaning_are_offered_with_how_many_wait(noon):
    store = make_store()
    for word, status in (
        ("B", "on_hold"), ("B", "awaiting_shipment"), ("A", "on_hold"), ("KNOWN", "on_hold"), ("", "on_hold"),
        ("OVER", "shipped"), ("OVER", "cancelled"),
    ):  # fmt: skip
        make_order(store, custom_status=word, status=status)
    make_order(make_store("CA", account=store.account), custom_status="ELSEWHERE", status="on_hold")
    MarketplaceStatus.objects.create(store=store, name="known", status="on_hold")
    assert statusmap.unmapped(store) == [("A", 1), ("B", 2)]
