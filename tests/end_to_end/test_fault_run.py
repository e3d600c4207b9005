"""F08 to F20, G11: 800 updates through the weather of `make faults`; and the verdict itself can say no."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orderhub import clock
from orderhub.management.faultrun import verdict
from orderhub.management.faultrun.trade import SELLERS
from orders.models import Order, OrderEvent, OrderItem
from stores.models import AmazonAccount
from tests.factories import connect, make_order, rewrite
from tests.orders.driving import import_now

pytestmark = pytest.mark.django_db
UPDATES, PACE = 500, 10
CLEAN = ("missed", "not theirs", "doubled", "out of date", "different", "stuck", "unreadable", "set back")


def test_f08_to_f20_no_update_is_missed_doubled_or_set_back():
    told = StringIO()
    call_command("faults", updates=UPDATES, seed=7, pace=PACE, stdout=told)
    words = [line.rsplit(maxsplit=1) for line in told.getvalue().splitlines()]
    counts = {name.strip(): int(last) for name, last in (found for found in words if len(found) == 2) if last.isdigit()}
    assert {name: counts[name] for name in CLEAN} == dict.fromkeys(CLEAN, 0)
    assert (
        sum(count > 0 for name, count in counts.items() if name not in CLEAN) >= 12
    )  # kinds of trouble it went through
    assert Order.objects.count() > 80


def test_an_installation_with_orders_is_left_alone(noon):
    make_order()
    with pytest.raises(CommandError, match="orders in it"):
        call_command("faults", updates=1, stdout=StringIO())
    assert Order.objects.count() == 1


@pytest.fixture
def account(world) -> AmazonAccount:
    """Ten orders, imported."""
    world.throttling = False
    at = clock.now() - timedelta(minutes=30)
    for minute in range(10):
        world.add_order(SELLERS[0], marketplace="US", created=at, updated=at + timedelta(minutes=minute))
    found = connect(SELLERS[0], sources=("US",))
    import_now(found)
    return found


def _missed(order):
    order.delete()


def _doubled(order):
    kind = OrderEvent.Kind.IMPORTED
    OrderEvent.objects.create(order=order, kind=kind, params={"status": order.status}, at=clock.now())


def _status_twice(order):
    params = {"before": "shipped", "after": "awaiting_shipment"}
    OrderEvent.objects.create(order=order, kind=OrderEvent.Kind.STATUS, params=params, at=clock.now())


def _out_of_date(order):
    Order.objects.filter(pk=order.pk).update(amazon_updated_at=order.amazon_updated_at - timedelta(seconds=1))


def _other_quantity(order):
    OrderItem.objects.filter(order=order).update(quantity=99)


def _other_person(order):
    rewrite(type(order.person).objects.filter(pk=order.pk), street1="elsewhere")


def _half_a_window(order):
    AmazonAccount.objects.update(page_token="left", window_after=clock.now())


@pytest.mark.parametrize(
    ("harm", "name"),
    [
        (_missed, "missed"), (_doubled, "doubled"), (_status_twice, "doubled"), (_out_of_date, "out of date"),
        (_other_quantity, "different"), (_other_person, "different"), (_half_a_window, "stuck"),
    ],
)  # fmt: skip
def test_the_verdict_sees_each_kind_of_harm(world, account, harm, name):
    assert not verdict.counted(verdict.unequal(world, now=clock.now()))
    harm(Order.objects.order_by("pk").first())
    assert verdict.counted(verdict.unequal(world, now=clock.now())) == {name: 1}


def test_an_order_not_theirs_is_seen(world, account):
    make_order(account.stores.get())
    assert "not theirs" in verdict.counted(verdict.unequal(world, now=clock.now()))


def test_a_word_or_a_cursor_that_goes_back_is_seen(world, account):
    water = verdict.HighWater()
    water.look(clock.now())
    assert water.violations == []
    order = Order.objects.first()
    Order.objects.filter(pk=order.pk).update(amazon_updated_at=order.amazon_updated_at - timedelta(minutes=1))
    AmazonAccount.objects.update(imported_until=account.imported_until - timedelta(days=1))
    water.look(clock.now())
    assert len(water.violations) == 2
    AmazonAccount.objects.update(imported_until=clock.now() + timedelta(hours=3))
    assert water.look(clock.now()) is None and len(water.violations) == 3
