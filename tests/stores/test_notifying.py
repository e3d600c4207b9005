"""When the marketplace is told: the store's policy and Amazon's limits (F10b)."""

from datetime import timedelta

import pytest

from orderhub import clock
from stores import notifying
from stores.connectors.amazon.client import CONFIRM_SHIPMENT
from stores.models import RateBucket, Store
from stores.throttle import SHARE, AccountThrottle
from tests.conftest import NOON
from tests.factories import make_account

PLAN = {"rate": CONFIRM_SHIPMENT.rate, "burst": CONFIRM_SHIPMENT.burst}


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


@pytest.mark.parametrize(
    ("when", "minutes", "ship_by", "first"),
    [
        ("label", None, NOON + hours(9), NOON),
        ("label", None, None, NOON),
        ("never", None, NOON + hours(9), None),
        ("delay", 15, None, NOON + hours(0.25)),
        ("delay", 240, NOON + hours(9), NOON + hours(4)),
        ("delay", 240, NOON + hours(5), NOON + hours(4)),
        ("delay", 240, NOON + hours(3), NOON + hours(2)),
        ("delay", 240, NOON + hours(1), NOON),
        ("delay", 240, NOON + hours(0.5), NOON),
        ("delay", 1440, NOON - hours(48), NOON),
    ],
)
def test_f10b_the_first_attempt_follows_the_policy_and_never_endangers_the_deadline(when, minutes, ship_by, first):
    store = Store(notify_when=when, notify_delay_minutes=minutes)
    assert notifying.first_attempt(store, NOON, ship_by) == first


@pytest.mark.django_db
def test_with_room_in_the_bucket_amazon_is_told_at_once_and_asking_leaves_no_row(noon):
    account = make_account()
    assert notifying.expected_at(account, noon, now=noon) == noon
    assert notifying.expected_at(account, noon + hours(4), now=noon) == noon + hours(4)
    assert not RateBucket.objects.exists()


@pytest.mark.django_db
def test_an_empty_bucket_and_those_who_go_first_make_it_later(noon):
    account = make_account()
    for _call in range(10):
        AccountThrottle(account).take(CONFIRM_SHIPMENT.name, **PLAN)
    before = RateBucket.objects.values().get()
    second = 1 / (CONFIRM_SHIPMENT.rate * SHARE)
    assert notifying.expected_at(account, noon, now=noon) == noon + timedelta(seconds=second)
    assert notifying.expected_at(account, noon, now=noon, ahead=159) == noon + timedelta(seconds=160 * second)
    assert RateBucket.objects.values().get() == before


@pytest.mark.django_db
def test_a_bucket_that_amazon_closed_counts_until_it_opens(noon):
    account = make_account()
    wait_s = AccountThrottle(account).refused(CONFIRM_SHIPMENT.name, retry_after_s=900, **PLAN)
    assert notifying.expected_at(account, noon, now=noon) == noon + timedelta(seconds=wait_s)


@pytest.mark.django_db
def test_a_bucket_dated_ahead_of_a_clock_that_went_back_is_read_as_it_is_now(noon):
    account = make_account()
    clock.advance(days=1)
    for _call in range(10):
        AccountThrottle(account).take(CONFIRM_SHIPMENT.name, **PLAN)
    clock.advance(days=-1)
    later = notifying.expected_at(account, noon, now=noon)
    assert noon < later < noon + timedelta(seconds=5)
