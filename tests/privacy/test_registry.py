"""Every column of every table is in somebody's list; every personal one is erased by somebody."""

import io
import re

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models

from orders import personal_data
from orders.models import Order, OrderPersonalData
from orders.models.person import EMAIL, ERASED, KEPT, LATCHED
from privacy import markers, registry
from privacy.fields import sealed_values
from privacy.models import ErasureCertificate
from privacy.registry import Kind
from stores.connectors.base import PERSON_FIELDS
from tests.privacy.rows import FULL, due_order, is_postgresql, person_of, state_of, sweep

pytestmark = pytest.mark.django_db
TELLING = (models.CharField, models.TextField, models.JSONField, models.FileField, models.BinaryField)
WORDS = ("shipments_shipmentnotification", "error_text")  # Amazon's own, which may repeat an address
HASHES = ("orders_buyerword", "word")  # numbers, by which a person is found
PERSON_TABLE = OrderPersonalData._meta.db_table
ELSEWHERE = {
    WORDS,  # each has a proof of its own in the tests of what writes it
    *(("orders_itempersonaldata", name) for name in ("customized_url", "customization", "images")),
    *(("orders_customer", name) for name in ("match_key", "name", "email", "phone", "user_name")),
    ("orders_ordernote", "text"),
    ("shipments_shipment", "note_to_buyer"),
    ("shipments_outgoingmail", "recipient_hash"),
}


def live_columns() -> set[tuple[str, str]]:
    """Every column the database itself knows of, with or without a model."""
    with connection.cursor() as cursor:
        if is_postgresql():
            cursor.execute(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
            )
        else:
            cursor.execute(
                "SELECT m.name, c.name FROM sqlite_master m, pragma_table_xinfo(m.name) c"
                " WHERE m.type IN ('table', 'view')"
            )
        return set(cursor.fetchall())


def classified() -> set[tuple[str, str]]:
    return {(table, column) for table, found in registry.tables().items() for column in found.columns}


def unlisted() -> set[tuple[str, str]]:
    return live_columns() - classified()


def test_every_column_of_the_live_database_is_classified():
    assert unlisted() == set()
    assert len(live_columns()) > 250


def test_every_classified_column_exists():
    absent = {("sqlite_sequence", "name"), ("sqlite_sequence", "seq")} if is_postgresql() else set()
    assert classified() - live_columns() == absent


def test_every_column_of_every_model_is_classified():
    known = classified()
    columns = {
        (model._meta.db_table, found.column)
        for model in apps.get_models(include_auto_created=True)
        for found in model._meta.local_concrete_fields
    }
    assert columns - known == set()


def test_every_field_that_can_hold_a_text_is_classified_as_what_it_is():
    """A text of a model that knows of buyers is personal, kept on purpose, or on the list below with its reason."""
    kinds = {place: kind for table, found in registry.tables().items() for place, kind in _places(table, found)}
    telling = [
        (model._meta.db_table, found.column)
        for model in apps.get_models(include_auto_created=True)
        for found in model._meta.local_concrete_fields
        if isinstance(found, TELLING)
    ]
    assert [place for place in telling if place not in kinds] == []
    assert {place for place in telling if kinds[place] is Kind.PII} == ELSEWHERE | {
        (PERSON_TABLE, name) for name in LATCHED
    }
    assert {place[0] for place in telling if kinds[place] is Kind.OPAQUE} <= {
        "django_q_task",
        "django_q_ormq",
        "django_session",
    }


def _places(table, found):
    return [((table, column), kind) for column, kind in found.columns.items()]


def test_a_table_nobody_listed_is_noticed():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE copy_of_buyers (name varchar(80))")
    assert unlisted() == {("copy_of_buyers", "name")}


def test_a_view_nobody_listed_is_noticed():
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE VIEW seen_buyers AS SELECT buyer_name FROM {PERSON_TABLE}")
    assert unlisted() == {("seen_buyers", "buyer_name")}


def test_a_column_nobody_listed_is_noticed():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order ADD COLUMN nickname varchar(80)")
    assert unlisted() == {("orders_order", "nickname")}


def test_no_column_is_in_two_lists_of_a_table():
    for module in registry._modules():
        for table in module.TABLES:
            assert table not in registry.LIBRARY_TABLES
    assert set(ERASED) & set(KEPT) == set() and EMAIL not in (*ERASED, *KEPT)


def test_everything_a_connector_can_say_of_a_person_has_a_column_with_a_rule():
    assert set(PERSON_FIELDS) <= {*LATCHED, *KEPT}


def latches() -> set[str]:
    """Names of the CHECKs. On SQLite from the table's own SQL: Django stops reading it at the e-mail's backslash."""
    with connection.cursor() as cursor:
        if is_postgresql():
            found = connection.introspection.get_constraints(cursor, PERSON_TABLE)
            return {name for name, told in found.items() if told["check"] and name.startswith("person_latch_")}
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [PERSON_TABLE])
        return set(re.findall(r'CONSTRAINT "(person_latch_\w+)" CHECK', cursor.fetchone()[0]))


def test_every_personal_column_has_a_latch_in_the_database():
    assert latches() == {
        f"person_latch_{column}" for table, column in registry.personal_columns() if table == PERSON_TABLE
    }


def test_every_personal_column_is_erased_by_a_holder(noon):
    order = due_order()
    sweep()
    person = person_of(order)
    personal = registry.personal_columns()
    assert [name for table, name in personal if table == PERSON_TABLE and getattr(person, name) != markers.AMAZON] == []
    assert {place for place in personal if place[0] != PERSON_TABLE} == ELSEWHERE | {HASHES}


@pytest.mark.parametrize("forgotten", ERASED)
def test_an_erasure_that_forgets_a_column_is_refused(noon, monkeypatch, forgotten):
    """The database's latch refuses to mark the row: nothing is called erased while a column is not."""
    order = due_order()
    monkeypatch.setattr(personal_data, "erasable", lambda: tuple(name for name in ERASED if name != forgotten))
    assert sweep() == "0 redacted, 0 documents, 1 failed"
    assert (state_of(order), getattr(person_of(order), forgotten)) == ("redacting", FULL[forgotten])
    assert not ErasureCertificate.objects.exists()


@pytest.mark.parametrize("column", LATCHED)
def test_verification_sees_each_column_that_was_left(noon, column):
    """Without the latch, the second line of defence: re-reading."""
    order = due_order()
    rows = OrderPersonalData.objects.filter(pk=order.pk)
    rows.update(**dict.fromkeys(LATCHED, markers.AMAZON), marker=markers.AMAZON)
    assert personal_data.PERSONS.leftovers([order.pk], now=noon) == set()
    with connection.cursor() as cursor:
        drop_checks(cursor)
    rows.update(**sealed_values(order.person, **{column: FULL[column]}))
    assert personal_data.PERSONS.leftovers([order.pk], now=noon) == {order.pk}


def test_what_verification_finds_is_reported_and_never_called_erased(noon):
    order = due_order()
    rows = OrderPersonalData.objects.filter(pk=order.pk)
    rows.update(**dict.fromkeys(LATCHED, markers.AMAZON), marker=markers.AMAZON)
    with connection.cursor() as cursor:
        drop_checks(cursor)
    rows.update(
        **sealed_values(order.person, street1="1 Sample Street")
    )  # marked, so that no overwrite looks at it again
    assert sweep() == "0 redacted, 0 documents, 1 failed"
    assert state_of(order) == "redacting"
    assert Order.objects.get(pk=order.pk).redaction_error == "StillThere"


def drop_checks(cursor) -> None:
    if is_postgresql():
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in LATCHED:
            cursor.execute(f"ALTER TABLE {PERSON_TABLE} DROP CONSTRAINT person_latch_{name}")
    else:
        cursor.execute("PRAGMA ignore_check_constraints = ON")


@pytest.fixture(autouse=True)
def checks_again():
    yield
    if not is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def test_verification_sees_a_row_that_was_never_marked(noon):
    order = due_order(person=dict.fromkeys(LATCHED, ""))
    assert personal_data.PERSONS.leftovers([order.pk], now=noon) == {order.pk}


def test_the_marker_is_written_in_one_place():
    from tests.test_layers import sources  # the same walk over our own files

    assert {path for path, text in sources() if "EXPURG" in text} <= {"privacy/markers.py"}


def test_nobody_but_the_redactor_sets_a_marker():
    from tests.test_layers import sources

    writers = {path for path, text in sources() if re.search(r"\.update\([^()]*marker=marker", text)}
    assert writers <= {
        "orders/personal_data.py", "orders/notes_erasing.py", "orders/customers_erasing.py",
        "orders/customization/erasing.py", "shipments/personal_data.py",
    }  # fmt: skip


def test_no_model_says_a_persons_name(noon):
    order = due_order()
    texts = [str(row) + repr(row) for model in apps.get_models() for row in model.objects.all()[:50]]
    assert len(texts) > 20
    assert [text for text in texts for value in FULL.values() if len(value) > 4 and value in text] == []
    assert str(order.person) == f"#{order.pk}"


def test_no_unique_index_lies_on_a_personal_column():
    """An error of such an index would carry the value into texts and logs."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, PERSON_TABLE)
    indexed = {column for told in found.values() if told["index"] or told["unique"] for column in told["columns"]}
    assert indexed <= {"order_id"}


def test_no_migration_is_missing():
    out = io.StringIO()
    call_command("makemigrations", "orders", "privacy", "--check", "--dry-run", stdout=out)
