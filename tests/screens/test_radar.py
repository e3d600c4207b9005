"""W2: unsent orders that lose their address, from day 11 on, with what can be done about each; and the daily mail."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from orderhub import clock, jobs
from orders.jobs import warn_of_erasures
from orders.models import Order, OrderItem
from privacy import access
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.privacy.rows import shop
from tests.shipments.parcels import text_of

pytestmark = pytest.mark.django_db
RADAR = reverse("admin:orders_radar")
START = reverse("admin:index")
PEOPLE = ("Ada Example", "Sample Street", "78701", "555 0100")


def aged(days: float, store=None, **given) -> Order:
    """An order imported so many days ago, and not sent since."""
    then = clock.now() - timedelta(days=days)
    return make_order(store or shop(), first_imported_at=then, redaction_due_at=then + timedelta(days=14), **given)


@pytest.fixture
def support(client, noon):
    client.force_login(make_user(access.SUPPORT, email="s@orderhub.test"))
    return client


def shown(client, **query) -> list[int]:
    return [row.pk for row in client.get(RADAR, query).context["cl"].result_list]


def test_w2_from_day_11_on_and_the_horizon_can_be_widened(support):
    store = make_store()
    first, second = aged(13.5, store), aged(11, store)
    ninth, today = aged(9, store), aged(0, store)
    assert shown(support) == [first.pk, second.pk]
    assert shown(support, horizon="7") == [first.pk, second.pk, ninth.pk]
    assert shown(support, horizon="14") == [first.pk, second.pk, ninth.pk, today.pk]
    assert shown(support, horizon="365") == [first.pk, second.pk]


def test_w2_what_is_sent_cancelled_erased_or_amazons_is_not_on_it(support):
    store = make_store()
    make_shipment(aged(13, store))
    aged(13, store, status="cancelled")
    aged(13, store, pii_state="redacting")
    make_order(store, fulfilled_by="AFN")
    assert shown(support) == []
    assert "No order loses its address before it is sent" in support.get(RADAR).content.decode()


def test_w2_each_row_says_what_is_left_and_why_it_waits(support):
    store = make_store()
    aged(13.5, store)
    aged(12, store, status="on_hold", hold_reason="Out of stock")
    aged(12, store, status="awaiting_payment")
    aged(12, store, cancel_requested_at=clock.now())
    part = aged(12, store)
    OrderItem.objects.filter(order=part).update(quantity=3, quantity_shipped=1)
    answer = support.get(RADAR)
    text = text_of(answer)
    for told in (
        "12 h left", "2 days left", "Nothing stands in its way.", "On hold: Out of stock",
        "Not paid yet: Amazon will say when it may be sent.", "The buyer asks to cancel it.", "Partly sent: 2 units are left.",
    ):  # fmt: skip
        assert told in text, told
    assert 'title="21 Nov 2026, 00:00 UTC"' in answer.content.decode()
    assert not [name for name in PEOPLE if name in answer.content.decode()]


def test_w2_one_click_to_ship_hold_release_and_ask(support):
    store = make_store("FR")
    ready, held = aged(13, store), aged(12.5, store, status="on_hold", hold_reason="Out of stock")
    html = support.get(RADAR).content.decode()
    assert f'href="{reverse("admin:shipments_ship")}?ids={ready.pk}"' in html
    assert f"ids={held.pk}" not in html
    assert f'href="https://sellercentral-europe.amazon.com/orders-v3/order/{ready.order_number}"' in html
    hold, release = (
        reverse(f"admin:orders_order_{name}", args=[order.pk]) for name, order in (("hold", ready), ("release", held))
    )
    assert f'formaction="{hold}"' in html and f'formaction="{release}"' in html
    support.post(hold, {"reason": "check", "action": "", "select_across": "0"})
    support.post(release)
    ready.refresh_from_db()
    held.refresh_from_db()
    assert (ready.status, held.status) == ("on_hold", "awaiting_shipment")


def test_w2_a_selection_goes_to_the_ship_form_or_a_batch(support):
    store = make_store()
    orders = [aged(13, store), aged(12, store)]
    chosen = {"_selected_action": [order.pk for order in orders]}
    answer = support.post(RADAR, {"action": "ship", **chosen})
    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('admin:shipments_ship')}?ids={orders[0].pk},{orders[1].pk}"
    assert support.get(answer["Location"]).status_code == 200
    assert "/labelbatch/" in support.post(RADAR, {"action": "batch_labels", **chosen})["Location"]
    support.post(RADAR, {"action": "hold", **chosen})
    assert set(Order.objects.values_list("status", flat=True)) == {"on_hold"}


def test_an_order_beyond_the_horizon_is_not_touched_by_a_forged_selection(support):
    order = make_order(redaction_due_at=clock.now() + timedelta(days=30))
    support.post(RADAR, {"action": "hold", "_selected_action": [order.pk]})
    order.refresh_from_db()
    assert order.status == "awaiting_shipment"


@pytest.mark.parametrize("why", ["ready", "hold", "unpaid", "cancel"])
def test_the_reasons_can_be_told_apart(support, noon, why):
    store = make_store()
    orders = {
        "ready": aged(12, store), "hold": aged(12, store, status="on_hold"),
        "unpaid": aged(12, store, status="awaiting_payment"), "cancel": aged(12, store, cancel_requested_at=noon),
    }  # fmt: skip
    assert shown(support, why=why) == [orders[why].pk]


def test_roles_see_the_buttons_they_may_use(client, noon):
    order = aged(12)
    ship = f"{reverse('admin:shipments_ship')}?ids={order.pk}"
    hold = reverse("admin:orders_order_hold", args=[order.pk])
    for role, may_ship, may_hold in (
        (access.SUPPORT, True, True), (access.WAREHOUSE, True, True), (access.SUCCESS, False, True),
        (access.PRIVACY, False, False), (access.ADMINISTRATOR, False, False),
    ):  # fmt: skip
        client.force_login(make_user(role))
        html = client.get(RADAR).content.decode()
        assert (ship in html, hold in html) == (may_ship, may_hold), role
    client.force_login(make_user())
    assert client.get(RADAR).status_code == 403


def test_the_list_takes_the_same_queries_for_5_and_25_orders(support, django_assert_max_num_queries):
    store, counts = make_store(), []
    for more in (5, 20):
        for _each in range(more):
            aged(12, store, lines=2)
        support.get(RADAR)
        with django_assert_max_num_queries(22) as seen:
            assert support.get(RADAR).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


# -- the start page


def test_w2_the_start_page_says_it_from_day_11_on(support):
    aged(10.9)
    assert "loses its address" not in text_of(support.get(START))
    aged(13.5)
    answer = support.get(START)
    assert "1 order that nobody has sent loses its address within 3 days (12 h left)." in text_of(answer)
    card = next(card for card in answer.context["board"].cards if card.url == RADAR)
    assert (card.count, card.level) == (1, "warn")


# -- the daily mail


def warn() -> list:
    before = len(mail.outbox)
    jobs.run(warn_of_erasures.job_name)
    return mail.outbox[before:]


def test_w2_support_is_told_once_a_day_how_many_and_of_nobody(support, noon, travel):
    make_user(access.WAREHOUSE, email="w@orderhub.test")
    store = make_store()
    aged(10, store)
    assert warn() == []
    orders = [aged(13.5, store), aged(11.5, store, status="on_hold")]
    (message,) = warn()
    assert message.to == ["s@orderhub.test"]
    assert "2 unsent orders are about to lose their address" in message.subject
    text = message.subject + message.body
    for told in (
        "2 orders that nobody has sent",
        "21 Nov 2026, 00:00 UTC",
        "1 within 24 hours.",
        "1 can be sent at once.",
    ):
        assert told in text, told
    assert not [found for found in (*PEOPLE, *(order.order_number for order in orders)) if found in text]
    assert warn() == []
    travel(hours=23)
    assert warn() == []
    travel(hours=1)
    assert len(warn()) == 1
    Order.objects.update(status="cancelled")
    travel(hours=24)
    assert warn() == []
