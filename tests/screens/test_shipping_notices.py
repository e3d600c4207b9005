"""Notices and shipments: lists in words, and "Retry now" with what came of it by row."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django_q.models import OrmQ

from orderhub import clock
from orders.models import Order
from privacy import access
from privacy.fields import sealed_values
from privacy.models import AccessLog
from shipments import errorcatalogue, noticewords
from shipments.models import Feed, ShipmentNotification
from tests.factories import make_order, make_shipment, make_store, make_user

pytestmark = pytest.mark.django_db
NOTICES = reverse("admin:shipments_shipmentnotification_changelist")
SHIPMENTS = reverse("admin:shipments_shipment_changelist")
State = ShipmentNotification.State
MAY_RETRY = {access.SUPPORT, access.SUCCESS, access.ADMINISTRATOR}
SEE_NOTICES = {access.SUPPORT, access.SUCCESS, access.WAREHOUSE, access.ADMINISTRATOR}
SEE_SHIPMENTS = {access.SUPPORT, access.SUCCESS, access.WAREHOUSE}


def _notice(state=State.REJECTED, store=None, **changes) -> ShipmentNotification:
    notice = make_shipment(make_order(store)).notifications.get()
    if state in (State.CONFIRMED, State.CONFIRMED_EXTERNAL):
        changes["confirmed_at"] = clock.now()
    if state == State.IN_FEED:
        changes |= {"feed": Feed.objects.create(account=notice.order.store.account), "request_hash": "x"}
    ShipmentNotification.objects.filter(pk=notice.pk).update(**sealed_values(notice, state=state, **changes))
    notice.refresh_from_db()
    return notice


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_sees_the_lists_and_nobody_sees_a_person_in_them(client, noon, role):
    _notice()
    client.force_login(make_user(role))
    for url, roles in ((NOTICES, SEE_NOTICES), (SHIPMENTS, SEE_SHIPMENTS)):
        answer = client.get(url)
        assert (answer.status_code == 200) == (role in roles), url
        assert "Ada Example" not in answer.content.decode()


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_retries_from_the_order_page(client, noon, role):
    notice = _notice()
    client.force_login(make_user(role))
    url = reverse("admin:shipments_retry", args=[notice.pk])
    code = client.post(url).status_code
    notice.refresh_from_db()
    assert (code, notice.state) == ((302, State.PENDING) if role in MAY_RETRY else (403, State.REJECTED))
    assert OrmQ.objects.count() == (role in MAY_RETRY)
    answer = client.get(url)
    page = reverse("admin:shipments_shipmentnotification_change", args=[notice.pk])
    assert (answer.status_code, answer.url) == (302, page)


def test_the_action_is_refused_to_roles_without_the_right(client, noon):
    notice = _notice()
    client.force_login(make_user(access.WAREHOUSE))
    client.post(NOTICES, {"action": "retry_now", "_selected_action": [notice.pk]})
    notice.refresh_from_db()
    assert notice.state == State.REJECTED


def test_retrying_many_says_what_came_of_each_and_wakes_the_account_once(client, noon):
    store = make_store()
    first, second = _notice(store=store), _notice(State.NEEDS_ATTENTION, store=store)
    done = _notice(State.CONFIRMED, store=store)
    client.force_login(make_user(access.SUPPORT))
    chosen = [row.pk for row in (first, second, done)]
    html = client.post(NOTICES, {"action": "retry_now", "_selected_action": chosen}, follow=True).content.decode()
    assert f"{done.order.order_number}: Amazon already knows about this shipment" in html
    told = html.partition("Amazon is told again within a minute: ")[2].partition("</li>")[0]
    assert {first.order.order_number, second.order.order_number} == set(told.split(", "))
    assert OrmQ.objects.count() == 1


@pytest.mark.sampled(3)
@pytest.mark.parametrize("state", State.values)
def test_every_state_is_explained_and_retry_is_offered_where_it_works(client, noon, state):
    lease = {"lease_until": noon, "request_hash": "x"} if state == State.IN_FLIGHT else {}
    notice = _notice(next_attempt_at=noon + timedelta(minutes=7), **lease, state=state)
    words = noticewords.of(notice, now=noon)
    client.force_login(make_user(access.SUPPORT))
    html = client.get(reverse("admin:orders_order_change", args=[notice.order_id])).content.decode()
    assert words.meaning and words.meaning.replace("'", "&#x27;") in html
    assert (
        ("Retry now" in html)
        == words.can_retry
        == (state not in {*State.FINAL, State.IN_FLIGHT, State.IN_FEED, State.WITHDRAWN})
    )
    assert ("Amazon is told: 20 Nov 2026, 12:07 UTC." in html) == (state in {State.PENDING, State.RETRY_AT})
    assert ("Next try: 20 Nov 2026, 12:07 UTC." in html) == (state == State.UNKNOWN)


def _pages(client, notice) -> tuple[str, str]:
    """The list of notices, and the page of this notice's order."""
    page = reverse("admin:orders_order_change", args=[notice.order_id])
    return client.get(NOTICES).content.decode(), client.get(page).content.decode()


def test_what_amazon_said_is_shown_as_text_and_on_the_page_of_the_order_only(client, noon):
    notice = _notice(error_code="InvalidInput", error_text="<b>bad</b> carrier")
    client.force_login(make_user(access.SUPPORT))
    listed, page = _pages(client, notice)
    assert "InvalidInput" in listed and "carrier</" not in listed and "bad&lt;" not in listed
    assert "&lt;b&gt;bad&lt;/b&gt; carrier" in page and "<b>bad" not in page


@pytest.mark.parametrize("role", sorted(SEE_NOTICES))
def test_amazons_words_are_for_those_who_may_see_the_person_and_the_view_is_logged(client, noon, role):
    notice = _notice(error_code="InvalidInput", error_text="Ada Nymous, 9 Elm Road")
    Order.objects.filter(pk=notice.order_id).update(pii_state=Order.PiiState.NONE)
    notice.order.person.delete()
    client.force_login(make_user(role))
    _listed, page = _pages(client, notice)
    allowed = role == access.SUPPORT  # the order is shipped: no longer the warehouse's
    assert ("Ada Nymous" in page) == allowed
    assert AccessLog.objects.count() == allowed


def test_amazons_words_go_with_the_personal_data(client, noon):
    notice = _notice(error_code="InvalidInput", error_text="Ada Nymous, 9 Elm Road")
    Order.objects.filter(pk=notice.order_id).update(pii_state=Order.PiiState.REDACTING)
    client.force_login(make_user(access.SUPPORT))
    assert "Ada Nymous" not in "".join(_pages(client, notice))


@pytest.mark.parametrize(
    "code", ["NonexistentOrderItem", "Cancelled", "PackageToUpdateNotFound", "InvalidPackageVersion", "Poison"]
)
def test_known_codes_are_explained_in_the_list_and_on_the_page(client, noon, code):
    notice = _notice(error_code=code)
    client.force_login(make_user(access.SUPPORT))
    entry = errorcatalogue.find(code)
    assert entry is not errorcatalogue.OTHER
    for html in _pages(client, notice):
        assert str(entry.meaning) in html and code in html


def test_a_route_is_no_reason_for_anybody_to_read(client, noon):
    notice = _notice(error_code="POST /orders/v0/orders/{orderId}/shipmentConfirmation: 400")
    client.force_login(make_user(access.SUPPORT))
    assert "POST /orders" not in "".join(_pages(client, notice))


def test_states_are_filtered_alone_and_in_groups(client, noon):
    store = make_store()
    refused, waiting = _notice(store=store), _notice(State.RETRY_AT, store=store)
    client.force_login(make_user(access.SUPPORT))
    for value, row in (("stuck", refused), ("waiting", waiting), ("rejected", refused)):
        found = client.get(NOTICES, {"state": value}).context["cl"].result_list
        assert [notice.pk for notice in found] == [row.pk]


@pytest.mark.parametrize("url", [NOTICES, SHIPMENTS])
def test_lists_have_the_same_number_of_queries_for_5_and_25_rows(client, noon, django_assert_max_num_queries, url):
    store, counts = make_store(), []
    client.force_login(make_user(access.SUPPORT))
    for more in (5, 20):
        for _each in range(more):
            make_shipment(make_order(store))
        client.get(url)
        with django_assert_max_num_queries(15) as seen:
            client.get(url)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_rows_lead_to_their_order_and_are_read_only(client, noon):
    notice = _notice()
    client.force_login(make_user(access.SUPPORT, is_superuser=True))
    page = reverse("admin:orders_order_change", args=[notice.order_id])
    for model, row in (("shipmentnotification", notice), ("shipment", notice.shipment)):
        change = reverse(f"admin:shipments_{model}_change", args=[row.pk])
        assert client.get(change).url == page
        assert client.get(reverse(f"admin:shipments_{model}_add")).status_code == 403
        assert (
            client.post(reverse(f"admin:shipments_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
        )
    assert ShipmentNotification.objects.filter(pk=notice.pk, state=State.REJECTED).exists()


def test_shipments_are_found_by_tracking_number_and_link_to_the_carrier(client, noon):
    store = make_store()
    make_shipment(make_order(store), tracking_number="1Z0000000000000001")
    make_shipment(make_order(store), tracking_number="1Z0000000000000002")
    client.force_login(make_user(access.SUPPORT))
    answer = client.get(SHIPMENTS, {"q": "1Z0000000000000002"})
    html = answer.content.decode()
    assert answer.context["cl"].result_count == 1
    assert 'href="https://www.ups.com/track?tracknum=1Z0000000000000002" rel="noreferrer noopener"' in html


def test_a_stopped_account_is_told_instead_of_a_time_that_is_not_true(client, noon):
    notice = _notice(State.RETRY_AT)
    notice.order.store.account.stop("revoked", "invalid_grant")
    client.force_login(make_user(access.SUPPORT))
    page = reverse("admin:orders_order_change", args=[notice.order_id])
    html = client.get(page).content.decode()
    assert "The Amazon account is stopped." in html and "Next try" not in html
    html = client.post(reverse("admin:shipments_retry", args=[notice.pk]), follow=True).content.decode()
    assert f"Amazon is told again once its account is authorised: {notice.order.order_number}" in html


def test_labels_are_linked_only_for_those_who_may_open_them(client, noon):
    shipment = make_shipment()
    link = reverse("admin:shipments_label", args=[shipment.labels.get().pk])
    for role, shown in ((access.SUPPORT, True), (access.SUCCESS, False)):
        client.force_login(make_user(role))
        for url in (SHIPMENTS, reverse("admin:orders_order_change", args=[shipment.order_id])):
            assert (link in client.get(url).content.decode()) == shown, (role, url)
