"""The list of orders: who sees it, what it shows, how it is found, and what its actions do."""

from datetime import timedelta

import pytest
from django.urls import reverse

from orders.models import Order, OrderEvent
from privacy import access
from tests.factories import make_order, make_shipment, make_store, make_user

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_order_changelist")


@pytest.fixture
def support(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


def _act(client, action, *orders):
    chosen = [order.pk for order in orders]
    return client.post(LIST, {"action": action, "_selected_action": chosen}, follow=False)


def _messages(client) -> str:
    return " ".join(str(message) for message in client.get(LIST).context["messages"])


@pytest.mark.parametrize("role", list(access.ROLES))
def test_every_role_sees_the_list_and_no_person_in_it(client, noon, role):
    make_order()
    client.force_login(make_user(role))
    html = client.get(LIST).content.decode()
    assert "Austin, US" in html
    for personal in ("Ada Example", "Sample Street", "555 0100", "abc123@", "78701"):
        assert personal not in html


def test_staff_without_a_role_and_strangers_are_turned_away(client, noon):
    assert client.get(LIST).status_code == 302
    client.force_login(make_user())
    assert client.get(LIST).status_code == 403


def test_the_list_has_the_same_number_of_queries_for_5_and_25_orders(client, support, django_assert_max_num_queries):
    def fill(count):
        for _each in range(count):
            make_order(store, lines=3)

    store = make_store()
    fill(5)
    make_shipment(make_order(store))
    client.get(LIST)
    counts = []
    for more in (0, 20):
        fill(more)
        with django_assert_max_num_queries(20) as seen:
            assert client.get(LIST).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_names_are_not_even_read_for_the_list(client, support, django_assert_max_num_queries):
    make_order()
    with django_assert_max_num_queries(20) as seen:
        client.get(LIST)
    assert not [query for query in seen.captured_queries if "recipient_name" in query["sql"]]


def test_tabs_count_orders_under_the_other_filters(client, support):
    here = make_store()
    there = make_store("CA", account=here.account)
    make_order(here), make_order(here, status="on_hold"), make_order(there)
    tabs = {tab["name"]: tab["count"] for tab in client.get(LIST, {"store": here.pk}).context["cl"].tabs()}
    assert (tabs["To ship"], tabs["On hold"], tabs["Shipped"], tabs["All"]) == (1, 1, 0, 2)


@pytest.mark.parametrize(
    ("term", "found"),
    [("111-77", 1), ("SKU-1", 1), ("b000000001", 1), ("1z999aa1-0123456784", 1), ("Ada", 0), ("Austin", 0), ("11", 0)],
)
def test_orders_are_found_by_number_sku_asin_and_tracking_and_never_by_name(client, support, term, found):
    make_shipment(make_order(order_number="111-7777777-0000001"))
    assert client.get(LIST, {"q": term}).context["cl"].result_count == found


@pytest.mark.parametrize(
    "lookup",
    ["person__buyer_name__startswith", "person__city", "hold_reason__contains", "content_hash", "store__account__id"],
)
def test_no_other_lookup_can_be_used_to_guess_values(client, support, lookup):
    make_order()
    assert client.get(LIST, {lookup: "A"}).status_code == 400


def test_deadlines_are_filtered_by_the_days_of_the_store(client, support, noon):
    tokyo = make_store("FR", time_zone="Asia/Tokyo", name="Tokyo")
    late = make_order(tokyo, ship_by=noon - timedelta(minutes=1))
    today = make_order(tokyo, ship_by=noon + timedelta(hours=2))  # 23:00 in Tokyo
    tomorrow = make_order(tokyo, ship_by=noon + timedelta(hours=4))  # 01:00 there, still the 20th in UTC
    for bucket, order in (("late", late), ("today", today), ("next", tomorrow)):
        rows = client.get(LIST, {"due": bucket}).context["cl"].result_list
        assert [row.pk for row in rows] == [order.pk], bucket


def test_filters_by_kind_privacy_and_notice(client, support, noon):
    store = make_store()
    asking = make_order(store, cancel_requested_at=noon)
    gift = make_order(store, is_gift=True)
    soon = make_order(store, redaction_due_at=noon + timedelta(days=2))
    sent = make_shipment(make_order(store)).order
    expected = {
        ("kind", "cancel"): asking, ("kind", "gift"): gift, ("privacy", "soon"): soon, ("notice", "pending"): sent,
    }  # fmt: skip
    for (name, value), order in expected.items():
        rows = client.get(LIST, {name: value}).context["cl"].result_list
        assert [row.pk for row in rows] == [order.pk], (name, value)


def test_the_columns_say_deadline_lines_total_and_badges(client, support, noon):
    make_order(lines=3, is_prime=True, ship_by=noon - timedelta(hours=3), order_total="1980", currency="JPY")
    html = client.get(LIST).content.decode()
    for text in ("late by 3 h", "1 × SKU-1", "1 more", "1,980 JPY", "Prime", "Awaiting shipment", "UTC"):
        assert text in html


def test_an_empty_list_says_what_to_do(client, support):
    assert "Connect an Amazon account" in client.get(LIST).content.decode()
    assert "Clear the filters" in client.get(LIST, {"q": "999"}).content.decode()


def test_hold_and_release_tell_each_row_what_came_of_it(client, support):
    store = make_store()
    waiting, shipped = make_order(store), make_shipment(make_order(store)).order
    _act(client, "hold", waiting, shipped)
    told = _messages(client)
    assert f"Put on hold: {waiting.order_number}" in told
    assert f"{shipped.order_number}: Only an order awaiting shipment can be put on hold." in told
    _act(client, "release", waiting)
    assert f"Released: {waiting.order_number}" in _messages(client)
    kinds = list(waiting.events.order_by("pk").values_list("kind", "actor"))
    assert kinds == [(OrderEvent.Kind.HELD, support.pk), (OrderEvent.Kind.RELEASED, support.pk)]


def test_the_warehouse_holds_and_releases_from_the_list(client, noon):
    order = make_order()
    client.force_login(make_user(access.WAREHOUSE))
    for action, status in (("hold", "on_hold"), ("release", "awaiting_shipment")):
        _act(client, action, order)
        order.refresh_from_db()
        assert order.status == status


@pytest.mark.parametrize("role", [access.PRIVACY, access.ADMINISTRATOR])
def test_roles_without_the_right_cannot_hold_by_posting_the_action(client, noon, role):
    order = make_order()
    client.force_login(make_user(role))
    _act(client, "hold", order)
    order.refresh_from_db()
    assert order.status == Order.Status.AWAITING_SHIPMENT


def test_ship_leads_to_the_form_with_the_chosen_orders(client, support):
    store = make_store()
    first, second = make_order(store), make_order(store)
    answer = _act(client, "ship", first, second)
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("admin:shipments_ship"))
    assert set(answer.url.partition("ids=")[2].split(",")) == {str(first.pk), str(second.pk)}


def test_orders_are_never_added_changed_or_deleted_by_hand(client, noon):
    order = make_order()
    client.force_login(make_user(access.SUPPORT, is_superuser=True))
    change = reverse("admin:orders_order_change", args=[order.pk])
    assert client.get(reverse("admin:orders_order_add")).status_code == 403
    assert client.post(reverse("admin:orders_order_delete", args=[order.pk]), {"post": "yes"}).status_code == 403
    assert client.post(change, {"status": "shipped"}).status_code == 405
    order.refresh_from_db()
    assert order.status == Order.Status.AWAITING_SHIPMENT


def test_left_out_and_unreadable_orders_are_listed_with_reasons(client, support):
    from orders.models import QuarantinedOrder, SkippedOrder

    store = make_store()
    SkippedOrder.objects.create(store=store, order_number="111-1", reason="not_physical")
    QuarantinedOrder.objects.create(account=store.account, order_number="111-2", code="UnexpectedAnswer")
    skipped = client.get(reverse("admin:orders_skippedorder_changelist")).content.decode()
    unread = client.get(reverse("admin:orders_quarantinedorder_changelist")).content.decode()
    assert "No physical product in it" in skipped and "Seller Central" in unread


def test_orders_whose_address_is_erased_have_a_tab_of_their_own(client, support, noon):
    store = make_store()
    here = make_order(store, ship_by=noon - timedelta(hours=1))
    none = make_order(store, ship_by=noon - timedelta(hours=1), pii_state="none")
    gone = make_order(store, ship_by=noon - timedelta(hours=1))
    Order.objects.filter(pk=gone.pk).update(pii_state="redacted", redacted_at=noon)
    expected = {
        ("tab", "to_ship"): {here.pk, none.pk},
        ("due", "late"): {here.pk, none.pk},
        ("tab", "erased"): {gone.pk},
    }
    for (name, value), found in expected.items():
        assert {row.pk for row in client.get(LIST, {name: value}).context["cl"].result_list} == found, (name, value)
    assert 'title="To be shipped from Seller Central"' in client.get(LIST).content.decode()


def test_the_chosen_action_is_applied(client, support):
    make_order()
    html = client.get(LIST).content.decode()
    assert ">Apply</button>" in html and ">Go</button>" not in html
