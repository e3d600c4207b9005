"""F38: the pick list groups by product and walks along the shelves; what must not be packed is said, not listed."""

import io

import pypdf
import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from orders.models import ItemPersonalData, Order, OrderItem, Product
from orders.models.product import photo_storage
from privacy import access
from shipments.picking import MOST, natural, pick_list
from tests.factories import make_order, make_shipment, make_store, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(noon):
    return make_store()


def an_order(store, *lines: dict, **given) -> Order:
    order = make_order(store, lines=len(lines) or 1, **given)
    for item, line in zip(order.items.order_by("pk"), lines, strict=False):
        OrderItem.objects.filter(pk=item.pk).update(**line)
    return order


def picked(*orders: Order) -> list[tuple]:
    found = pick_list([order.pk for order in orders])
    return [(pick.location, pick.sku, pick.quantity, [need.quantity for need in pick.needs]) for pick in found.picks]


def test_units_of_one_product_are_one_row_with_each_orders_share(store):
    first = an_order(store, {"sku": "A", "quantity": 2, "warehouse_location": "B1"})
    second = an_order(store, {"sku": "A", "quantity": 3, "warehouse_location": "B1"})
    assert picked(first, second) == [("B1", "A", 5, [2, 3])]
    assert {need.number for need in pick_list([first.pk, second.pk]).picks[0].needs} == {
        first.order_number, second.order_number,
    }  # fmt: skip


def test_shelves_in_natural_order_and_the_unknown_last(store):
    places = ["A10", "", "a2", "A2-10", "A2-9", "B1"]
    order = an_order(store, *({"sku": f"S{n}", "warehouse_location": place} for n, place in enumerate(places)))
    assert [row[0] for row in picked(order)] == ["a2", "A2-9", "A2-10", "A10", "B1", ""]
    assert natural("A2") < natural("A10")


def test_the_lines_own_location_wins_over_the_products(store):
    product = Product.objects.create(store=store, key="A", sku="A", title="Named by us", warehouse_location="C3")
    order = an_order(
        store, {"sku": "A", "product": product}, {"sku": "A", "product": product, "warehouse_location": "D4"}
    )
    assert [row[0] for row in picked(order)] == ["C3", "D4"]
    assert pick_list([order.pk]).picks[0].title == "Named by us"


def test_other_options_are_another_row_and_two_stores_share_no_sku(store):
    other = make_store("CA", account=store.account)
    order = an_order(store, {"sku": "A", "options": [{"name": "Colour", "value": "red"}]}, {"sku": "A"})
    found = pick_list([order.pk, an_order(other, {"sku": "A"}).pk])
    assert len(found.picks) == 3 and found.many_stores
    assert {pick.store for pick in found.picks} == {store.name, other.name}
    assert not pick_list([order.pk]).many_stores
    assert ("Colour: red",) in [pick.options for pick in pick_list([order.pk]).picks]


def test_what_left_already_and_what_is_not_physical_is_not_fetched(store):
    order = an_order(store, {"sku": "A", "quantity": 3, "quantity_shipped": 1}, {"sku": "B", "is_physical": False})
    assert picked(order) == [("", "A", 2, [2])]


def test_what_must_not_be_packed_is_left_out_with_its_sentence(store):
    held, cancelled = make_order(store, status="on_hold"), make_order(store, status="cancelled")
    afn, sent = make_order(store, fulfilled_by="AFN"), make_shipment(make_order(store)).order
    asked = make_order(store, cancel_requested_at=held.ordered_at)
    empty = an_order(store, {"quantity": 1, "quantity_shipped": 1})
    good = make_order(store)
    found = pick_list([order.pk for order in (held, cancelled, afn, sent, asked, empty, good)])
    assert [order.pk for order in found.orders] == [good.pk]
    assert len(found.left_out) == 6
    for order, words in (
        (held, "on hold"),
        (cancelled, "cancelled"),
        (afn, "Amazon ships it"),
        (empty, "Nothing is left"),
    ):
        assert [text for text in found.left_out if order.order_number in text and words in text]


def test_customised_lines_are_flagged(store):
    order = make_order(store, lines=2)
    ItemPersonalData.objects.create(item=order.items.order_by("pk")[0], customization="[]")
    assert [pick.customised for pick in pick_list([order.pk]).picks] == [True, False]


def test_two_queries_whatever_the_number(store):
    orders = [make_order(store, lines=3) for _n in range(12)]
    for some in (orders[:1], orders):
        with CaptureQueriesContext(connection) as seen:
            pick_list([order.pk for order in some])
        assert len(seen) == 2


# -- the doors


def page(orders, name="admin:shipments_pick") -> str:
    return f"{reverse(name)}?ids={','.join(str(order.pk) for order in orders)}"


def text_of(answer) -> str:
    return "\n".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(answer.content)).pages)


def test_the_action_of_the_list_leads_to_the_page_and_the_page_to_the_pdf(client, store):
    orders = [make_order(store), make_order(store, status="on_hold")]
    client.force_login(make_user(access.WAREHOUSE))
    sent = {"action": "pick", "_selected_action": [order.pk for order in orders], "index": 0}
    answer = client.post(reverse("admin:orders_order_changelist"), sent)
    assert answer.url.startswith(reverse("admin:shipments_pick"))
    html = client.get(answer.url).content.decode()
    assert "SKU-1" in html and orders[0].order_number in html and "is not on the list" in html
    pdf = client.get(page(orders, "admin:shipments_pick_pdf"))
    assert pdf["Content-Type"] == "application/pdf" and pdf["Cache-Control"] == "no-store, private"
    assert "SKU-1" in text_of(pdf) and orders[0].order_number in text_of(pdf)
    assert orders[1].order_number not in text_of(pdf)


def test_no_person_is_on_the_pick_list(client, store):
    order = make_order(store)
    client.force_login(make_user(access.SUPPORT))
    seen = client.get(page([order])).content.decode() + text_of(client.get(page([order], "admin:shipments_pick_pdf")))
    assert not [text for text in ("Ada Example", "1 Sample Street", "Austin", "marketplace.amazon") if text in seen]


def test_too_many_and_nothing(client, store):
    client.force_login(make_user(access.SUPPORT))
    answer = client.get(f"{reverse('admin:shipments_pick')}?ids={','.join(map(str, range(1, MOST + 2)))}", follow=True)
    assert f"at most {MOST} orders" in answer.content.decode()
    assert "There is nothing to fetch" in client.get(f"{reverse('admin:shipments_pick')}?ids=x,9999").content.decode()


@pytest.mark.parametrize("name", ["admin:shipments_pick", "admin:shipments_pick_pdf"])
def test_only_those_who_see_orders_and_only_by_get(client, store, name):
    order = make_order(store)
    client.force_login(make_user())
    assert client.get(page([order], name)).status_code == 403
    client.force_login(make_user(access.WAREHOUSE))
    assert client.post(page([order], name)).status_code == 405


def test_the_pdf_holds_photos_many_pages_and_texts_meant_to_do_harm(client, store):
    drawn = io.BytesIO()
    Image.new("RGB", (320, 200), "red").save(drawn, "PNG")
    name = photo_storage().save("ab/photo.png", ContentFile(drawn.getvalue()))
    gone = Product.objects.create(store=store, key="gone", photo="ab/gone.png")
    broken = Product.objects.create(
        store=store, key="broken", photo=photo_storage().save("ab/x.png", ContentFile(b"no"))
    )
    product = Product.objects.create(store=store, key="photo", photo=name)
    lines = [{"sku": f"SKU {n} " + "W" * 90, "title": "漢字 é " + "long " * 90} for n in range(40)]
    order = an_order(store, {"product": product}, {"product": gone}, {"product": broken}, *lines)
    many = [an_order(store, {"sku": "MANY"}) for _n in range(95)]
    client.force_login(make_user(access.WAREHOUSE))
    answer = client.get(page([order, *many], "admin:shipments_pick_pdf"))
    reader = pypdf.PdfReader(io.BytesIO(answer.content))
    assert len(reader.pages) > 3
    assert sum(len(sheet.images) for sheet in reader.pages) == 1
    text = text_of(answer)
    assert not [other for other in many if other.order_number not in text]
    assert "漢字" in text
    photo_storage().delete(name)
    photo_storage().delete("ab/x.png")
