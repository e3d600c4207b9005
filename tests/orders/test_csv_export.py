"""Orders as a file (P23, B06): no formula, nothing of a person, constant memory, and the way back."""

import csv
import io
import json
import logging
import random

import pytest
from django.utils import translation

from orderhub import clock
from orderhub.errors import RuleViolation
from orderhub.logs import EventFormatter
from orders.csvfile import importing, writing
from orders.csvfile.guarding import guarded, unguarded
from orders.models import Order, OrderItem, OrderPersonalData, Tag
from tests.factories import PERSON, make_order, make_shipment, make_store, make_user
from tests.orders.entries import LINE, an_entry, enter, make_manual_store

FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", " =1+1", "   @x", "\u00a0=1", "\u200b=1", "\ufeff=1",
    "＝1+1", "＋1", "－1", "＠x", "﹦1", "\u2212 1", '"=1', "'=1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x.example","x")',
    "a,=1+1", "a;=1+1", "a\t=1", "a\n=1", 'x";=1+1', 'a,"=1', "a, +1", "=DDE(\"cmd\";\"/C calc\";\"x\")", "-2+3+cmd|' /C x'!A0",
    "%0A=1;@x", "a\r\n@x",
]  # fmt: skip
STARTS = tuple("=+-@\t\r\n\0＝＋－＠﹦﹢﹣﹫\u2212")


def read(pieces, delimiter: str = ",") -> list[dict]:
    text = "".join(pieces)
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), delimiter=delimiter))


def export(rows=None, user=None) -> list[str]:
    return list(writing.export(Order.objects.all() if rows is None else rows, user=user or make_user("Support")))


def is_harmless(cell: str) -> bool:
    """What a spreadsheet would not run: not even after what it may skip."""
    return not cell.lstrip(' \u00a0\u200b\ufeff"').startswith(STARTS)


@pytest.mark.django_db
def test_b06_34_formulas_in_every_text_of_an_order_are_texts(noon):
    for number, text in enumerate(FORMULAS):
        kept = text.replace("\0", "")  # which PostgreSQL never holds
        order = make_order(
            make_manual_store(name=kept[:100]), order_number=f"{kept[:40]}#{number}", custom_field_1=kept, custom_field_2=kept,
            custom_field_3=kept, payment_method=kept, requested_service=kept[:60], service_level=kept[:40],
            person={"city": kept, "state": kept, "country": kept[:60], "postal_code": kept},
        )  # fmt: skip
        OrderItem.objects.filter(order=order).update(sku=kept, title=kept, warehouse_location=kept, asin=kept[:20])
        order.tags.add(Tag.objects.create(name=kept[:38] + str(number)))
    raw = "".join(export())
    for delimiter in (",", ";", "\t"):  # also the wrong ones: whoever opens the file does not choose
        for cells in csv.reader(io.StringIO(raw[1:], newline=""), delimiter=delimiter):
            assert [cell for cell in cells if not is_harmless(cell)] == []
    rows = read([raw])
    texts = {"Store", "Payment method", "Custom field 1", "City", "SKU", "Title", "Tags", "Postcode"}
    assert len(rows) == len(FORMULAS) and all(
        row[name].startswith(("'", "a", "x", "%")) for row in rows for name in texts
    )


@pytest.mark.parametrize("text", FORMULAS)
def test_b06_a_guarded_text_comes_back_as_it_was(text):
    assert guarded(text) != text or "=" not in text[:2]
    assert is_harmless(guarded(text))
    assert unguarded(guarded(text)) == text


def test_b06_whatever_the_text_guarding_loses_nothing():
    chosen = random.Random(6)
    for _each in range(20_000):
        text = "".join(chosen.choice("='+-@\t\r\n ;,a\"\u200b＝1") for _sign in range(chosen.randrange(10)))
        assert unguarded(guarded(text)) == text
        assert is_harmless(guarded(text))


@pytest.mark.django_db
def test_our_own_numbers_and_instants_stay_numbers(noon):
    enter(None, an_entry(lines=[LINE | {"quantity": 3}]))
    Order.objects.update(item_total="-19.9")
    raw = "".join(export())
    (row,) = read([raw])
    assert (row["Items total"], row["Unit price"], row["Quantity"]) == ("-19.90", "9.95", "3")
    assert row["Ordered at"] == "2026-11-20T12:00:00Z"
    assert raw.count('"') == raw.count(",") * 2 + 2 * 2  # every cell is quoted, the empty ones too


@pytest.mark.django_db
def test_a_french_reader_gets_semicolons_and_commas(noon):
    enter()
    with translation.override("fr"):
        (row,) = read(export(), delimiter=";")
    assert (row["Prix unitaire"], row["N° de commande"], row["Statut"]) == ("9,95", "A-1", "À expédier")


@pytest.mark.django_db
@pytest.mark.parametrize("postcode", ["keep", "full"])
def test_nothing_of_a_person_leaves_but_what_stays_after_an_erasure(noon, settings, postcode):
    settings.REDACT_POSTCODE = postcode
    order = make_order(person={"purchase_order_number": "PO-77", "gift_message": "To Bob", "custom_field_1": "PO-77"})
    OrderItem.objects.update(options=[{"name": "Engraving", "value": "For Ada"}])
    make_shipment(order)
    raw = "".join(export())
    gone = ["buyer_name", "buyer_email", "recipient_name", "street1", "phone"]
    assert not [PERSON[name] for name in gone if PERSON[name] in raw]
    assert not [text for text in ("PO-77", "Bob", "Ada", "Engraving") if text in raw]
    assert ("78701" in raw, "Postcode" in raw) == (postcode == "keep",) * 2
    assert "Austin" in raw and "1Z999AA10123456784" in raw


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_orders(noon, django_assert_max_num_queries, monkeypatch):
    monkeypatch.setattr(writing, "AT_ONCE", 20)
    store, counts = make_store(), []
    for _each in range(15):
        make_order(store, lines=2)
    user = make_user("Support")
    for more in (0, 4):
        for _each in range(more):
            make_order(store, lines=3)
        with django_assert_max_num_queries(8) as seen:
            rows = read(export(user=user))
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert len(rows) == 15 * 2 + 4 * 3


@pytest.mark.django_db
def test_pages_of_an_export_neither_double_nor_lose_an_order(noon, monkeypatch):
    monkeypatch.setattr(writing, "AT_ONCE", 3)
    store = make_store()
    orders = [make_order(store) for _each in range(9)]
    numbers = [row["Order number"] for row in read(export())]
    assert numbers == [order.order_number for order in reversed(orders)]


@pytest.mark.django_db
def test_more_than_20000_orders_are_refused_before_anything_is_sent(noon, monkeypatch):
    monkeypatch.setattr(writing, "MOST_ORDERS", 2)
    store = make_store()
    for _each in range(3):
        make_order(store)
    with pytest.raises(RuleViolation, match="more than 2 orders"):
        writing.export(Order.objects.all(), user=make_user("Support"))


@pytest.mark.django_db
def test_l34_an_export_is_logged_with_its_count_and_who_asked(noon, caplog):
    caplog.set_level(logging.INFO, "orderhub.orders")
    make_order()
    user = make_user("Support")
    export(user=user)
    (record,) = [found for found in caplog.records if found.msg == "orders_exported"]
    line = json.loads(EventFormatter().format(record))
    assert (line["event"], line["count"], line["user"]) == ("orders_exported", 1, user.pk)
    assert not any(value in json.dumps(line) for value in PERSON.values() if len(value) > 3)


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "fr"])
def test_p23_what_is_exported_can_be_imported_into_another_store(noon, language):
    Tag.objects.create(name="=Fair")
    tag = Tag.objects.get()
    first = make_manual_store(name="First")
    extras = {
        "custom_field_1": "=secret",
        "service_level": "EXPEDITED",
        "payment_method": "@cash",
        "tags": {tag.pk: tag.name},
    }
    lines = [LINE | {"title": "- Mug; =1", "options": []}, LINE | {"sku": "+SPOON", "unit_price": None, "options": []}]
    enter(first, an_entry("=A,1", lines=lines, **extras), an_entry("B", status="cancelled"))
    with translation.override(language):
        content = "".join(export()).encode()
        second = make_manual_store(name="Second")
        importing.commit(content, second, by=make_user("Support"), now=clock.now())
    assert _told(second) == _told(first)
    assert OrderPersonalData.objects.filter(order__store=second).exclude(recipient_name="").count() == 0


def _told(store) -> list:
    columns = (
        "order_number", "status", "ordered_at", "service_level", "payment_method", "currency", "item_total",
        "shipping_total", "tax_total", "discount_total", "order_total", "weight_g", "custom_field_1",
        "person__city", "person__postal_code", "person__country", "tags__name",
    )  # fmt: skip
    line = (
        "order__order_number",
        "sku",
        "title",
        "quantity",
        "unit_price",
        "tax",
        "discount",
        "weight_g",
        "warehouse_location",
    )
    rows = OrderItem.objects.filter(order__store=store).order_by("order__order_number", "pk")
    return [*store.orders.order_by("order_number").values_list(*columns), *rows.values_list(*line)]
