"""Buying a label on the screens: prices for a measured parcel, one click, the order's page with the label."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub import clock
from orders.models import Order
from privacy import access
from shipments.models import LabelPurchase, Shipment
from tests.factories import make_order, make_store, make_user
from tests.orders.driving import notify_now
from tests.shipments.shop import MEASURED, buy_label, open_shop, order_at, track_now

pytestmark = pytest.mark.django_db
MAY_BUY = {access.SUPPORT, access.WAREHOUSE}


def page(order) -> str:
    return reverse("admin:shipments_buy", args=[order.pk])


def order_page(order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def measured(order, **changes) -> dict:
    today = clock.now().astimezone(order.store.zone).date().isoformat()
    return {f"parcel-{name}": value for name, value in (MEASURED | {"ship_date": today} | changes).items()}


def offers_of(html: str) -> list[str]:
    return re.findall(r'name="offer" value="([^"]+)"', html)


@pytest.fixture
def account(world):
    return open_shop()


@pytest.fixture
def order(world, account):
    return order_at(world, account)


@pytest.fixture
def support(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


def test_f43_prices_are_shown_and_one_click_buys(client, world, order, support):
    assert "Show prices" in client.get(order_page(order)).content.decode()
    html = client.post(page(order), measured(order)).content.decode()
    assert "6.28 USD" in html and "USPS Ground Advantage" in html and "in time" in html
    assert "kept here, not told to Amazon" in html
    answer = client.post(page(order), {"offer": offers_of(html)[0]}, follow=True)
    shipment = Shipment.objects.get()
    assert answer.redirect_chain[-1][0] == order_page(order)
    shown = answer.content.decode()
    assert f"Label bought for order {order.order_number}, tracking number {shipment.tracking_number}" in shown
    assert "Label (PDF)" in shown and "6.28 USD" in shown and "kept here, not told to Amazon" in shown
    assert "told by Amazon" in shown and "confirms the order to Amazon" in shown and "Buy a label" not in shown
    assert (shipment.created_by, shipment.service) == (support, "USPS Ground Advantage")
    assert [entry["effect"] for entry in world.parcels.ledger] == ["bought"]


def test_the_same_click_twice_buys_once(client, world, order, support):
    offer = offers_of(client.post(page(order), measured(order)).content.decode())[0]
    client.post(page(order), {"offer": offer})
    again = client.post(page(order), {"offer": offer})
    assert "already shipped" in again.content.decode()
    assert len(world.parcels.ledger) == 1


def test_an_offer_cannot_be_forged_or_used_for_another_order(client, world, account, order, support):
    offer = offers_of(client.post(page(order), measured(order)).content.decode())[0]
    other = order_at(world, account)
    for target, sealed in ((other, offer), (order, offer[:-3] + "AAA"), (order, "x")):
        assert "not valid any more" in client.post(page(target), {"offer": sealed}).content.decode()
    assert world.parcels.ledger == []


@pytest.mark.parametrize("role", list(access.ROLES))
def test_only_those_who_ship_buy(client, world, order, role):
    client.force_login(make_user(role))
    shown, asked = client.get(page(order)).status_code, client.post(page(order), measured(order)).status_code
    assert (shown, asked) == ((200, 200) if role in MAY_BUY else (403, 403))
    assert ("Buy a label" in client.get(order_page(order)).content.decode()) == (role in MAY_BUY)


def test_a_look_buys_and_asks_nothing(client, world, order, support):
    client.get(page(order))
    client.get(order_page(order))
    assert world.calls("getRates") == 0 and not LabelPurchase.objects.exists()


def test_weight_and_size_come_from_products_and_rules(client, world, order, support):
    Order.objects.filter(pk=order.pk).update(weight_g=640, wishes={"size_mm": [210, 160, 55]})
    html = client.get(page(order)).content.decode()
    assert all(f'value="{number}"' in html for number in (640, 210, 160, 55))


@pytest.mark.parametrize("missing", sorted(MEASURED))
def test_what_is_missing_is_said_beside_its_field(client, world, order, support, missing):
    html = client.post(page(order), measured(order, **{missing: ""})).content.decode()
    assert "This field is required." in html and not offers_of(html)
    assert world.calls("getRates") == 0


def test_a_refusal_is_said_and_what_was_measured_stays(client, world, order, support):
    html = client.post(page(order), measured(order)).content.decode()
    world.parcels.refusals[order.order_number] = ("InsufficientFunds", "No money.")
    html = client.post(page(order), {"offer": offers_of(html)[0]}).content.decode()
    assert "payment method of the seller account" in html and 'value="800"' in html


def test_a_price_that_rose_comes_back_with_the_new_offers(client, world, order, support, travel):
    offer = offers_of(client.post(page(order), measured(order)).content.decode())[0]
    travel(world, minutes=11)
    world.parcels.dearer = Decimal("1.00")
    html = client.post(page(order), {"offer": offer}).content.decode()
    assert "has risen" in html and "7.28 USD" in html and len(offers_of(html)) == 3
    assert world.parcels.ledger == []


def test_an_answer_not_seen_is_shown_and_can_be_asked_for(client, world, order, support, travel):
    offer = offers_of(client.post(page(order), measured(order)).content.decode())[0]
    world.faults.arm("purchaseShipment", "500_after")
    html = client.post(page(order), {"offer": offer}, follow=True).content.decode()
    assert "never buys a second label" in html and "Ask Amazon now" in html and "Show prices" not in html
    ask = reverse("admin:shipments_purchase_ask", args=[LabelPurchase.objects.get().pk])
    client.get(ask)
    assert not Shipment.objects.exists()
    client.post(ask)
    assert Shipment.objects.get().order == order and len(world.parcels.ledger) == 1


def test_a_label_without_a_parcel_is_voided_from_the_order(client, world, order, support):
    world.faults.arm("purchaseShipment", "500_after")
    offer = offers_of(client.post(page(order), measured(order)).content.decode())[0]
    client.post(page(order), {"offer": offer})
    order.hold("look")
    purchase = LabelPurchase.objects.get()
    client.post(reverse("admin:shipments_purchase_ask", args=[purchase.pk]))
    assert "Void this label" in client.get(order_page(order)).content.decode()
    client.post(reverse("admin:shipments_purchase_void", args=[purchase.pk]))
    purchase.refresh_from_db()
    assert purchase.state == LabelPurchase.State.VOIDED
    assert [entry["effect"] for entry in world.parcels.ledger] == ["bought", "voided"]
    assert "Void this label" not in client.get(order_page(order)).content.decode()


def test_the_way_of_the_parcel_is_on_the_order(client, world, account, order, support, travel):
    buy_label(order)
    travel(world, hours=53)
    track_now(account)
    html = client.get(order_page(order)).content.decode()
    assert "Delivered" in html and "Delivered on" in html


def test_only_orders_of_amazon_stores_have_the_panel(client, noon, support):
    store = make_store()
    manual = make_store("CA", account=store.account, platform="manual")
    assert "Buy a label" in client.get(order_page(make_order(store))).content.decode()
    for order in (make_order(manual), make_order(store, fulfilled_by="AFN"), make_order(store, status="on_hold")):
        assert "Buy a label" not in client.get(order_page(order)).content.decode()


def test_the_prices_cost_the_same_queries_however_many_lines(client, world, account, support):
    counts = {}
    for lines in (1, 5):
        order = order_at(world, account, items=[{"sku": f"S{lines}{number}"} for number in range(lines)])
        client.post(page(order), measured(order))
        with CaptureQueriesContext(connection) as seen:
            html = client.post(page(order), measured(order)).content.decode()
        assert len(offers_of(html)) == 3
        counts[lines] = len(seen)
    assert counts[1] == counts[5] <= 25


def test_no_person_is_on_the_page_of_prices(client, world, order, support):
    person = world.orders[order.order_number].address
    html = client.post(page(order), measured(order)).content.decode()
    assert person.name not in html and person.line1 not in html
    notify_now(order.store.account)
