"""Packing slips: what is on them, who may print them, and that none outlives the erasure."""

import io
import json

import pypdf
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.urls import reverse
from PIL import Image

from orders.models import ItemPersonalData, Order, OrderItem, OrderPersonalData
from privacy import access
from privacy.models import AccessLog
from stores.models import Store
from tests.factories import make_account, make_order, make_shipment, make_store, make_user, rewrite

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(noon):
    return make_store(brand_name="Example & Co", brand_site="https://shop.example")


def slip(client, order: Order):
    return client.get(reverse("admin:shipments_slip", args=[order.pk]))


def text_of(answer) -> str:
    assert answer.status_code == 200
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)


def test_brand_number_date_address_and_lines_are_on_it_and_no_price(client, store):
    order = make_order(store, lines=2)
    OrderItem.objects.filter(order=order).update(options=[{"name": "Colour", "value": "red"}], quantity=3)
    client.force_login(make_user(access.SUPPORT))
    text = text_of(slip(client, order))
    for words in ("Example & Co", "https://shop.example", order.order_number, "20 Nov 2026", "Ada Example",
                  "1 Sample Street", "AUSTIN, TX 78701", "Sample product 1", "Sample product 2", "3 ×", "Colour: red"):  # fmt: skip
        assert words in text
    assert not [words for words in ("9.95", "19.90", "USD", "+1 555", "marketplace.amazon") if words in text]


def test_it_is_logged_and_kept_nowhere(client, store):
    order, user = make_order(store), make_user(access.SUPPORT)
    client.force_login(user)
    answer = slip(client, order)
    assert answer["Cache-Control"] == "no-store, private" and answer["X-Content-Type-Options"] == "nosniff"
    assert list(AccessLog.objects.values_list("user", "order_id", "what")) == [(user.pk, order.pk, "packing slip")]
    assert (
        "Ada" not in str(answer.headers)
        and pypdf.PdfReader(io.BytesIO(answer.content)).metadata.title == order.order_number
    )


@pytest.mark.parametrize("role", list(access.ROLES))
@pytest.mark.parametrize("shipped", [False, True])
def test_who_may_print(client, noon, role, shipped):
    order = make_shipment().order if shipped else make_order()
    client.force_login(make_user(role))
    allowed = role == access.SUPPORT or (role == access.WAREHOUSE and not shipped)
    assert slip(client, order).status_code == (200 if allowed else 403)
    assert AccessLog.objects.exists() is allowed
    html = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert (reverse("admin:shipments_slip", args=[order.pk]) in html) is allowed


@pytest.mark.parametrize("state", ["redacting", "redacted", "due"])
def test_a_masked_or_due_order_is_refused_with_a_sentence(client, store, noon, state):
    order = make_order(store, redaction_due_at=noon) if state == "due" else make_order(
        store, pii_state=state, redacted_at=noon if state == "redacted" else None
    )  # fmt: skip
    client.force_login(make_user(access.SUPPORT))
    answer = slip(client, order)
    assert answer.url == reverse("admin:orders_order_change", args=[order.pk])
    html = client.get(answer.url).content.decode()
    assert "there is no packing slip any more" in html
    assert reverse("admin:shipments_slip", args=[order.pk]) not in html
    assert not AccessLog.objects.filter(what="packing slip").exists()


def test_amazons_own_orders_have_none(client, store):
    order = make_order(store, fulfilled_by="AFN")
    client.force_login(make_user(access.SUPPORT))
    assert slip(client, order).status_code == 302


@pytest.mark.parametrize("is_gift", [True, False])
def test_a_gift_message_is_on_it_only_if_it_is_a_gift(client, store, is_gift):
    order = make_order(store, is_gift=is_gift, person={"gift_message": "Happy birthday!\nYour Ben"})
    client.force_login(make_user(access.SUPPORT))
    text = text_of(slip(client, order))
    assert ("Happy birthday!" in text and "Your Ben" in text) is is_gift


def test_the_roman_twin_of_an_address_is_printed_where_there_is_one(client, store):
    order = make_order(store, person={"recipient_name": "山田太郎", "country": "JP"})
    client.force_login(make_user(access.SUPPORT))
    assert "山田太郎" in text_of(slip(client, order))
    rewrite(OrderPersonalData.objects.filter(pk=order.pk), romanised_name="Yamada Taro")
    text = text_of(slip(client, order))
    assert "Yamada Taro" in text and "山田太郎" not in text


def test_what_the_buyer_wished_for_is_on_it_with_pictures(client, store):
    order = make_order(store)
    drawn = io.BytesIO()
    Image.new("RGB", (600, 900), "blue").save(drawn, "PNG")
    name = storages["customization"].save("slip-test.png", ContentFile(drawn.getvalue()))
    entries = [
        {"label": "Engraving", "kind": "text", "value": "For Ben", "image": ""},
        {"label": "Picture", "kind": "image", "value": "", "image": name},
        {"label": "Lost", "kind": "image", "value": "", "image": "gone.png"},
    ]
    ItemPersonalData.objects.create(
        item=order.items.get(), state="fetched", customization=json.dumps(entries), images=[name]
    )
    client.force_login(make_user(access.SUPPORT))
    answer = slip(client, order)
    assert "Engraving: For Ben" in text_of(answer)
    assert sum(len(page.images) for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages) == 1
    storages["customization"].delete(name)


def test_the_slip_speaks_the_marketplaces_language(client, noon):
    from stores.simulator import scenarios

    order = make_order(make_store("FR", account=make_account(scenarios.EU)))
    client.force_login(make_user(access.SUPPORT))
    assert "20 nov. 2026" in text_of(slip(client, order))


def test_many_lines_go_on_overleaf_and_long_texts_do_no_harm(client, store):
    order = make_order(store, lines=60, is_gift=True, person={"gift_message": "W" * 9000, "recipient_name": "X" * 500})
    OrderItem.objects.filter(order=order).update(
        title="漢字 " + "endless" * 60, options=[{"name": "n" * 300, "value": "\x07\u202ev"}]
    )
    Store.objects.update(brand_name="B" * 120)
    client.force_login(make_user(access.SUPPORT))
    answer = slip(client, order)
    assert len(pypdf.PdfReader(io.BytesIO(answer.content)).pages) > 5
    assert text_of(answer).count("漢字") == 60


def test_only_get(client, store):
    client.force_login(make_user(access.SUPPORT))
    assert client.post(reverse("admin:shipments_slip", args=[make_order(store).pk])).status_code == 405
