"""What support sees of a notice that does not go through: the explanation, the checklist, the doors. F56-F58, R56-R58."""

from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from orderhub import clock
from orders.models import OrderEvent
from privacy import access
from shipments import voiding
from shipments.models import Feed, ShipmentNotification
from stores.models import Store
from tests.factories import make_shipment, make_store, make_user
from tests.shipments.notices import make_feed, make_notice

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State
NOTICES = reverse("admin:shipments_shipmentnotification_changelist")
ERRORS = reverse("admin:shipments_errors")
FEEDS = reverse("admin:shipments_feed_changelist")
DESK = {access.SUPPORT, access.SUCCESS, access.ADMINISTRATOR}
SEE_NOTICES = DESK | {access.WAREHOUSE}
BILLING = "InternalServiceError"


def page_of(client, notice) -> str:
    return unescape(client.get(reverse("admin:orders_order_change", args=[notice.order_id])).content.decode())


def door(name: str, notice) -> str:
    return reverse(f"admin:shipments_{name}", args=[notice.pk])


def again(notice) -> ShipmentNotification:
    return ShipmentNotification.objects.get(pk=notice.pk)


def relabelled(**store) -> ShipmentNotification:
    """A notice Amazon accepted, whose parcel was voided and sent anew."""
    notice = make_notice(State.CONFIRMED)
    Store.objects.filter(pk=notice.order.store_id).update(**store)
    voiding.void(notice.shipment, by=None, now=clock.now())
    notice.order.refresh_from_db()
    make_shipment(notice.order, tracking_number="1Z999AA10123456793", with_label=False)
    return notice


# -- the explanation


def test_r56_the_order_page_explains_a_rejected_feed_and_lists_the_four_remedies(client, noon):
    notice = make_notice(error_code="90002", error_text="Feed rejected")
    client.force_login(make_user(access.SUPPORT))
    html = page_of(client, notice)
    assert "because of the seller's account or billing" in html
    assert f'href="{ERRORS}#billing"' in html
    listed = html.partition('class="oh-remedies"')[2].partition("</ol>")[0]
    assert listed.count("<li") == 4
    assert "no payment is overdue" in listed and "Contact Amazon." in listed


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_sees_and_ticks_the_steps(client, noon, role):
    notice = make_notice(error_code=BILLING)
    client.force_login(make_user(role))
    assert ('class="oh-remedies"' in page_of(client, notice)) == (role in SEE_NOTICES)
    code = client.post(door("remedy", notice), {"step": "billing.payment"}).status_code
    assert (code, bool(again(notice).remedies)) == ((302, True) if role in DESK else (403, False))


def test_f57_what_support_ticked_customer_success_sees_with_name_and_time(client, noon):
    notice = make_notice(error_code=BILLING)
    client.force_login(make_user(access.SUPPORT, username="ada"))
    answer = client.post(door("remedy", notice), {"step": "billing.payment"})
    assert answer.url.endswith(f"#notice-title-{notice.pk}")
    client.force_login(make_user(access.SUCCESS))
    assert "Done by ada, 20 Nov 2026, 12:00 UTC" in page_of(client, notice)
    client.post(door("remedy", notice), {"undo": "billing.payment"})
    assert "Done by ada" not in page_of(client, notice)


def test_the_list_gives_the_meaning_since_when_and_a_link_to_the_entry(client, noon):
    make_notice(error_code=BILLING, failing_since=noon.replace(day=18, hour=9))
    client.force_login(make_user(access.SUPPORT))
    html = unescape(client.get(NOTICES).content.decode())
    assert f'href="{ERRORS}#billing">{BILLING}' in html and "account or billing" in html
    assert "18 Nov 2026" in html and "09:00 UTC" in html
    assert f'href="{ERRORS}"' in html and f'href="{FEEDS}"' in html


def test_an_unknown_code_is_kept_and_says_that_it_is_unknown(client, noon):
    notice = make_notice(error_code="90002")
    client.force_login(make_user(access.SUPPORT))
    html = page_of(client, notice)
    assert "does not know this error" in html and "<code>90002</code>" in html


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_reads_what_errors_mean(client, noon, role):
    client.force_login(make_user(role))
    assert client.get(ERRORS).status_code == (200 if role in SEE_NOTICES else 403)
    assert client.post(ERRORS).status_code == (405 if role in SEE_NOTICES else 403)


def test_errors_are_searched(client, noon):
    client.force_login(make_user(access.SUPPORT))
    for typed, key, count in (("QuotaExceeded", "throttled", 1), ("payment overdue", "billing", 3), ("zzz", "", 0)):
        html = client.get(ERRORS, {"q": typed}).content.decode()
        assert html.count('class="oh-panel oh-errorentry"') >= count
        assert (f'id="{key}"' in html) == bool(key)
    assert "No entry has these words." in html


def test_the_page_of_errors_asks_no_more_however_long_it_is(client, noon, django_assert_max_num_queries):
    client.force_login(make_user(access.SUPPORT))
    client.get(ERRORS)
    with django_assert_max_num_queries(8):
        client.get(ERRORS)


# -- pushing


def test_r52_a_throttled_notice_says_when_amazon_is_asked_instead_of_offering_to_retry(client, noon):
    notice = make_notice(State.RETRY_AT, error_code="QuotaExceeded", next_attempt_at=noon.replace(hour=14, minute=5))
    notice.order.store.account.buckets.create(
        operation="confirmShipment", tokens=0, rate=1.6, burst=10, updated_at=noon, blocked_until=noon.replace(minute=50),
        throttled=3,
    )  # fmt: skip
    client.force_login(make_user(access.SUPPORT))
    told = "Amazon is asked at 20 Nov 2026, 14:05 UTC: pushing earlier lengthens the wait."
    html = page_of(client, notice)
    assert told in html and "Retry now" not in html
    html = client.post(door("retry", notice), follow=True).content.decode()
    assert told in html and again(notice).state == State.RETRY_AT
    assert OrmQ.objects.count() == 0


def test_r57_retrying_many_says_for_each_and_names_who_asked(client, noon):
    store = make_store()
    stuck, sent = make_notice(store=store), make_notice(State.IN_FEED, store=store)
    user = make_user(access.SUPPORT)
    client.force_login(user)
    chosen = {"action": "retry_now", "_selected_action": [stuck.pk, sent.pk]}
    html = unescape(client.post(NOTICES, chosen, follow=True).content.decode())
    assert f"{sent.order.order_number}: This notice went to Amazon with others" in html
    assert (again(stuck).state, again(sent).state) == (State.PENDING, State.IN_FEED)
    assert OrderEvent.objects.get(kind="notice").actor == user


def test_r58_notices_are_filtered_by_what_happens_next_and_by_marketplace(client, noon):
    store = make_store()
    stuck, throttled = make_notice(store=store), make_notice(State.RETRY_AT, store=store, error_code="QuotaExceeded")
    lost = make_notice(State.RETRY_AT, store=store, error_code="ConnectionError")
    feed = make_feed(store.account)
    sent, shop = make_notice(State.IN_FEED, store=store, feed=feed), make_notice(store=store, channel="bigcommerce")
    client.force_login(make_user(access.SUPPORT))
    for query, rows in (
        ({"state": "stuck"}, {stuck, shop}), ({"state": "throttled"}, {throttled}), ({"state": "waiting"}, {throttled, lost}),
        ({"state": "in_feed"}, {sent}), ({"channel": "bigcommerce"}, {shop}), ({"channel": "correction"}, set()),
        ({"submission": str(feed.pk)}, {sent}), ({"submission": "x"}, set()), ({"submission": "9" * 30}, set()),
    ):  # fmt: skip
        found = client.get(NOTICES, query).context["cl"].result_list
        assert {row.pk for row in found} == {row.pk for row in rows}, query


# -- done by hand


@pytest.mark.parametrize("role", list(access.ROLES))
@pytest.mark.parametrize("name", ["done", "undone", "correct", "remedy"])
def test_who_may_and_get_changes_nothing(client, noon, role, name):
    notice = relabelled(correct_tracking=True) if name == "correct" else make_notice(error_code=BILLING)
    if name == "undone":
        ShipmentNotification.objects.update(state=State.MANUAL, done_reason="refunded")
    before, rows = again(notice).__dict__, ShipmentNotification.objects.count()
    typed = {"reason": "refunded", "step": "billing.contact"}
    client.force_login(make_user(role))
    answer = client.get(door(name, notice), typed)
    assert answer.status_code in {302, 403}
    changed = {key for key, value in again(notice).__dict__.items() if value != before[key]} - {"_state"}
    assert not changed and ShipmentNotification.objects.count() == rows
    may = {access.SUPPORT} if name == "correct" else DESK
    assert client.post(door(name, notice), typed).status_code == (302 if role in may else 403)
    changed = {key for key, value in again(notice).__dict__.items() if value != before[key]} - {"_state"}
    assert bool(changed or ShipmentNotification.objects.count() > rows) == (role in may)


def test_a_notice_is_marked_from_the_order_page_and_taken_up_again(client, noon):
    notice = make_notice(error_code=BILLING)
    client.force_login(make_user(access.SUPPORT, username="ada"))
    assert "Mark as done by hand…" in page_of(client, notice)
    client.post(door("done", notice), {"reason": "confirmed_there"})
    html = page_of(client, notice)
    assert "Somebody marked this notice as done by hand." in html
    assert "Marked by ada: confirmed in Seller Central." in html and "Mark as done by hand…" not in html
    client.post(door("undone", notice))
    assert again(notice).state == State.UNKNOWN
    assert OrmQ.objects.count() == 1


def test_in_a_submission_the_page_warns_and_asks_for_a_tick(client, noon):
    notice = make_notice(State.IN_FEED)
    client.force_login(make_user(access.SUPPORT))
    assert "may still go through" in page_of(client, notice)
    html = client.post(door("done", notice), {"reason": "refunded"}, follow=True).content.decode()
    assert "Tick that you know it" in html and again(notice).state == State.IN_FEED
    client.post(door("done", notice), {"reason": "refunded", "warned": "on"})
    assert again(notice).state == State.MANUAL


def test_many_are_marked_with_one_reason_and_each_says_what_came_of_it(client, noon):
    store = make_store()
    stuck, done = make_notice(store=store), make_notice(State.CONFIRMED, store=store)
    client.force_login(make_user(access.SUPPORT))
    chosen = {"action": "mark_done", "_selected_action": [stuck.pk, done.pk]}
    html = client.post(NOTICES, chosen).content.decode()
    assert "2 notices are chosen" in html and again(stuck).state == State.REJECTED
    html = client.post(NOTICES, chosen | {"answered": "1"}).content.decode()
    assert "Choose why the notice is done." in html and again(stuck).state == State.REJECTED
    answer = client.post(NOTICES, chosen | {"answered": "1", "reason": "not_needed"}, follow=True)
    html = unescape(answer.content.decode())
    assert f"Marked as done by hand: {stuck.order.order_number}" in html
    assert f"{done.order.order_number}: The marketplace already knows" in html
    assert (again(stuck).done_reason, again(done).state) == ("not_needed", State.CONFIRMED)


def test_the_action_is_refused_to_roles_without_the_right(client, noon):
    notice = make_notice()
    client.force_login(make_user(access.WAREHOUSE))
    client.post(
        NOTICES, {"action": "mark_done", "_selected_action": [notice.pk], "answered": "1", "reason": "refunded"}
    )
    assert again(notice).state == State.REJECTED


# -- corrections


def test_a_number_to_correct_is_offered_where_the_store_allows_it(client, noon):
    notice = relabelled()
    client.force_login(make_user(access.SUPPORT))
    html = page_of(client, notice)
    assert "Amazon shows 1Z999AA10123456784, of a parcel that was voided." in html
    assert "switch it on, on the store's page" in html and "Correct the tracking number at Amazon" not in html
    Store.objects.update(correct_tracking=True)
    assert "Correct the tracking number at Amazon" in page_of(client, notice)
    client.post(door("correct", notice))
    html = page_of(client, notice)
    assert "Correction of the tracking number" in html and "A correction of this order is under way" in html
    assert OrmQ.objects.count() == 1


def test_the_switch_is_on_the_stores_page_with_its_warning(client, noon):
    store = make_store()
    client.force_login(make_user(access.SUPPORT))
    html = unescape(client.get(reverse("admin:stores_store_change", args=[store.pk])).content.decode())
    panel = html.partition('id="notification"')[2].partition("</section>")[0]
    assert 'name="correct_tracking"' in panel and "checked" not in panel.partition('name="correct_tracking"')[2][:40]
    assert "Leave this off unless you need it." in panel


# -- submissions


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_sees_submissions_and_each_leads_to_its_notices(client, noon, role):
    feed = make_feed()
    client.force_login(make_user(role))
    assert client.get(FEEDS).status_code == (200 if role in DESK else 403)
    page = client.get(reverse("admin:shipments_feed_change", args=[feed.pk]))
    assert page.status_code == (302 if role in DESK else 403)
    if role in DESK:
        assert page.url == f"{NOTICES}?submission={feed.pk}"
        assert client.get(page.url).status_code == 200


def test_a_submission_says_how_many_were_accepted_and_why_it_failed(client, noon):
    feed = make_feed(None, Feed.State.FAILED, messages=12, accepted=0, refused=0, error_code="FeedFatal")
    client.force_login(make_user(access.SUPPORT))
    html = unescape(client.get(FEEDS).content.decode())
    assert f"?submission={feed.pk}" in html and "failed: its orders are told one by one" in html
    assert "processed none of its orders" in html and f'href="{ERRORS}#feed-fatal">FeedFatal' in html


def test_submissions_are_read_only(client, noon):
    feed = make_feed()
    client.force_login(make_user(access.SUPPORT, is_superuser=True))
    assert client.get(reverse("admin:shipments_feed_add")).status_code == 403
    assert client.post(reverse("admin:shipments_feed_delete", args=[feed.pk]), {"post": "yes"}).status_code == 403


def test_lists_have_the_same_number_of_queries_for_3_and_12_rows(client, noon, django_assert_max_num_queries):
    store, counts = make_store(), {NOTICES: [], FEEDS: []}
    client.force_login(make_user(access.SUPPORT))
    for more in (3, 9):
        for _each in range(more):
            make_notice(State.RETRY_AT, store=store, error_code="QuotaExceeded")
            make_feed(store.account, Feed.State.DONE)
        for url, seen_before in counts.items():
            client.get(url)
            with django_assert_max_num_queries(15) as seen:
                client.get(url)
            seen_before.append(len(seen))
    assert [found[0] == found[1] for found in counts.values()] == [True, True], counts


def test_the_order_page_asks_one_question_for_the_names_however_many_steps_are_done(client, noon):
    store, asked = make_store(), []
    client.force_login(make_user(access.SUPPORT))
    for steps in (0, 1, 4):
        names = ("retry", "reconfigure", "payment", "contact")[:steps]
        done = {f"billing.{name}": {"by": make_user().pk, "at": noon.isoformat()} for name in names}
        notice = make_notice(store=store, error_code=BILLING, remedies=done)
        page_of(client, notice)
        with CaptureQueriesContext(connection) as seen:
            page_of(client, notice)
        asked.append(len(seen))
    assert (asked[1] - asked[0], asked[2]) == (1, asked[1])
