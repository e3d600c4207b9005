"""A label bought from Amazon: once, for the price shown, and Amazon confirms the order itself. R43, R51, R63, R81."""

import io
from decimal import Decimal

import pypdf
import pytest

from orderhub import clock
from orderhub.errors import RuleViolation
from orders.models import Order
from shipments import buying, opening, quoting
from shipments.models import Label, LabelPurchase, Shipment, ShipmentNotification
from stores.simulator import scenarios
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.orders.driving import IMPATIENT, impatient_clients, notify_now
from tests.shipments.shop import (
    MEASURED,
    assert_bought_and_sent_once,
    buy_label,
    offers_for,
    open_shop,
    order_at,
    settle_now,
)

pytestmark = pytest.mark.django_db
State = LabelPurchase.State


@pytest.fixture
def account(world):
    return open_shop()


@pytest.fixture
def order(world, account):
    return order_at(world, account)


def test_f43_a_label_is_bought_once_and_the_order_leaves_with_it(world, order):
    shipment = buy_label(order, by=make_user("Support"))
    assert_bought_and_sent_once(world, order)
    assert (shipment.carrier, shipment.service, shipment.confirms_order) == ("ups", "UPS Ground", True)
    assert (shipment.cost, shipment.cost_currency) == (Decimal("9.58"), "USD")
    assert (shipment.weight_g, shipment.length_mm, shipment.height_mm) == (800, None, None)  # the row in hand
    shipment.refresh_from_db()
    assert (shipment.length_mm, shipment.width_mm, shipment.height_mm) == (200, 150, 50)
    assert shipment.created_by is not None


def test_r43_amazon_confirms_the_order_itself_and_orderhub_tells_it_nothing(world, account, order):
    shipment = buy_label(order)
    notice = ShipmentNotification.objects.get(order=order, channel="amazon")
    assert (notice.state, notice.error_code) == ("manual", ShipmentNotification.TOLD_BY_PROVIDER)
    assert notice.shipment == shipment
    notify_now(account)
    assert world.calls("confirmShipment") == 0
    assert [(entry["channel"], entry["tracking"]) for entry in world.ledger] == [
        ("buy_shipping", shipment.tracking_number)
    ]


def test_r63_the_cost_is_kept_and_no_call_carries_it(world, account, order):
    buy_label(order)
    notify_now(account)
    said = {name for entry in world.requests for name in entry["params"]}
    assert not {"cost", "price"} & said and Shipment.objects.get().cost == Decimal("9.58")


def test_the_label_file_is_amazons_and_opens(world, order):
    shipment = buy_label(order)
    label = Label.objects.select_related("shipment__order__store__merchant").get(shipment=shipment)
    content = opening.open_label(label, by=make_user("Support"), now=clock.now())
    text = pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert shipment.tracking_number in text and world.orders[order.order_number].address.line1 in text


def test_a_label_file_that_is_gone_is_fetched_again_not_drawn(world, order):
    shipment = buy_label(order)
    label = Label.objects.select_related("shipment__order__store__merchant").get(shipment=shipment)
    label.file.storage.delete(label.file.name)
    content = opening.open_label(label, by=make_user("Support"), now=clock.now())
    assert world.calls("getShipmentDocuments") == 1
    assert shipment.tracking_number in pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
    label.file.storage.delete(label.file.name)
    world.faults.arm("getShipmentDocuments", "500_before")
    with pytest.raises(RuleViolation, match="file now"):
        opening.open_label(label, by=make_user("Support"), now=clock.now())


def test_r81_what_is_tracked_is_frozen_by_the_service(world, account):
    parcel, letter = buy_label(order_at(world, account)), None
    order = order_at(world, account)
    measured, rates = offers_for(order, weight_g=100)
    rate = next(found for found in rates if "Letter" in found.service)
    letter = buying.buy(order, rate, parcel=measured, now=clock.now())
    assert (parcel.tracked, letter.tracked) == (True, False)


def test_rates_come_cheapest_first_with_what_a_person_must_know(world, order):
    _parcel, rates = offers_for(order)
    assert [rate.service for rate in rates] == ["USPS Ground Advantage", "Amazon Shipping Ground", "UPS Ground"]
    assert [rate.price for rate in rates] == sorted(rate.price for rate in rates)
    assert all(rate.deliver_by and rate.tracked and rate.formats[0] == "pdf" for rate in rates)
    assert rates[0].carrier == "usps"
    assert LabelPurchase.objects.count() == 0 and world.parcels.ledger == []


@pytest.mark.parametrize("missing", sorted(MEASURED))
def test_no_price_without_weight_and_size(world, order, missing):
    with pytest.raises(RuleViolation, match="weight and the three sides"):
        quoting.facts(order, now=clock.now(), **MEASURED | {missing: None})
    assert world.calls("getRates") == 0


def test_no_price_without_the_senders_address(world, account, order):
    account.stores.update(ship_from={"city": "Portland"})
    order.store.refresh_from_db()
    with pytest.raises(RuleViolation, match="ship-from address of .* is incomplete"):
        offers_for(order)


def test_a_parcel_nobody_takes_says_so(world, order):
    with pytest.raises(RuleViolation, match="No carrier takes this parcel"):
        offers_for(order, weight_g=40_000)


def test_only_stores_of_amazon_buy_labels_and_never_for_its_own_orders(noon):
    store = make_store()
    other = make_store("CA", account=store.account, platform="manual")
    sent, by_amazon = make_shipment(make_order(store)).order, make_order(store, fulfilled_by="AFN")
    for order, words in ((make_order(other), "buys none"), (by_amazon, "Amazon ships it"), (sent, "already shipped")):
        with pytest.raises(RuleViolation, match=words):
            quoting.check(order)
    quoting.check(make_order(store))


def test_the_business_is_named_where_amazon_lists_one(world, account, order):
    buy_label(order)
    assert world.parcels.ledger[0]["business"] == "AmazonShipping_US"
    german = open_shop(scenarios.EU, "DE")
    buy_label(order_at(world, german, market="DE"), "UPS Standard")
    assert world.parcels.ledger[1]["business"] == ""


# -- an offer that is over


def test_an_offer_that_is_over_is_asked_for_again_and_bought_at_its_price(world, order, travel):
    parcel, rates = offers_for(order)
    travel(world, minutes=11)
    buying.buy(order, rates[0], parcel=parcel, now=clock.now())
    assert_bought_and_sent_once(world, order)
    assert world.calls("getRates") == 2


def test_a_price_that_rose_is_the_persons_to_decide(world, order, travel):
    parcel, rates = offers_for(order)
    travel(world, minutes=11)
    world.parcels.dearer = Decimal("0.01")
    with pytest.raises(quoting.PriceRose, match="risen") as caught:
        buying.buy(order, rates[0], parcel=parcel, now=clock.now())
    assert world.parcels.ledger == [] and LabelPurchase.objects.count() == 0
    assert caught.value.rates[0].price == rates[0].price + Decimal("0.01")


def test_an_offer_amazon_calls_over_is_renewed_though_our_clock_is_slow(world, order):
    parcel, rates = offers_for(order)
    world.clock.advance(seconds=601)
    buying.buy(order, rates[0], parcel=parcel, now=clock.now())
    assert_bought_and_sent_once(world, order)
    assert list(LabelPurchase.objects.order_by("pk").values_list("state", flat=True)) == [State.FAILED, State.BOUGHT]


# -- refusals


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("InsufficientFunds", "Not enough.", "payment method of the seller account"),
        ("InvalidInput", "shipTo address is not valid: 5 Secret Street", "did not accept an address"),
        ("InvalidInput", "The weight is over the limit.", "weight or the size"),
        ("CarrierSaysNo", "Because.", "Choose another service"),
    ],
)
def test_each_refusal_says_what_to_do_and_nothing_of_a_person(world, order, code, text, words):
    world.parcels.refusals[order.order_number] = (code, text)
    with pytest.raises(RuleViolation, match=words) as caught:
        buy_label(order)
    assert "Secret" not in str(caught.value) and code in str(caught.value)
    purchase = LabelPurchase.objects.get()
    assert purchase.state == State.FAILED and "Secret" not in purchase.error_code
    order.refresh_from_db()
    assert order.status == Order.Status.AWAITING_SHIPMENT and not Shipment.objects.exists()
    del world.parcels.refusals[order.order_number]
    buy_label(order)  # nothing stands in the way of a second wish
    assert_bought_and_sent_once(world, order)


@pytest.mark.parametrize("kind", ["429", "403_revoked"])
def test_what_amazon_did_not_take_in_costs_nothing_and_may_be_wished_for_again(world, order, kind):
    world.faults.arm("purchaseShipment", kind)
    with pytest.raises(RuleViolation):
        buy_label(order)
    assert LabelPurchase.objects.get().state == State.FAILED and world.parcels.ledger == []


# -- an answer not seen


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "kind",
    ["500_before", "500_after", "503", "cut", "reset", "truncated_json", "html", "empty", "garbled", "timeout_after"],
)
def test_an_answer_not_seen_is_asked_for_again_and_one_label_is_bought(
    world, account, order, travel, kind, monkeypatch
):
    impatient_clients(monkeypatch)
    parcel, rates = offers_for(order)
    world.faults.arm("purchaseShipment", kind, **({"seconds": IMPATIENT.total_s * 2} if "timeout" in kind else {}))
    with pytest.raises(buying.NotBoughtNow, match="never buys a second label") as caught:
        buying.buy(order, rates[0], parcel=parcel, now=clock.now())
    assert caught.value.unknown
    assert LabelPurchase.objects.get().state == State.UNKNOWN
    with pytest.raises(RuleViolation, match="bought already"):
        buying.buy(order, rates[0], parcel=parcel, now=clock.now())
    with pytest.raises(RuleViolation, match="is being bought, or was bought"):
        make_shipment(order, with_label=False)
    travel(world, minutes=2)
    settle_now(account)
    settle_now(account)
    assert_bought_and_sent_once(world, order)


def test_silence_that_lasts_is_asked_into_less_and_less(world, account, order, travel):
    world.faults.arm("purchaseShipment", "500_before", times=3)
    with pytest.raises(buying.NotBoughtNow):
        buy_label(order)
    waits = []
    for _round in range(2):
        travel(world, minutes=30)
        settle_now(account)
        waits.append(LabelPurchase.objects.get().next_attempt_at - clock.now())
    assert waits[0] < waits[1]


def test_a_purchase_that_never_arrived_is_let_go_once_amazon_shows_no_parcel(world, account, order, travel):
    world.faults.arm("purchaseShipment", "500_before")
    with pytest.raises(buying.NotBoughtNow):
        buy_label(order)
    travel(world, minutes=11)  # the offer is over
    settle_now(account)
    assert LabelPurchase.objects.get().state == State.UNKNOWN  # it could still come to light
    travel(world, minutes=6)
    settle_now(account)
    assert LabelPurchase.objects.get().state == State.FAILED
    buy_label(order)
    assert_bought_and_sent_once(world, order)


def test_a_purchase_amazon_forgot_is_never_made_twice_and_a_person_closes_it(world, account, order, travel):
    world.parcels.forgets_keys = True
    world.faults.arm("purchaseShipment", "500_after")
    with pytest.raises(buying.NotBoughtNow):
        buy_label(order)
    travel(world, minutes=40)
    settle_now(account)
    purchase = LabelPurchase.objects.get()
    assert (purchase.state, purchase.error_code) == (State.UNKNOWN, "LookThere")
    with pytest.raises(RuleViolation, match="bought already"):
        parcel = quoting.facts(order, now=clock.now(), **MEASURED)
        buying._intend(order, _any_rate(), parcel, now=clock.now(), by=None, batch_row=None, label_format="")
    buying.close(purchase, by=None)
    make_shipment(order, tracking_number=next(iter(world.parcels.bought.values())).tracking, with_label=False)
    assert len(world.parcels.ledger) == 1


def _any_rate():
    return quoting.Rate("r", "ups", "UPS", "UPS Ground", Decimal(1), "USD", True, ("pdf",))


def test_an_order_that_may_not_leave_any_more_leaves_a_label_to_void(world, account, order, travel):
    world.faults.arm("purchaseShipment", "500_after")
    with pytest.raises(buying.NotBoughtNow):
        buy_label(order)
    order.hold("look")
    travel(world, minutes=2)
    settle_now(account)
    purchase = LabelPurchase.objects.get()
    assert (purchase.state, purchase.shipment, purchase.error_code) == (State.BOUGHT, None, "NotUsed")
    order.release()
    with pytest.raises(RuleViolation, match="was bought"):
        make_shipment(order, with_label=False)


def test_two_people_at_once_buy_one_label(world, order):
    parcel, rates = offers_for(order)
    first = Order.objects.select_related("store__account", "store__merchant").get(pk=order.pk)
    buying.buy(first, rates[0], parcel=parcel, now=clock.now())
    with pytest.raises(RuleViolation):
        buying.buy(order, rates[1], parcel=parcel, now=clock.now())
    assert_bought_and_sent_once(world, order)


def test_a_part_of_an_order_is_bought_for_alone(world, account):
    order = order_at(world, account, items=[{"sku": "A", "quantity": 2}, {"sku": "B"}])
    line = order.items.get(sku="A")
    parcel = quoting.facts(order, now=clock.now(), items={line.pk: 1}, **MEASURED)
    rate = quoting.quote(order, parcel, now=clock.now())[0]
    shipment = buying.buy(order, rate, parcel=parcel, now=clock.now())
    assert [(packed.item, packed.quantity) for packed in shipment.items.all()] == [(line, 1)]
    assert world.ledger[0]["items"] == {line.amazon_item_id: 1}
    order.refresh_from_db()
    assert order.status == Order.Status.AWAITING_SHIPMENT


def test_whoever_asks_for_it_settles_in_the_same_transaction(world, order):
    seen = []
    buy_label(order, within=lambda shipment: seen.append(LabelPurchase.objects.get(shipment=shipment).state))
    assert seen == [State.BOUGHT]


def test_no_row_holds_the_buyer(world, order):
    buy_label(order)
    purchase = LabelPurchase.objects.get()
    person = world.orders[order.order_number].address
    kept = repr(list(LabelPurchase.objects.values())) + str(purchase)
    assert not [text for text in (person.name, person.line1, person.phone) if text and text in kept]
