"""When Amazon is told, by the store's own settings: at once, later, never, or by somebody else. F10b, §1.15."""

from datetime import timedelta

import pytest

from orderhub import clock
from orderhub.errors import RuleViolation
from shipments import confirming, noticewords
from shipments.models import ShipmentNotification
from stores.models import Store
from stores.simulator import scenarios
from tests.factories import connect, make_order, make_shipment, make_store, make_user
from tests.orders.driving import import_now, notify_now

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State


def notice_of(order) -> ShipmentNotification:
    return ShipmentNotification.objects.select_related("order__store__account").get(order=order)


def store_with(**settings) -> Store:
    store = make_store()
    Store.objects.filter(pk=store.pk).update(**settings)
    store.refresh_from_db()
    return store


def told_by_connector() -> Store:
    store = store_with()
    shop = Store.objects.create(merchant=store.merchant, name="Mirror", platform="bigcommerce")
    Store.objects.filter(pk=store.pk).update(
        linked_store=shop, linked_mails_off_at=clock.now(), amazon_told_by="connector"
    )
    store.refresh_from_db()
    return store


def test_f10b_a_delay_is_waited_for_and_then_amazon_is_told_once(world, travel):
    account = connect(scenarios.NA, sources=("US",))
    account.stores.update(notify_when="delay", notify_delay_minutes=90)
    number = world.add_order(scenarios.NA, created=clock.now() - timedelta(hours=1)).order_id
    travel(world, minutes=5)
    import_now(account)
    order = account.stores.get().orders.get()
    make_shipment(order)
    notify_now(account)
    assert world.calls("confirmShipment") == 0
    words = noticewords.of(notice_of(order), now=clock.now())
    assert "some time after the label" in words.meaning
    assert noticewords.expected(notice_of(order), now=clock.now()) == "20 Nov 2026, 13:35 UTC"
    travel(world, minutes=91)
    assert noticewords.expected(notice_of(order), now=clock.now()) == "within a minute"
    notify_now(account)
    notify_now(account)
    assert world.effective_confirmations() == {number: 1}


def test_f10b_a_delay_never_passes_the_hour_before_the_deadline(noon):
    store = store_with(notify_when="delay", notify_delay_minutes=600)
    order = make_order(store, ship_by=noon + timedelta(hours=3))
    make_shipment(order)
    assert notice_of(order).next_attempt_at == noon + timedelta(hours=2)


def test_f10b_never_withholds_the_notice_and_says_who_must_act(noon):
    order = make_order(store_with(notify_when="never"))
    make_shipment(order)
    notice = notice_of(order)
    words = noticewords.of(notice, now=noon)
    assert (notice.state, notice.state_word, words.level) == (State.MANUAL, "to be done by hand", "warn")
    assert "confirm the shipment in Seller Central" in words.meaning
    assert words.can_retry and noticewords.expected(notice, now=noon) == ""
    assert not ShipmentNotification.objects.waiting(noon).exists()


def test_a_notice_withheld_by_policy_is_sent_once_somebody_asks_for_it(noon):
    order = make_order(store_with(notify_when="never"))
    make_shipment(order)
    confirming.retry(notice_of(order), now=noon)
    notice = notice_of(order)
    assert (notice.state, notice.error_code) == (State.PENDING, "")
    assert ShipmentNotification.objects.waiting(noon).get() == notice


def test_where_the_connector_tells_amazon_orderhub_never_does(noon):
    order = make_order(told_by_connector())
    make_shipment(order)
    notice = notice_of(order)
    assert (notice.state, notice.state_word) == (State.MANUAL, "left to the connector")
    assert not noticewords.of(notice, now=noon).can_retry
    with pytest.raises(RuleViolation, match="told twice"):
        confirming.retry(notice, now=noon)
    assert notice_of(order).state == State.MANUAL


def test_a_notice_that_waited_when_the_connector_took_over_is_not_pushed(noon):
    store = store_with(notify_when="delay", notify_delay_minutes=60)
    order = make_order(store)
    make_shipment(order)
    shop = Store.objects.create(merchant=store.merchant, name="Mirror", platform="bigcommerce")
    Store.objects.filter(pk=store.pk).update(linked_store=shop, linked_mails_off_at=noon, amazon_told_by="connector")
    with pytest.raises(RuleViolation, match="told twice"):
        confirming.retry(notice_of(order), now=noon)


def test_the_expected_time_counts_those_that_go_first(noon):
    store = make_store()
    for _number in range(60):
        make_shipment(make_order(store))
    last = ShipmentNotification.objects.order_by("pk").select_related("order__store__account").last()
    assert ShipmentNotification.objects.ahead_of(last).count() == 59
    with clock.at(noon):
        assert noticewords.expected(last, now=noon) == "within a minute"  # 10 at once, the others at 1.6 a second


def test_the_order_page_says_when_amazon_is_told(client, noon):
    client.force_login(make_user("Support"))
    order = make_order(store_with(notify_when="delay", notify_delay_minutes=90))
    make_shipment(order)
    assert (
        "Amazon is told: 20 Nov 2026, 13:30 UTC."
        in client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    )
