"""Telling the linked BigCommerce store: after Amazon, once, whatever becomes of either. R21, R22, R45-R47, R59, R63."""

from datetime import timedelta
from decimal import Decimal

import pytest

from orderhub import clock, jobs
from orderhub.errors import RuleViolation
from orderhub.wording import utc
from orders.models import Order, OrderEvent
from shipments import carriers, mirroring, mirrorplan, mirrorwords, noticewords, voiding
from shipments.models import Shipment, ShipmentNotification
from stores import linking
from stores.linking import mirror_connector_for
from stores.models import Store
from stores.simulator import scenarios
from stores.simulator.orders import SimItem
from tests.conftest import NOON
from tests.factories import make_shipment, make_user, rewrite
from tests.orders.driving import sweep
from tests.shipments.mirrors import State, row, rows, start

pytestmark = pytest.mark.django_db
REFUSED = {0: "Incomplete", 4: "Refunded", 5: "Cancelled", 6: "Declined", 12: "Unverified", 13: "Disputed"}
OTHER = {14: "PartlyRefunded"}


@pytest.fixture
def linked(simulate):
    return lambda **given: start(simulate(scenarios.empty(now=NOON)), **given)


def mirror_of(at, order=None):
    number = (order or at.orders[0]).order_number
    return next(copy for copy in at.shop.orders.values() if number in (copy.external_order_id, copy.external_id))


def words() -> noticewords.NoticeWords:
    return noticewords.of(row(), now=clock.now())


# -- the good case, and Amazon first


def test_r21_a_parcel_is_told_to_the_linked_store_once_after_amazon(linked):
    at = linked(orders=2)
    at.tell()
    assert (rows(), at.created()) == ([State.PENDING] * 2, {})
    assert "Amazon is told first" in words_of(at.orders[0]).meaning
    for _run in range(3):
        at.tell_both()
    assert rows() == [State.CONFIRMED] * 2
    at.assert_told_once()
    assert at.world.effective_confirmations() == {order.order_number: 1 for order in at.orders}
    told = OrderEvent.objects.filter(order=at.orders[0], kind="notice", params__channel="bigcommerce")
    assert told.get().params["state"] == State.CONFIRMED


def words_of(order) -> noticewords.NoticeWords:
    return noticewords.of(row(order), now=clock.now())


def test_r21_the_store_is_told_in_the_same_minute_as_amazon_and_costs_five_calls(linked):
    at = linked()
    at.pass_time(minutes=1)
    sweep()
    assert row().state == State.CONFIRMED
    asked = [entry["operation"] for entry in at.world.requests if entry["operation"] != "searchOrders"]
    steps = ["orders", "products", "shipments", "create_shipment", "order"]
    assert asked == ["confirmShipment", *(f"bigcommerce.{step}" for step in steps)]
    sweep()
    assert at.world.calls("bigcommerce.orders") == 1


def test_r22_amazons_throttling_is_waited_for(linked):
    at = linked()
    at.world.faults.arm("confirmShipment", "429", times=None, retry_after=600)
    for _minute in range(5):
        sweep()
        at.pass_time(minutes=1)
    assert (row().state, row().attempts, at.world.calls("bigcommerce.orders")) == (State.PENDING, 0, 0)
    at.world.faults.clear()
    for _half_hour in range(2):
        at.pass_time(minutes=30)
        sweep()
    at.assert_told_once()


def test_r22_an_order_amazon_refuses_is_not_told_until_a_person_settles_it(linked):
    at = linked()
    at.world.cancel(at.orders[0].order_number)
    at.tell_both()
    assert (rows("amazon"), rows(), at.created()) == ([State.REJECTED], [State.PENDING], {})
    ShipmentNotification.objects.filter(channel="amazon").update(state=State.MANUAL)
    at.tell()
    at.assert_told_once()


def test_where_the_connector_tells_amazon_the_store_is_told_at_once_with_the_number_in_the_same_call(linked):
    at = linked(told_by="connector")
    sweep()
    assert (rows("amazon"), rows()) == ([State.MANUAL], [State.CONFIRMED])
    assert at.world.calls("confirmShipment") == 0
    at.assert_told_once()
    assert mirror_of(at).status_id == 2


# -- what is told


def test_r48_r63_the_whole_order_is_told_with_service_and_cost_and_nothing_for_the_buyer(linked):
    at = linked(items=[SimItem(sku="A", quantity=2), SimItem(sku="B")])
    Shipment.objects.update(service="UPS Ground", cost=Decimal("7.5"), cost_currency="USD")
    rewrite(Shipment.objects, note_to_buyer="Dear Ada")
    at.tell_both()
    (shipment,) = mirror_of(at).shipments.values()
    assert sorted(shipment.items.values()) == [1, 2]
    assert shipment.told["merchant_shipping_cost"] == "7.5000"
    assert (shipment.told["shipping_method"], shipment.told["comments"]) == ("UPS Ground", "")
    assert "Dear Ada" not in str(shipment.told)


def test_r63_a_cost_in_another_currency_than_the_orders_is_kept_here(linked):
    at = linked()
    Shipment.objects.update(cost=Decimal("7.5"), cost_currency="EUR")
    at.tell_both()
    (shipment,) = mirror_of(at).shipments.values()
    assert shipment.told.get("merchant_shipping_cost", "") == ""


@pytest.mark.parametrize(
    ("carrier", "told"),
    [
        ("ups", ("ups", "", "")),
        ("colissimo", ("", "colissimo", "")),
        ("Bob's Bikes", ("", "", "")),
    ],
)
def test_a_carrier_goes_by_bigcommerces_word_for_it(linked, carrier, told):
    at = linked()
    Shipment.objects.update(carrier=carrier)
    at.tell_both()
    (sent,) = mirror_of(at).shipments.values()
    names = ("shipping_provider", "tracking_carrier", "tracking_link")
    assert tuple(sent.told[name] for name in names) == told


def test_a_carrier_without_a_word_goes_by_our_own_link():
    known = next(found for found in carriers.ALL if found.url and not any(found.bigcommerce))
    shipment = Shipment(carrier=known.code, tracking_number="1Z1")
    told = mirrorplan.told_of(Order(currency="USD"), shipment)
    assert (told.provider, told.carrier, told.link) == ("", "", known.tracking_url("1Z1"))


def test_several_addresses_get_a_shipment_each(linked):
    at = linked(items=[SimItem(sku="A"), SimItem(sku="B", quantity=3)])
    copy = mirror_of(at)
    other = at.shop.next_id()
    copy.addresses[other] = next(iter(copy.addresses.values()))
    copy.lines[1].address_id = other
    at.tell_both()
    assert sorted((sent.address_id, *sent.items.values()) for sent in copy.shipments.values()) == sorted(
        [(copy.lines[0].address_id, 1), (other, 3)]
    )
    assert (row().state, copy.status_id) == (State.CONFIRMED, 2)


def test_an_answer_not_seen_between_two_addresses_doubles_neither(linked):
    at = linked(items=[SimItem(sku="A"), SimItem(sku="B")])
    copy = mirror_of(at)
    other = at.shop.next_id()
    copy.addresses[other] = next(iter(copy.addresses.values()))
    copy.lines[1].address_id = other
    at.world.faults.arm("bigcommerce.create_shipment", "500_after", times=1)
    for _step in range(8):
        at.tell_both()
        at.pass_time(minutes=4)
    assert sorted(sent.address_id for sent in copy.shipments.values()) == sorted(copy.addresses)
    assert row().state == State.CONFIRMED


def test_digital_lines_are_not_shipped(linked):
    at = linked(items=[SimItem(sku="A"), SimItem(sku="B")])
    mirror_of(at).lines[1].kind = "digital"
    at.tell_both()
    (shipment,) = mirror_of(at).shipments.values()
    assert list(shipment.items) == [mirror_of(at).lines[0].line_id]


def test_an_order_of_sixty_lines_is_read_to_its_end(linked):
    at = linked(items=[SimItem(sku=f"S{number}") for number in range(60)])
    at.tell_both()
    (shipment,) = mirror_of(at).shipments.values()
    assert len(shipment.items) == 60


def test_lines_that_name_no_address_go_to_the_orders_only_one(linked):
    at = linked()
    at.shop.hides_addresses = True
    at.tell_both()
    assert at.world.calls("bigcommerce.shipping_addresses") == 1
    at.assert_told_once()


@pytest.mark.parametrize("status_id", [9, 11])
def test_a_status_that_bigcommerce_leaves_behind_is_set_alone(linked, status_id):
    at = linked()
    at.shop.status_after_shipping = status_id
    at.tell_both()
    assert mirror_of(at).status_id == 2
    assert [entry["effect"] for entry in at.shop.ledger] == ["shipment_created", "order_changed"]
    at.tell_both()
    assert len(at.shop.ledger) == 2


def test_r59_no_mail_leaves_where_status_mails_are_off(linked):
    at = linked(orders=2)
    at.shop.status_after_shipping = 11
    at.tell_both()
    assert (rows(), at.shop.mails) == ([State.CONFIRMED] * 2, [])


def test_r59_the_simulated_store_does_mail_where_they_are_on(linked):
    at = linked(mails=True)
    at.tell_both()
    assert len(at.shop.mails) == 1  # so that the test above can fail


# -- finding the mirror


@pytest.mark.sampled(3)
@pytest.mark.parametrize("field", ["external_order_id", "external_id"])
@pytest.mark.parametrize(
    "ignored", [(), ("external_order_id",), ("external_order_id", "channel_id", "min_date_created")]
)
def test_2_the_mirror_is_found_by_either_number_even_where_filters_are_ignored(linked, field, ignored):
    at = linked(copied=False)
    at.shop.ignored_filters = frozenset(ignored)
    for _other in range(8):
        at.shop.mirror(at.world.add_order(scenarios.NA))
    ours = at.shop.mirror(at.world.orders[at.orders[0].order_number], by=field)
    at.tell_both()
    assert [entry["order_id"] for entry in at.shop.ledger] == [ours.order_id]
    assert (row().state, row().remote_id) == (State.CONFIRMED, str(ours.order_id))


def test_2_without_a_known_channel_the_dates_alone_are_asked_for(linked):
    at = linked(copied=False)
    at.store.bigcommerce.__class__.objects.update(amazon_channel_id=None)
    at.shop.mirror(at.world.orders[at.orders[0].order_number], by="external_id", channel_id=55)
    at.tell_both()
    at.assert_told_once()


@pytest.mark.long
def test_2_a_mirror_that_comes_six_hours_late_is_told_then(linked):
    at = linked(copied=False)
    at.tell_both()
    assert (row().state, row().error_code, row().attempts) == (State.RETRY_AT, "MirrorNotFound", 0)
    assert row().state_word == "not in BigCommerce yet"
    assert "every hour until 22 Nov 2026, 12:00 UTC" in words().meaning
    for _half_hour in range(12):
        at.pass_time(minutes=30)
        sweep()
    assert 10 <= at.world.calls("bigcommerce.orders") <= 14  # two a look
    at.shop.mirror(at.world.orders[at.orders[0].order_number])
    at.pass_time(minutes=61)
    sweep()
    at.assert_told_once()
    assert (row().state, row().failing_since) == (State.CONFIRMED, None)


@pytest.mark.long
def test_2_a_mirror_that_never_comes_needs_attention_after_48_hours(linked):
    at = linked(copied=False)
    at.tell_both()
    for _hour in range(47):
        at.pass_time(minutes=61)
        at.tell()
    assert row().state == State.RETRY_AT
    at.pass_time(minutes=61)
    at.tell()
    assert (row().state, row().error_code) == (State.NEEDS_ATTENTION, "MirrorNotFound")
    assert words().can_retry and "connector has copied it" in words().reason
    at.shop.mirror(at.world.orders[at.orders[0].order_number])
    mirroring.retry(row(), now=clock.now())
    at.tell()
    at.assert_told_once()


def test_2_of_two_mirrors_none_is_guessed_until_one_is_archived(linked):
    at = linked()
    second = at.shop.mirror(at.world.orders[at.orders[0].order_number])
    at.tell_both()
    assert (row().state, row().error_code, at.created()) == (State.NEEDS_ATTENTION, "MirrorTwice", {})
    second.archived = True
    mirroring.retry(row(), now=clock.now())
    at.tell()
    assert row().state == State.CONFIRMED
    assert not second.shipments


def test_2_a_number_kept_from_another_store_leads_to_no_wrong_order(linked):
    at = linked()
    stranger = at.shop.mirror(at.world.add_order(scenarios.NA))
    ShipmentNotification.objects.filter(channel="bigcommerce").update(remote_id=str(stranger.order_id))
    at.tell_both()
    assert not stranger.shipments
    at.assert_told_once()


# -- what is there already


def test_4_shipped_there_already_is_said_and_nothing_is_added(linked):
    at = linked()
    copy = mirror_of(at)
    line = copy.lines[0]
    at.shop.ship(copy, line.address_id, {line.line_id: line.quantity}, {"tracking_number": "OTHER1"}, NOON)
    at.tell_both()
    assert (row().state, len(copy.shipments)) == (State.CONFIRMED_EXTERNAL, 1)
    assert at.world.calls("bigcommerce.create_shipment") == 0


def test_4_our_number_there_already_counts_as_told(linked):
    at = linked()
    copy = mirror_of(at)
    line = copy.lines[0]
    number = at.orders[0].shipments.get().tracking_number
    at.shop.ship(copy, line.address_id, {line.line_id: line.quantity}, {"tracking_number": number}, NOON)
    at.tell_both()
    assert (row().state, len(copy.shipments)) == (State.CONFIRMED, 1)


def test_4_of_a_part_that_left_there_only_the_rest_is_added(linked):
    at = linked(items=[SimItem(sku="A", quantity=3), SimItem(sku="B")])
    copy = mirror_of(at)
    at.shop.refuses_reshipping = True
    at.shop.ship(copy, copy.lines[0].address_id, {copy.lines[0].line_id: 2}, {"tracking_number": "OTHER1"}, NOON)
    at.tell_both()
    _theirs, ours = copy.shipments.values()
    assert ours.items == {copy.lines[0].line_id: 1, copy.lines[1].line_id: 1}
    assert (row().state, copy.status_id) == (State.CONFIRMED, 2)


def test_4_shipped_there_between_our_look_and_our_call_is_looked_at_again(linked, monkeypatch):
    at = linked()
    at.shop.refuses_reshipping = True
    copy, line = mirror_of(at), mirror_of(at).lines[0]
    connector = mirror_connector_for(Store.objects.get(pk=at.store.pk))
    standing = connector.standing

    def then_somebody_ships(order_id):
        seen = standing(order_id)
        if not copy.shipments:
            at.shop.ship(copy, line.address_id, {line.line_id: line.quantity}, {"tracking_number": "X1"}, NOON)
        return seen

    monkeypatch.setattr(connector, "standing", then_somebody_ships)
    notify_now_alone(at.account)
    mirroring.mirror_due(at.store, connector, now=clock.now())
    assert (row().state, row().error_code) == (State.RETRY_AT, "BigCommerce400")
    at.pass_time(minutes=6)
    at.tell()
    assert (row().state, len(copy.shipments)) == (State.CONFIRMED_EXTERNAL, 1)


def test_4_refused_twice_is_refused_and_explained(linked):
    at = linked()
    at.shop.refuses = True
    for _run in range(3):
        at.tell_both()
        at.pass_time(minutes=6)
    assert (row().state, row().error_code, row().error_text) == (State.REJECTED, "BigCommerce422", "")
    assert "refused the shipment twice" in words().reason
    assert at.world.calls("bigcommerce.create_shipment") == 2


@pytest.mark.sampled(3)
@pytest.mark.parametrize("status_id", [*REFUSED, *OTHER])
def test_3_a_status_that_forbids_it_is_refused_with_a_sentence(linked, status_id):
    at = linked()
    mirror_of(at).status_id = status_id
    at.tell_both()
    code = f"Mirror{(REFUSED | OTHER)[status_id]}"
    assert (row().state, row().error_code, at.created()) == (State.REJECTED, code, {})
    assert words().reason == mirrorwords.REASONS[code]
    mirror_of(at).status_id = 11
    mirroring.retry(row(), now=clock.now())
    at.tell()
    at.assert_told_once()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("status_id", sorted(mirrorplan.TO_SHIP))
def test_3_from_the_other_statuses_the_shipment_is_added(linked, status_id):
    at = linked()
    mirror_of(at).status_id = status_id
    at.tell_both()
    at.assert_told_once()


# -- R45 to R47: the first parcel, and what is voided


def test_r46_a_second_parcel_is_not_told(linked):
    at = linked(items=[SimItem(sku="A", quantity=2)])
    at.tell_both()
    order = at.orders[0]
    shipment = order.shipments.get()
    voiding.void(shipment, by=make_user("Support"), now=clock.now())
    order.refresh_from_db()
    make_shipment(order, tracking_number="1ZSECOND")
    at.tell_both()
    assert at.created() == {order.order_number: [shipment.tracking_number]}
    assert row().state == State.CONFIRMED


def test_r47_a_parcel_voided_before_the_store_was_told_is_withdrawn_and_the_next_one_told(linked):
    at = linked(copied=False)
    at.tell_both()
    order = at.orders[0]
    voiding.void(order.shipments.get(), by=make_user("Support"), now=clock.now())
    assert row().state == State.WITHDRAWN
    assert "parcel was voided" in words().meaning and row().state_word == "withdrawn: the parcel was voided first"
    with pytest.raises(RuleViolation, match="ship the order again"):
        mirroring.retry(row(), now=clock.now())
    order.refresh_from_db()
    make_shipment(order, tracking_number="1ZSECOND")
    at.shop.mirror(at.world.orders[order.order_number])
    at.tell_both()
    assert at.created() == {order.order_number: ["1ZSECOND"]}


@pytest.mark.parametrize("arrived", [True, False])
def test_r47_of_a_parcel_voided_while_its_outcome_is_unknown_nothing_more_is_sent(linked, arrived):
    at = linked()
    at.world.faults.arm("bigcommerce.create_shipment", "500_after" if arrived else "500_before", times=1)
    at.tell_both()
    assert row().state == State.UNKNOWN
    order = at.orders[0]
    voided = order.shipments.get()
    voiding.void(voided, by=make_user("Support"), now=clock.now())
    for _step in range(8):
        at.pass_time(minutes=4)
        at.tell()
    assert row().state == (State.CONFIRMED if arrived else State.WITHDRAWN)
    assert at.created() == ({order.order_number: [voided.tracking_number]} if arrived else {})


def test_r47_a_stuck_notice_of_a_voided_parcel_goes_to_the_next_parcel(linked):
    at = linked()
    mirror_of(at).status_id = 5
    at.tell_both()
    order = at.orders[0]
    voiding.void(order.shipments.get(), by=make_user("Support"), now=clock.now())
    order.refresh_from_db()
    make_shipment(order, tracking_number="1ZSECOND")
    mirror_of(at).status_id = 11
    mirroring.retry(row(), now=clock.now())
    at.tell()
    assert at.created() == {order.order_number: ["1ZSECOND"]}


# -- the store's quota and its token


def test_6_the_last_ten_calls_of_the_quota_are_left_to_others(linked):
    at = linked(orders=5)
    at.shop.quota = 30  # the verification spent some
    at.tell_both()
    assert at.shop.quota - at.shop.used >= 9  # the answer that says so has been spent
    assert at.world.calls("bigcommerce.orders", 429) == 0
    calls = len(at.world.requests)
    at.tell()
    assert len(at.world.requests) == calls  # the whole store waits
    for _minute in range(8):
        at.pass_time(minutes=1)
        at.tell()
    assert rows() == [State.CONFIRMED] * 5
    at.assert_told_once()


@pytest.mark.long
def test_6_a_usual_quota_of_150_serves_forty_parcels_without_one_refusal(linked):
    at = linked(orders=40, told_by="connector")
    for _minute in range(3):
        at.tell()
        at.pass_time(minutes=1)
    assert {entry["status"] for entry in at.world.requests if entry["operation"].startswith("big")} <= {200, 201, 204}
    assert rows() == [State.CONFIRMED] * 40
    at.assert_told_once()


@pytest.mark.parametrize(
    ("options", "seconds"), [({"retry_after": 20, "reset_ms": 90_000}, 90), ({"retry_after": 300}, 300), ({}, 30)]
)
def test_6_a_429_spends_no_attempt_and_the_store_is_left_alone_for_the_longer_wait(linked, options, seconds):
    at = linked(orders=3)
    at.world.faults.arm("bigcommerce.create_shipment", "429", times=1, **options)
    at.tell_both()
    first = ShipmentNotification.objects.filter(channel="bigcommerce").exclude(error_code="").get()
    assert (first.state, first.attempts, first.failing_since) == (State.RETRY_AT, 0, None)
    assert timedelta(seconds=seconds) <= first.next_attempt_at - NOON <= timedelta(seconds=1.2 * seconds + 1)
    calls = len(at.world.requests)
    at.pass_time(seconds=seconds - 1)
    at.tell()
    assert len(at.world.requests) == calls
    with pytest.raises(RuleViolation, match="asks to wait until"):
        mirroring.retry(first, now=clock.now())
    at.pass_time(seconds=0.2 * seconds + 2)
    at.tell()
    at.assert_told_once()


def test_6_while_the_store_is_left_alone_every_waiting_notice_says_until_when(linked):
    at = linked(orders=3)
    at.world.faults.arm("bigcommerce.create_shipment", "429", times=1, retry_after=600)
    at.tell_both()
    refused = ShipmentNotification.objects.filter(channel="bigcommerce").exclude(error_code="").get()
    until = utc(refused.next_attempt_at)
    others = [order for order in at.orders if order.pk != refused.order_id]
    for order in others:
        assert row(order).state == State.PENDING
        assert words_of(order).meaning == f"BigCommerce asks to wait until {until}. OrderHub then goes on by itself."
        assert words_of(order).next_try == until
    mirroring.retry(row(others[0]), now=clock.now())
    assert words_of(others[0]).next_try == until
    assert until in mirrorwords.retried(row(others[0]))
    at.pass_time(minutes=13)
    assert "within a minute" in words_of(others[0]).meaning
    assert words_of(others[1]).next_try == "within a minute"
    at.tell()
    at.assert_told_once()


def test_429_never_ends_in_attention(linked):
    at = linked()
    at.world.faults.arm("bigcommerce.orders", "429", times=None)
    for _hour in range(30):
        at.tell_both()
        at.pass_time(minutes=60)
    assert (row().state, row().attempts) == (State.RETRY_AT, 0)
    at.world.faults.clear()
    at.tell()
    at.assert_told_once()


@pytest.mark.long
def test_a_store_that_does_not_answer_for_a_day_is_asked_ever_less_and_then_needs_a_person(linked):
    at = linked()
    at.world.faults.arm("bigcommerce.orders", "503", times=None)
    for _half_hour in range(2 * 23):
        at.tell_both()
        at.pass_time(minutes=30)
    assert row().state == State.RETRY_AT
    for _half_hour in range(6):
        at.tell()
        at.pass_time(minutes=30)
    assert row().state == State.NEEDS_ATTENTION
    assert at.world.calls("bigcommerce.orders") <= 40
    at.world.faults.clear()
    mirroring.retry(row(), now=clock.now())
    at.tell()
    at.assert_told_once()


@pytest.mark.parametrize("operation", ["orders", "create_shipment"])
def test_f24_a_refused_token_marks_the_store_and_burns_nothing(linked, operation):
    at = linked(orders=2)
    at.world.faults.arm(f"bigcommerce.{operation}", "403_revoked", times=1)
    notify_now_alone(at.account)
    assert "stopped" in at.tell()
    at.store.bigcommerce.refresh_from_db()
    assert (at.store.bigcommerce.status, at.store.bigcommerce.status_reason) == ("refused", "401")
    found = ShipmentNotification.objects.filter(channel="bigcommerce").values_list("state", "attempts", "error_code")
    assert set(found) == {(State.PENDING, 0, "")}
    calls = len(at.world.requests)
    sweep()
    assert len(at.world.requests) == calls
    assert "verified again" in words_of(at.orders[0]).meaning and words_of(at.orders[0]).next_try == ""
    linking.renew_shop(Store.objects.get(pk=at.store.pk), "", now=clock.now())
    at.tell()
    at.assert_told_once()


def test_a_missing_scope_stops_the_store_after_one_call(linked):
    at = linked(orders=2)
    at.shop.scopes = frozenset({"store_v2_orders_read_only"})
    at.tell_both()
    at.store.bigcommerce.refresh_from_db()
    assert (at.store.bigcommerce.status_reason, at.world.calls("bigcommerce.create_shipment")) == ("403", 1)


def test_an_unlinked_store_is_told_nothing_and_goes_on_when_linked_again(linked):
    at = linked()
    store = at.account.stores.get()
    linking.unlink(store)
    at.tell_both()
    assert (rows(), at.created()) == ([State.PENDING], {})
    assert "linked to no BigCommerce store" in words().meaning
    linking.link(store, at.store, mails_off=True, told_by="orderhub", now=clock.now())
    at.tell()
    at.assert_told_once()


# -- a person, the sweep, the command


def test_r57_retry_is_refused_for_what_is_told_or_being_told(linked):
    at = linked()
    at.tell_both()
    with pytest.raises(RuleViolation, match="BigCommerce already knows"):
        mirroring.retry(row(), now=clock.now())
    ShipmentNotification.objects.filter(channel="bigcommerce").update(
        state="in_flight", lease_until=clock.now(), request_hash="x"
    )
    with pytest.raises(RuleViolation, match="right now"):
        mirroring.retry(row(), now=clock.now())


def test_r57_retry_of_an_unknown_outcome_reads_before_it_sends(linked):
    at = linked()
    at.world.faults.arm("bigcommerce.create_shipment", "500_after", times=1)
    at.tell_both()
    mirroring.retry(row(), now=clock.now())
    at.tell()
    assert row().state == State.CONFIRMED
    at.assert_told_once()


def test_an_unknown_outcome_is_read_after_2_5_and_15_minutes_and_only_then_sent_again(linked):
    at = linked()
    at.world.faults.arm("bigcommerce.create_shipment", "500_before", times=1)
    at.tell_both()
    reads = []
    for minute in range(1, 18):
        at.pass_time(minutes=1)
        before = at.world.calls("bigcommerce.shipments")
        sweep()
        if at.world.calls("bigcommerce.shipments") > before:
            reads.append(minute)
            assert (at.world.calls("bigcommerce.create_shipment") == 2) == (len(reads) == 3)
    assert reads == [2, 5, 15]
    at.assert_told_once()


def test_a_shipment_that_was_taken_and_shows_late_is_not_sent_again(linked):
    at = linked()
    at.world.faults.arm("bigcommerce.create_shipment", "500_before", times=1)
    at.tell_both()
    for minutes in (3, 4):
        at.pass_time(minutes=minutes)
        at.tell()
    assert (row().state, row().reads) == (State.UNKNOWN, 2)
    at.world.faults.arm("bigcommerce.order", "503", times=1, after=1)  # the look behind the shipment
    at.pass_time(minutes=11)
    at.tell()
    assert (row().state, row().reads, len(at.created())) == (State.UNKNOWN, 0, 1)
    copy = mirror_of(at)
    taken, copy.shipments = copy.shipments, {}  # not to be seen yet
    at.pass_time(minutes=25)
    at.tell()
    assert (row().state, row().reads) == (State.UNKNOWN, 1)
    copy.shipments = taken
    at.pass_time(minutes=4)
    at.tell()
    assert row().state == State.CONFIRMED
    at.assert_told_once()


def test_the_sweep_asks_for_one_run_a_store_and_none_where_nothing_is_due(linked):
    at = linked(orders=3)
    assert jobs.run("shipments.mirror_due") == "0 BigCommerce stores"
    notify_now_alone(at.account)
    assert jobs.run("shipments.mirror_due") == "1 BigCommerce stores"
    at.tell()
    assert jobs.run("shipments.mirror_due") == "0 BigCommerce stores"


def notify_now_alone(account) -> None:
    """Amazon only: what the run asks for afterwards goes to the queue."""
    jobs.run("shipments.notify_account", account.pk)


def test_the_command_tells_bigcommerce_after_amazon(linked):
    from django.core.management import call_command

    at = linked()
    call_command("notify_marketplaces")
    at.assert_told_once()
