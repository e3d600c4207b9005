"""Stores without a marketplace, and the page on which their orders are typed and corrected (F14, P24)."""

import re

import pytest
from django.urls import reverse

from orders.models import Order, OrderPersonalData
from privacy import access
from privacy.models import AccessLog
from shipments.models import Label, Shipment, ShipmentNotification
from stores.models import Merchant, Store
from tests.factories import make_merchant, make_order, make_user
from tests.orders.entries import an_entry, enter, make_manual_store

pytestmark = pytest.mark.django_db
ENTER = reverse("admin:orders_order_enter")
ADD_STORE = reverse("admin:stores_store_add_manual")
MAY_ADD = {access.SUPPORT, access.SUCCESS}
MAY_CORRECT = {access.SUPPORT}
MAY_ADD_STORES = {access.SUPPORT, access.SUCCESS, access.ADMINISTRATOR}


@pytest.fixture
def support(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return client


def typed(to: Store | None = None, /, **changes) -> dict:
    """A filled-in page with one line."""
    return {
        "store": to.pk if to else "", "status": "awaiting_shipment", "currency": "eur", "shipping_total": "4,90",
        "ordered_at": "2026-11-19T10:00", "recipient_name": "Zoé Martin", "street1": "3 rue des Lilas",
        "postal_code": "69003", "city": "Lyon", "country": "fr", "line-TOTAL_FORMS": "3", "line-INITIAL_FORMS": "0",
        "line-0-sku": "MUG-1", "line-0-quantity": "2", "line-0-unit_price": "9,95", "line-0-options": "Colour=Red",
    } | changes  # fmt: skip


def page_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def correction_of(order: Order) -> str:
    return reverse("admin:orders_order_correct", args=[order.pk])


def hidden(html: str, name: str) -> str:
    return re.search(rf'name="{name}" value="(\d*)"', html)[1]


# -- stores


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_may_add_stores_adds_one_without_a_marketplace(client, noon, role):
    merchant = make_merchant()
    client.force_login(make_user(role))
    data = {
        "platform": "handmade", "merchant": merchant.pk, "name": "Fair", "time_zone": "Europe/Paris",
        "product_identifier": "sku",
    }  # fmt: skip
    codes = client.get(ADD_STORE).status_code, client.post(ADD_STORE, data).status_code
    if role not in MAY_ADD_STORES:
        assert (codes, Store.objects.count()) == ((403, 403), 0)
        return
    store = Store.objects.get()
    assert codes == (200, 302)
    assert (store.platform, store.account, store.marketplace, store.time_zone) == ("handmade", None, "", "Europe/Paris")
    assert client.get(reverse("admin:stores_store_change", args=[store.pk])).status_code == 200


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"platform": ""}, "Choose what kind of orders it takes."),
        ({"platform": "amazon"}, "Select a valid choice."),
        ({"time_zone": "Mars/Base"}, "Select a valid choice."),
        ({"name": ""}, "Type a name that tells the store apart."),
        ({"name": "fair"}, "This merchant has another store of this name."),
        ({"name": "a\u202eb"}, "in one line"),
        ({"merchant": ""}, "Choose the merchant, or type the name of a new one."),
    ],
)
def test_a_store_that_is_not_complete_is_refused_with_a_sentence(support, changes, sentence):
    store = make_manual_store(name="Fair")
    data = {
        "platform": "manual", "merchant": store.merchant_id, "name": "Other", "time_zone": "UTC",
        "product_identifier": "sku",
    }  # fmt: skip
    html = support.post(ADD_STORE, data | changes).content.decode()
    assert sentence in html and Store.objects.count() == 1


def test_a_new_merchant_comes_with_its_store(support):
    data = {
        "platform": "manual", "new_merchant": "Atelier", "name": "Shop", "time_zone": "UTC", "product_identifier": "asin"
    }  # fmt: skip
    support.post(ADD_STORE, data)
    assert Store.objects.get().merchant == Merchant.objects.get(name="Atelier")


# -- a new order


@pytest.mark.parametrize("role", list(access.ROLES))
def test_only_those_with_the_right_enter_orders(client, noon, role):
    store = make_manual_store()
    client.force_login(make_user(role))
    codes = client.get(ENTER).status_code, client.post(ENTER, typed(store)).status_code
    assert codes == ((200, 302) if role in MAY_ADD else (403, 403))
    assert Order.objects.count() == (role in MAY_ADD)
    listed = client.get(reverse("admin:orders_order_changelist")).content.decode()
    assert (ENTER in listed) == (role in MAY_ADD)


def test_p24_an_order_is_typed_in_and_lands_on_its_page(support):
    answer = support.post(ENTER, typed(make_manual_store()), follow=True)
    order = Order.objects.get()
    assert answer.redirect_chain[-1][0] == page_of(order)
    assert f"Order {order.order_number} is entered." in answer.content.decode()
    assert (order.order_number, order.currency, str(order.order_total)) == ("M261120-1", "EUR", "24.8000")
    assert order.ordered_at.isoformat() == "2026-11-19T09:00:00+00:00"  # ten o'clock in Paris
    assert order.items.get().options == [{"name": "Colour", "value": "Red"}]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"store": ""}, "Choose the store."),
        ({"order_number": "TAKEN"}, "This store already has an order TAKEN."),
        ({"currency": "€"}, "Type the three letters of the currency"),
        ({"country": "Frankreich"}, "Type the two letters of the country"),
        ({"recipient_name": ""}, "This field is required."),
        ({"ordered_at": "yesterday"}, "Write a date such as"),
        ({"ordered_at": "1026-11-19T10:00"}, "Check the year"),
        ({"shipping_total": "1.234"}, "can be read in two ways"),
        ({"buyer_email": "zoe at example"}, "Enter a valid email address."),
        ({"line-0-quantity": ""}, "Type how many units were ordered."),
        ({"line-0-sku": ""}, "Name the product: SKU, ASIN or title."),
        ({"line-0-options": "Red"}, "Write each option as name=value"),
        ({"line-0-unit_price": "90000000000000", "line-0-quantity": "100000"}, "The total of this order is too large."),
        ({"line-0-sku": "", "line-0-quantity": "", "line-0-unit_price": "", "line-0-options": ""}, "at least one line"),
        ({"status": "shipped"}, "Select a valid choice."),
    ],
)
def test_every_mistake_is_told_beside_its_field_and_what_was_typed_is_kept(support, changes, sentence):
    store = make_manual_store()
    enter(store, an_entry("TAKEN"))
    html = support.post(ENTER, typed(store, city="Bourg-lès-Valence", **changes)).content.decode()
    assert sentence in html.replace("&#x27;", "'")
    assert 'value="Bourg-lès-Valence"' in html and "What you typed is kept" in html
    assert Order.objects.count() == 1


def test_an_order_of_amazons_store_cannot_be_entered_whatever_is_posted(support):
    store = make_order().store
    html = support.post(ENTER, typed(store)).content.decode()
    assert "Select a valid choice" in html and Order.objects.count() == 1


def test_more_lines_and_totals_show_the_page_again_and_store_nothing(support):
    store = make_manual_store()
    more = support.post(ENTER, typed(store, show="more")).content.decode()
    assert 'name="line-5-sku"' in more and 'value="MUG-1"' in more
    sums = support.post(ENTER, typed(store, show="totals")).content.decode()
    assert "24.80 EUR" in sums and "19.90 EUR" in sums
    assert not Order.objects.exists()


@pytest.mark.parametrize("total", ["", "x", "-1", "999999", "21", "²"])
def test_a_strange_count_of_lines_breaks_nothing(support, total):
    data = typed(make_manual_store(), **{"line-TOTAL_FORMS": total})
    assert support.post(ENTER, data).status_code in {200, 302}
    assert support.post(ENTER, data | {"show": "more"}).status_code == 200


def test_twenty_lines_fit(support):
    lines = {f"line-{n}-{name}": value for n in range(20) for name, value in (("sku", f"S{n}"), ("quantity", "1"))}
    support.post(ENTER, typed(make_manual_store(), **lines, **{"line-TOTAL_FORMS": "20"}))
    assert Order.objects.get().items.count() == 20


def test_the_page_takes_few_queries_whatever_the_stores(support, django_assert_max_num_queries):
    merchant = make_merchant()
    for each in range(12):
        make_manual_store(merchant=merchant, name=f"Store {each}")
    with django_assert_max_num_queries(14):
        support.get(ENTER)


# -- sending


@pytest.mark.parametrize("platform", ["manual", "handmade"])
def test_an_entered_order_ships_through_the_form_and_says_who_tells_amazon(support, platform):
    (order,) = enter(make_manual_store(platform))
    data = {
        f"o{order.pk}-{name}": value
        for name, value in {
            "carrier": "colissimo", "service": "", "tracking_number": "6A12345678901", "ship_date": "2026-11-20"
        }.items()
    }  # fmt: skip
    html = support.post(f"{reverse('admin:shipments_ship')}?ids={order.pk}", data, follow=True).content.decode()
    assert (Shipment.objects.count(), Label.objects.count(), ShipmentNotification.objects.count()) == (1, 1, 0)
    assert ("confirm this one in Seller Central" in html) == (platform == "handmade")
    assert correction_of(order) not in html


# -- correcting


@pytest.mark.parametrize("role", list(access.ROLES))
def test_only_those_who_see_the_address_correct_it(client, noon, role):
    (order,) = enter()
    client.force_login(make_user(role))
    assert client.get(correction_of(order)).status_code == (200 if role in MAY_CORRECT else 403)
    answer = client.post(correction_of(order), typed(order_number="HACKED"))
    assert answer.status_code == (200 if role in MAY_CORRECT else 403)  # without what was seen it is refused
    assert (correction_of(order) in client.get(page_of(order)).content.decode()) == (role in MAY_CORRECT)
    assert Order.objects.get().order_number == "A-1"


def test_the_correction_form_holds_what_is_kept_and_its_view_is_logged(support):
    (order,) = enter(None, an_entry(person={"buyer_email": "zoe@example.com"}))
    html = support.get(correction_of(order)).content.decode()
    assert AccessLog.objects.filter(order_id=order.pk, what="correction form").count() == 1
    for value in ("Zoé Martin", "zoe@example.com", "MUG-1", "4.90", "9.95", "2026-11-20T13:00"):
        assert f'value="{value}"' in html, value
    item = order.items.get()
    data = typed(order_number="A-1", seen=hidden(html, "seen"), **{"line-0-item": item.pk, "line-0-sku": "MUG-9"})
    answer = support.post(correction_of(order), data, follow=True)
    assert "Order A-1 is corrected." in answer.content.decode()
    item.refresh_from_db()
    assert (item.sku, OrderPersonalData.objects.get().buyer_email) == ("MUG-9", "")


def test_what_somebody_else_changed_meanwhile_is_not_overwritten_and_nothing_typed_is_lost(support):
    (order,) = enter()
    html = support.get(correction_of(order)).content.decode()
    order.events.create(kind="noted")
    answer = support.post(correction_of(order), typed(order_number="A-1", city="Nantes", seen=hidden(html, "seen")))
    text = answer.content.decode()
    assert "Somebody changed this order meanwhile" in text and 'value="Nantes"' in text
    assert OrderPersonalData.objects.get().city == "Lyon"


def test_an_order_of_a_marketplace_an_erased_and_a_long_one_are_refused_with_a_sentence(support):
    amazons = make_order()
    (erased,) = enter(make_manual_store("handmade", name="Hand"))
    Order.objects.filter(pk=erased.pk).update(pii_state="redacting")
    (long,) = enter(None, an_entry("LONG", lines=[dict(an_entry().lines[0]) for _each in range(21)]))
    for order, sentence in (
        (amazons, "correct it there"), (erased, "was erased"), (long, "more than 20 lines"),
    ):  # fmt: skip
        html = support.get(correction_of(order), follow=True).content.decode()
        assert sentence in html


def test_cancelling_is_a_correction_too(support):
    (order,) = enter()
    html = support.get(correction_of(order)).content.decode()
    support.post(correction_of(order), typed(order_number="A-1", status="cancelled", seen=hidden(html, "seen")))
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert order.events.filter(kind="status", params={"before": "awaiting_shipment", "after": "cancelled"}).exists()


EVIL = "\"><script>alert(1)</script>{{ 7|add:7 }}'=1+1"


def test_b05_whatever_is_typed_is_inert(support):
    store = make_manual_store(name=EVIL)
    for changes in ({"currency": ""}, {}):
        data = typed(
            store, order_number=EVIL, recipient_name=EVIL, buyer_notes=EVIL, requested_service=EVIL[:60], **changes,
            **{"line-0-title": EVIL, "line-0-options": f"x={EVIL.replace('|', '')}"},
        )  # fmt: skip
        html = support.post(ENTER, data, follow=True).content.decode()
        assert "<script>alert" not in html and "&lt;script&gt;" in html
    assert "<script>alert" not in support.get(correction_of(Order.objects.get())).content.decode()
