"""Voiding a bought label: the provider first, and what it refuses changes nothing. R47, R83."""

import pytest

from orderhub import clock
from orderhub.errors import RuleViolation
from orders.models import Order
from shipments import labelcancelling, voiding, voidwords
from shipments.models import LabelPurchase, ShipmentNotification
from shipments.parting import ChangedMeanwhile
from tests.factories import make_shipment, make_user
from tests.orders.driving import notify_now
from tests.shipments.shop import buy_label, open_shop, order_at, settle_now

pytestmark = pytest.mark.django_db
State = LabelPurchase.State


@pytest.fixture
def account(world):
    return open_shop()


@pytest.fixture
def shipment(world, account):
    return buy_label(order_at(world, account))


def effects(world) -> list[str]:
    return [entry["effect"] for entry in world.parcels.ledger]


def test_a_bought_label_is_voided_at_amazon_and_here(world, shipment):
    voiding.void(shipment, by=make_user("Support"), now=clock.now())
    assert effects(world) == ["bought", "voided"]
    assert LabelPurchase.objects.get().state == State.VOIDED
    order = Order.objects.get()
    assert (order.status, order.redaction_rule) == (Order.Status.AWAITING_SHIPMENT, "import")
    assert order.items.get().quantity_shipped == 0


def test_r47_after_the_void_a_new_parcel_tells_amazon_nothing(world, account, shipment):
    voiding.void(shipment, by=None, now=clock.now())
    make_shipment(Order.objects.get(), with_label=False)
    notify_now(account)
    assert ShipmentNotification.objects.get().error_code == ShipmentNotification.TOLD_BY_PROVIDER
    assert world.calls("confirmShipment") == 0


def test_a_void_amazon_refuses_leaves_everything(world, shipment, travel):
    travel(world, hours=7)  # the carrier has it
    with pytest.raises(RuleViolation, match="does not take this label back"):
        voiding.void(shipment, by=None, now=clock.now())
    shipment.refresh_from_db()
    assert (shipment.voided_at, LabelPurchase.objects.get().state) == (None, State.BOUGHT)
    assert Order.objects.get().status == Order.Status.SHIPPED and effects(world) == ["bought"]


@pytest.mark.parametrize("kind", ["500_after", "500_before", "cut"])
@pytest.mark.parametrize("again", [True, False], ids=["answered alike", "refused the second time"])
def test_a_void_whose_answer_is_not_seen_is_asked_again_and_finished(world, account, shipment, travel, kind, again):
    world.parcels.cancel_again = again
    world.faults.arm("cancelShipment", kind)
    with pytest.raises(RuleViolation, match="asked again within minutes"):
        voiding.void(shipment, by=None, now=clock.now())
    shipment.refresh_from_db()
    assert (shipment.voided_at, LabelPurchase.objects.get().state) == (None, State.VOIDING)
    settle_now(account)
    assert LabelPurchase.objects.get().state == State.VOIDING
    travel(world, minutes=3)
    settle_now(account)
    shipment.refresh_from_db()
    assert shipment.voided_at is not None and LabelPurchase.objects.get().state == State.VOIDED
    assert effects(world) == ["bought", "voided"]


def test_a_void_that_died_between_amazon_and_us_is_finished(world, account, shipment, travel):
    labelcancelling.cancel_label(shipment, now=clock.now())
    travel(world, minutes=3)
    settle_now(account)
    shipment.refresh_from_db()
    assert shipment.voided_at is not None


@pytest.mark.parametrize("kind", ["429", "403_revoked"])
def test_a_void_that_never_left_leaves_everything(world, shipment, kind):
    world.faults.arm("cancelShipment", kind)
    with pytest.raises(RuleViolation):
        voiding.void(shipment, by=None, now=clock.now())
    shipment.refresh_from_db()
    assert (shipment.voided_at, LabelPurchase.objects.get().state) == (None, State.BOUGHT)


def test_our_own_label_asks_nobody(world, account):
    shipment = make_shipment(order_at(world, account), with_label=False)
    voiding.void(shipment, by=None, now=clock.now())
    assert world.calls("cancelShipment") == 0


def test_a_bought_label_without_a_record_is_not_voided_here_alone(world, shipment):
    LabelPurchase.objects.all().delete()
    with pytest.raises(RuleViolation, match="no record of buying"):
        voiding.void(shipment, by=None, now=clock.now())


def test_what_changed_since_it_was_read_keeps_the_label_at_amazon(world, shipment):
    """A second parcel of the order is told instead, or not: what was read of it is asked again before Amazon is."""
    seal = voidwords.seal(voidwords.of(shipment, now=clock.now()))
    ShipmentNotification.objects.update(state="rejected", error_code="InvalidInput", attempts=1, fence=1)
    with pytest.raises(ChangedMeanwhile):
        voiding.void(shipment, by=None, now=clock.now(), as_seen=seal)
    shipment.refresh_from_db()
    assert (shipment.voided_at, LabelPurchase.objects.get().state) == (None, State.BOUGHT)
    assert world.calls("cancelShipment") == 0
    seal = voidwords.seal(voidwords.of(shipment, now=clock.now()))
    voiding.void(shipment, by=None, now=clock.now(), as_seen=seal)
    assert effects(world) == ["bought", "voided"]
