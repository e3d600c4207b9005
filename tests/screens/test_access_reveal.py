"""Names behind a mask: a reason first, three records of it, the values once, and nothing kept that repeats them."""

import pytest
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Customer, Order, OrderEvent
from privacy import access, masks, registry
from privacy.markers import AMAZON
from privacy.models import AccessLog, SecurityEvent
from privacy.models.event import EventCode
from tests.factories import PERSON, make_order, make_shipment, make_user

pytestmark = pytest.mark.django_db
VALUES = ("Ada Example", "1 Sample Street", "+1 555 0100", "abc123@marketplace", "78701")
MASKED_ROLES = [access.SUCCESS, access.PRIVACY]


def page_of(order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def reveal(client, order, reason="buyer_contact", **more):
    return client.post(reverse("admin:orders_order_reveal", args=[order.pk]), {"reason": reason}, **more)


def shown(answer) -> list[str]:
    html = answer.content.decode()
    return [value for value in VALUES if value in html]


def reveals() -> list[tuple]:
    return list(
        SecurityEvent.objects.filter(code=EventCode.PERSON_REVEALED).values_list("user", "kind", "ids", "reason")
    )


@pytest.mark.parametrize("role", MASKED_ROLES)
def test_values_are_masked_until_a_reason_is_given_and_then_shown_once(client, noon, role):
    order, user = make_order(), make_user(role)
    client.force_login(user)
    before = client.get(page_of(order))
    html = before.content.decode()
    assert shown(before) == [] and masks.MASK in html and "Austin" in html and "Show with this reason" in html
    assert AccessLog.objects.count() == 0 and reveals() == []

    answer = reveal(client, order)
    assert answer.status_code == 200 and shown(answer) == list(VALUES)
    assert "the buyer called or wrote" in answer.content.decode()
    assert list(AccessLog.objects.values_list("user", "order_id", "what", "why")) == [
        (user.pk, order.pk, "order page", "buyer_contact")
    ]
    assert reveals() == [(user.pk, "order", [order.pk], "buyer_contact")]
    event = OrderEvent.objects.get(kind=OrderEvent.Kind.REVEALED)
    assert (event.order_id, event.actor, event.params["reason"]) == (order.pk, user, "buyer_contact")

    again = client.get(page_of(order))
    assert shown(again) == [] and "the buyer called or wrote" in again.content.decode()  # the timeline tells it
    assert AccessLog.objects.count() == 1


def test_the_timeline_tells_the_reason_once_and_in_words(client, noon):
    order, user = make_order(), make_user(access.PRIVACY, username="paul")
    client.force_login(user)
    reveal(client, order, "authority")
    html = client.get(page_of(order)).content.decode()
    assert "Names and address shown to paul: an authority asks <" in html


@pytest.mark.parametrize("reason", ["", "because", "Ada Example", "BUYER"])
def test_without_a_known_reason_nothing_is_shown_and_nothing_recorded(client, noon, reason):
    order = make_order()
    client.force_login(make_user(access.SUCCESS))
    answer = reveal(client, order, reason, follow=True)
    assert shown(answer) == [] and "Choose a reason first" in answer.content.decode()
    assert AccessLog.objects.count() == 0 and reveals() == []
    assert OrderEvent.objects.filter(kind=OrderEvent.Kind.REVEALED).count() == 0


@pytest.mark.parametrize("given", [{"is_superuser": True}, {}])
@pytest.mark.parametrize("role", [access.SUPPORT, access.WAREHOUSE, access.ADMINISTRATOR, ""])
def test_nobody_else_reveals_not_even_a_superuser(client, noon, role, given):
    order = make_shipment().order  # shipped: the warehouse sees no name any more
    client.force_login(make_user(*filter(None, [role]), **given))
    answer = reveal(client, order)
    assert answer.status_code == 403 and shown(answer) == []
    assert reveals() == [] and AccessLog.objects.count() == 0


def test_a_superuser_in_a_masked_role_gives_a_reason_like_anybody(client, noon):
    order = make_order()
    client.force_login(make_user(access.SUCCESS, is_superuser=True))
    assert shown(client.get(page_of(order))) == []
    assert shown(reveal(client, order)) == list(VALUES) and len(reveals()) == 1


def test_a_get_shows_nothing_and_records_nothing(client, noon):
    order = make_order()
    client.force_login(make_user(access.SUCCESS))
    answer = client.get(reverse("admin:orders_order_reveal", args=[order.pk]) + "?reason=buyer_contact")
    assert (answer.status_code, answer.url) == (302, page_of(order))
    assert reveals() == []


def test_nothing_of_the_person_is_kept_beside_the_answer(client, noon):
    order = make_order()
    client.force_login(make_user(access.SUCCESS))
    answer = reveal(client, order)
    assert answer["Cache-Control"] == "no-store, private"
    kept = [str(session.get_decoded()) for session in Session.objects.all()]
    kept += [str(message) for message in get_messages(answer.wsgi_request)] + [str(dict(answer.headers))]
    kept += [str(row) for row in SecurityEvent.objects.values_list()] + [str(client.cookies)]
    kept += [str(row) for row in OrderEvent.objects.values_list()] + [
        str(row) for row in AccessLog.objects.values_list()
    ]
    assert not [value for value in VALUES for text in kept if value in text]


def test_r70_an_erased_order_has_nothing_to_reveal(client, noon):
    order = make_order()
    Order.objects.filter(pk=order.pk).update(pii_state="redacting")
    client.force_login(make_user(access.PRIVACY))
    assert "Show with this reason" not in client.get(page_of(order)).content.decode()
    answer = reveal(client, order, follow=True)
    assert shown(answer) == [] and f"« {AMAZON} »" in answer.content.decode()
    assert "no name or address of this order to show" in answer.content.decode()
    assert reveals() == []


@pytest.mark.parametrize("role", list(access.ROLES))
def test_a_relay_address_that_outlives_the_erasure_is_for_those_who_see_addresses(client, noon, role):
    order = make_order()
    Order.objects.filter(pk=order.pk).update(pii_state="redacting")
    client.force_login(make_user(role))
    html = client.get(page_of(order)).content.decode()
    assert ("abc123@marketplace" in html) == (role == access.SUPPORT)


def test_an_order_without_a_person_offers_nothing(client, noon):
    order = make_order(person=dict.fromkeys(PERSON, ""))
    client.force_login(make_user(access.SUCCESS))
    html = client.get(page_of(order)).content.decode()
    assert "Show with this reason" not in html and masks.MASK not in html


def test_a_mask_tells_nothing_of_the_value(client, noon):
    user = make_user(access.PRIVACY)
    client.force_login(user)
    short = make_order(person={"street1": "1 A"})
    long = make_order(short.store, person={"street1": "1 " + "A" * 80})
    dots = [client.get(page_of(order)).content.decode().count(masks.MASK) for order in (short, long)]
    assert dots[0] == dots[1] > 4


def customer_with(order) -> Customer:
    found = Customer.objects.create(
        merchant=order.store.merchant, name="Ada Example", email="ada@example.org", match_key="k"
    )
    Order.objects.filter(pk=order.pk).update(customer=found)
    return found


@pytest.mark.parametrize("role", MASKED_ROLES)
def test_a_customer_is_masked_and_revealed_like_an_order(client, noon, role):
    order, user = make_order(), make_user(role)
    customer = customer_with(order)
    client.force_login(user)
    address = reverse("admin:orders_customer_change", args=[customer.pk])
    html = client.get(address).content.decode()
    assert "ada@example.org" not in html and masks.MASK in html
    assert "Ada Example" not in client.get(reverse("admin:orders_customer_changelist")).content.decode()
    door = reverse("admin:orders_customer_reveal", args=[customer.pk])
    assert "ada@example.org" not in client.post(door, {"reason": "?"}, follow=True).content.decode()
    assert reveals() == [] and AccessLog.objects.count() == 0
    html = client.post(door, {"reason": "erasure_request"}).content.decode()
    assert "ada@example.org" in html and "Ada Example" in html
    assert reveals() == [(user.pk, "customer", [customer.pk], "erasure_request")]
    assert AccessLog.objects.get().why == "erasure_request"
    assert OrderEvent.objects.get(kind=OrderEvent.Kind.REVEALED).order_id == order.pk
    assert "ada@example.org" not in client.get(address).content.decode()


@pytest.mark.parametrize("role", [access.SUPPORT, access.WAREHOUSE, access.ADMINISTRATOR])
def test_no_other_role_reveals_a_customer(client, noon, role):
    customer = customer_with(make_order())
    client.force_login(make_user(role))
    answer = client.post(reverse("admin:orders_customer_reveal", args=[customer.pk]), {"reason": "authority"})
    assert answer.status_code == 403 and reveals() == []


def test_the_masked_page_costs_no_more_statements_than_the_plain_one(client, noon):
    order, costs = make_order(), {}
    for role in (access.SUPPORT, access.SUCCESS):
        client.force_login(make_user(role))
        client.get(page_of(order))
        with CaptureQueriesContext(connection) as seen:
            client.get(page_of(order))
        costs[role] = len(seen)
    assert costs[access.SUCCESS] <= costs[access.SUPPORT]


def test_every_personal_column_of_an_order_and_a_customer_has_a_mask():
    tables = {"orders_orderpersonaldata", "orders_customer"}
    wanted = {column for table, column in registry.personal_columns() if table in tables} - {"match_key", "word"}
    known = masks.NAMED | masks.CONTACT | masks.PLACE
    assert wanted - known == set()
    assert not masks.NAMED & masks.CONTACT and not (masks.NAMED | masks.CONTACT) & masks.PLACE


@pytest.mark.parametrize("role", list(access.ROLES))
@pytest.mark.parametrize("order_open", [True, False])
def test_masks_and_rights_say_the_same(role, order_open):
    user = make_user(role)
    view = masks.view_of(user, order_open=order_open)
    assert view.sees_person == access.may_see_person(user, order_open=order_open)
    assert view.is_masked == access.holds(user, "orders.reveal_person")
    assert set(masks.TABLE) == {*access.ROLES, access.API_CLIENT, access.API_CLIENT_WITH_NAMES}


def test_what_is_not_written_down_is_not_seen():
    support, nobody = make_user(access.SUPPORT), make_user(is_superuser=True)
    assert masks.view_of(support, order_open=True).of("a_new_column") == masks.Sight.NONE
    assert masks.view_of(nobody, order_open=True, revealed=True).of("recipient_name") == masks.Sight.NONE
    left = make_user(access.SUPPORT, is_active=False)
    assert masks.view_of(left, order_open=True).of("recipient_name") == masks.Sight.NONE


def test_giving_a_reason_shows_only_what_was_masked():
    packer = masks.view_of(make_user(access.WAREHOUSE), order_open=False, revealed=True)
    assert (packer.of("recipient_name"), packer.of("phone")) == (masks.Sight.NONE, masks.Sight.NONE)
