"""Parts of orders on the list and on the order's page: a badge, each parcel with its lines, and no query more."""

import pytest
from django.urls import reverse

from orders.models import Order
from privacy import access
from shipments import dispatching
from tests.factories import make_store, make_user
from tests.shipments.parcels import combine_url, order_of, part_of, split_url, support, text_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_order_changelist")


def parts(order: Order, count: int, now) -> Order:
    """So many units of it, each in a parcel of its own."""
    for number in range(count):
        dispatching.ship(Order.objects.get(pk=order.pk), part_of(order, 1, f"1Z{order.pk:06d}{number:04d}"), now=now)
    return Order.objects.get(pk=order.pk)


def page_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def test_a_partly_shipped_order_stays_to_ship_with_a_badge(noon):
    client, store = support(), make_store()
    order = parts(order_of(3, store), 1, noon)
    assert "partly shipped" in text_of(client.get(f"{LIST}?tab=to_ship"))
    assert "partly shipped" in text_of(client.get(page_of(order)))
    parts(order, 2, noon)
    assert "partly shipped" not in text_of(client.get(LIST)) + text_of(client.get(page_of(order)))


def test_the_list_costs_the_same_however_many_are_partly_shipped(noon, django_assert_max_num_queries):
    client, store, counts = support(), make_store(), []
    for more in (2, 10):
        for _each in range(more):
            parts(order_of(3, store), 1, noon)
        client.get(LIST)
        with django_assert_max_num_queries(20) as seen:
            assert text_of(client.get(LIST)).count("partly shipped") == len(Order.objects.all())
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_order_page_costs_the_same_for_1_and_6_parcels(noon, django_assert_max_num_queries):
    client, store, counts = support(), make_store(), []
    for count in (1, 6):
        order = parts(order_of(9, store), count, noon)
        client.get(page_of(order))
        with django_assert_max_num_queries(40) as seen:
            read = text_of(client.get(page_of(order)))
        counts.append(len(seen))
        assert read.count("1 of 9 × SKU-1") == count and read.count("No notice:") == count - 1
    assert counts[0] == counts[1]


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_is_offered_to_send_a_part(client, noon, role):
    order = order_of(3)
    client.force_login(make_user(role))
    may = role in {access.SUPPORT, access.WAREHOUSE}
    assert ("Send a part…" in text_of(client.get(page_of(order)))) is may
    assert (client.get(split_url(order)).status_code == 200) is may


def test_no_person_on_the_pages_and_nothing_remembered_by_the_browser(noon):
    store = make_store()
    one, other = order_of(3, store), order_of(1, store)
    for url in (split_url(one), combine_url(one, other)):
        source = support().get(url).content.decode()
        assert not [name for name in ("Ada", "Sample Street", "78701") if name in source]
        assert 'autocomplete="off"' in source and "style=" not in source
