"""The shared token bucket."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from orderhub import clock
from orderhub.errors import Throttled
from stores.models import AmazonAccount, RateBucket
from stores.simulator import scenarios
from stores.throttle import SHARE, AccountThrottle
from tests.conftest import NOON
from tests.factories import connect, make_account
from tests.orders.driving import import_now

PLAN = {"rate": 2, "burst": 10}


@pytest.fixture
def throttle(noon, db) -> AccountThrottle:
    return AccountThrottle(make_account())


def bucket() -> RateBucket:
    return RateBucket.objects.get(operation="confirmShipment")


def takes(throttle: AccountThrottle, times: int) -> int:
    """How many of so many asked-for tokens were sold."""
    sold = 0
    for _time in range(times):
        try:
            throttle.take("confirmShipment", **PLAN)
        except Throttled:
            continue
        sold += 1
    return sold


def test_the_burst_is_sold_and_then_nothing(throttle):
    assert takes(throttle, 30) == 10
    with pytest.raises(Throttled) as refusal:
        throttle.take("confirmShipment", **PLAN)
    assert refusal.value.wait_s == pytest.approx(1 / (2 * SHARE))


def test_time_refills_at_four_fifths_of_the_published_rate_and_never_over_the_burst(throttle):
    takes(throttle, 10)
    clock.advance(seconds=5)
    assert takes(throttle, 30) == 8  # 5 s x 2/s x 0.8
    clock.advance(hours=3)
    assert takes(throttle, 30) == 10


def test_a_clock_that_goes_back_mints_no_tokens(throttle):
    takes(throttle, 10)
    clock.advance(hours=-2)
    assert takes(throttle, 5) == 0
    assert bucket().tokens >= 0


def test_buckets_are_kept_per_operation_and_account(throttle, noon):
    takes(throttle, 10)
    throttle.take("getOrder", rate=0.5, burst=30)
    other = AccountThrottle(make_account(scenarios.EU))
    assert takes(other, 10) == 10


def test_the_rate_amazon_names_is_taken_over(throttle):
    throttle.take("confirmShipment", **PLAN)
    throttle.learned("confirmShipment", 0.5, **PLAN)
    assert bucket().rate == pytest.approx(0.5 * SHARE)
    throttle.learned("confirmShipment", 0, **PLAN)  # no header: nothing is known anew
    assert bucket().rate == pytest.approx(0.5 * SHARE)


@pytest.mark.django_db
def test_the_rate_is_learned_from_the_header_of_a_real_answer(world):
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    RateBucket.objects.update(rate=1.0)
    import_now(account)
    assert RateBucket.objects.get(operation="searchOrders").rate == pytest.approx(0.0056 * SHARE)


def test_refusals_in_a_row_wait_longer_each_time_and_a_yes_forgets_them(throttle):
    throttle.take("confirmShipment", **PLAN)
    waits = [throttle.refused("confirmShipment", **PLAN) for _time in range(8)]
    assert waits == sorted(waits)
    assert len(set(waits)) == 8
    assert waits[-1] > 60
    assert takes(throttle, 3) == 0
    assert bucket().blocked_until == NOON + timedelta(seconds=waits[-1])
    clock.advance(seconds=waits[-1] + 1)
    throttle.learned("confirmShipment", 2, **PLAN)
    assert (bucket().throttled, bucket().blocked_until) == (0, None)


def test_amazons_own_wait_is_obeyed_where_it_is_longer(throttle):
    throttle.take("confirmShipment", **PLAN)
    assert throttle.refused("confirmShipment", retry_after_s=500, **PLAN) == 500


@pytest.mark.parametrize(("throttled", "asked_s"), [(60, 0), (0, 999_999)])
def test_the_wait_is_never_longer_than_an_hour(throttle, throttled, asked_s):
    throttle.take("confirmShipment", **PLAN)
    RateBucket.objects.update(throttled=throttled)
    assert throttle.refused("confirmShipment", retry_after_s=asked_s, **PLAN) == 3600
    assert bucket().blocked_until == NOON + timedelta(hours=1)


def test_a_yes_does_not_open_a_bucket_that_was_closed_after_its_call_began(throttle):
    throttle.take("confirmShipment", **PLAN)
    wait_s = throttle.refused("confirmShipment", retry_after_s=100, **PLAN)
    throttle.learned("confirmShipment", 3, **PLAN)
    assert (bucket().throttled, bucket().blocked_until) == (1, NOON + timedelta(seconds=wait_s))
    assert bucket().rate == pytest.approx(3 * SHARE)
    assert takes(throttle, 3) == 0


@pytest.mark.parametrize(
    ("named", "kept"), [(1e-310, 0.2), (0.0000001, 0.2), (0.3, 0.3), (19, 19), (999_999, 20)]
)  # fmt: skip
def test_a_rate_far_from_the_published_one_is_not_believed(throttle, named, kept):
    throttle.take("confirmShipment", **PLAN)
    throttle.learned("confirmShipment", named, **PLAN)
    assert bucket().rate == pytest.approx(kept * SHARE)
    RateBucket.objects.update(tokens=0)
    with pytest.raises(Throttled) as refusal:
        throttle.take("confirmShipment", **PLAN)
    assert refusal.value.wait_s <= 3600


def test_a_row_with_a_rate_too_small_to_live_by_heals(throttle):
    throttle.take("confirmShipment", **PLAN)
    RateBucket.objects.update(tokens=0, rate=1e-9)
    clock.advance(minutes=1)
    assert takes(throttle, 1) == 1


def test_a_clock_that_goes_back_does_not_stop_the_refill_until_it_is_there_again(throttle):
    clock.advance(days=1)
    takes(throttle, 10)
    clock.advance(days=-1)
    assert takes(throttle, 5) == 0
    clock.advance(seconds=5)
    assert takes(throttle, 30) == 8


def test_a_clock_that_goes_back_does_not_keep_a_bucket_closed_until_it_is_there_again(throttle):
    clock.advance(days=1)
    throttle.take("confirmShipment", **PLAN)
    throttle.refused("confirmShipment", **PLAN)
    clock.advance(days=-1)
    assert takes(throttle, 1) == 0
    clock.advance(seconds=5)
    assert takes(throttle, 1) == 1


def test_asking_for_the_wait_spends_nothing(throttle):
    takes(throttle, 10)
    before = RateBucket.objects.values().get()
    assert throttle.wait_for("confirmShipment", ahead=3, **PLAN) == pytest.approx(4 / (2 * SHARE))
    assert RateBucket.objects.values().get() == before


@pytest.mark.django_db(transaction=True)
def test_eight_threads_never_sell_more_tokens_than_there_are():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer; its busy waits are not what is proved here")
    with clock.at(NOON):
        account = make_account()
        sold = []

        def ask() -> None:
            try:
                sold.append(takes(AccountThrottle(AmazonAccount.objects.get(pk=account.pk)), 4))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=ask) for _thread in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(sold) == 8
        assert sum(sold) == 10  # 32 asked
        assert 0 <= bucket().tokens < 1


@pytest.mark.django_db(transaction=True)
def test_two_who_read_the_same_bucket_cannot_both_spend_its_last_token():
    with clock.at(NOON):
        throttle = AccountThrottle(make_account())
        takes(throttle, 9)
        mine, theirs = bucket(), bucket()
        assert throttle._swap(mine, tokens=0.0)
        assert not throttle._swap(theirs, tokens=0.0)
