"""A buyer killed by SIGKILL at every named place: the label is bought once, and the order leaves once."""

import pytest

from orderhub import clock, failpoints
from shipments import buying
from shipments.models import Label, LabelPurchase, Shipment
from tests.end_to_end.killing import died_at
from tests.shipments.shop import assert_bought_and_sent_once, offers_for, open_shop, order_at, settle_now

pytestmark = pytest.mark.django_db(transaction=True)
BUY = [name for name in failpoints.NAMES if name.startswith("buy.")]


@pytest.mark.parametrize("place", BUY)
def test_a_buyer_killed_anywhere_buys_once(world, travel, place):
    account = open_shop()
    order = order_at(world, account)
    parcel, rates = offers_for(order)
    assert died_at(place, lambda: buying.buy(order, rates[0], parcel=parcel, now=clock.now()))
    assert not Shipment.objects.exists()
    settle_now(account)  # the dead one's lease still runs
    assert LabelPurchase.objects.get().state == LabelPurchase.State.BUYING
    travel(world, minutes=2)
    settle_now(account)
    settle_now(account)
    shipment = assert_bought_and_sent_once(world, order)
    label = Label.objects.get(shipment=shipment)
    assert label.file.storage.open(label.file.name).read(5) == b"%PDF-"


@pytest.mark.parametrize("place", ["buy.after_send", "buy.after_answer"])
def test_whoever_goes_on_may_be_killed_too(world, travel, place):
    account = open_shop()
    order = order_at(world, account)
    parcel, rates = offers_for(order)
    assert died_at("buy.after_intent", lambda: buying.buy(order, rates[0], parcel=parcel, now=clock.now()))
    travel(world, minutes=2)
    assert died_at(place, lambda: settle_now(account))
    travel(world, minutes=2)
    settle_now(account)
    assert_bought_and_sent_once(world, order)


def test_killed_between_the_parcel_and_its_file_the_file_is_fetched_when_opened(world):
    account = open_shop()
    order = order_at(world, account)
    parcel, rates = offers_for(order)
    assert died_at("ship.after_commit", lambda: buying.buy(order, rates[0], parcel=parcel, now=clock.now()))
    settle_now(account)
    shipment = assert_bought_and_sent_once(world, order)
    label = Label.objects.get(shipment=shipment)
    assert not label.file.storage.exists(label.file.name)
