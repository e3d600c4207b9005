"""PostgreSQL's planner keeps no sample of what people are called or where they live."""

import importlib

import pytest
from django.db import connection

from orders.models.person import KEPT, LATCHED
from privacy import registry
from tests.privacy.rows import due_order, is_postgresql

MIGRATIONS = [importlib.import_module(f"orders.migrations.{name}") for name in ("0001_initial", "0002_roman_place")]
LATER = {  # a dictionary of its own: those of the migrations must stay as they are until these have run
    table: columns
    for name in (
        "orders.migrations.0004_everything_amazon_knows",
        "orders.migrations.0006_privacy_and_access",
        "shipments.migrations.0005_encrypted_people",
    )
    for table, columns in importlib.import_module(name).COLUMNS.items()
}
TABLE = MIGRATIONS[0].TABLE
COLUMNS = {column for migration in MIGRATIONS for column in migration.COLUMNS} | set(LATER[TABLE])
pytestmark = pytest.mark.django_db


def test_the_list_covers_every_personal_column():
    personal = {column for table, column in registry.personal_columns() if table == TABLE}
    assert personal == set(LATCHED)
    assert personal | (set(KEPT) - {"country"}) == COLUMNS


def test_the_other_tables_of_people_are_covered():
    personal = {(table, column) for table, column in registry.personal_columns()}
    covered = {(table, column) for table, columns in LATER.items() for column in columns}
    assert personal == covered | {(TABLE, column) for column in LATCHED}


def test_nothing_is_sampled(noon):
    if not is_postgresql():
        pytest.skip("SQLite samples values of indexed columns only, and no personal column is indexed")
    for number in range(60):
        due_order(person={"buyer_name": f"Person {number % 3}", "street1": "1 Sample Street"})
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {TABLE}")
        cursor.execute("SELECT attname FROM pg_stats WHERE tablename = %s", [TABLE])
        sampled = {name for (name,) in cursor.fetchall()}
    assert sampled & COLUMNS == set()
    assert "order_id" in sampled  # ANALYZE did run
