"""Updates by hand in Amazon (R50): a list with what to paste, a tick that can be taken back, a reminder a day."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.urls import reverse

from orderhub import clock, jobs
from orders import timeline
from orders.models import Order
from privacy import access
from shipments import manual_updates
from shipments.jobs import remind_manual_updates
from shipments.models import ManualUpdate
from stores.models import DigestReceipt
from tests.factories import make_store, make_user
from tests.shipments.parcels import FIRST, order_of, support, text_of
from tests.shipments.test_combining import combine

pytestmark = pytest.mark.django_db
LIST = reverse("admin:shipments_manualupdate_changelist")
NAMES = ("Ada", "Sample Street", "78701")


@pytest.fixture
def store(noon):
    return make_store()


def riders(store, count: int = 1, **given) -> list[Order]:
    """So many orders on the list, in one parcel with an older one."""
    older = order_of(1, store, ordered_at=clock.now() - timedelta(days=1))
    orders = [order_of(1, store, **given) for _each in range(count)]
    combine(older, *orders)
    return orders


def only() -> ManualUpdate:
    return ManualUpdate.objects.select_related("order").get()


def done_url(update: ManualUpdate) -> str:
    return reverse("admin:shipments_manual_done", args=[update.pk])


def undo_url(update: ManualUpdate) -> str:
    return reverse("admin:shipments_manual_undo", args=[update.pk])


def test_the_list_says_what_to_paste_where_and_until_when(store, settings):
    (order,) = riders(store)
    page = support().get(LIST)
    read, source = text_of(page), page.content.decode()
    for text in (order.order_number, "UPS", FIRST, "2 days left" if "2 days left" in read else "47 h left"):
        assert text in read
    assert f'href="https://sellercentral.amazon.com/orders-v3/order/{order.order_number}"' in source
    assert not [name for name in NAMES if name in source]
    settings.SELLER_CENTRAL_BASE_URL = "http://127.0.0.1:9"
    assert f'href="http://127.0.0.1:9/orders-v3/order/{order.order_number}"' in support().get(LIST).content.decode()


def test_each_marketplace_has_its_own_seller_central(noon):
    from stores.simulator import scenarios
    from tests.factories import make_account

    riders(make_store("FR", account=make_account(scenarios.EU)))
    assert "https://sellercentral-europe.amazon.com/orders-v3/order/" in support().get(LIST).content.decode()


def test_a_tick_can_be_taken_back_for_ten_minutes(store):
    (order,) = riders(store)
    client, update = support(), only()
    answer = client.post(done_url(update), follow=True)
    assert "1 order ticked off. For ten minutes you can take it back here." in text_of(answer)
    assert undo_url(update) in answer.content.decode()
    assert (only().done_how, only().done_by.get_username() != "") == ("by_hand", True)
    clock.advance(minutes=9)
    assert "It waits again." in text_of(client.post(undo_url(update), follow=True))
    assert (only().done_at, only().done_how) == (None, "")
    client.post(done_url(update))
    clock.advance(minutes=10)
    assert "for ten minutes only" in text_of(client.post(undo_url(update), follow=True))
    assert only().done_how == "by_hand"
    said = [entry.sentence for entry in timeline.entries(order)]
    assert sum("To be confirmed in Seller Central" in sentence for sentence in said) == 4
    assert "To be confirmed in Seller Central: the tick was taken back" in said


def test_many_are_ticked_off_at_once_and_each_only_once(store):
    riders(store, 3)
    client, ids = support(), list(ManualUpdate.objects.values_list("pk", flat=True))
    manual_updates.tick_off(ids[:1], by=None, now=clock.now())
    answer = client.post(LIST, {"action": "tick_off", "_selected_action": ids}, follow=True)
    assert "2 orders ticked off." in text_of(answer)
    assert "0 orders ticked off." in text_of(client.post(done_url(ManualUpdate.objects.first()), follow=True))
    assert not ManualUpdate.objects.open().exists()


def test_reading_ticks_nothing_off(store):
    riders(store)
    client, update = support(), only()
    assert client.get(done_url(update)).status_code == 302 and client.get(undo_url(update)).status_code == 302
    assert only().done_at is None
    assert client.post(reverse("admin:shipments_manual_done", args=[4711])).status_code == 404


def test_what_amazon_reports_as_shipped_closes_itself(store):
    one, other = riders(store, 2)
    assert manual_updates.seen([one.pk, 4711], clock.now()) == 1
    assert manual_updates.seen([one.pk], clock.now()) == 0
    closed = ManualUpdate.objects.get(order=one)
    assert (closed.done_how, closed.done_by) == ("seen", None)
    assert list(ManualUpdate.objects.open().values_list("order", flat=True)) == [other.pk]
    assert "Nobody ticked this order off" in manual_updates.why_no_undo(closed, now=clock.now())


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_sees_and_ticks(client, store, role):
    riders(store)
    client.force_login(make_user(role))
    may = role in {access.SUPPORT, access.SUCCESS}
    assert (client.get(LIST).status_code == 200) is may
    assert (client.post(done_url(only())).status_code == 302) is may
    assert (only().done_at is not None) is may
    menu = client.get(reverse("admin:index")).content.decode()
    assert (LIST in menu) is may


def test_the_start_page_counts_them_and_is_loud_once_one_is_late(store):
    client = support()
    assert "Updates by hand" not in text_of(client.get("/admin/")).partition("More")[2].partition("Where is")[2]
    riders(store, 2)

    def card():
        (found,) = [card for card in client.get("/admin/").context["board"].cards if "by hand in" in card.title]
        assert client.get(found.url).context["cl"].result_count == found.count
        return found.count, found.level

    assert card() == (2, "warn")
    Order.objects.filter(pk=ManualUpdate.objects.first().order_id).update(ship_by=clock.now() + timedelta(minutes=90))
    assert card() == (2, "bad")
    manual_updates.tick_off([ManualUpdate.objects.first().pk], by=None, now=clock.now())
    assert card() == (1, "warn")


def test_the_list_has_the_same_number_of_queries_for_3_and_19_rows(store, django_assert_max_num_queries):
    client, counts = support(), []
    for more in (3, 16):
        riders(store, more)
        client.get(LIST)
        with django_assert_max_num_queries(15) as seen:
            client.get(LIST)
        counts.append(len(seen))
    assert counts[0] == counts[1]


# -- the reminder


def remind() -> list:
    """Run the job; the mails it sent."""
    mail.outbox.clear()
    jobs.run(remind_manual_updates.job_name)
    return list(mail.outbox)


@pytest.fixture
def people(noon):
    return [
        make_user(access.SUPPORT, email="s@orderhub.test"), make_user(access.SUCCESS, email="c@orderhub.test", language="fr"),
        make_user(access.WAREHOUSE, email="w@orderhub.test"),
    ]  # fmt: skip


@pytest.mark.parametrize(("hours_left", "wait"), [(48, 4), (5, 3), (1, 0), (-3, 0), (None, 4)])
def test_the_first_reminder_is_in_4_hours_or_2_before_it_is_late(store, hours_left, wait):
    ship_by = None if hours_left is None else clock.now() + timedelta(hours=hours_left)
    riders(store, ship_by=ship_by)
    assert only().remind_at == clock.now() + timedelta(hours=wait)


def test_support_and_customer_success_are_told_how_many_once_a_day(store, people):
    riders(store, 3)
    assert remind() == []
    clock.advance(hours=4)
    sent = remind()
    assert sorted(message.to[0] for message in sent) == ["c@orderhub.test", "s@orderhub.test"]
    for message in sent:
        assert "3" in message.subject
        text = message.subject + message.body
        assert not [name for name in NAMES if name in text]
        assert not [number for number in Order.objects.values_list("order_number", flat=True) if number in text]
    assert remind() == []
    clock.advance(hours=23)
    assert remind() == []
    clock.advance(hours=1)
    assert len(remind()) == 2


def test_what_falls_due_between_two_mails_is_counted_in_the_next_one(store, people):
    riders(store)
    clock.advance(hours=4)
    assert len(remind()) == 2
    riders(store, 2)
    clock.advance(hours=4)
    assert remind() == []
    clock.advance(hours=20)
    sent = remind()
    assert len(sent) == 2 and "3 orders" in "".join(message.subject for message in sent)


def test_those_ticked_off_are_not_reminded_of_and_a_tick_taken_back_is(store, people):
    riders(store)
    manual_updates.tick_off([only().pk], by=None, now=clock.now())
    manual_updates.undo(only(), by=None, now=clock.now())
    clock.advance(hours=4)
    assert len(remind()) == 2
    manual_updates.tick_off([only().pk], by=None, now=clock.now())
    clock.advance(hours=25)
    assert remind() == []


def test_a_mail_server_that_fails_delays_the_reminder_and_doubles_none(store, people, monkeypatch):
    riders(store)
    clock.advance(hours=4)
    real, calls = EmailBackend.send_messages, []

    def second_fails(self, messages):
        calls.append(1)
        if len(calls) == 2:
            raise ConnectionError
        return real(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", second_fails)
    assert len(remind()) == 1
    assert only().remind_at <= clock.now()
    clock.advance(hours=1)
    assert len(remind()) == 1
    assert only().remind_at == clock.now() + timedelta(days=1)


def test_a_digest_of_accounts_does_not_make_the_reminder_come_twice(store, people):
    from stores import digest

    riders(store)
    clock.advance(hours=4)
    remind()
    store.account.stop("revoked", "invalid_grant")
    digest.tell(clock.now())
    assert DigestReceipt.objects.filter(digest=manual_updates.RECEIPT).count() == 2
    ManualUpdate.objects.update(remind_at=clock.now())
    assert remind() == []
