"""A worker that tells BigCommerce is killed at every named place, or is not alone: the store is told once."""

from datetime import timedelta

import pytest

from orderhub import clock, failpoints
from shipments import mirroring
from shipments.jobs import mirror_shop
from shipments.models import ShipmentNotification
from stores.linking import mirror_connector_for
from stores.models import Store
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.end_to_end.killing import died_at, job, twice_at_once
from tests.end_to_end.test_kill import RECONCILE
from tests.orders.driving import assert_amazon_knows_once, notify_now
from tests.shipments.mirrors import State, row, rows, start

pytestmark = pytest.mark.django_db(transaction=True)
NOTIFY = [name for name in failpoints.NAMES if name.startswith("notify.")]


@pytest.fixture
def told(simulate):
    """Amazon knows of the parcels, the linked store is still to be told; its statuses must be set by hand."""

    def begin(orders: int):
        at = start(simulate(scenarios.empty(now=NOON)), orders=orders, told_by="orderhub")
        at.shop.status_after_shipping = 11
        ShipmentNotification.objects.filter(channel="bigcommerce").update(next_attempt_at=NOON + timedelta(minutes=1))
        notify_now(at.account)
        at.pass_time(minutes=2)
        assert rows() == [State.PENDING] * orders
        return at

    return begin


def quiet(at, *, minutes: int = 40) -> None:
    for _step in range(minutes // 2):
        at.pass_time(minutes=2)
        at.tell()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("place", [*NOTIFY, "notify.after_claim:2", "notify.after_send:2"])
def test_f01_a_notice_to_the_store_killed_anywhere_is_told_once(told, place):
    at = told(3)
    name, _, visit = place.partition(":")
    if name == RECONCILE:
        assert died_at("notify.after_send", job(mirror_shop, at.store))
        at.pass_time(minutes=3)
    assert died_at(name, job(mirror_shop, at.store), visit=int(visit or 1))
    quiet(at)
    assert rows() == [State.CONFIRMED] * 3
    at.assert_told_once()
    assert {copy.status_id for copy in at.shop.orders.values()} == {2}
    assert_amazon_knows_once(at.world, at.orders)
    assert not ShipmentNotification.objects.filter(lease_until__isnull=False).exists()


def test_f06_a_notice_that_kills_its_worker_three_times_waits_for_a_person(told):
    at = told(1)
    for place in ("notify.after_claim", RECONCILE, RECONCILE):
        assert died_at(place, job(mirror_shop, at.store))
        at.pass_time(minutes=2)
    assert "began three times" in at.tell()  # the job itself is slowed down first
    at.pass_time(minutes=16)
    at.tell()
    assert (row().state, row().error_code) == (State.NEEDS_ATTENTION, "Poison")
    mirroring.retry(row(), now=clock.now())
    at.tell()
    at.assert_told_once()


def test_f33_two_processes_at_once_without_a_lease_tell_the_store_once(told):
    at = told(5)

    def tell_without_lease() -> None:
        shop = Store.objects.select_related("bigcommerce").get(pk=at.store.pk)
        mirroring.mirror_due(shop, mirror_connector_for(shop), now=clock.now())

    assert twice_at_once(tell_without_lease) == [0, 0]
    quiet(at, minutes=20)
    assert rows() == [State.CONFIRMED] * 5
    at.assert_told_once()
    assert at.world.calls("bigcommerce.create_shipment") == 5


def test_f32_a_holder_that_wakes_up_after_its_lease_cannot_write(told):
    at = told(1)
    shop = Store.objects.select_related("bigcommerce").get(pk=at.store.pk)
    connector = mirror_connector_for(shop)

    class Slow:
        """Reads, and then sleeps until another holder has done the work."""

        def __getattr__(self, name):
            return getattr(connector, name)

        def standing(self, order_id):
            seen = connector.standing(order_id)
            at.pass_time(minutes=3)
            at.tell()
            assert row().state == State.CONFIRMED
            return seen

    mirroring.mirror_due(shop, Slow(), now=clock.now())
    at.assert_told_once()
    assert row().state == State.CONFIRMED


def test_a_parcel_voided_while_it_is_looked_at_is_not_told(told):
    from shipments import voiding
    from tests.factories import make_user

    at = told(1)
    shop = Store.objects.select_related("bigcommerce").get(pk=at.store.pk)
    connector = mirror_connector_for(shop)

    class Meanwhile:
        def __getattr__(self, name):
            return getattr(connector, name)

        def standing(self, order_id):
            voiding.void(at.orders[0].shipments.get(), by=make_user("Support"), now=clock.now())
            return connector.standing(order_id)

    mirroring.mirror_due(shop, Meanwhile(), now=clock.now())
    quiet(at, minutes=20)
    assert (row().state, at.created()) == (State.WITHDRAWN, {})
