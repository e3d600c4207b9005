"""Several orders in one parcel: Amazon hears of one, the others are somebody's work (R49, R50), all of it or nothing."""

from datetime import timedelta

import pytest
from pypdf import PdfReader

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import timeline
from orders.models import Order, OrderEvent, OrderPersonalData
from shipments import carriers, combining, manual_updates, opening, voiding
from shipments.models import Label, ManualUpdate, Shipment, ShipmentNotification
from stores.models import Store
from stores.simulator import scenarios
from stores.simulator.orders import SimAddress
from tests.factories import connect, make_account, make_merchant, make_shipment, make_store, make_user, rewrite
from tests.orders.driving import import_now, notify_now
from tests.shipments.parcels import (
    FIRST,
    SECOND,
    combine_url,
    confirmed,
    order_of,
    support,
    text_of,
    typed,
    wish_for,
)

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State


def ids_of(*orders) -> list[int]:
    return [order.pk for order in orders]


def combine(*orders, tracking: str = FIRST, **given) -> Shipment:
    wish, now = wish_for(tracking, **given), clock.now()
    seal = combining.plan(ids_of(*orders), wish, now=now).seal
    return combining.combine(ids_of(*orders), wish, as_seen=seal, by=None, now=now)


@pytest.fixture
def store(noon):
    return make_store()


@pytest.fixture
def two(store, noon):
    """The younger comes first by number: age decides, not the row."""
    younger = order_of(2, store, ordered_at=noon - timedelta(hours=1))
    return order_of(3, store, ordered_at=noon - timedelta(hours=5)), younger


@pytest.fixture
def bought(world, travel):
    """Three orders of one buyer at Amazon, imported; the oldest first."""
    account = connect(scenarios.NA, sources=("US", "CA"))
    home = {"name": "Ada Example", "line1": "1 Sample Street", "city": "Austin", "state": "TX", "postal_code": "78701"}
    for hours, market in ((9, "US"), (5, "CA"), (2, "US")):
        at = clock.now() - timedelta(hours=hours)
        world.add_order(
            scenarios.NA, marketplace=market, created=at, updated=at, address=SimAddress(**home, country="US")
        )
    travel(world, minutes=5)
    import_now(account)
    return account, list(Order.objects.order_by("ordered_at"))


def test_r50_one_is_told_and_the_others_are_on_the_list_word_for_word(world, bought):
    account, (oldest, second, third) = bought
    client = support()
    preview, done = confirmed(client, combine_url(third, oldest, second), typed("parcel"))
    read = text_of(preview)
    assert "Combining Amazon orders is not recommended." in read  # R49
    assert f"Amazon will be told: the item of order {oldest.order_number} shipped now with UPS, {FIRST}." in read
    for other in (second, third):
        assert f"Amazon is not told of order {other.order_number}: it goes on the list" in read
    notify_now(account)
    (entry,) = world.ledger
    assert (entry["order_id"], entry["carrier"], entry["tracking"]) == (oldest.order_number, "UPS", FIRST)
    assert world.calls("confirmShipment") == 1
    waiting = ManualUpdate.objects.open().order_by("pk").values_list("order", flat=True)
    assert set(waiting) == {second.pk, third.pk}
    assert set(Order.objects.values_list("status", "told_shipped")) == {("shipped", True)}
    assert f"Sent in one parcel: {oldest.order_number}" in text_of(done)
    listed = text_of(client.get("/admin/shipments/manualupdate/"))
    assert second.order_number in listed and third.order_number in listed and oldest.order_number not in listed


def test_what_was_foretold_for_stores_of_two_marketplaces_is_said_for_each(world, bought):
    _account, orders = bought
    read = text_of(support().post(combine_url(*orders), typed("parcel")))
    for name in Store.objects.values_list("name", flat=True):
        assert name in read
    assert "After 22 Nov 2026" in read and "Amazon counts it as shipped late." in read


def test_one_parcel_has_one_label_with_the_other_numbers_on_it(two, noon):
    lead = combine(*two)
    label = Label.objects.get()
    assert label.shipment == lead and lead.order == two[0]
    rider = lead.riders.get()
    assert (rider.order, rider.tracking_number, rider.labels.count()) == (two[1], FIRST, 0)
    drawn = opening.open_label(label, by=make_user("Support"), now=noon)
    import io

    text = PdfReader(io.BytesIO(drawn)).pages[0].extract_text()
    assert two[0].order_number in text and two[1].order_number in text


def test_more_riders_than_a_label_has_room_for_are_counted(store, noon):
    orders = [order_of(1, store, ordered_at=noon - timedelta(hours=9 - number)) for number in range(7)]
    lead = combine(*orders)
    from shipments import labelling

    references = labelling.label_data(lead).references
    assert references == (*(order.order_number for order in orders[1:4]), "+3")


def test_a_parcel_without_a_label_has_none(two, noon):
    combine(*two, with_label=False)
    assert not Label.objects.exists() and Shipment.objects.count() == 2


def test_f22_each_order_takes_the_terms_of_the_parcel_and_the_label_goes_with_the_first(store, noon):
    young = order_of(1, store, ordered_at=noon - timedelta(hours=9))
    old = order_of(1, store, first_imported_at=noon - timedelta(days=100))
    found = combining.plan(ids_of(young, old), wish_for(), now=noon)
    assert "will be kept until 20 Dec 2026, 12:00 UTC" in found.parts[0].erasure
    assert "10 Dec 2026, 12:00 UTC" in found.parts[1].erasure  # no address is kept for more than 120 days
    combine(young, old)
    assert Order.objects.get(pk=young.pk).redaction_due_at == noon + timedelta(days=30)
    assert Order.objects.get(pk=old.pk).redaction_due_at == noon + timedelta(days=20)
    assert Label.objects.get().due_at == noon + timedelta(days=20)


def test_both_timelines_say_with_whom_they_travel(two, noon):
    combine(*two)
    one, other = (" ".join(entry.sentence for entry in timeline.entries(order)) for order in two)
    assert f"Sent in one parcel with {two[1].order_number}" in one
    assert f"Sent in one parcel with {two[0].order_number}" in other
    assert "To be confirmed in Seller Central: waits to be done" in other and "Seller Central" not in one


@pytest.mark.parametrize(
    "changes",
    [
        {"street1": "2 Sample Street"}, {"recipient_name": "Bob Example"}, {"city": "Dallas"}, {"postal_code": "78702"},
        {"country": "CA"}, {"recipient_company": "Firm"}, {"street2": "Apt 4"}, {"district": "North"},
    ],
)  # fmt: skip
def test_orders_to_another_address_are_refused_without_naming_it(store, noon, changes):
    one, other = order_of(1, store), order_of(1, store, person=changes)
    read = text_of(support().get(combine_url(one, other)))
    assert f"Order {other.order_number} goes to another recipient or address than order {one.order_number}" in read
    for text in ("Sample Street", "Ada", "Bob", *changes.values()):
        assert text not in read


@pytest.mark.parametrize(
    "changes",
    [
        {"street1": "1 SAMPLE STREET,"}, {"street1": "1 Sample", "street2": "Street"}, {"postal_code": "787 01"},
        {"recipient_name": "  ada   EXAMPLE"}, {"street1": "１ Ｓａｍｐｌｅ Street"},
        {"phone": "0", "buyer_name": "Somebody", "gift_message": "x"},
    ],
)  # fmt: skip
def test_the_same_address_written_otherwise_is_the_same(store, noon, changes):
    assert combining.why_not(combining.read(ids_of(order_of(1, store), order_of(1, store, person=changes)))) == []


def test_an_order_without_an_address_is_refused(store, noon):
    one, other = order_of(1, store), order_of(1, store)
    OrderPersonalData.objects.filter(pk=other.pk).update(street1="", postal_code="", city="")
    assert combining.why_not(combining.read(ids_of(one, other))) == [
        f"Order {other.order_number} has no complete address: send it by itself."
    ]


def test_orders_that_may_not_go_together_are_refused_with_what_to_do(store, noon):
    one = order_of(2, store, ordered_at=noon - timedelta(days=1))
    elsewhere = make_store("FR", account=make_account(scenarios.EU))
    part = order_of(2, store)
    make_shipment(part, items={part.items.get().pk: 1})
    for other, words in (
        (order_of(1, store, status="on_hold"), "is on hold"), (order_of(1, store, fulfilled_by="AFN"), "fulfilled by Amazon"),
        (order_of(1, elsewhere), "belongs to another merchant"), (part, "A part of order"),
        (order_of(1, store, programs=["FBM_SHIP_PLUS"]), "FBM Ship+"), (order_of(1, store, cancel_requested_at=noon), "asks to cancel"),
    ):  # fmt: skip
        refusals = combining.why_not(combining.read(ids_of(one, other)))
        assert len(refusals) == 1 and words in refusals[0], refusals
        with pytest.raises(RuleViolation):
            combining.plan(ids_of(one, other), wish_for(), now=noon)


@pytest.mark.parametrize("count", [1, 21])
def test_too_few_and_too_many_are_refused(store, noon, count):
    orders = [order_of(1, store) for _each in range(count)]
    answer = support().get(combine_url(*orders), follow=True)
    assert "Choose 2 to 20 orders for one parcel." in text_of(answer)
    with pytest.raises(RuleViolation, match="Choose 2 to 20"):
        combining.combine(ids_of(*orders), wish_for(), as_seen="", by=None, now=noon)
    assert not Shipment.objects.exists()


def test_orders_that_owe_no_notice_are_never_the_one_that_is_told(store, noon):
    fair = Store.objects.create(merchant=store.merchant, platform="manual", name="Fair", time_zone="UTC")
    oldest = order_of(1, fair, ordered_at=noon - timedelta(days=9), origin_marketplace="manual", redaction_due_at=None)
    mine = order_of(1, store)
    found = combining.plan(ids_of(oldest, mine), wish_for(), now=noon)
    assert [part.foretold.case for part in found.parts] == ["told", "nobody"] and found.lead == mine
    combine(oldest, mine)
    assert ShipmentNotification.objects.get().order == mine
    assert not ManualUpdate.objects.exists()


def test_an_order_amazon_was_told_of_before_is_neither_told_nor_on_the_list(store, noon):
    known = order_of(1, store, ordered_at=noon - timedelta(days=9))
    first = make_shipment(known)
    ShipmentNotification.objects.update(state=State.CONFIRMED, confirmed_at=noon, attempts=1, fence=1)
    voiding.void(first, by=None, now=noon)
    fresh = order_of(1, store)
    found = combining.plan(ids_of(known, fresh), wish_for(SECOND), now=noon)
    assert found.lead == fresh and found.parts[1].foretold.case == "known"
    assert f"Amazon was told of the first parcel (UPS, {FIRST})" in found.parts[1].foretold.sentences[0]
    combine(known, fresh, tracking=SECOND)
    assert not ManualUpdate.objects.exists()
    assert ShipmentNotification.objects.get(order=fresh).state == State.PENDING


@pytest.mark.parametrize(("setting", "state", "on_list"), [("never", State.MANUAL, 1), ("label", State.PENDING, 1)])
def test_the_others_are_on_the_list_whatever_the_store_says(store, two, noon, setting, state, on_list):
    Store.objects.update(notify_when=setting)
    combine(*two)
    assert (ShipmentNotification.objects.get().state, ManualUpdate.objects.count()) == (state, on_list)


def test_where_the_connector_tells_amazon_nothing_is_left_to_a_hand(store, two, noon):
    shop = Store.objects.create(merchant=store.merchant, name="Mirror", platform="bigcommerce")
    Store.objects.filter(pk=store.pk).update(linked_store=shop, linked_mails_off_at=noon, amazon_told_by="connector")
    combine(*two)
    assert not ManualUpdate.objects.exists()
    told = ShipmentNotification.objects.values_list("channel", "state", "error_code").order_by("order", "channel")
    assert list(told) == [("amazon", "manual", "ToldByConnector"), ("bigcommerce", "pending", "")] * 2


def test_a_riders_mirror_is_told_though_amazon_is_not(store, two, noon):
    shop = Store.objects.create(merchant=store.merchant, name="Mirror", platform="bigcommerce")
    Store.objects.filter(pk=store.pk).update(linked_store=shop, linked_mails_off_at=noon)
    combine(*two)
    assert set(ShipmentNotification.objects.filter(order=two[1]).values_list("channel", flat=True)) == {"bigcommerce"}
    assert ManualUpdate.objects.get().order == two[1]


def test_r47_voiding_the_parcel_voids_all_and_the_riders_are_told_of_their_next_one(world, bought):
    account, (oldest, second, third) = bought
    combine(oldest, second, third)
    lead = Shipment.objects.get(order=oldest)
    notify_now(account)
    voiding.void(lead, by=None, now=clock.now())
    assert set(ManualUpdate.objects.values_list("done_how", flat=True)) == {"voided"}
    assert set(Order.objects.values_list("status", flat=True)) == {"awaiting_shipment"}
    told = dict(Order.objects.values_list("pk", "told_shipped"))
    assert told == {
        oldest.pk: True,
        second.pk: False,
        third.pk: False,
    }  # else a shipment from elsewhere would be missed
    make_shipment(Order.objects.get(pk=second.pk), tracking_number=SECOND)
    notify_now(account)
    assert {entry["order_id"]: entry["tracking"] for entry in world.ledger} == {
        oldest.order_number: FIRST, second.order_number: SECOND,
    }  # fmt: skip
    combine(Order.objects.get(pk=oldest.pk), Order.objects.get(pk=third.pk), tracking=SECOND)
    assert (
        Shipment.objects.get(order=third, voided_at=None).combined_with_id is None
    )  # it owes a notice, the other does not
    assert ManualUpdate.objects.open().count() == 0


def test_r47_an_order_confirmed_by_hand_is_not_told_of_a_new_label(world, bought, travel):
    account, (oldest, second, _third) = bought
    combine(oldest, second)
    notify_now(account)
    update = ManualUpdate.objects.get()
    world.ship_elsewhere(second.order_number, "UPS", FIRST)
    manual_updates.tick_off([update.pk], by=None, now=clock.now())
    voiding.void(Shipment.objects.get(order=oldest), by=None, now=clock.now())
    travel(world, minutes=5)
    import_now(account)
    again = Order.objects.get(pk=second.pk)
    assert (again.status, again.told_shipped) == ("awaiting_shipment", True)  # Amazon's word is our own echo
    make_shipment(again, tracking_number=SECOND)
    notify_now(account)
    assert world.effective_confirmations() == {oldest.order_number: 1}
    assert OrderEvent.objects.filter(order=again, kind="told_of_first").exists()


def test_an_order_combined_again_is_back_on_the_list(two, noon):
    voiding.void(combine(*two), by=None, now=noon)
    combine(*(Order.objects.get(pk=order.pk) for order in two), tracking=SECOND)
    update = ManualUpdate.objects.get()
    assert (update.done_at, update.done_how, update.shipment.tracking_number) == (None, "", SECOND)


def test_what_changed_since_the_preview_is_refused_and_what_was_typed_is_kept(two, noon):
    client, data = support(), typed("parcel", service="Night <b>")
    url = combine_url(*two)
    seal = client.post(url, data).context["plan"].seal
    Store.objects.update(notify_when="never")
    answer = client.post(url, data | {"seal": seal})
    read = text_of(answer)
    assert "Something changed meanwhile. Read again what will happen, then confirm." in read
    assert "this store's settings say" in read and "Night &lt;b&gt;" in answer.content.decode()
    assert not Shipment.objects.exists()
    client.post(url, data | {"seal": answer.context["plan"].seal})
    assert Shipment.objects.count() == 2


def test_one_order_that_cannot_leave_any_more_keeps_all_of_them_here(two, noon):
    wish = wish_for()
    seal = combining.plan(ids_of(*two), wish, now=noon).seal
    Order.objects.filter(pk=two[1].pk).update(status="on_hold")
    with pytest.raises(RuleViolation, match="is on hold"):
        combining.combine(ids_of(*two), wish, as_seen=seal, by=None, now=noon)
    assert not Shipment.objects.exists() and not ShipmentNotification.objects.exists()


def test_an_address_changed_after_the_preview_stops_the_parcel(two, noon):
    wish = wish_for()
    seal = combining.plan(ids_of(*two), wish, now=noon).seal
    rewrite(OrderPersonalData.objects.filter(pk=two[1].pk), street1="9 Elsewhere")
    with pytest.raises(RuleViolation, match="another recipient or address"):
        combining.combine(ids_of(*two), wish, as_seen=seal, by=None, now=noon)
    assert not Shipment.objects.exists()


def test_a_plan_costs_the_same_queries_for_2_and_20_orders(store, noon, django_assert_max_num_queries):
    orders, counts = [order_of(1, store) for _each in range(20)], []
    carriers.named("ups")  # what is said otherwise of carriers is read once a minute
    for some in (orders[:2], orders):
        with django_assert_max_num_queries(14) as seen:
            combining.plan(ids_of(*some), wish_for(), now=noon)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_merchants_are_never_mixed(noon):
    one = order_of(1, make_store())
    other = order_of(1, make_store("FR", account=make_account(scenarios.EU, merchant=make_merchant())))
    assert "belongs to another merchant" in text_of(support().get(combine_url(one, other)))
