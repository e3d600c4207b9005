"""The page of one order: who sees which person, what is logged, what is decided, what is said."""

from datetime import timedelta

import pytest
from django.urls import reverse

from orderhub import clock
from orders.models import Order, OrderPersonalData
from orders.models.order import CANCEL_HOLD
from privacy import access, erasure, markers
from privacy.models import AccessLog
from tests.factories import make_order, make_shipment, make_store, make_user

pytestmark = pytest.mark.django_db
PERSONAL = ("Ada Example", "1 Sample Street", "+1 555 0100", "abc123@marketplace", "78701")
SEE_OPEN = {access.SUPPORT, access.WAREHOUSE}
SEE_CLOSED = {access.SUPPORT}
CONTACT = PERSONAL[2:4]  # a packer reads phone numbers on labels only, and writes no mails
DECIDE = {access.SUPPORT, access.SUCCESS}
HOLD = DECIDE | {access.WAREHOUSE}


def _page(order):
    return reverse("admin:orders_order_change", args=[order.pk])


def _html(client, order) -> str:
    answer = client.get(_page(order))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("role", list(access.ROLES))
@pytest.mark.parametrize("shipped", [False, True])
def test_each_role_sees_exactly_the_persons_it_may(client, noon, role, shipped):
    order = make_shipment().order if shipped else make_order()
    user = make_user(role)
    client.force_login(user)
    html = _html(client, order)
    allowed = role in (SEE_CLOSED if shipped else SEE_OPEN)
    shown = [text for text in PERSONAL if allowed and (role == access.SUPPORT or text not in CONTACT)]
    assert [text for text in PERSONAL if text in html] == shown
    assert "Austin" in html
    logged = list(AccessLog.objects.values_list("user", "order_id", "what"))
    assert logged == ([(user.pk, order.pk, "order page")] if allowed else [])


def test_a_superuser_without_a_role_sees_no_person(client, noon):
    order = make_order()
    client.force_login(make_user(is_superuser=True))
    html = _html(client, order)
    assert not [text for text in PERSONAL if text in html]


def test_no_person_in_title_breadcrumbs_or_headers(client, noon):
    order = make_order()
    client.force_login(make_user(access.SUPPORT))
    answer = client.get(_page(order))
    html = answer.content.decode()
    head, crumbs = html.partition("</head>")[0], html.partition('class="breadcrumbs"')[2].partition("</div>")[0]
    assert order.order_number in head and order.order_number in crumbs
    assert not [text for text in PERSONAL if text in head + crumbs + str(answer.headers)]


def test_masked_orders_show_the_marker_whatever_the_columns_hold(client, noon):
    order = make_order()
    Order.objects.filter(pk=order.pk).update(pii_state=Order.PiiState.REDACTING)
    client.force_login(make_user(access.SUPPORT))
    html = _html(client, order)
    assert "Ada Example" not in html and "1 Sample Street" not in html and "+1 555 0100" not in html
    assert html.count(f"« {markers.AMAZON} »") == 4  # recipient, street, phone, buyer: not the blank ones
    assert "abc123@marketplace.amazon.com" in html and "Austin" in html
    assert not AccessLog.objects.exists()


def test_the_postal_code_is_masked_where_the_strict_setting_erases_it(client, noon, settings):
    settings.REDACT_POSTCODE = "full"
    order = make_order()
    Order.objects.filter(pk=order.pk).update(pii_state=Order.PiiState.REDACTING)
    client.force_login(make_user(access.SUPPORT))
    assert "78701" not in _html(client, order)


def test_an_erased_order_says_when_and_why(client, noon):
    order = make_order(redaction_due_at=noon)
    erasure.redact_due(now=noon)
    client.force_login(make_user(access.SUPPORT))
    html = _html(client, order)
    assert "Personal data was erased on 20 Nov 2026, 12:00 UTC." in html
    assert "not fully shipped: 14 days after import" in html
    assert f"« {markers.AMAZON} »" in html


def test_orders_amazon_fulfils_say_that_no_person_was_supplied(client, noon):
    order = make_order(fulfilled_by="AFN")
    client.force_login(make_user(access.SUPPORT))
    html = _html(client, order)
    assert "not supplied by Amazon (FBA)" in html and "Amazon ships it" in html


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("import", "not fully shipped: 14 days after import"), ("delivery", "30 days after delivery"),
        ("ship_date", "30 days after the ship date"), ("label", "44 days after the label"),
        ("creation", "30 days after the shipment was made"), ("ceiling", "120 days after import"),
    ],
)  # fmt: skip
def test_the_privacy_clock_gives_a_reason_for_each_rule(client, noon, rule, words):
    order = make_order(redaction_rule=rule)
    client.force_login(make_user(access.SUPPORT))
    html = _html(client, order)
    assert "Personal data is kept until 4 Dec 2026, 12:00 UTC." in html and words in html


def test_the_page_has_the_same_number_of_queries_for_5_and_25_lines(client, noon, django_assert_max_num_queries):
    client.force_login(make_user(access.SUPPORT))
    store, counts = make_store(), []
    for lines in (5, 25):
        order = make_shipment(make_order(store, lines=lines)).order
        client.get(_page(order))
        with django_assert_max_num_queries(36) as seen:
            client.get(_page(order))
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_deadlines_are_told_in_the_zone_of_the_store(client, noon):
    order = make_order(make_store("US"), ship_by=noon + timedelta(hours=2))
    client.force_login(make_user(access.SUPPORT))
    html = _html(client, order)
    assert "2 h left" in html and "20 Nov 2026, 06:00 (Los Angeles)" in html


@pytest.mark.parametrize("role", list(access.ROLES))
def test_only_roles_that_decide_answer_a_cancellation(client, noon, role):
    order = make_order(cancel_requested_at=noon)
    client.force_login(make_user(role))
    code = client.post(reverse("admin:orders_order_cancellation", args=[order.pk]), {"answer": "ship"}).status_code
    order.refresh_from_db()
    assert (code, order.cancel_requested_at is None) == ((302, True) if role in DECIDE else (403, False))
    assert order.status == "awaiting_shipment"


@pytest.mark.parametrize("role", list(access.ROLES))
def test_support_customer_success_and_warehouse_hold_and_release(client, noon, role):
    order = make_order()
    client.force_login(make_user(role))
    hold, release = (reverse(f"admin:orders_order_{name}", args=[order.pk]) for name in ("hold", "release"))
    assert (hold in _html(client, order)) == (role in HOLD)
    code = client.post(hold, {"reason": "stock"}).status_code
    order.refresh_from_db()
    expected = (302, "on_hold", "Out of stock") if role in HOLD else (403, "awaiting_shipment", "")
    assert (code, order.status, order.hold_reason) == expected
    Order.objects.filter(pk=order.pk).update(status="on_hold", hold_reason="Out of stock")
    assert (release in _html(client, order)) == (role in HOLD)
    code = client.post(release).status_code
    order.refresh_from_db()
    assert (code, order.status) == ((302, "awaiting_shipment") if role in HOLD else (403, "on_hold"))


def test_a_hold_until_amazon_cancels_is_not_lifted_by_releasing_it(client, noon):
    order = make_order(cancel_requested_at=noon, status="on_hold", hold_reason=CANCEL_HOLD)
    client.force_login(make_user(access.WAREHOUSE))
    answer = client.post(reverse("admin:orders_order_release", args=[order.pk]), follow=True)
    assert "The buyer asked to cancel this order: answer that on its page instead." in answer.content.decode()
    order.refresh_from_db()
    assert (order.status, order.hold_reason) == ("on_hold", CANCEL_HOLD)


def test_decisions_are_posts_only_and_a_get_leads_to_the_order(client, noon):
    order = make_order(cancel_requested_at=noon)
    client.force_login(make_user(access.SUPPORT))
    for name in ("hold", "release", "cancellation"):
        url = reverse(f"admin:orders_order_{name}", args=[order.pk])
        assert client.get(url).url == _page(order)
        assert client.put(url).status_code == 405
    assert not order.events.exists()


def test_a_decision_needs_the_csrf_token(noon):
    from django.test import Client

    order, client = make_order(), Client(enforce_csrf_checks=True)
    client.force_login(make_user(access.SUPPORT))
    answer = client.post(reverse("admin:orders_order_hold", args=[order.pk]), {"reason": "stock"})
    order.refresh_from_db()
    assert (answer.status_code, order.status) == (403, "awaiting_shipment")


def test_holding_a_held_order_says_why_not(client, noon):
    order = make_order(status="on_hold", hold_reason="To be checked")
    client.force_login(make_user(access.SUPPORT))
    answer = client.post(reverse("admin:orders_order_hold", args=[order.pk]), {"reason": "stock"}, follow=True)
    assert "Only an order awaiting shipment can be put on hold." in answer.content.decode()


def test_not_sending_for_the_buyer_leaves_the_order_blocked(client, noon):
    order = make_order(cancel_requested_at=noon)
    client.force_login(make_user(access.SUPPORT))
    client.post(reverse("admin:orders_order_cancellation", args=[order.pk]), {"answer": "cancel"})
    html = _html(client, order)
    assert "On hold." in html and "cancel it in Seller Central" in html
    order.refresh_from_db()
    assert order.why_not_shippable()


def test_the_timeline_speaks_in_sentences(client, noon):
    order = make_shipment().order
    order.events.create(kind="imported", params={"source": "Amazon.com", "status": "awaiting_shipment"})
    order.events.create(kind="notice", params={"channel": "amazon", "state": "rejected", "code": "InvalidInput"})
    order.events.create(kind="status", params={})
    order.events.create(kind="something_new", params={"x": 1})
    client.force_login(make_user(access.SUPPORT))
    html = _html(client, order)
    for text in (
        "Imported from Amazon.com, status Awaiting shipment", "Notice to Amazon: refused (InvalidInput)",
        "Shipped with UPS, tracking number 1Z999AA10123456784", "Status changed from – to –", "something_new",
    ):  # fmt: skip
        assert text in html


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def test_hostile_texts_are_inert(client, noon):
    order = make_order(person={"recipient_name": HOSTILE, "gift_message": HOSTILE}, custom_status=HOSTILE[:40])
    order.items.update(title=HOSTILE, sku=HOSTILE)
    client.force_login(make_user(access.SUPPORT))
    listed = client.get(reverse("admin:orders_order_changelist")).content.decode()
    for html in (_html(client, order), listed):
        assert "<script>alert" not in html and "<img src=x" not in html


def test_pages_hold_nothing_the_policy_would_block(client, noon):
    order = make_shipment().order
    client.force_login(make_user(access.SUPPORT))
    for url in (_page(order), reverse("admin:orders_order_changelist"), reverse("admin:index")):
        answer = client.get(url)
        html = answer.content.decode()
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        for banned in (' style="', "<style", "onclick=", "javascript:", "data:image"):
            assert banned not in html, (url, banned)


def test_an_order_without_a_person_row_can_be_opened(client, noon):
    order = make_order()
    OrderPersonalData.objects.all().delete()
    client.force_login(make_user(access.SUPPORT))
    assert "Amazon has not sent a name or address" in _html(client, order)
    assert not AccessLog.objects.exists()


def test_overdue_data_is_told_loudly(client, noon):
    order = make_order(redaction_due_at=clock.now() - timedelta(hours=2))
    client.force_login(make_user(access.SUPPORT))
    assert "was due to be erased on" in _html(client, order)


# ---- what the page says of orders nobody here shipped


def test_an_order_shipped_elsewhere_says_that_it_has_neither_label_nor_notice(client, noon):
    order = make_order(status="shipped")
    client.force_login(make_user(access.SUPPORT))
    html = _html(client, order)
    assert "This order was shipped outside OrderHub, as Amazon reports" in html
    assert "Open it to see its shipment" not in html
    assert "is already shipped" not in _html(client, make_shipment(make_order(order.store)).order)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("awaiting_shipment", "it is not fully shipped: 14"), ("shipped", "it was shipped outside OrderHub: 14"),
        ("cancelled", "it was cancelled: 14"),
    ],
)  # fmt: skip
def test_the_term_since_import_is_worded_by_what_became_of_the_order(client, noon, status, words):
    client.force_login(make_user(access.SUPPORT))
    assert f"Because {words} days after import." in _html(client, make_order(status=status))


def test_an_order_without_personal_data_says_so_and_nothing_else(client, noon):
    order = make_order(pii_state="none")
    client.force_login(make_user(access.SUPPORT))
    html = _html(client, order)
    assert "OrderHub has no personal data for this order." in html and "is kept until" not in html


# ---- the buyer asks to cancel

QUESTION = "The buyer asks to cancel this order."


def _answer(client, order, answer) -> str:
    url = reverse("admin:orders_order_cancellation", args=[order.pk])
    return client.post(url, {"answer": answer}, follow=True).content.decode()


def test_a_question_answered_with_no_is_not_asked_again_and_can_be_taken_back(client, noon):
    order = make_order(cancel_requested_at=noon)
    client.force_login(make_user(access.SUPPORT))
    html = _html(client, order)
    assert QUESTION in html and "choose “Ship anyway”" in html and "Decide above first." in html
    html = _answer(client, order, "cancel")
    assert QUESTION not in html and html.count('value="ship"') == 1 and "Release from hold" not in html
    html = _answer(client, order, "ship")
    order.refresh_from_db()
    assert (order.status, order.why_not_shippable()) == ("awaiting_shipment", "")
    assert f"{order.order_number}: It can be sent now." in html and "Ship this order" in html
    assert "(to be shipped anyway)" in html


def test_an_order_held_for_another_reason_stays_held_and_the_message_says_so(client, noon):
    order = make_order(status="on_hold", hold_reason="Out of stock", cancel_requested_at=noon)
    client.force_login(make_user(access.SUPPORT))
    html = _html(client, order)
    assert QUESTION in html and 'value="cancel"' not in html and "Release the hold above first." in html
    html = _answer(client, order, "ship")
    order.refresh_from_db()
    assert (order.status, order.cancel_requested_at) == ("on_hold", None)
    assert f">Order {order.order_number} is on hold. Release it first" in html  # the number is not said twice
    assert "It can be sent now" not in html


@pytest.mark.parametrize("given", [{}, {"status": "on_hold", "hold_reason": CANCEL_HOLD}])
def test_an_erased_order_is_not_offered_to_be_shipped_anyway(client, noon, given):
    order = make_order(cancel_requested_at=noon, redaction_due_at=noon, **given)
    erasure.redact_due(now=noon)
    client.force_login(make_user(access.SUPPORT))
    assert "Ship anyway" not in _html(client, order)
    assert f"The address of order {order.order_number} was erased on schedule" in _answer(client, order, "ship")


def test_those_who_do_not_decide_are_not_sent_to_buttons_they_do_not_have(client, noon):
    store = make_store()
    client.force_login(make_user(access.WAREHOUSE))
    html = _html(client, make_order(store, cancel_requested_at=noon))
    assert "Support must decide on this order first." in html and "above first" not in html
    html = _html(client, make_order(store, status="on_hold", hold_reason="x"))
    assert "Release the hold above first." in html and "Release from hold" in html
