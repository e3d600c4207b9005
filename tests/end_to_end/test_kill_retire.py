"""F01 for old orders: a process that is killed while it deletes them leaves nothing that the next run does not finish."""

import pytest

from orders.models import Order
from shipments import retiring
from shipments.models import Label
from tests.end_to_end.killing import died_at
from tests.factories import make_store
from tests.privacy.old import keys_are_whole, months_ago, old_order, retire
from tests.privacy.rows import file_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("point", ["retire.after_files", "retire.inside"])
def test_f01_killed_in_a_batch_of_old_orders_the_next_run_ends_it(noon, travel, point, monkeypatch):
    monkeypatch.setattr(retiring, "BATCH", 1)
    store = make_store()
    orders = [old_order(store, months_ago(), with_label=True) for _ in range(2)]
    paths = [file_of(label) for label in Label.objects.order_by("pk")]
    assert died_at(point, retire, visit=2)
    keys_are_whole()
    assert Order.objects.count() == 1 and [path.exists() for path in paths] == [False, False]
    assert retire() == "already running"  # the dead one's lease has not ended
    travel(minutes=2)
    retire()
    keys_are_whole()
    assert not Order.objects.filter(pk__in=[order.pk for order in orders]).exists() and not Label.objects.exists()
