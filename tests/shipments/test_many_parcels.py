"""Many parcels told in one submission cost a few calls, and no more statements than a few. The long run is `make bench`."""

import pytest
from django.core.management.base import CommandError

from orderhub.management.commands import bench_confirming

pytestmark = pytest.mark.django_db


@pytest.mark.long
@pytest.mark.parametrize("orders", [20, 60])
def test_r54_a_submission_costs_the_same_few_calls_however_many_parcels(noon, orders):
    single, together = bench_confirming.measure(orders)
    assert (single.orders, single.calls, single.submissions) == (10, 10, 0)
    assert (together.orders, together.calls, together.submissions) == (orders, 7, 1)
    assert together.statements < 160 < orders * single.statements / single.orders
    assert "7 calls: " in bench_confirming.lines(single, together)[0]


def test_so_few_that_they_go_one_by_one_are_no_measure(noon):
    with pytest.raises(CommandError, match="more than 10"):
        bench_confirming.measure(10)
