"""Orders from a file (P23, B07): what is read, what is refused with which sentence, and that nothing is half saved."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import typed
from orders.csvfile import columns, importing, reading
from orders.models import Order, OrderEvent, OrderItem, OrderPersonalData, Tag
from tests.end_to_end.killing import died_at
from tests.factories import make_user
from tests.orders.entries import an_entry, enter, make_manual_store

HEAD = "Order number,Quantity,Currency,SKU,Unit price,Ordered at,Recipient,City,Country\n"
ROW = "A-1,2,EUR,MUG-1,9.95,2026-11-19 10:00,Zoé Martin,Lyon,FR\n"


def table(text: str | bytes) -> reading.Table:
    return reading.table(text if isinstance(text, bytes) else text.encode())


def look(text: str | bytes, store=None) -> importing.Preview:
    content = text if isinstance(text, bytes) else text.encode()
    return importing.preview(content, store or make_manual_store(), now=clock.now())


def take(text: str, store, by=None) -> list[Order]:
    return importing.commit(text.encode(), store, by=by, now=clock.now())[0]


def told(found: importing.Preview) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.column, problem.text) for problem in found.problems]


# -- the file as such


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ((HEAD + ROW).encode(), "UTF-8"),
        (b"\xef\xbb\xbf" + (HEAD + ROW).encode(), "UTF-8"),
        ((HEAD + ROW).encode("cp1252"), "Windows-1252"),
    ],
)
def test_the_encoding_is_recognised_and_said(content, encoding):
    found = table(content)
    assert found.encoding == encoding
    assert found.rows[0][1][6] == "Zoé Martin"
    assert found.columns[0].name == "order_number"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_separator_is_recognised(delimiter):
    found = table(HEAD.replace(",", delimiter) + ROW.replace(",", delimiter))
    assert (found.delimiter, len(found.rows[0][1])) == (delimiter, 9)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_b07_every_kind_of_line_end_is_one(ending):
    assert len(table((HEAD + ROW + "\n" + ROW).replace("\n", ending)).rows) == 2


def test_headers_are_known_in_both_languages_whatever_case_and_accents():
    found = table("N° DE COMMANDE;quantite;Devise;Code Postal;Numéros de suivi;Météo\nA;1;EUR;1;2;3\n")
    assert [column.name for column in found.columns.values()] == [
        "order_number", "quantity", "currency", "postal_code", "tracking",
    ]  # fmt: skip
    assert found.passed_over == ["Tracking numbers", "Météo"]


def test_no_header_means_two_columns():
    assert len(columns.by_header()) >= len(columns.ALL) * 2


HOSTILE = {
    "nothing": (b"", "empty"),
    "spaces": (b" \r\n ", "empty"),
    "nul": (HEAD.encode() + b"A\0,1,EUR,X,1,,,,\n", "no text file"),
    "utf-16": (HEAD.encode("utf-16"), "no text file"),
    "zip": (b"PK\x03\x04" + b"\0" * 30, "no text file"),
    "neither encoding": (HEAD.encode() + b"A\x81\x9d,1,EUR,X,1,,,,\n", "neither UTF-8 nor Windows-1252"),
    "too large": (HEAD.encode() + b"x" * (2 * 1024 * 1024), "larger than 2 MB"),
    "unclosed quote": ((HEAD + '"A-1,2,EUR\n' + ROW).encode(), "Row 2 cannot be read"),
    "quote inside a word": ((HEAD + ROW + '"A"b,1,EUR,X,1,,,,\n').encode(), "Row 3 cannot be read"),
    "a cell of a megabyte": ((HEAD + f'"{"x" * 1_000_000}",1,EUR,X,1,,,,\n').encode(), "Row 2 cannot be read"),
    "a million columns": (HEAD.encode().strip() + b"," * 1_000_000 + b"\n", "more than 200 columns"),
    "2,001 rows": ((HEAD + ROW * 2001).encode(), "more than 2000 rows"),
    "only a header": (HEAD.encode(), "no rows"),
    "no header": (ROW.encode() * 2, "must name the columns"),
    "a column is missing": (b"Order number,Quantity\nA,1\n", "missing: Currency"),
    "two headers mean one thing": (
        b"Order number,Quantity,Currency,SKU,Reference\nA,1,EUR,X,Y\n", "Several columns mean the same.*SKU, Reference",
    ),
    "one header twice": (b"Order number,Quantity,Quantity,Currency\nA,1,2,EUR\n", "Several columns mean the same"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_b07_a_file_that_cannot_be_read_is_refused_with_a_sentence(name):
    content, sentence = HOSTILE[name]
    with pytest.raises(RuleViolation, match=sentence):
        table(content)


def test_two_thousand_rows_are_taken():
    assert len(table(HEAD + ROW * 2000).rows) == 2000


# -- cells


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.56", "1234.56"), ("1234,56", "1234.56"), ("1.234,56", "1234.56"), ("1,234.56", "1234.56"),
        ("1 234,56", "1234.56"), ("1\u202f234,56", "1234.56"), ("1'234.56", "1234.56"), ("1.234.567", "1234567"),
        ("0.125", "0.125"), ("7", "7"), ("-5", "-5"), ("12.3450", "12.345"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_both_languages_write_them(text, value):
    assert typed.number(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["1.234", "12,345", "abc", "1e5", "1.2.3", "1,2,3.4", "١٢", "NaN", "9" * 30, "1.23456"]
)
def test_numbers_that_are_none_or_may_be_two_are_refused(text):
    with pytest.raises(ValidationError):
        typed.number(text)


@pytest.mark.parametrize(
    ("text", "value", "either_way"),
    [
        ("2026-11-30", datetime(2026, 11, 30), False),  # noqa: DTZ001
        ("2026-11-30 14:05", datetime(2026, 11, 30, 14, 5), False),  # noqa: DTZ001
        ("2026-11-30T14:05:06Z", datetime(2026, 11, 30, 14, 5, 6, tzinfo=UTC), False),
        ("30/11/2026", datetime(2026, 11, 30), False),  # noqa: DTZ001
        ("03/04/2026 9:05", datetime(2026, 4, 3, 9, 5), True),  # noqa: DTZ001
        ("05/05/2026", datetime(2026, 5, 5), False),  # noqa: DTZ001
    ],
)
def test_dates_are_iso_or_day_first_and_one_that_could_be_another_is_said(text, value, either_way):
    assert typed.instant(text) == (value, either_way)


@pytest.mark.parametrize(
    "text", ["11/30/2026", "2026-13-01", "2026-02-30", "tomorrow", "20261130", "0/0/0000", "46000"]
)
def test_dates_that_are_none_are_refused(text):
    with pytest.raises(ValidationError):
        typed.instant(text)


# -- orders


@pytest.mark.django_db
def test_p23_rows_of_one_number_are_one_order_and_the_first_says_what_the_others_leave_empty(noon):
    store = make_manual_store(time_zone="Europe/Paris")
    found = look(
        HEAD + ROW + "A-1,1,,SPOON,,,,,\n" + "B-2,3,usd,,1 234.50,03/04/2026,Ann,Nice,fr\n".replace(",,1", ",X,1"),
        store,
    )
    first, second = found.drafts
    assert (told(found), found.fits, first.rows, first.first, second.first) == ([], True, 2, 2, 4)
    assert [line["sku"] for line in first.entry.lines] == ["MUG-1", "SPOON"]
    assert first.entry.order["ordered_at"] == datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
    assert (first.total, second.entry.order["currency"], second.entry.person["country"]) == (
        Decimal("19.90"),
        "USD",
        "FR",
    )
    assert [(note.row, note.text) for note in found.notes] == [
        (4, "Day and month could change places: read as 2026-04-03.")
    ]
    assert not Order.objects.exists()


MISTAKES = {
    "no number": (",1,EUR,X,1,,,,\n", "Order number", "rows of one order have the same"),
    "no quantity": ("A,,EUR,X,1,,,,\n", "Quantity", "Type how many units were ordered."),
    "half a unit": ('A,"1,5",EUR,X,1,,,,\n', "Quantity", "Enter a whole number."),
    "no units": ("A,0,EUR,X,1,,,,\n", "Quantity", "greater than or equal to 1"),
    "no currency": ("A,1,,X,1,,,,\n", "Currency", "three letters of the currency"),
    "a sign for the currency": ("A,1,€,X,1,,,,\n", "Currency", "three letters of the currency"),
    "no product": ("A,1,EUR,,1,,,,\n", "SKU", "Name the product"),
    "two readings": ("A,1,EUR,X,1.234,,,,\n", "Unit price", "can be read in two ways"),
    "below zero": ("A,1,EUR,X,-5,,,,\n", "Unit price", "without a minus"),
    "month first": ("A,1,EUR,X,1,11/30/2026,,,\n", "Ordered at", "Write a date such as"),
    "far away": ("A,1,EUR,X,1,1026-11-30,,,\n", "Ordered at", "Check the year"),
    "no country": ("A,1,EUR,X,1,,,,Frankreich\n", "Country", "two letters of the country"),
    "too long": (f"{'A' * 61},1,EUR,X,1,,,,\n", "Order number", "at most 60 characters"),
    "hidden characters": ("A\u202e1,1,EUR,X,1,,,,\n", "Order number", "in one line"),
    "too many cells": ("A,1,EUR,X,1,,,,,,,,\n", "", "more cells than the header"),
    "too dear": ("A,100000,EUR,X,90000000000000,,,,\n", "Unit price", "too large"),
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_told_with_row_column_and_what_to_do_and_stops_the_whole_file(noon, name):
    line, column, sentence = MISTAKES[name]
    store = make_manual_store()
    found = look(HEAD + ROW + line, store)
    assert [(row, where) for row, where, text in told(found) if sentence in text] == [(3, column)]
    assert not found.fits
    with pytest.raises(RuleViolation, match="Nothing was imported"):
        take(HEAD + ROW + line, store)
    assert not Order.objects.exists()


@pytest.mark.django_db
def test_rows_that_disagree_about_their_order_are_told(noon):
    found = look(HEAD + ROW + "A-1,1,USD,X,1,,,Paris,\n")
    assert [(row, column) for row, column, _text in told(found)] == [(3, "Currency"), (3, "City")]
    assert "differs from row 2" in told(found)[0][2]


@pytest.mark.django_db
def test_problems_hold_no_cell_of_a_person(noon):
    head = "Order number,Quantity,Currency,SKU,Recipient,E-mail,Country\n"
    found = look(head + f"A,1,EUR,X,{'Zoé Martin ' * 30},zoe at example,Zoéland\n")
    assert len(found.problems) == 3
    assert "Zo" not in str(told(found)) and "zoe" not in str(told(found))


@pytest.mark.django_db
def test_statuses_are_known_by_code_and_by_the_words_of_both_languages(noon):
    words = ["shipped", "Expédiée", "on hold", "Annulée", "awaiting_payment", ""]
    text = "Order number,Quantity,Currency,SKU,Status\n" + "".join(f"A{n},1,EUR,X,{w}\n" for n, w in enumerate(words))
    found = look(text)
    assert [draft.entry.status for draft in found.drafts] == [
        "shipped", "shipped", "on_hold", "cancelled", "awaiting_payment", "awaiting_shipment",
    ]  # fmt: skip
    wrong = look("Order number,Quantity,Currency,SKU,Status\nA,1,EUR,X,gone\n")
    assert "Write one of: Awaiting payment, " in told(wrong)[0][2]


@pytest.mark.django_db
def test_tags_must_exist(noon):
    Tag.objects.create(name="Fair")
    head = "Order number,Quantity,Currency,SKU,Tags\n"
    store = make_manual_store()
    (order,) = take(head + "A,1,EUR,X,fair\n", store)
    assert [tag.name for tag in order.tags.all()] == ["Fair"]
    assert "no such tag" in told(look(head + "B,1,EUR,X,Fair|market\n", store))[0][2]


@pytest.mark.django_db
def test_orders_that_are_there_are_left_as_they_are_and_said(noon):
    store = make_manual_store()
    enter(store, an_entry("A-1", person={"city": "Nice"}))
    found = look(HEAD + ROW + ROW.replace("A-1", "B-1"), store)
    assert ([draft.entry.number for draft in found.drafts], found.known) == (["B-1"], ["A-1"])
    take(HEAD + ROW + ROW.replace("A-1", "B-1"), store)
    assert Order.objects.get(order_number="A-1").person.city == "Nice"
    with pytest.raises(RuleViolation, match="Nothing was imported"):
        take(HEAD + ROW, store)


@pytest.mark.django_db
def test_a10_a_file_of_a_handmade_store_is_amazons_and_its_event_says_where_it_comes_from(noon):
    user = make_user("Support")
    (order,) = take(HEAD + ROW, make_manual_store("handmade"), by=user)
    assert (order.origin_marketplace, order.redaction_due_at) == ("amazon", noon + timedelta(days=14))
    event = order.events.get()
    assert (event.kind, event.actor, event.params) == (OrderEvent.Kind.FROM_FILE, user, {"status": "awaiting_shipment"})


@pytest.mark.long
@pytest.mark.django_db
def test_a_file_of_2000_orders_takes_a_constant_number_of_statements_for_each_hundred(
    noon, django_assert_max_num_queries
):
    counts = []
    for size in (100, 200, 300):
        store = make_manual_store(name=f"of {size}")
        text = HEAD + "".join(ROW.replace("A-1", f"A-{each}") for each in range(size))
        with django_assert_max_num_queries(250) as seen:
            take(text, store)
        counts.append(len(seen))
    assert Order.objects.count() == 600
    assert counts[2] - counts[1] == counts[1] - counts[0] <= 70


@pytest.mark.django_db
def test_words_of_problems_are_the_readers(noon):
    with translation.override("fr"):
        assert told(look(HEAD + "A,1,EUR,X,1,,,,Zz\n"))[0][1] == "Pays"


@pytest.mark.django_db(transaction=True)
def test_b07_a_process_that_dies_while_importing_leaves_nothing_and_the_next_try_takes_all(noon):
    store = make_manual_store()
    text = HEAD + "".join(ROW.replace("A-1", f"A-{each}") for each in range(250))
    for visit in (1, 2, 3):
        assert died_at("enter.inside", lambda: take(text, store), visit=visit)
        assert not any(model.objects.exists() for model in (Order, OrderItem, OrderPersonalData, OrderEvent))
    assert len(take(text, store)) == 250
