"""Rows written many at once are the rows that were to be written, on either database, or none of them is there."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from orderhub import bulk
from orders.models import Order, OrderEvent, OrderItem, OrderPersonalData, Tag
from tests.factories import make_store

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 11, 58, 3, 250_000, tzinfo=UTC)
HOSTILE = 'tab\tline\nback\\slash \\N null "quote" ,;\' é 霧 \U0001f98a'


def order(store, number: str, **given) -> Order:
    defaults = {
        "status": "awaiting_shipment", "fulfilled_by": "MFN", "ordered_at": AT, "redaction_due_at": AT, "currency": "EUR",
    }  # fmt: skip
    return Order(store=store, order_number=number, **(defaults | given))


def test_every_kind_of_value_comes_back_as_it_was_given():
    store = make_store()
    given = order(
        store, "1", programs=["PRIME", HOSTILE], wishes={"carrier": HOSTILE, "grams": 5}, order_total=Decimal("1234.5600"),
        is_gift=True, hold_reason=HOSTILE, ship_by=AT, weight_g=None, item_total=None,
    )  # fmt: skip
    bulk.insert([given], with_ids=True)
    found = Order.objects.get()
    assert found.pk == given.pk
    names = [field.attname for field in Order._meta.concrete_fields]
    assert {name: getattr(found, name) for name in names} == {name: getattr(given, name) for name in names}


def test_rows_made_before_their_order_had_an_id_point_to_it():
    store = make_store()
    orders = [order(store, str(number)) for number in range(3)]
    persons = [OrderPersonalData(order=found, buyer_name=HOSTILE) for found in orders]
    items = [OrderItem(order=found, amazon_item_id="1", quantity=2, promotions=["A"]) for found in orders]
    bulk.insert(orders, with_ids=True)
    for rows in (persons, items, [OrderEvent(order=found, kind="imported", params={"n": 1}) for found in orders]):
        bulk.insert(rows)
    held = Order.objects.filter(items__quantity=2).select_related("person")
    assert {(found.order_number, found.person.buyer_name) for found in held} == {(number, HOSTILE) for number in "012"}
    assert set(OrderEvent.objects.values_list("order__order_number", flat=True)) == {"0", "1", "2"}


def test_a_row_written_this_way_can_be_saved_and_others_follow_it():
    tags = [Tag(name="one"), Tag(name="two")]
    bulk.insert(tags, with_ids=True)
    tags[0].level = "ok"
    tags[0].save()
    assert Tag.objects.create(name="three").pk not in {tag.pk for tag in tags}
    assert sorted(Tag.objects.values_list("name", "level")) == [("one", "ok"), ("three", "muted"), ("two", "muted")]


@pytest.mark.parametrize(
    "wrong",
    [{"status": "no_such_status"}, {"order_number": "x" * 61}, {"order_number": "nul\x00"}, {"order_number": "0"}],
    ids=["check", "too long", "NUL", "twice"],
)
def test_what_the_database_refuses_leaves_no_row(wrong):
    store = make_store()
    rows = [order(store, "0"), order(store, "1")]
    for name, value in wrong.items():
        setattr(rows[1], name, value)
    if connection.vendor != "postgresql" and wrong["order_number" if "order_number" in wrong else "status"][0] in "xn":
        pytest.skip("SQLite measures no text and takes NUL; unknown words it refuses by the same CHECK as below")
    with pytest.raises((DatabaseError, ValueError)), transaction.atomic():
        bulk.insert(rows, with_ids=True)
    assert not Order.objects.exists()


def test_the_statements_do_not_depend_on_the_rows():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite splits statements at 999 parameters")
    store, counts = make_store(), []
    for many in (1, 50):
        with CaptureQueriesContext(connection) as seen:
            bulk.insert([order(store, f"{many}-{number}") for number in range(many)], with_ids=True)
        counts.append(len(seen))
    assert counts == [2, 2]


def test_nothing_is_nothing():
    with CaptureQueriesContext(connection) as seen:
        bulk.insert([])
    assert len(seen) == 0
