"""When Amazon will have been told, said in advance and compared with when it was."""

import random
from datetime import datetime, timedelta

import pytest

from orderhub import clock
from shipments.models import Feed, ShipmentNotification
from shipments.predicting import Forecast
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect
from tests.orders.driving import (
    all_told,
    assert_amazon_knows_once,
    assert_nothing_is_stuck,
    import_now,
    ship_everything,
    sweep,
    time_passes,
)

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State
NEAR = 0.2


@pytest.fixture
def shipped(simulate):
    def start(orders: int):
        random.seed(7)  # of the pauses after refusals
        world = simulate(scenarios.backlog(now=NOON, orders=orders))
        account = connect(scenarios.NA, sources=("US",))
        import_now(account)
        return world, account, ship_everything()

    return start


def told_at(world, *, step_s: float, hours: float = 3) -> dict[int, datetime]:
    """When each notice was accepted, while the sweeps run every so many seconds."""
    for _step in range(int(hours * 3600 / step_s)):
        world.clock.set(clock.advance(seconds=step_s))
        sweep()
        if all_told():
            break
    return dict(ShipmentNotification.objects.values_list("pk", "confirmed_at"))


def predictions(account) -> dict[int, datetime]:
    forecast = Forecast(account, now=clock.now())
    rows = ShipmentNotification.objects.exclude(state__in=State.FINAL).select_related("feed")
    return {row.pk: forecast.of(row).at for row in rows}


def asked(world) -> int:
    return world.calls("confirmShipment") + world.calls("createFeedDocument") + world.calls("createFeed")


def next_question(account) -> datetime:
    """When Amazon is asked next: a submission's result comes some time after that."""
    forecast = Forecast(account, now=clock.now())
    return min(found.at - forecast.takes * found.together for found in forecast.expected.values())


def assert_near(predicted: dict, actual: dict, *, asked: datetime, slack_s: float = 0) -> None:
    """Each prediction is off by a fifth of the wait at most. `slack_s`: the pause between two sweeps."""
    for pk, at in predicted.items():
        waited = (actual[pk] - asked).total_seconds()
        off = abs((at - actual[pk]).total_seconds())
        assert off <= NEAR * waited + slack_s, (off, waited)


@pytest.mark.long
def test_w5_one_by_one_each_notice_s_time_is_said_right(shipped):
    world, account, orders = shipped(150)
    ShipmentNotification.objects.update(single_only=True)
    world.clock.set(clock.advance(minutes=1))
    asked, said = clock.now(), predictions(account)
    actual = told_at(world, step_s=5)
    assert max(actual.values()) > asked + timedelta(seconds=80)
    assert_near(said, actual, asked=asked, slack_s=10)
    assert_amazon_knows_once(world, orders)


def test_w5_together_the_time_is_learned_from_the_account_s_last_submissions(shipped):
    world, account, orders = shipped(12)
    world.feed_delays = (300, 900)
    time_passes(world, minutes=40)
    assert all_told() and Feed.objects.get().state == Feed.State.DONE
    for number in range(12):
        at = clock.now() - timedelta(minutes=5, seconds=number)
        world.add_order(scenarios.NA, marketplace="US", created=at, updated=at)
    import_now(account)
    ship_everything()
    sweep()
    world.clock.set(clock.advance(minutes=1))
    asked, said = clock.now(), predictions(account)
    assert all(at > asked + timedelta(minutes=15) for at in said.values())
    assert_near(said, told_at(world, step_s=60), asked=asked)


@pytest.mark.long
def test_r52_w5_an_hour_of_429_on_everything_loses_and_burns_nothing_and_times_are_said_right(shipped):
    """The times are asked for in the middle of each wait, when nobody knows when Amazon will relent."""
    world, account, orders = shipped(14)
    world.faults.arm("*", "429", times=None)
    asked_of_amazon: list[datetime] = []
    said: list[tuple[datetime, datetime]] = []
    for _minute in range(60):
        world.clock.set(clock.advance(minutes=1))
        before = asked(world)
        said.append((clock.now(), next_question(account)))
        sweep()
        if asked(world) > before:
            asked_of_amazon.append(clock.now())
    rows = ShipmentNotification.objects.all()
    assert {row.state for row in rows} <= {State.PENDING, State.RETRY_AT}
    assert not any(row.attempts or row.starts or row.failing_since for row in rows)
    assert Feed.objects.count() == 0 and world.effective_confirmations() == {}
    assert len(asked_of_amazon) >= 4
    world.faults.clear()
    healed, last = clock.now(), predictions(account)
    actual = told_at(world, step_s=15)
    assert_near(last, actual, asked=healed, slack_s=60)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()
    for at, first in said:  # what was said all along, once Amazon had refused: when it is asked next
        if at <= asked_of_amazon[0]:
            continue
        nexts = [when for when in [*asked_of_amazon, min(actual.values())] if when >= at]
        assert abs((first - nexts[0]).total_seconds()) <= NEAR * (nexts[0] - at).total_seconds() + 60


@pytest.mark.parametrize("orders", [5, 50])
def test_a_forecast_costs_three_statements_however_many_wait(shipped, orders, django_assert_num_queries):
    _world, account, _orders = shipped(orders)
    with django_assert_num_queries(3):  # buckets, submissions, notices
        forecast = Forecast(account, now=clock.now())
    assert len(forecast.expected) == orders
