"""Numbers that look mistyped on the ship form: told once beside the field, sent at the second press."""

import re

import pytest
from django.urls import reverse

from orders.models import Order
from privacy import access
from shipments.models import CarrierSetting, Shipment
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.shipments.numbers import ups

pytestmark = pytest.mark.django_db
SHIP = reverse("admin:shipments_ship")
WRONG, RIGHT = "1Z999AA10123456783", "1Z999AA10123456784"
TOLD = "This UPS number has a wrong check digit"


@pytest.fixture
def warehouse(client, noon):
    user = make_user(access.WAREHOUSE)
    client.force_login(user)
    return user


def _url(*orders) -> str:
    return f"{SHIP}?ids={','.join(str(order.pk) for order in orders)}"


def _typed(order, number: str, **changes) -> dict:
    row = {"carrier": "ups", "service": "UPS Ground", "tracking_number": number, "ship_date": "2026-11-20"} | changes
    return {f"o{order.pk}-{name}": value for name, value in row.items()}


def _hidden(html: str) -> dict:
    return dict(re.findall(r'<input type="hidden" name="(warned)" value="([^"]+)">', html))


def test_f44_a_number_that_looks_mistyped_stays_once_and_leaves_at_the_second_press(client, warehouse):
    order = make_order()
    html = client.post(_url(order), _typed(order, WRONG, service="Mine")).content.decode()
    assert TOLD in html and f'value="{WRONG}"' in html and 'value="Mine"' in html
    assert "If it is as on the label, ship again" in html and not Shipment.objects.exists()
    assert f'id="doubt-{order.pk}"' in html and f'aria-describedby="doubt-{order.pk}"' in html
    client.post(_url(order), _typed(order, WRONG) | _hidden(html))
    assert Shipment.objects.get().tracking_number == WRONG


def test_another_wrong_number_or_carrier_is_told_again(client, warehouse):
    order = make_order()
    seen = _hidden(client.post(_url(order), _typed(order, WRONG)).content.decode())
    again = client.post(_url(order), _typed(order, "1Z999AA10123456782") | seen).content.decode()
    assert TOLD in again and _hidden(again) != seen
    other = client.post(_url(order), _typed(order, WRONG, carrier="fedex") | seen).content.decode()
    assert "does not look like a tracking number of FedEx, such as" in other
    assert not Shipment.objects.exists()


def test_what_was_seen_for_one_order_says_nothing_of_another(client, warehouse):
    store = make_store()
    first, second = make_order(store), make_order(store)
    seen = _hidden(client.post(_url(first), _typed(first, WRONG)).content.decode())
    assert TOLD in client.post(_url(second), _typed(second, WRONG) | seen).content.decode()
    assert not Shipment.objects.exists()


def test_a_doubt_stops_no_other_row_and_the_mended_number_leaves(client, warehouse):
    store = make_store()
    good, odd = make_order(store), make_order(store)
    html = client.post(_url(good, odd), _typed(good, RIGHT) | _typed(odd, WRONG)).content.decode()
    assert "1 order was shipped." in html and html.count(TOLD) == 1
    assert list(Shipment.objects.values_list("order", flat=True)) == [good.pk]
    client.post(_url(odd), _typed(odd, ups(7)) | _hidden(html))
    assert Order.objects.get(pk=odd.pk).status == "shipped"


def test_the_carrier_for_all_rows_is_the_one_that_is_checked(client, warehouse):
    store = make_store()
    orders = [make_order(store) for _each in range(2)]
    typed = _typed(orders[0], RIGHT) | _typed(orders[1], "986578788855") | {"all-carrier": "fedex"}
    html = client.post(_url(*orders), typed).content.decode()
    assert html.count("does not look like a tracking number of FedEx") == 1
    assert list(Shipment.objects.values_list("order", flat=True)) == [orders[1].pk]


def test_what_cannot_leave_at_all_is_told_first_and_the_warning_is_not_repeated(client, warehouse):
    order = make_order(person={"recipient_name": "山田", "street1": "東京"})
    html = client.post(_url(order), _typed(order, WRONG)).content.decode()
    assert "which carriers cannot read" in html and TOLD in html
    client.post(_url(order), _typed(order, WRONG, no_label="on") | _hidden(html))
    assert Shipment.objects.get().order == order


def test_the_form_on_the_order_page_is_checked_too(client, warehouse):
    order = make_order()
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    action = re.search(r'action="([^"]*ship/\?ids=\d+)"', page)[1]
    html = client.post(action, _typed(order, WRONG)).content.decode()
    assert TOLD in html and not Shipment.objects.exists()


def test_the_zip_code_of_a_scanned_number_is_not_kept(client, warehouse):
    order = make_order()
    client.post(_url(order), _typed(order, "420787019505511069605048600624", carrier="usps"))
    assert Shipment.objects.get().tracking_number == "9505511069605048600624"


@pytest.mark.parametrize("hostile", ["\0", ",,,", "x" * 100_000, "<script>alert(1)</script>", "-1"])
def test_a_strange_list_of_warnings_lets_nothing_through(client, warehouse, hostile):
    order = make_order()
    html = client.post(_url(order), _typed(order, WRONG) | {"warned": hostile}).content.decode()
    assert TOLD in html and "<script>alert" not in html and not Shipment.objects.exists()


def test_two_hundred_doubts_take_one_field_more_and_fit(client, warehouse):
    store, typed = make_store(), {}
    orders = [make_order(store) for _each in range(200)]
    for order in orders:
        typed |= _typed(order, WRONG, no_label="on")
    html = client.post(_url(*orders), typed).content.decode()
    assert html.count(TOLD) == 200 and html.count('name="warned"') == 1
    answer = client.post(_url(*orders[:3]), typed | {"all-carrier": "", "all-service": ""} | _hidden(html))
    assert answer.status_code == 302 and Shipment.objects.count() == 3


def test_doubts_cost_no_query(client, warehouse, django_assert_max_num_queries):
    store, counts = make_store(), []
    orders = [make_order(store) for _each in range(25)]
    for some in (orders[:5], orders):
        typed = {name: value for order in some for name, value in _typed(order, WRONG).items()}
        client.post(_url(*some), typed)
        with django_assert_max_num_queries(20) as seen:
            assert client.post(_url(*some), typed).content.decode().count(TOLD) == len(some)
        counts.append(len(seen))
    assert counts[0] == counts[1]


# ---- which carriers are offered


def test_a_hidden_carrier_is_not_offered_but_a_rule_that_names_it_is_obeyed(client, warehouse):
    CarrierSetting.objects.create(code="gls", hidden=True)
    store = make_store()
    plain, wished = make_order(store), make_order(store, wishes={"carrier": "gls"})
    html = client.get(_url(plain, wished)).content.decode()
    assert html.count('<option value="gls"') == 1 and '<option value="gls" selected>GLS</option>' in html
    assert "Select a valid choice" in client.post(_url(plain), _typed(plain, "1234", carrier="gls")).content.decode()
    client.post(_url(wished), _typed(wished, "12345678", carrier="gls"))
    assert Shipment.objects.get().order == wished


def test_another_code_for_the_same_carrier_is_kept_as_ours(client, warehouse):
    store = make_store()
    assert make_shipment(make_order(store), carrier="dpd_fr", tracking_number="01505012345678").carrier == "dpd"
    html = client.get(_url(make_order(store))).content.decode()
    assert '<option value="dpd" selected>DPD (FR)</option>' in html
