"""W1 on screens: the clock on the page of every order, the column and the filters of the list."""

from datetime import timedelta

import pytest
from django.urls import reverse

from orders.models import Order
from privacy import access
from privacy.models import ErasureCertificate
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.privacy.rows import due_label, due_order, sweep
from tests.shipments.parcels import text_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_order_changelist")


def page_of(client, order):
    return client.get(reverse("admin:orders_order_change", args=[order.pk]))


@pytest.fixture
def support(client, noon):
    client.force_login(make_user(access.SUPPORT))
    return client


def test_w1_the_page_says_until_when_why_and_what_would_change_it(support):
    answer = page_of(support, make_order())
    text, html = text_of(answer), answer.content.decode()
    for told in (
        "Personal data until 4 Dec 2026, 12:00 UTC, because import + 14 d", "0 min since import, 14 days left",
        "not fully shipped: 14 days after import", "What would change it",
        "Sent now, without automatic tracking, would make it 20 Dec 2026, 12:00 UTC.",
    ):  # fmt: skip
        assert told in text
    assert "oh-gauge--clock" in html and "style=" not in html


@pytest.mark.parametrize("role", list(access.ROLES))
def test_w1_the_clock_is_there_for_every_role(client, noon, role):
    client.force_login(make_user(role))
    assert "Personal data until 4 Dec 2026" in text_of(page_of(client, make_order()))


def test_r86_the_page_follows_a_shipment_and_its_void(support, noon, travel):
    from shipments import voiding

    order = make_order()
    shipment = make_shipment(order)
    assert "20 Dec 2026, 12:00 UTC, because shipment made + 30 d" in text_of(page_of(support, order))
    voiding.void(shipment, by=make_user(access.SUPPORT), now=travel(days=1))
    assert "4 Dec 2026, 12:00 UTC, because import + 14 d" in text_of(page_of(support, order))


def test_r84_an_erased_order_lists_the_label_that_is_not_due_yet(support, noon):
    label = due_label(due=noon + timedelta(days=9))
    sweep()
    text = text_of(page_of(support, label.shipment.order))
    assert "1 label still has its address" in text and "address until 29 Nov 2026, 12:00 UTC" in text


def test_only_the_privacy_officer_finds_the_certificates_on_the_page(client, noon):
    order = due_order()
    sweep()
    url = reverse("admin:privacy_certificate", args=[ErasureCertificate.objects.get().pk])
    for role in access.ROLES:
        client.force_login(make_user(role))
        assert (url in page_of(client, order).content.decode()) == (role == access.PRIVACY), role
    client.force_login(make_user(is_superuser=True))
    assert url not in page_of(client, order).content.decode()


def test_w1_the_column_says_how_long_still_and_the_instant_for_who_points_at_it(support, noon):
    store = make_store()
    make_order(store)
    make_order(store, redaction_due_at=noon + timedelta(days=2))
    make_order(store, redaction_due_at=noon - timedelta(hours=3))
    make_order(store, pii_state="none")
    make_order(store, fulfilled_by="AFN")
    erased = due_order(store=store)
    Order.objects.filter(pk=erased.pk).update(pii_state="redacted", redacted_at=noon)
    html = support.get(LIST).content.decode()
    for told in (
        'title="4 Dec 2026, 12:00 UTC"><span class="oh-number oh-text--plain">14 days left',
        'oh-text--warn">2 days left', 'oh-text--bad">late by 3 h', ">erased</span>",
    ):  # fmt: skip
        assert told in html.replace("oh-number ", "oh-number ")
    assert html.count("<time") == 3


def test_w1_the_filters_of_the_clock_each_find_their_own(support, noon):
    store = make_store()
    orders = {
        "hours": make_order(store, redaction_due_at=noon + timedelta(hours=20)),
        "two": make_order(store, redaction_due_at=noon + timedelta(days=2)),
        "sent": make_order(store, redaction_due_at=noon + timedelta(days=2), status="shipped"),
        "week": make_order(store, redaction_due_at=noon + timedelta(days=7)),
        "far": make_order(store),
        "late": make_order(store, redaction_due_at=noon - timedelta(hours=2), redaction_error="OSError"),
        "none": make_order(store, pii_state="none"),
    }
    erased = due_order(store=store)
    Order.objects.filter(pk=erased.pk).update(pii_state="redacted", redacted_at=noon)
    orders["gone"] = erased
    expected = {
        "in1": {"hours", "late"}, "in3": {"hours", "late", "two", "sent"}, "in7": {"hours", "late", "two", "sent", "week"},
        "soon": {"hours", "late", "two"}, "overdue": {"late"}, "failed": {"late"}, "erased": {"gone"}, "none": {"none"},
    }  # fmt: skip
    for value, names in expected.items():
        rows = support.get(LIST, {"privacy": value}).context["cl"].result_list
        assert {row.pk for row in rows} == {orders[name].pk for name in names}, value


def test_the_clock_costs_the_page_the_same_queries_for_1_and_6_parcels(support, noon, django_assert_max_num_queries):
    from shipments.dispatching import ship
    from tests.shipments.parcels import order_of, part_of

    order, counts = order_of(8), []
    for parcels in (1, 5):
        for number in range(parcels):
            ship(order, part_of(order, 1, f"1Z{parcels}{number:09d}"), now=noon)
        page_of(support, order)
        with django_assert_max_num_queries(42) as seen:
            page_of(support, order)
        counts.append(len(seen))
    assert counts[0] == counts[1]
