"""The rules of importing, one test each: rules.md R12 to R38 and R74 to R76, through the simulator over real HTTP."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from orderhub import clock
from orderhub.errors import RuleViolation
from orders.models import Order, OrderEvent, OrderItem, OrderPersonalData, QuarantinedOrder, SkippedOrder
from orders.models.person import ERASED
from orders.page import PageWriter
from privacy import erasure, markers
from stores import connecting, features
from stores.connecting import connector_for
from stores.connectors.amazon import mapping
from stores.connectors.base import OrderPage, RemoteItem, RemoteOrder, RemotePerson
from stores.models import AmazonAccount, FeatureGrant, Store, UnconnectedOrder
from stores.simulator import scenarios
from stores.simulator.orders import SimAddress, SimItem
from tests.conftest import NOON
from tests.factories import connect, make_account, make_merchant, make_order, make_shipment, make_store, make_user
from tests.orders.driving import import_now, time_passes

pytestmark = pytest.mark.django_db
Kind = OrderEvent.Kind
HOME = {
    "name": "Zebulon Quickfeather", "line1": "77 Larkspur Hollow", "line2": "Apt 4", "phone": "+1 555 0177",
    "city": "Austin", "state": "TX", "postal_code": "78701",
}  # fmt: skip


@pytest.fixture
def account(world) -> AmazonAccount:
    """The North American seller, Amazon.com connected."""
    return connect(scenarios.NA, sources=("US",))


def add(world, **given):
    given = {"marketplace": "US", "created": NOON - timedelta(hours=1), "buyer_name": HOME["name"]} | given
    given.setdefault("updated", given["created"])
    return world.add_order(scenarios.NA, address=given.pop("address", None) or SimAddress(**HOME), **given)


def change(world, travel, order, **fields) -> None:
    travel(world, minutes=10)
    world.update(order.order_id, **fields)
    travel(world, minutes=5)


def only() -> Order:
    return Order.objects.get()


def kinds(order: Order | None = None) -> list[str]:
    return list(OrderEvent.objects.order_by("pk").values_list("kind", flat=True))


def afn(world, **given):
    return add(world, fulfilled_by="AMAZON", status=given.pop("status", "SHIPPED"), **given)


# -- routing


def test_r12_each_order_goes_to_the_store_of_its_source(world):
    account = connect(scenarios.NA, sources=("US", "CA"))
    numbers = {code: add(world, marketplace=code).order_id for code in ("US", "CA")}
    import_now(account)
    for store in account.stores.all():
        assert [order.order_number for order in store.orders.all()] == [numbers[store.marketplace]]
    assert world.calls("searchOrders") == 1  # one search serves all stores


def test_r12_orders_of_an_unconnected_source_are_counted_once_and_filed_nowhere(world, account, travel):
    order = add(world, marketplace="CA")
    for _poll in range(3):
        import_now(account)
        change(world, travel, order, service_level="EXPEDITED")
    assert Order.objects.count() == 0
    assert list(UnconnectedOrder.objects.values_list("order_number", flat=True)) == [order.order_id]


def test_r12_an_order_of_an_unknown_marketplace_is_counted_and_not_filed(world, account):
    add(world, extra={"salesChannel": {"marketplaceId": "ANEWMARKETPLACE"}})
    import_now(account)
    assert (Order.objects.count(), UnconnectedOrder.objects.count()) == (0, 1)


def test_skipped_orders_of_an_inactive_store_say_so(world, account):
    Store.objects.update(active=False)
    add(world)
    import_now(account)
    assert SkippedOrder.objects.get().reason == SkippedOrder.Reason.INACTIVE


# -- what is taken in


def test_r23_r30_a_merchant_order_is_imported_with_amazons_latest_ship_date(world, account):
    order = add(world, ship_by=NOON + timedelta(hours=30), deliver_by=NOON + timedelta(days=6))
    import_now(account)
    found = only()
    assert (found.order_number, found.status) == (order.order_id, Order.Status.AWAITING_SHIPMENT)
    assert found.ship_by == NOON + timedelta(hours=30)
    assert found.deliver_by == NOON + timedelta(days=6)
    assert found.person.recipient_name == HOME["name"]
    assert found.redaction_due_at == NOON + timedelta(days=14)


def remote(account, **given) -> RemoteOrder:
    item = RemoteItem("1", "SKU", "B0", "File", 1)
    defaults = {
        "number": "112-0000001-0000001", "marketplace_id": "ATVPDKIKX0DER", "status": "UNSHIPPED", "fulfilled_by": "MFN",
        "created_at": NOON, "updated_at": NOON, "items": (item,),
    }  # fmt: skip
    return RemoteOrder(**(defaults | given))


def write(account, *orders: RemoteOrder):
    with transaction.atomic():
        return PageWriter(account, now=clock.now()).write(OrderPage(orders, (), None))


def test_r24_an_order_without_physical_goods_is_skipped_with_its_reason(noon):
    account = make_store().account
    digital = replace(remote(account).items[0], is_physical=False)
    write(account, remote(account, items=(digital,)))
    assert Order.objects.count() == 0
    assert SkippedOrder.objects.get().reason == SkippedOrder.Reason.NOT_PHYSICAL


def test_r24_one_physical_line_takes_the_whole_order_in_and_clears_the_skip(noon):
    account = make_store().account
    digital = replace(remote(account).items[0], is_physical=False)
    write(account, remote(account, items=(digital,)))
    book = replace(digital, item_id="2", is_physical=True)
    write(account, remote(account, items=(digital, book), updated_at=NOON + timedelta(minutes=1)))
    assert only().items.count() == 2
    assert not SkippedOrder.objects.exists()


def test_r25_with_the_switch_off_no_order_fulfilled_by_amazon_comes_in(world, account):
    afn(world)
    import_now(account)
    assert Order.objects.count() == 0
    assert SkippedOrder.objects.get().reason == SkippedOrder.Reason.AFN_OFF


def test_r26_with_the_switch_on_they_come_in_as_shipped_once_amazon_has_shipped(world, account, travel):
    Store.objects.update(import_afn=True)
    order = afn(world, status="UNSHIPPED", ships_at=NOON + timedelta(hours=2))
    import_now(account)
    assert Order.objects.count() == 0
    assert SkippedOrder.objects.get().reason == SkippedOrder.Reason.AFN_NOT_SHIPPED
    travel(world, hours=3)
    import_now(account)  # the access token had ended
    travel(world, minutes=1)
    import_now(account)
    assert (only().order_number, only().status) == (order.order_id, Order.Status.SHIPPED)
    assert not SkippedOrder.objects.exists()


@pytest.mark.parametrize("leaky", [False, True], ids=["as documented", "leaky"])
def test_r27_nothing_of_a_person_is_kept_of_them_whatever_amazon_sends(world, account, leaky):
    Store.objects.update(import_afn=True)
    world.leaky_afn = leaky
    items = [SimItem(gift=True, gift_message="Happy birthday")]
    afn(world, items=items, buyer_company="Quickfeather Ltd", purchase_order_number="PO-77")
    import_now(account)
    person = only().person
    assert {name: getattr(person, name) for name in (*ERASED, "buyer_email")} == dict.fromkeys(
        (*ERASED, "buyer_email"), ""
    )
    assert (person.marker, only().redaction_due_at, only().pii_state) == ("", None, Order.PiiState.NONE)


@pytest.mark.parametrize("status", ["SHIPPED", "CANCELLED"])
def test_r28_an_order_already_over_comes_in_with_its_lines_and_nothing_is_looked_up(world, account, status):
    add(world, status=status, items=[SimItem(sku="A"), SimItem(sku="B")])
    before = len(world.requests)
    import_now(account)
    assert only().status == status.lower()
    assert only().items.count() == 2
    assert {entry["operation"] for entry in world.requests[before:]} <= {"searchOrders", "lwa"}


def test_r34_r35_money_is_stored_as_sent_in_the_marketplaces_currency(simulate):
    simulate(world := scenarios.empty(now=NOON))
    account = connect(scenarios.NA, sources=("US", "CA", "MX"))
    for code in ("US", "CA", "MX"):
        add(world, marketplace=code, items=[SimItem(unit_price=Decimal("19.90"), quantity=3, tax=Decimal("1.07"))])
    import_now(account)
    assert dict(Order.objects.values_list("store__marketplace", "currency")) == {"US": "USD", "CA": "CAD", "MX": "MXN"}
    assert set(Order.objects.values_list("order_total", flat=True)) == {Decimal("60.77")}
    assert set(OrderItem.objects.values_list("unit_price", flat=True)) == {Decimal("19.90")}


def test_r34_yen_have_no_cents(world):
    account = connect(scenarios.JP)
    world.add_order(
        scenarios.JP, created=NOON - timedelta(hours=1), updated=NOON - timedelta(hours=1),
        items=[SimItem(unit_price=Decimal(1980))],
    )  # fmt: skip
    import_now(account)
    assert str(only().money("order_total")) == "1980 JPY"


def test_r16_r36_mail_phone_and_kanji_are_stored_as_received(world):
    account = connect(scenarios.JP)
    address = SimAddress(
        name="霧ヶ谷 花子", line1="銀座４丁目５−１", phone="+81 3-0000-0000 ext. 12345", state="東京都"
    )
    world.add_order(
        scenarios.JP, created=NOON - timedelta(hours=1), updated=NOON - timedelta(hours=1), address=address,
        buyer_email="a1b2@marketplace.amazon.co.jp",
    )  # fmt: skip
    import_now(account)
    person = only().person
    assert (person.recipient_name, person.street1, person.phone) == (address.name, address.line1, address.phone)
    assert person.buyer_email == "a1b2@marketplace.amazon.co.jp"


def test_r15_amazon_co_jp_imports_nothing_until_customer_success_grants_it(world, travel):
    verified = connecting.verify("FE", scenarios.JP.seller_id, scenarios.JP.refresh_token)
    account = connecting.connect(
        verified, scenarios.JP.refresh_token, merchant=make_merchant(), sources=["JP"], now=clock.now()
    )
    order = world.add_order(scenarios.JP, created=NOON - timedelta(minutes=5), updated=NOON - timedelta(minutes=5))
    import_now(account)
    assert Order.objects.count() == 0
    assert SkippedOrder.objects.get().reason == SkippedOrder.Reason.INACTIVE
    features.grant(account.stores.get(), FeatureGrant.Feature.JAPAN, by=make_user("Customer success"), reason="asked")
    travel(world, minutes=4)
    import_now(account)
    assert only().order_number == order.order_id
    assert not SkippedOrder.objects.exists()


def test_pending_orders_wait_for_payment_and_get_their_address_later(world, account, travel):
    add(world, pays_at=NOON + timedelta(minutes=20))
    import_now(account)
    assert (only().status, only().person.recipient_name) == (Order.Status.AWAITING_PAYMENT, "")
    travel(world, minutes=30)
    import_now(account)
    assert (only().status, only().person.recipient_name) == (Order.Status.AWAITING_SHIPMENT, HOME["name"])
    assert only().pii_state == Order.PiiState.PRESENT


def test_f37_an_unknown_status_is_kept_as_text_and_waits_on_hold(world, account):
    add(world, extra={"fulfillment": {"fulfillmentStatus": "TELEPORTING"}, "novelty": {"a": 1}})
    import_now(account)
    assert (only().status, only().custom_status) == (Order.Status.ON_HOLD, "TELEPORTING")


# -- reading again


def test_r37_a_changed_order_is_updated_and_never_doubled(world, account, travel):
    order = add(world)
    import_now(account)
    change(world, travel, order, service_level="NEXT_DAY", ship_by=NOON + timedelta(days=1))
    import_now(account)
    assert (only().service_level, only().ship_by) == ("NEXT_DAY", NOON + timedelta(days=1))
    assert OrderItem.objects.count() == OrderPersonalData.objects.count() == 1


def test_f20_an_older_word_never_replaces_a_newer_one(noon):
    account = make_store().account
    write(account, remote(account, updated_at=NOON, service_level="NEXT_DAY"))
    counts = write(account, remote(account, updated_at=NOON - timedelta(seconds=1), service_level="STANDARD"))
    assert counts == {"older": 1}
    assert only().service_level == "NEXT_DAY"


def test_one_order_twice_on_a_page_is_written_once_with_its_newer_word(noon):
    account = make_store().account
    older = remote(account, updated_at=NOON, service_level="STANDARD")
    newer = replace(older, updated_at=NOON + timedelta(minutes=1), service_level="NEXT_DAY")
    write(account, newer, older)
    assert only().service_level == "NEXT_DAY"


def test_r38_a_cancellation_at_amazon_cancels_here(world, account, travel):
    order = add(world)
    import_now(account)
    travel(world, minutes=10)
    world.cancel(order.order_id)
    travel(world, minutes=5)
    import_now(account)
    assert only().status == Order.Status.CANCELLED
    with pytest.raises(RuleViolation, match="cancelled"):
        make_shipment(only())


def test_r38_a_cancellation_after_shipping_raises_an_alert_and_keeps_the_order_shipped(world, account, travel):
    order = add(world)
    import_now(account)
    make_shipment(only(), with_label=False)
    travel(world, minutes=10)
    world.cancel(order.order_id)  # before Amazon heard of our parcel
    travel(world, minutes=5)
    import_now(account)
    assert only().status == Order.Status.SHIPPED
    assert kinds().count(Kind.CANCELLED_AFTER_SHIPPING) == 1


def test_r38_a_wish_to_cancel_blocks_shipping_until_decided(world, account, travel):
    order = add(world)
    import_now(account)
    travel(world, minutes=10)
    world.request_cancellation(order.order_id, "CHANGED_MIND")
    travel(world, minutes=5)
    import_now(account)
    assert only().cancel_reason_code == "CHANGED_MIND"
    with pytest.raises(RuleViolation, match="asks to cancel"):
        make_shipment(only())
    only().decide_cancellation(ship_anyway=True)
    change(world, travel, order, service_level="EXPEDITED")
    import_now(account)
    assert only().cancel_requested_at is None  # decided is decided
    make_shipment(only(), with_label=False)
    assert only().status == Order.Status.SHIPPED


def test_f23_an_order_shipped_elsewhere_becomes_shipped_and_queues_no_notice(world, account, travel):
    order = add(world)
    import_now(account)
    travel(world, minutes=10)
    world.ship_elsewhere(order.order_id)
    time_passes(world, minutes=9)
    assert only().status == Order.Status.SHIPPED
    assert kinds().count(Kind.SHIPPED_ELSEWHERE) == 1
    assert only().notifications.count() == 0


def test_a_hold_set_here_outlives_amazons_next_word(world, account, travel):
    order = add(world)
    import_now(account)
    only().hold("address looks wrong")
    change(world, travel, order, service_level="EXPEDITED")
    import_now(account)
    assert (only().status, only().hold_reason) == (Order.Status.ON_HOLD, "address looks wrong")


def test_blank_never_overwrites_what_is_known_of_a_person(world, account, travel):
    order = add(world)
    import_now(account)
    change(world, travel, order, buyer_name="", address=SimAddress(city="Dallas", country="US"))
    import_now(account)
    person = only().person
    assert (person.recipient_name, person.street1, person.buyer_name) == (HOME["name"], HOME["line1"], HOME["name"])
    assert person.city == "Dallas"


# -- after erasure


def test_r74_r75_r76_an_erased_order_takes_nothing_of_a_person_back(world, account, travel):
    order = add(world, items=[SimItem(gift=True, gift_message="Happy birthday")], buyer_email="real@example.com")
    import_now(account)
    instant = travel(world, days=15)
    erasure.redact_due(now=instant)
    before = OrderPersonalData.objects.values().get()
    assert before["recipient_name"] == markers.AMAZON
    assert before["street3"] == ""  # R74: empty stays empty
    erased_at = only().redacted_at
    change(world, travel, order, address=SimAddress(**(HOME | {"line3": "c/o Quickfeather"})), buyer_company="Ltd")
    for _try in range(2):  # the first meets an access token that has ended
        import_now(account)
        travel(world, minutes=4)
    assert only().amazon_updated_at > NOON  # the order itself was updated
    assert OrderPersonalData.objects.values().get() == before
    assert (only().pii_state, only().redacted_at) == (Order.PiiState.REDACTED, erased_at)


def test_r76_an_order_being_erased_takes_nothing_back_either(noon):
    account = make_store().account
    write(account, remote(account, person=RemotePerson(recipient_name="Ada", city="Austin")))
    Order.objects.update(pii_state=Order.PiiState.REDACTING)
    write(
        account,
        remote(account, updated_at=NOON + timedelta(hours=1), person=RemotePerson(recipient_name="Eve", phone="1")),
    )
    assert (only().person.recipient_name, only().person.phone) == ("Ada", "")
    assert only().pii_state == Order.PiiState.REDACTING


# -- what cannot be read


def test_an_order_that_cannot_be_read_goes_to_quarantine_and_its_page_commits(world, account):
    broken = add(world, extra={"proceeds": {"grandTotal": {"amount": "nineteen", "currencyCode": "USD"}}})
    fine = add(world)
    assert "complete" in import_now(account)
    assert only().order_number == fine.order_id
    kept = QuarantinedOrder.objects.get()
    assert (kept.order_number, kept.code, kept.path) == (broken.order_id, "Misread", "proceeds.grandTotal")
    assert "nineteen" not in str(QuarantinedOrder.objects.values())


def test_a_line_id_twice_in_an_order_goes_to_quarantine_and_its_page_commits(world, account):
    broken = add(world, items=[SimItem(item_id="12345"), SimItem(item_id="12345")])
    fine = add(world)
    assert "complete" in import_now(account)
    assert only().order_number == fine.order_id
    assert QuarantinedOrder.objects.get().order_number == broken.order_id


def test_quarantine_counts_how_often_and_ends_when_the_order_can_be_read(world, account, travel):
    broken = add(world, extra={"createdTime": "yesterday"})
    import_now(account)
    change(world, travel, broken, extra={"createdTime": "last week"})
    import_now(account)
    assert QuarantinedOrder.objects.get().times == 2
    change(world, travel, broken, extra={})
    import_now(account)
    assert only().order_number == broken.order_id
    assert not QuarantinedOrder.objects.exists()


def test_f36_hostile_text_is_stored_and_crashes_nothing(world, account):
    nasty = "<script>\x00\ud800=HYPERLINK(1)\u202e" + "x" * 100_000
    add(world, extra={"recipient": {"deliveryAddress": {"name": nasty, "addressLine1": nasty}}})
    import_now(account)
    assert only().person.recipient_name.startswith("<script>")
    assert len(only().person.recipient_name) <= 500


# -- accounts


def test_an_account_without_the_role_for_personal_data_works_and_is_flagged(world):
    seller = scenarios.NO_PII_ROLE
    account = connect(seller)
    world.add_order(seller, created=NOON - timedelta(hours=1), updated=NOON - timedelta(hours=1))
    assert "complete" in import_now(account)
    account.refresh_from_db()
    assert (account.status, account.has_pii_role) == (AmazonAccount.Status.ACTIVE, False)
    assert only().person.recipient_name == ""
    assert world.calls("searchOrders", 403) == 2  # asked again with a fresh token before going without
    time_passes(world, minutes=12)
    assert world.calls("searchOrders", 403) == 2  # remembered


def test_a_stopped_account_makes_no_call(world, account):
    account.stop(AmazonAccount.Status.PAUSED, "holiday")
    before = len(world.requests)
    assert "paused" in import_now(account)
    time_passes(world, minutes=15)
    assert len(world.requests) == before


def test_the_connector_never_asks_for_personal_data_to_reconcile(world, account):
    order = add(world)
    connector_for(account).order(order.order_id)
    asked = [entry for entry in world.requests if entry["operation"] == "getOrder"]
    assert set(asked[0]["included_data"]) == {"FULFILLMENT", "PACKAGES"}


def test_a_store_of_another_account_never_takes_an_order_over(noon):
    mine, theirs = make_store().account, make_account(scenarios.STANDALONE_CA)
    write(mine, remote(mine))
    make_store("CA", account=theirs)
    write(theirs, remote(theirs, service_level="NEXT_DAY"))
    assert only().store.account == mine
    assert only().service_level == ""
    assert UnconnectedOrder.objects.get().account == theirs


def test_r27_an_answer_that_forgets_who_fulfils_leaves_no_person_on_an_amazon_order(noon):
    store = make_store("US", import_afn=True)
    order = make_order(store, fulfilled_by="AFN")
    page = mapping.page({"orders": [{
        "orderId": order.order_number,
        "createdTime": "2026-11-20T09:00:00Z",
        "lastUpdatedTime": "2026-11-20T11:59:00Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "ATVPDKIKX0DER"},
        "recipient": {"deliveryAddress": {"name": "Zoe Canary", "addressLine1": "1 Canary Street", "city": "Reno"}},
        "fulfillment": {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "MERCHANT"},
        "orderItems": [{"orderItemId": "1", "quantityOrdered": 1, "product": {"sellerSku": "S"}}],
    }]})  # fmt: skip
    with transaction.atomic():
        PageWriter(store.account, now=noon).write(page)
    person = OrderPersonalData.objects.get(order=order)
    assert (person.recipient_name, person.street1, person.city) == ("", "", "Reno")


def test_a_hold_for_a_word_we_did_not_know_ends_with_one_we_know(simulate, travel):
    world = simulate(scenarios.backlog(now=NOON, orders=1))
    account = connect(scenarios.NA, sources=("US",))
    number = next(iter(world.orders))
    world.update(number, extra={"fulfillment": {"fulfillmentStatus": "BRAND_NEW", "fulfilledBy": "MERCHANT"}})
    travel(world, minutes=5)
    import_now(account)
    assert Order.objects.get().status == Order.Status.ON_HOLD
    world.update(number, extra={})
    travel(world, minutes=30)
    import_now(account)
    assert Order.objects.get().status == Order.Status.AWAITING_SHIPMENT


def test_an_address_is_one_block_what_the_new_one_lacks_does_not_stay_from_the_old(world, account, travel):
    order = add(world)
    import_now(account)
    change(world, travel, order, address=SimAddress(**(HOME | {"line1": "9 New Street", "line2": ""})))
    import_now(account)
    person = only().person
    assert (person.street1, person.street2, person.phone) == ("9 New Street", "", HOME["phone"])


def test_an_answer_without_an_address_leaves_the_one_we_have(world, account, travel):
    order = add(world)
    import_now(account)
    change(world, travel, order, address=SimAddress(city="Austin", state="TX", country="US"))
    import_now(account)
    person = only().person
    assert (person.street1, person.street2, person.postal_code) == (HOME["line1"], HOME["line2"], HOME["postal_code"])
