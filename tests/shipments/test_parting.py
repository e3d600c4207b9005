"""Sending an order in parts: what the preview says is what Amazon then hears (R46, R48, R49), and nothing else."""

from datetime import timedelta

import pytest
from django.db import transaction

from orderhub import clock
from orderhub.errors import RuleViolation
from orders.models import Order, OrderEvent, OrderItem
from shipments import confirming, dispatching, foretelling, parting
from shipments.models import Shipment, ShipmentNotification
from stores.models import Store
from stores.simulator import scenarios
from stores.simulator.orders import SimItem
from tests.factories import connect, make_merchant, make_order, make_shipment, make_store
from tests.orders.driving import import_now, notify_now
from tests.shipments.parcels import (
    FIRST,
    SECOND,
    THIRD,
    confirmed,
    order_of,
    part_of,
    split_url,
    support,
    text_of,
    typed_part,
    wish_for,
)

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State


@pytest.fixture
def bought(world, travel):
    """An order of three units at Amazon, imported: its account, the order here, the one there."""
    account = connect(scenarios.NA, sources=("US",))
    theirs = world.add_order(scenarios.NA, created=clock.now() - timedelta(hours=1), items=[SimItem(quantity=3)])
    travel(world, minutes=5)
    import_now(account)
    return account, Order.objects.get(), theirs


def test_r48_the_first_part_is_told_with_all_items_word_for_word(world, bought):
    account, order, theirs = bought
    preview, _done = confirmed(support(), split_url(order), typed_part(order, 1))
    read = text_of(preview)
    assert f"Amazon will be told: all 3 items of order {order.order_number} shipped now with UPS, {FIRST}." in read
    assert "The other parcels will not be reported." in read
    assert "Splitting Amazon orders is not recommended." in read  # R49
    notify_now(account)
    (entry,) = world.ledger
    assert (entry["order_id"], entry["carrier"], entry["tracking"]) == (order.order_number, "UPS", FIRST)
    assert list(entry["items"].values()) == [3] and entry["effect"] == "created"
    assert theirs.status == "SHIPPED"


def test_r46_later_parts_are_not_told_and_say_so_before_and_after(world, bought):
    account, order, _theirs = bought
    client = support()
    confirmed(client, split_url(order), typed_part(order, 1))
    waiting, _done = confirmed(client, split_url(order), typed_part(order, 1, SECOND))
    assert f"Amazon is being told of the first parcel (UPS, {FIRST}) for all items" in text_of(waiting)
    notify_now(account)
    order = Order.objects.get()
    last = client.get(f"/admin/orders/order/{order.pk}/change/")
    assert "Send a part…" not in text_of(last)  # one unit is left: the usual form sends it
    make_shipment(order, tracking_number=THIRD)
    notify_now(account)
    assert world.effective_confirmations() == {order.order_number: 1} and world.calls("confirmShipment") == 1
    assert OrderEvent.objects.filter(kind="told_of_first").count() == 2
    page = text_of(client.get(f"/admin/orders/order/{order.pk}/change/"))
    assert page.count(f"No notice: Amazon takes one update an order, and the parcel {FIRST} was the first.") == 2
    assert Order.objects.get().status == Order.Status.SHIPPED


def test_r46_after_amazon_accepted_the_preview_names_the_parcel_it_knows(world, bought):
    account, order, _theirs = bought
    confirmed(support(), split_url(order), typed_part(order, 1))
    notify_now(account)
    read = text_of(support().post(split_url(order), typed_part(order, 2, SECOND)))
    assert f"Amazon was told of the first parcel (UPS, {FIRST}) for all items of order {order.order_number}" in read
    assert "Nothing is left to send afterwards: the order is shipped." in read
    assert "Amazon will be told" not in read


def test_amazons_word_that_all_is_shipped_does_not_close_an_order_with_a_part_left(world, bought, travel):
    account, order, theirs = bought
    confirmed(support(), split_url(order), typed_part(order, 1))
    notify_now(account)
    travel(world, minutes=30)
    import_now(account)
    assert theirs.status == "SHIPPED"
    assert Order.objects.get().status == Order.Status.AWAITING_SHIPMENT
    assert sum(foretelling.units_left(Order.objects.get()).values()) == 2


def test_the_whole_order_in_one_parcel_says_nothing_of_others(noon):
    order = order_of(2)
    plan = parting.plan(order, part_of(order, 2), now=noon)
    assert plan.whole and "other parcels" not in " ".join(plan.foretold.sentences)


@pytest.mark.parametrize(
    ("chosen", "given", "words"),
    [
        ({"notify_when": "never"}, {}, "this store's settings say that somebody does it in Seller Central"),
        ({}, {"wishes": {"no_notice": True}}, "an automation rule says so"),
        ({}, {"programs": ["FBM_SHIP_PLUS"]}, "Amazon's own label does"),
        ({"notify_when": "delay", "notify_delay_minutes": 90}, {}, "Amazon will be told on 20 Nov 2026, 13:30 UTC: all 3"),
    ],
)  # fmt: skip
def test_what_the_store_or_a_rule_withholds_is_foretold(noon, chosen, given, words):
    store = make_store()
    Store.objects.filter(pk=store.pk).update(**chosen)
    order = order_of(3, Store.objects.get(pk=store.pk), **given)
    found = parting.plan(order, part_of(order, 1), now=noon)
    assert words in " ".join(found.foretold.sentences)
    parting.send(order, part_of(order, 1), as_seen=found.seal, by=None, now=noon)
    notice = ShipmentNotification.objects.get()
    assert (notice.state == State.PENDING) == ("will be told" in words)
    later = " ".join(parting.plan(order, part_of(order, 1, SECOND), now=noon).foretold.sentences)
    assert "not told of this parcel" in later and "Amazon will be told" not in later


def test_the_connector_and_the_mirror_are_foretold(noon):
    store = make_store()
    shop = Store.objects.create(merchant=store.merchant, name="Mirror", platform="bigcommerce")
    Store.objects.filter(pk=store.pk).update(linked_store=shop, linked_mails_off_at=noon, amazon_told_by="connector")
    order = order_of(3, Store.objects.get(pk=store.pk))
    told = parting.plan(order, part_of(order, 1), now=noon).foretold.sentences
    assert told[-1] == "BigCommerce is told of this parcel." and "the connector between BigCommerce" in told[0]
    dispatching.ship(order, part_of(order, 1), now=noon)
    later = parting.plan(Order.objects.get(pk=order.pk), part_of(order, 1, SECOND), now=noon).foretold.sentences
    assert later[-1] == "BigCommerce is told of the first parcel only."


@pytest.mark.parametrize(
    ("platform", "words"), [("manual", "No marketplace is told"), ("handmade", "confirm it in Seller Central")]
)
def test_orders_from_elsewhere_owe_no_notice(noon, platform, words):
    store = Store.objects.create(merchant=make_merchant(), platform=platform, name="Fair", time_zone="UTC")
    order = order_of(3, store, origin_marketplace="manual", redaction_due_at=None, redaction_rule="")
    found = parting.plan(order, part_of(order, 1), now=noon)
    assert words in found.foretold.sentences[0] and found.erasure == ""
    assert "not recommended" not in text_of(support().get(split_url(order)))
    parting.send(order, part_of(order, 1), as_seen=found.seal, by=None, now=noon)
    assert not ShipmentNotification.objects.exists()


@pytest.mark.parametrize("state", [State.REJECTED, State.NEEDS_ATTENTION])
def test_a_stuck_first_notice_is_named_and_no_second_is_made(noon, state):
    order = order_of(3)
    dispatching.ship(order, part_of(order, 1), now=noon)
    ShipmentNotification.objects.update(state=state)
    found = parting.plan(Order.objects.get(), part_of(order, 1, SECOND), now=noon)
    assert "needs your hand on the order's page" in found.foretold.sentences[0]
    parting.send(Order.objects.get(), part_of(order, 1, SECOND), as_seen=found.seal, by=None, now=noon)
    assert ShipmentNotification.objects.get().shipment.tracking_number == FIRST


def test_f22_a_part_keeps_the_term_of_an_order_not_shipped_and_the_last_one_sets_its_own(noon):
    order = order_of(2, first_imported_at=noon - timedelta(days=10), redaction_due_at=noon + timedelta(days=4))
    first = parting.plan(order, part_of(order, 1), now=noon)
    assert first.erasure.startswith("Personal data stays until 24 Nov 2026, 12:00 UTC, as before.")
    parting.send(order, part_of(order, 1), as_seen=first.seal, by=None, now=noon)
    last = parting.plan(Order.objects.get(), part_of(order, 1, SECOND), now=noon)
    assert "will be kept until 20 Dec 2026, 12:00 UTC instead of 24 Nov 2026, 12:00 UTC." in last.erasure
    parting.send(Order.objects.get(), part_of(order, 1, SECOND), as_seen=last.seal, by=None, now=noon)
    assert Order.objects.get().redaction_due_at == noon + timedelta(days=30)  # R84: the earliest of both parcels


def test_what_changed_since_the_preview_is_refused_and_what_was_typed_is_kept(noon):
    order, client = order_of(3), support()
    data = typed_part(order, 1, SECOND, service="Night <b>")
    url = split_url(order)
    preview = client.post(url, data)
    seal = preview.context["plan"].seal
    dispatching.ship(Order.objects.get(), part_of(order, 1), now=noon)  # a colleague is faster
    answer = client.post(url, data | {"seal": seal})
    read = text_of(answer)
    assert "Something changed meanwhile. Read again what will happen, then confirm." in read
    assert f"Amazon is being told of the first parcel (UPS, {FIRST})" in read
    assert "Night &lt;b&gt;" in answer.content.decode() and Shipment.objects.count() == 1
    client.post(url, data | {"seal": answer.context["plan"].seal})
    assert Shipment.objects.count() == 2


def test_a_wish_changed_after_the_preview_is_previewed_again(noon):
    order, client = order_of(3), support()
    preview = client.post(split_url(order), typed_part(order, 1))
    answer = client.post(split_url(order), typed_part(order, 2) | {"seal": preview.context["plan"].seal})
    assert "Something changed meanwhile" in text_of(answer) and not Shipment.objects.exists()


def test_a_first_part_that_is_first_no_more_at_the_last_moment_is_undone(noon):
    """The notice of a faster colleague came between reading and writing: nothing of this parcel stays."""
    order = order_of(3)
    found = parting.plan(order, part_of(order, 1, SECOND), now=noon)
    dispatching.ship(Order.objects.get(), part_of(order, 1), now=noon)
    with pytest.raises(parting.ChangedMeanwhile), transaction.atomic():
        dispatching.ship(Order.objects.get(), part_of(order, 1, SECOND), now=noon, within=found.hold_to)
    assert Shipment.objects.get().tracking_number == FIRST
    assert OrderItem.objects.get().quantity_shipped == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"units": 0}, "Type how many units leave in this parcel"),
        ({"units": 9}, "Ensure this value is less than or equal to 3."),
        ({"units": -1}, "Ensure this value is greater than or equal to 0."),
        ({"carrier": ""}, "Choose the carrier of order"),
        ({"tracking": ""}, "Type the tracking number of order"),
        ({"ship_date": "2062-01-01"}, "The ship date must be within 30 days of today."),
    ],
)
def test_every_mistake_is_a_sentence_and_sends_nothing(noon, changes, words):
    order = order_of(3)
    units, tracking = changes.pop("units", 1), changes.pop("tracking", FIRST)
    answer = support().post(split_url(order), typed_part(order, units, tracking, **changes))
    assert words in text_of(answer) and answer.status_code == 200
    assert not Shipment.objects.exists()


def test_an_order_that_may_not_leave_has_no_page_for_parts(noon):
    client = support()
    store = make_store()
    for order in (
        order_of(3, store, status="on_hold"),
        order_of(1, store),
        order_of(3, store, cancel_requested_at=noon),
    ):
        answer = client.get(split_url(order))
        assert answer.status_code == 302 and answer.url.endswith(f"/order/{order.pk}/change/")


def test_a_kanji_address_stops_a_part_with_a_label_before_the_preview(noon):
    order = order_of(3, person={"street1": "東京都千代田区"})
    read = text_of(support().post(split_url(order), typed_part(order, 1)))
    assert "is not in Roman characters" in read and "What will happen" not in read
    assert "What will happen" in text_of(support().post(split_url(order), typed_part(order, 1, no_label="on")))


def test_stock_that_is_short_stops_only_a_part_that_needs_more(noon):
    from tests.orders.goods import make_product

    store = make_store()
    Store.objects.filter(pk=store.pk).update(short_stock="block")
    order = order_of(3, Store.objects.get(pk=store.pk))
    product = make_product(store, stock_on_hand=1, sent_when_counted=0, stock_confirmed_at=noon)
    OrderItem.objects.update(product=product)
    with pytest.raises(RuleViolation, match="1 are on the shelf"):
        dispatching.ship(Order.objects.get(), wish_for(SECOND), now=noon)
    dispatching.ship(Order.objects.get(), part_of(order, 1), now=noon)
    assert OrderItem.objects.get().quantity_shipped == 1


def test_parts_of_several_lines_leave_as_they_were_typed(noon):
    order, client = make_order(lines=2), support()
    OrderItem.objects.update(quantity=2)
    one, two = order.items.all()
    data = typed_part(order, 1) | {f"part-units-{two.pk}": "2"}
    confirmed(client, split_url(order), data)
    packed = dict(Shipment.objects.get().items.values_list("item", "quantity"))
    assert packed == {one.pk: 1, two.pk: 2}
    page = text_of(client.get(f"/admin/orders/order/{order.pk}/change/"))
    assert "1 of 2 × SKU-1" in page and "2 × SKU-2" in page


def test_r45_a_retry_of_a_split_order_adds_no_second_update(world, bought):
    account, order, _theirs = bought
    client = support()
    confirmed(client, split_url(order), typed_part(order, 1))
    confirmed(client, split_url(order), typed_part(order, 1, SECOND))
    notify_now(account)
    with pytest.raises(RuleViolation):
        confirming.retry(ShipmentNotification.objects.get(), now=clock.now())
    notify_now(account)
    assert world.effective_confirmations() == {order.order_number: 1}


def test_a_note_to_the_buyer_outlives_the_preview(noon):
    order, client = order_of(3), support()
    data = typed_part(order, 1, note_to_buyer="Two parcels.\r\nThe rest follows.")
    preview, _done = confirmed(client, split_url(order), data)
    assert "The rest follows." in preview.content.decode()
    assert Shipment.objects.get().note_to_buyer.split() == ["Two", "parcels.", "The", "rest", "follows."]
