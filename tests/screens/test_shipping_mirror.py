"""What people see of notices to a linked BigCommerce store, and what they can do about them."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django_q.models import OrmQ

from orderhub import clock
from orderhub.wording import utc
from privacy import access
from shipments import mirrorplan, mirrorwords, noticewords
from shipments.models import ShipmentNotification
from stores.models import BigCommerceCredentials, Store
from tests.factories import make_order, make_shipment, make_store, make_user

pytestmark = pytest.mark.django_db
NOTICES = reverse("admin:shipments_shipmentnotification_changelist")
START = reverse("admin:index")
State = ShipmentNotification.State
MAY_RETRY = {access.SUPPORT, access.SUCCESS, access.ADMINISTRATOR}


@pytest.fixture
def store(noon) -> Store:
    """An Amazon store linked to a BigCommerce store; nothing is asked of either."""
    found = make_store()
    shop = Store.objects.create(merchant=found.merchant, name="Mirror", platform="bigcommerce")
    BigCommerceCredentials.objects.create(store=shop, store_hash="mirror1", access_token="x", verified_at=noon)
    Store.objects.filter(pk=found.pk).update(linked_store=shop, linked_mails_off_at=noon)
    found.refresh_from_db()
    return found


def notice(store, state=State.PENDING, amazon=State.CONFIRMED, **changes) -> ShipmentNotification:
    order = make_order(store)
    make_shipment(order)
    order.notifications.filter(channel="amazon").update(state=amazon, confirmed_at=clock.now())
    found = order.notifications.get(channel="bigcommerce")
    if state in (State.CONFIRMED, State.CONFIRMED_EXTERNAL):
        changes["confirmed_at"] = clock.now()
    ShipmentNotification.objects.filter(pk=found.pk).update(state=state, **changes)
    return ShipmentNotification.objects.select_related("order__store").get(pk=found.pk)


def page_of(client, row) -> str:
    return client.get(reverse("admin:orders_order_change", args=[row.order_id])).content.decode()


def list_of(client) -> str:
    return client.get(NOTICES).content.decode()


@pytest.fixture
def support(client):
    client.force_login(make_user(access.SUPPORT))
    return client


@pytest.mark.sampled(3)
@pytest.mark.parametrize("state", [state for state in State.values if state != State.IN_FEED])  # that is Amazon's
def test_every_state_is_explained_in_terms_of_bigcommerce(support, store, state):
    lease = {"lease_until": clock.now(), "request_hash": "x"} if state == State.IN_FLIGHT else {}
    row = notice(store, state, **lease)
    words = noticewords.of(row, now=clock.now())
    assert "BigCommerce" in words.meaning and "Amazon" not in words.meaning
    for html in (page_of(support, row), list_of(support)):
        assert words.meaning.replace("'", "&#x27;") in html
    panel = page_of(support, row).partition("Notice to BigCommerce")[2]
    offered = state in {State.PENDING, State.RETRY_AT, State.UNKNOWN, State.REJECTED, State.NEEDS_ATTENTION}
    assert ("Retry now" in panel) == words.can_retry == offered


def test_what_waits_for_amazon_says_so_and_names_no_time(support, store):
    row = notice(store, amazon=State.NEEDS_ATTENTION)
    panel = page_of(support, row).partition("Notice to BigCommerce")[2]
    assert "Amazon is told first." in panel and "Next try" not in panel
    assert "Amazon is told first." in list_of(support)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("code", [*mirrorwords.REASONS, "BigCommerce422"])
def test_known_codes_are_explained_in_the_list_and_on_the_page(support, store, code):
    row = notice(store, State.REJECTED, error_code=code)
    assert mirrorwords.reason(code)
    for html in (page_of(support, row), list_of(support)):
        assert mirrorwords.reason(code).replace("'", "&#x27;") in html and code in html


def test_every_status_that_is_refused_has_a_reason():
    assert {*mirrorplan.REFUSALS.values(), mirrorplan.OTHER_STATUS} <= {*mirrorwords.REASONS}
    assert not mirrorplan.TO_SHIP & {*mirrorplan.REFUSALS}
    assert mirrorplan.TO_SHIP | {*mirrorplan.REFUSALS} == {*range(15)}


def test_the_number_of_the_order_at_bigcommerce_is_shown(support, store):
    assert "Order 4711 in BigCommerce." in page_of(support, notice(store, State.CONFIRMED, remote_id="4711"))


@pytest.mark.parametrize("role", list(access.ROLES))
def test_r57_who_retries_and_the_store_is_woken_once(client, store, role):
    row = notice(store, State.NEEDS_ATTENTION, error_code="MirrorNotFound")
    client.force_login(make_user(role))
    code = client.post(reverse("admin:shipments_retry", args=[row.pk])).status_code
    row.refresh_from_db()
    expected = (302, State.PENDING, 1) if role in MAY_RETRY else (403, State.NEEDS_ATTENTION, 0)
    assert (code, row.state, OrmQ.objects.count()) == expected


def test_r57_retrying_many_of_both_marketplaces_says_what_came_of_each(support, store):
    mirrored = [notice(store, State.REJECTED) for _each in range(2)]
    done = notice(store, State.CONFIRMED)
    waits = notice(store, State.PENDING, amazon=State.REJECTED)
    amazons = waits.order.notifications.get(channel="amazon")
    chosen = [row.pk for row in (*mirrored, done, waits, amazons)]
    data = {"action": "retry_now", "_selected_action": chosen}
    html = support.post(NOTICES, data, follow=True).content.decode()
    told = html.partition("BigCommerce is asked again within a minute: ")[2].partition("</li>")[0]
    assert set(told.split(", ")) == {row.order.order_number for row in mirrored}
    assert f"once the notice to Amazon is settled: {waits.order.order_number}" in html
    assert f"{done.order.order_number}: BigCommerce already knows" in html
    assert f"Amazon is told again within a minute: {waits.order.order_number}" in html
    assert OrmQ.objects.count() == 2  # one store, one account


def test_a_store_that_is_left_alone_says_until_when_and_another_store_does_not(support, store):
    until = clock.now() + timedelta(minutes=20)
    notice(store, State.RETRY_AT, error_code="429", next_attempt_at=until)
    waiting, stuck = notice(store), notice(store, State.REJECTED, error_code="MirrorTwice")
    told = f"BigCommerce asks to wait until {utc(until)}."
    panel = page_of(support, waiting).partition("Notice to BigCommerce")[2]
    assert told in panel and "within a minute" not in panel
    assert list_of(support).count(told) == 1
    html = support.post(reverse("admin:shipments_retry", args=[stuck.pk]), follow=True).content.decode()
    assert f"BigCommerce is asked again at {utc(until)}: {stuck.order.order_number}" in html
    other = Store.objects.create(merchant=store.merchant, name="Other mirror", platform="bigcommerce")
    BigCommerceCredentials.objects.create(store=other, store_hash="mirror2", access_token="x", verified_at=clock.now())
    elsewhere = make_store("CA", account=store.account)
    Store.objects.filter(pk=elsewhere.pk).update(linked_store=other, linked_mails_off_at=clock.now())
    elsewhere.refresh_from_db()
    assert "within a minute" in page_of(support, notice(elsewhere)).partition("Notice to BigCommerce")[2]


def test_a_refused_token_is_one_line_on_the_start_page_with_its_remedy(support, store):
    assert "Mirror" not in support.get(START).content.decode()
    BigCommerceCredentials.objects.update(status="refused", status_reason="401")
    rows = [notice(store) for _each in range(3)]
    html = support.get(START).content.decode()
    assert html.count("BigCommerce store Mirror: BigCommerce refuses this access token.") == 1
    assert reverse("admin:stores_store_change", args=[store.linked_store_id]) in html
    assert "BigCommerce refuses the access token" in page_of(support, rows[0])
    posted = support.post(reverse("admin:shipments_retry", args=[rows[0].pk]), follow=True).content.decode()
    assert f"once its access token is verified: {rows[0].order.order_number}" in posted
    assert OrmQ.objects.count() == 0


def test_a_refused_token_of_a_store_nobody_links_to_is_no_news(support, store):
    Store.objects.filter(pk=store.pk).update(linked_store=None, linked_mails_off_at=None)
    BigCommerceCredentials.objects.update(status="refused", status_reason="401")
    assert "Mirror" not in support.get(START).content.decode()


@pytest.mark.parametrize("role", [access.WAREHOUSE, access.PRIVACY])
def test_who_cannot_mend_it_is_not_bothered(client, store, role):
    BigCommerceCredentials.objects.update(status="refused", status_reason="401")
    client.force_login(make_user(role))
    assert "BigCommerce store" not in client.get(START).content.decode()


def test_the_list_has_the_same_number_of_queries_for_5_and_25_orders(support, store, django_assert_max_num_queries):
    counts = []
    for more in (5, 20):
        for _each in range(more):
            notice(store, amazon=State.RETRY_AT)
        support.get(NOTICES)
        with django_assert_max_num_queries(16) as seen:
            support.get(NOTICES)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_list_of_orders_filters_by_the_notice_to_amazon_only(support, store):
    row = notice(store, State.REJECTED)
    for state, shown in ((State.REJECTED, False), (State.CONFIRMED, True)):
        html = support.get(reverse("admin:orders_order_changelist"), {"notice": state}).content.decode()
        assert (row.order.order_number in html) == shown
