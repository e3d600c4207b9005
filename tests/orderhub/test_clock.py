"""The one clock."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection

from orderhub import clock
from tests.conftest import NOON


def test_now_is_aware_and_utc():
    assert clock.now().utcoffset() == timedelta(0)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert not clock.shifted()


def test_a_frozen_clock_stands_still_until_moved_and_real_time_comes_back():
    with clock.at(NOON):
        assert clock.now() == clock.now() == NOON
        assert clock.advance(minutes=5) == NOON + timedelta(minutes=5)
        assert clock.shifted()
    assert not clock.shifted()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_shifted_clock_goes_on():
    with clock.at(NOON, frozen=False):
        first = clock.now()
        assert first - NOON < timedelta(seconds=5)
        assert clock.advance(hours=1) - first >= timedelta(hours=1)
        assert clock.now() >= first


def test_clocks_nest_and_an_error_inside_restores_the_outer_one():
    with clock.at(NOON):
        with pytest.raises(ZeroDivisionError), clock.at(NOON + timedelta(days=1)):
            clock.advance(days=3)
            raise ZeroDivisionError
        assert clock.now() == NOON


def test_an_instant_without_a_zone_is_refused_and_another_zone_becomes_utc():
    with pytest.raises(ValueError, match="aware"), clock.at(datetime(2026, 1, 1)):
        pass
    with clock.at(datetime(2026, 11, 20, 21, tzinfo=timezone(timedelta(hours=9)))):
        assert clock.now() == NOON
        assert clock.now().tzinfo is UTC


@pytest.mark.django_db
def test_production_takes_the_databases_time(settings):
    settings.CLOCK_SOURCE = "database"
    own = clock._Clock()
    assert abs(own.now() - datetime.now(UTC)) < timedelta(seconds=5)
    sampled = own._sample
    own.now()
    assert own._sample == sampled  # asked again after a minute only
    if connection.vendor == "postgresql":
        assert own._sample[1] != timedelta(0)
