"""When Amazon is told, by the store's own settings: at once, later, never, or by somebody else. F10b, §1.15."""

from datetime import timedelta

import pytest

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import timeline
from orders.models import OrderEvent
from shipments import confirming, noticewords
from shipments.models import ShipmentNotification
from stores import linking
from stores.models import RateBucket, Store
from stores.simulator import scenarios
from tests.factories import connect, make_account, make_order, make_shipment, make_store, make_user
from tests.orders.driving import import_now, notify_now

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State


def notice_of(order) -> ShipmentNotification:
    notices = ShipmentNotification.objects.select_related("order__store__account")
    return notices.get(order=order, channel="amazon")


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
    assert noticewords.expected(notice_of(order), now=clock.now()) == "within two minutes"
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
    assert (notice.state, noticewords.of(notice, now=noon).code) == (State.PENDING, "")
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


def shipped_with_delay(world, travel) -> tuple:
    """A notice that waits for an hour: its account, store and order."""
    account = connect(scenarios.NA, sources=("US",))
    account.stores.update(notify_when="delay", notify_delay_minutes=60)
    world.add_order(scenarios.NA, created=clock.now() - timedelta(hours=1))
    travel(world, minutes=5)
    import_now(account)
    store = account.stores.get()
    order = store.orders.get()
    make_shipment(order)
    return account, store, order


def test_r45_a_notice_that_waits_when_the_connector_takes_over_is_not_sent(world, travel):
    account, store, order = shipped_with_delay(world, travel)
    shop = Store.objects.create(merchant=store.merchant, name="Mirror", platform="bigcommerce")
    linking.link(store, shop, mails_off=True, told_by="connector", now=clock.now())
    travel(world, minutes=61)
    notify_now(account)
    assert world.calls("confirmShipment") == 0
    assert (notice_of(order).state, notice_of(order).error_code) == (State.MANUAL, "ToldByConnector")


def test_a_notice_that_waits_when_the_store_says_never_is_not_sent_unless_asked_for(world, travel):
    account, store, order = shipped_with_delay(world, travel)
    Store.objects.filter(pk=store.pk).update(notify_when="never", notify_delay_minutes=None)
    travel(world, minutes=61)
    notify_now(account)
    assert (world.calls("confirmShipment"), notice_of(order).state) == (0, State.MANUAL)
    confirming.retry(notice_of(order), now=clock.now())
    notify_now(account)
    assert world.effective_confirmations() == {order.order_number: 1}
    assert notice_of(order).error_code == ""


@pytest.mark.parametrize("kind", ["429", "503", "timeout_after"])
def test_a_notice_somebody_asked_for_outlives_a_busy_amazon(world, travel, kind):
    account, store, order = shipped_with_delay(world, travel)
    Store.objects.filter(pk=store.pk).update(notify_when="never", notify_delay_minutes=None)
    confirming.retry(notice_of(order), now=clock.now())
    world.faults.arm("confirmShipment", kind, seconds=0.2)
    for _minute in range(12):
        notify_now(account)
        travel(world, minutes=3)
    assert world.effective_confirmations() == {order.order_number: 1}
    assert not OrderEvent.objects.filter(order=order, params__state="withheld").exists()


def test_a_withheld_notice_is_work_in_the_list_on_the_start_page_and_on_the_timeline(client, noon):
    client.force_login(make_user("Support"))
    order = make_order(store_with(notify_when="never"))
    make_shipment(order)
    make_shipment(make_order(store_with_account_of_its_own()))
    assert "Parcels to tell Amazon of by hand" in client.get("/admin/").content.decode()
    page = client.get("/admin/shipments/shipmentnotification/?state=by_hand").content.decode()
    assert page.count("to be done by hand</span>") == 1 and "oh-badge--warn" in page
    assert 'oh-badge--warn">to be done by hand' in client.get("/admin/orders/order/").content.decode()
    told = [entry.sentence for entry in timeline.entries(order)]
    assert "Notice to Amazon: withheld (by the store's settings: to be done by hand)" in told


def store_with_account_of_its_own() -> Store:
    return make_store("FR", account=make_account(scenarios.EU))


def rate_bucket_closed(account, now, *, seconds: int) -> None:
    RateBucket.objects.create(
        account=account, operation="confirmShipment", tokens=0, rate=1.6, burst=10, updated_at=now,
        blocked_until=now + timedelta(seconds=seconds), throttled=1,
    )  # fmt: skip


@pytest.mark.long
def test_the_expected_time_counts_those_that_go_first(noon):
    store = make_store()
    for _number in range(60):
        make_shipment(make_order(store))
    last = ShipmentNotification.objects.order_by("pk").select_related("order__store__account").last()
    assert noticewords.expected(last, now=noon) == "20 Nov 2026, 12:04 UTC, together with others"
    ShipmentNotification.objects.update(single_only=True)
    last.refresh_from_db()
    assert noticewords.expected(last, now=noon) == "within two minutes"  # 10 at once, the others at 1.6 a second
    ShipmentNotification.objects.filter(pk__lt=last.pk - 8).delete()
    rate_bucket_closed(last.order.store.account, noon, seconds=600)
    assert noticewords.expected(last, now=noon) == "20 Nov 2026, 12:10 UTC"


def test_the_order_page_says_when_amazon_is_told(client, noon):
    client.force_login(make_user("Support"))
    order = make_order(store_with(notify_when="delay", notify_delay_minutes=90))
    make_shipment(order)
    assert (
        "Amazon is told: 20 Nov 2026, 13:30 UTC."
        in client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    )
