"""Telling the linked BigCommerce store: after Amazon, once, whatever becomes of either. R21, R22, R45-R47, R59."""

import pytest

from tests.shipments.mirrors import State, row, rows, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def linked(simulate):
    from stores.simulator import scenarios
    from tests.conftest import NOON

    return lambda **given: start(simulate(scenarios.empty(now=NOON)), **given)


def test_r21_a_parcel_is_told_to_the_linked_store_once_after_amazon(linked):
    at = linked()
    at.tell()
    assert (rows(), at.created()) == ([State.PENDING], {})
    at.tell_both()
    for _run in range(3):
        at.tell_both()
    assert (row().state, row().error_code) == (State.CONFIRMED, "")
    at.assert_told_once()
