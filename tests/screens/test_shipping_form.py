"""The ship form: one order or many, each row for itself, each account's notices woken once."""

import pytest
from django.urls import reverse
from django_q.models import OrmQ

from orders.models import Order
from privacy import access
from shipments.models import Label, Shipment, ShipmentNotification
from stores.simulator import scenarios
from tests.factories import make_account, make_order, make_shipment, make_store, make_user
from tests.shipments.numbers import ups

pytestmark = pytest.mark.django_db
SHIP = reverse("admin:shipments_ship")
FEDEX = "986578788855"
MAY_SHIP = {access.SUPPORT, access.WAREHOUSE}


def _url(*orders) -> str:
    return f"{SHIP}?ids={','.join(str(order.pk) for order in orders)}"


def _typed(*orders, **changes) -> dict:
    """A filled-in form, every row alike but for the tracking number."""
    data = {}
    for number, order in enumerate(orders):
        row = {
            "carrier": "ups", "service": "UPS Ground", "tracking_number": ups(number),
            "ship_date": "2026-11-20",
        } | changes  # fmt: skip
        data |= {f"o{order.pk}-{name}": value for name, value in row.items()}
    return data


@pytest.fixture
def warehouse(client, noon):
    user = make_user(access.WAREHOUSE)
    client.force_login(user)
    return user


@pytest.mark.parametrize("role", list(access.ROLES))
def test_only_support_and_warehouse_ship(client, noon, role):
    order = make_order()
    client.force_login(make_user(role))
    shown, sent = client.get(_url(order)).status_code, client.post(_url(order), _typed(order)).status_code
    order.refresh_from_db()
    if role in MAY_SHIP:
        assert (shown, sent, order.status) == (200, 302, Order.Status.SHIPPED)
    else:
        assert (shown, sent, order.status) == (403, 403, Order.Status.AWAITING_SHIPMENT)


def test_one_order_leaves_with_label_notice_and_author(client, warehouse):
    order = make_order(lines=2)
    answer = client.post(_url(order), _typed(order), follow=True)
    shipment = Shipment.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("admin:orders_order_change", args=[order.pk])
    assert f"1 order shipped: {order.order_number}" in answer.content.decode()
    assert (shipment.created_by, shipment.service, shipment.labels.count()) == (warehouse, "UPS Ground", 1)
    assert ShipmentNotification.objects.get().shipment == shipment


def test_no_label_makes_none(client, warehouse):
    order = make_order()
    client.post(_url(order), _typed(order, no_label="on"))
    assert Shipment.objects.count() == 1
    assert not Label.objects.exists()


def test_each_account_is_woken_once(client, warehouse):
    na, eu = make_account(), make_account(scenarios.EU)
    us, ca, fr = make_store("US", account=na), make_store("CA", account=na), make_store("FR", account=eu)
    orders = [make_order(us), make_order(ca), make_order(fr)]
    client.post(_url(*orders), _typed(*orders))
    asked = [row.task for row in OrmQ.objects.order_by("pk")]
    assert [(task["name"], task["args"][1]) for task in asked] == [
        ("shipments.notify_account", na.pk), ("shipments.notify_account", eu.pk),
    ]  # fmt: skip


def test_a_refused_row_keeps_what_was_typed_and_stops_no_other(client, warehouse):
    store = make_store()
    good, bad = make_order(store), make_order(store)
    data = _typed(good) | _typed(bad, tracking_number="bad number!", service="Priority <b>")
    answer = client.post(_url(good, bad), data)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "1 order was shipped." in html and good.order_number in html
    assert f"The tracking number of order {bad.order_number} may hold 4 to 40 letters and digits only" in html
    assert 'value="bad number!"' in html and "Priority &lt;b&gt;" in html
    assert answer.context["ids"] == str(bad.pk)
    assert list(Shipment.objects.values_list("order", flat=True)) == [good.pk]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"carrier": ""}, "Choose the carrier of order"),
        ({"tracking_number": ""}, "Type the tracking number of order"),
        ({"tracking_number": "ab"}, "may hold 4 to 40 letters and digits only"),
        ({"ship_date": "2062-11-20"}, "The ship date must be within 30 days of today."),
        ({"ship_date": "20/11/2026"}, "Enter a valid date."),
        ({"carrier": "pigeon"}, "Select a valid choice."),
    ],
)
def test_every_mistake_is_a_sentence_and_ships_nothing(client, warehouse, changes, sentence):
    order = make_order()
    html = client.post(_url(order), _typed(order, **changes)).content.decode()
    assert sentence in html
    order.refresh_from_db()
    assert (order.status, Shipment.objects.count(), OrmQ.objects.count()) == ("awaiting_shipment", 0, 0)


def test_orders_that_cannot_leave_are_listed_with_their_sentence(client, warehouse, noon):
    store = make_store()
    held = make_order(store, status="on_hold")
    asking = make_order(store, cancel_requested_at=noon)
    gone = make_shipment(make_order(store)).order
    html = client.get(_url(held, asking, gone)).content.decode()
    for order in (held, asking, gone):
        order.refresh_from_db()
        assert order.why_not_shippable().split(":")[0] in html.replace("&#x27;", "'")
    assert "-tracking_number" not in html


def test_b29_posting_twice_ships_once(client, warehouse):
    order = make_order()
    client.post(_url(order), _typed(order))
    html = client.post(_url(order), _typed(order)).content.decode()
    assert "is already shipped" in html
    assert (Shipment.objects.count(), ShipmentNotification.objects.count()) == (1, 1)


def test_one_carrier_for_all_replaces_each_row_and_its_service(client, warehouse):
    store = make_store()
    orders = [make_order(store), make_order(store)]
    client.post(
        _url(*orders), _typed(*orders, tracking_number=FEDEX) | {"all-carrier": "fedex", "all-service": "FedEx 2Day"}
    )
    assert set(Shipment.objects.values_list("carrier", "service")) == {("fedex", "FedEx 2Day")}


def test_a_preset_service_does_not_follow_another_carrier(client, warehouse):
    store = make_store()
    make_shipment(make_order(store), service="UPS Ground")
    first, second = make_order(store), make_order(store)
    client.post(_url(first), _typed(first, carrier="colissimo"))
    client.post(_url(second), _typed(second, carrier="fedex", service="FedEx 2Day", tracking_number=FEDEX))
    sent = dict(Shipment.objects.values_list("order", "service"))
    assert (sent[first.pk], sent[second.pk]) == ("", "FedEx 2Day")


def test_the_carrier_used_last_for_a_store_is_preset_and_the_day_is_the_stores(client, warehouse):
    tokyo = make_store("US", time_zone="Asia/Tokyo")
    other = make_store("CA", account=tokyo.account)
    make_shipment(make_order(tokyo), carrier="yamato", service="Nekopos")
    make_shipment(make_order(other), carrier="purolator")
    order = make_order(tokyo)
    from orderhub import clock

    clock.advance(hours=4)  # the 21st in Tokyo, the 20th in UTC
    row = client.get(_url(order)).context["rows"][0]
    assert (row.form["carrier"].value(), row.form["service"].value()) == ("yamato", "Nekopos")
    assert row.form["ship_date"].value().isoformat() == "2026-11-21"


def test_the_form_has_the_same_number_of_queries_for_5_and_25_orders(client, warehouse, django_assert_max_num_queries):
    store, counts = make_store(), []
    orders = [make_order(store, lines=2) for _each in range(25)]
    client.get(_url(*orders))
    for some in (orders[:5], orders):
        with django_assert_max_num_queries(15) as seen:
            assert client.get(_url(*some)).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_two_hundred_orders_fit_one_form_and_more_are_refused(client, warehouse):
    store = make_store()
    orders = [make_order(store) for _each in range(200)]
    wrong = _typed(*orders, tracking_number="")
    assert client.post(_url(*orders), wrong).status_code == 200
    answer = client.get(f"{SHIP}?ids={','.join(map(str, range(1, 202)))}", follow=True)
    assert "Choose at most 200 orders at once." in answer.content.decode()


@pytest.mark.parametrize("ids", ["", "x", "1;2", "²", "9" * 30, "-1", "0"])
def test_strange_ids_show_an_empty_form(client, warehouse, ids):
    answer = client.get(SHIP, {"ids": ids})
    assert answer.status_code == 200
    assert "No order to ship is chosen" in answer.content.decode()


def test_no_person_on_the_form_and_nothing_remembered_by_the_browser(client, warehouse):
    html = client.get(_url(make_order())).content.decode()
    assert "Austin" in html
    assert not [text for text in ("Ada Example", "Sample Street", "555 0100", "78701") if text in html]
    assert html.count('autocomplete="off"') >= 6


def test_the_order_page_offers_the_form_only_to_those_who_ship(client, noon):
    order = make_order()
    for role in access.ROLES:
        client.force_login(make_user(role))
        html = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
        assert ("Ship this order" in html) == (role in MAY_SHIP), role
