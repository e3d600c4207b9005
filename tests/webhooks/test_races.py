"""Two workers at once: nobody is told twice by two, and nothing is lost between them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections

from orderhub import clock
from orderhub.webhooks import feeding, sending
from orderhub.webhooks.models import Delivery, State
from tests.factories import make_order
from tests.webhooks.test_feeding import line

pytestmark = pytest.mark.django_db(transaction=True)
LINES = 12


def at_once(deed) -> None:
    start = Barrier(2)

    def one(_number: int) -> None:
        start.wait(5)
        try:
            deed()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(2)))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
def test_two_feeders_and_two_senders_at_once_tell_each_thing_once(transactional_db, store, endpoint, receive):
    receiver = receive()
    there = endpoint(receiver)
    order = make_order(store)
    for _line in range(LINES):
        line(order)
    now = clock.now()
    at_once(lambda: feeding.feed(now=now))
    assert Delivery.objects.count() == LINES
    at_once(lambda: sending.send_due(there.pk, now=now))
    assert (len(receiver.got), len(set(receiver.ids))) == (LINES, LINES)
    assert set(Delivery.objects.values_list("state", "attempts")) == {(State.DELIVERED, 1)}
