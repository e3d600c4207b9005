"""What a buyer chose for a line, on the order's page: who sees it, what is logged, how its pictures are served."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub import clock
from orders.customization import content, panel
from orders.models import ItemPersonalData, Order
from privacy import access, erasure, markers
from privacy.models import AccessLog
from tests.factories import make_order, make_shipment, make_user
from tests.orders.wishes import picture

pytestmark = pytest.mark.django_db
State = ItemPersonalData.State
ENGRAVED = "<script>alert('Ada')</script>"
SEE_OPEN = {access.SUPPORT, access.WAREHOUSE}


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    there = settings.STORAGES["customization"]
    options = there["OPTIONS"] | {"location": str(tmp_path)}
    settings.STORAGES = settings.STORAGES | {"customization": there | {"OPTIONS": options}}


def wish(order: Order, line: int = 0, **given) -> ItemPersonalData:
    storage = storages["customization"]
    names = [
        storage.save("a" * 32 + ".png", ContentFile(picture())),
        storage.save("b" * 32 + ".jpg", ContentFile(JPEG)),
    ]
    entries = [
        {"label": "Line 1", "kind": "text", "value": ENGRAVED, "image": ""},
        {"label": "Photo", "kind": "image", "value": "me.png", "image": names[0]},
        {"label": "", "kind": "image", "value": "", "image": names[1]},
        {"label": "Lost", "kind": "image", "value": "lost.svg", "image": ""},
    ]
    fields = {"customization": content.written(entries), "images": names, "state": State.FETCHED} | given
    return ItemPersonalData.objects.create(item=order.items.all()[line], **fields)


JPEG = picture(form="JPEG")


def page(client, order) -> str:
    answer = client.get(reverse("admin:orders_order_change", args=[order.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def address(row: ItemPersonalData, number: int) -> str:
    return reverse("admin:orders_order_customization", args=[row.item.order_id, row.pk, number])


@pytest.mark.parametrize("role", list(access.ROLES))
@pytest.mark.parametrize("shipped", [False, True])
def test_each_role_sees_exactly_the_wishes_it_may(client, noon, role, shipped):
    order = make_shipment().order if shipped else make_order()
    row = wish(order)
    client.force_login(make_user(role))
    html = page(client, order)
    allowed = role in ({access.SUPPORT} if shipped else SEE_OPEN)
    assert ("alert(&#x27;Ada&#x27;)" in html, address(row, 1) in html, "me.png" in html) == (allowed,) * 3
    assert ("Your role does not include what the buyer chose" in html) != allowed
    assert ENGRAVED not in html
    served = client.get(address(row, 1))
    assert served.status_code == (200 if allowed else 403)
    logged = list(AccessLog.objects.order_by("pk").values_list("what", flat=True))
    assert logged == (["order page", "customisation picture"] if allowed else [])


def test_a_superuser_without_a_role_sees_no_wish(client, noon):
    row = wish(make_order())
    client.force_login(make_user(is_superuser=True))
    assert "alert(&#x27;Ada" not in page(client, row.item.order)
    assert client.get(address(row, 1)).status_code == 403


def test_a_wish_is_logged_where_no_name_is(client, noon):
    order = make_order()
    order.person.delete()
    wish(order)
    client.force_login(make_user(access.SUPPORT))
    page(client, Order.objects.get(pk=order.pk))
    assert list(AccessLog.objects.values_list("order_id", "what")) == [(order.pk, "order page")]


def test_pictures_are_served_as_pictures_and_kept_by_nobody(client, noon):
    row = wish(make_order())
    client.force_login(make_user(access.SUPPORT))
    for number, content_type in ((1, "image/png"), (2, "image/jpeg")):
        answer = client.get(address(row, number))
        assert answer.headers["Content-Type"] == content_type
        assert answer.headers["Cache-Control"] == "no-store, private"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("inline; filename=")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.content == JPEG


def test_what_is_no_picture_of_this_order_is_not_found(client, noon):
    row, other = wish(make_order()), make_order(Order.objects.first().store)
    client.force_login(make_user(access.SUPPORT))
    for number in (0, 3, 4, 99):
        assert client.get(address(row, number)).status_code == 404
    foreign = reverse("admin:orders_order_customization", args=[other.pk, row.pk, 1])
    assert client.get(foreign).status_code == 404
    storages["customization"].delete(row.images[0])
    assert client.get(address(row, 1)).status_code == 404
    assert client.post(address(row, 2)).status_code == 405
    assert not AccessLog.objects.exists()


def test_a_name_that_the_row_does_not_own_is_never_read(client, noon):
    row = wish(make_order())
    ItemPersonalData.objects.filter(pk=row.pk).update(images=[])
    client.force_login(make_user(access.SUPPORT))
    assert client.get(address(row, 1)).status_code == 404


@pytest.mark.parametrize("half", [True, False])
def test_an_erased_wish_shows_the_marker_and_serves_nothing(client, noon, half):
    order = make_order(redaction_due_at=clock.now())
    row = wish(order)
    if half:
        Order.objects.filter(pk=order.pk).update(pii_state=Order.PiiState.REDACTING)
    else:
        erasure.redact_due(now=clock.now())
    client.force_login(make_user(access.SUPPORT))
    html = page(client, order)
    assert "Ada" not in html and f"« {markers.AMAZON} »" in html.partition('id="timeline-title"')[0]
    assert client.get(address(row, 1)).status_code == 404
    assert not AccessLog.objects.exists()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"state": State.WAITING, "customized_url": "https://x"}, "is being fetched from Amazon"),
        ({"state": State.WAITING, "error_code": "HTTP404", "next_attempt_at": clock.now()}, "It is tried again at"),
        ({"state": State.REFUSED, "error_code": "Nested"}, "breaks a safety rule (Nested)"),
        ({"state": State.FAILED, "error_code": "HTTP404"}, "could not be fetched in three days (HTTP404)"),
        ({"state": State.FETCHED}, "says nothing that OrderHub can read"),
    ],
)
def test_a_line_without_its_wish_says_why(client, noon, given, sentence):
    wish(make_order(), **{"customization": "", "images": []} | given)
    client.force_login(make_user(access.PRIVACY))
    html = page(client, Order.objects.get())
    assert sentence in html and "https://x" not in html


def test_a_line_without_a_row_shows_no_panel(client, noon):
    client.force_login(make_user(access.SUPPORT))
    assert "oh-wish" not in page(client, make_order())


def test_the_panel_costs_one_statement_whatever_the_lines(client, noon):
    user = make_user(access.SUPPORT)

    def cost(lines: int) -> int:
        order = make_order(Order.objects.first().store if Order.objects.exists() else None, lines=lines)
        for line in range(lines):
            wish(order, line)
        order, items = Order.objects.select_related("person").get(pk=order.pk), list(order.items.all())
        access.may_see_person(user, order_open=True)
        with CaptureQueriesContext(connection) as seen:
            panel.attach(user, order, items)
        assert all(item.wish.entries for item in items)
        return len(seen)

    assert cost(1) == cost(4) == 1  # the rows; the user's roles were read before


def test_a_slip_gets_texts_and_pictures(noon):
    row = wish(make_order())
    entries = panel.for_slip(row.item.order)[row.pk]
    assert [(entry.label, entry.value) for entry in entries][:2] == [("Line 1", ENGRAVED), ("Photo", "me.png")]
    assert (entries[0].picture(), entries[1].picture(), entries[2].picture()) == (None, picture(), JPEG)
    assert ENGRAVED not in repr(entries)
