"""F41: every bad answer on every call to BigCommerce. Amazon is told as ever, the store once, no buyer by mail."""

import logging

import pytest

from orderhub.models import JobRun
from stores.models import BigCommerceCredentials
from stores.simulator import scenarios
from stores.simulator.orders import SimAddress
from tests.conftest import NOON
from tests.end_to_end.test_faults import KINDS, NAME, PHONE, STREET, Lines
from tests.longer import sampled
from tests.orders.driving import assert_amazon_knows_once, impatient_clients
from tests.shipments.mirrors import State, rows, start

pytestmark = pytest.mark.django_db
CALLS = ("orders", "order", "products", "shipping_addresses", "shipments", "create_shipment", "update_order")
TIMES = 2
GATE = {"429", "500_after", "cut"}  # in every run; the others in `make faults`
NEVER_SEEN = [kind for kind in KINDS if kind not in {"429", "date_wrong", "wrong_type"}]  # of a write


@pytest.fixture
def lines():
    handler, root = Lines(), logging.getLogger()
    root.addHandler(handler)
    yield lambda: handler.text.getvalue()
    root.removeHandler(handler)


@pytest.fixture
def linked(simulate, monkeypatch):
    impatient_clients(monkeypatch)
    address = SimAddress(name=NAME, line1=STREET, phone=PHONE, city="Austin", state="TX", postal_code="78701")
    at = start(simulate(scenarios.empty(now=NOON)), orders=3, address=address, buyer_name=NAME)
    at.shop.hides_addresses = True  # so that addresses are asked for
    at.shop.status_after_shipping = 11  # so that the status is set
    return at


def heal(at, *, hours: float = 6, step: float = 5) -> None:
    for _step in range(int(hours * 60 / step)):
        if rows() == [State.CONFIRMED] * len(at.orders):
            return
        at.pass_time(minutes=step)
        at.tell()
    raise AssertionError(f"did not heal in time: {rows()}")


@pytest.mark.parametrize("kind", sampled(KINDS, GATE))
def test_f41_bad_answers_of_bigcommerce_lose_nothing_double_nothing_and_leave_amazon_alone(linked, lines, kind):
    at = linked
    faults = [at.world.faults.arm(f"bigcommerce.{call}", kind, times=TIMES, **KINDS[kind]) for call in CALLS]
    at.tell_both()
    assert rows("amazon") == [State.CONFIRMED] * 3
    assert_amazon_knows_once(at.world, at.orders)
    heal(at)
    assert [fault.times for fault in faults] == [0] * len(CALLS)  # each was met
    at.assert_told_once()
    assert at.shop.mails == []
    assert {copy.status_id for copy in at.shop.orders.values()} == {2}
    assert at.world.calls("confirmShipment") == 3
    assert BigCommerceCredentials.objects.get().status == "active"
    told = lines() + "\n".join(JobRun.objects.values_list("outcome", flat=True))
    for secret in (NAME, STREET, PHONE, scenarios.SHOP_TOKEN, "Traceback"):
        assert secret not in told


@pytest.mark.parametrize("kind", sampled(NEVER_SEEN, GATE))
def test_f41_an_answer_to_a_shipment_that_was_not_seen_is_read_back_and_not_sent_again(linked, kind):
    at = linked
    at.world.faults.arm("bigcommerce.create_shipment", kind, times=1, **KINDS[kind])
    at.tell_both()
    assert rows().count(State.UNKNOWN) == 1
    sent = at.world.calls("bigcommerce.create_shipment")
    at.pass_time(minutes=3)
    at.tell()
    arrived = len(at.created()) == 3
    assert at.world.calls("bigcommerce.create_shipment") == sent
    heal(at)
    assert at.world.calls("bigcommerce.create_shipment") == (sent if arrived else sent + 1)
    at.assert_told_once()


def test_f41_a_store_down_for_hours_delays_the_store_alone(linked):
    at = linked
    at.world.faults.arm("bigcommerce.orders", "503", times=None)
    at.tell_both()
    for _half_hour in range(12):
        at.pass_time(minutes=30)
        at.tell()
    assert rows("amazon") == [State.CONFIRMED] * 3
    assert set(rows()) <= {State.RETRY_AT, State.PENDING}
    at.world.faults.clear()
    heal(at, step=30)
    at.assert_told_once()
