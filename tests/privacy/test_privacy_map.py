"""docs/privacy.md cannot be wrong: it is what the registry says, and the registry is what the erasure goes by."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from privacy import access, describing, markers, registry
from privacy.registry import Table

WRITTEN = describing.PATH.read_text()


def test_the_committed_file_is_what_the_registry_says():
    assert describing.document() == WRITTEN, f"run {describing.COMMAND}"
    call_command("privacy_map", check=True)


def test_it_is_the_same_in_every_language_and_for_all_settings(settings):
    settings.REDACT_POSTCODE, settings.RETENTION_SHIPPED_DAYS = "full", 3
    with override("fr"):
        assert describing.document() == WRITTEN


def test_every_table_column_and_storage_is_in_it():
    assert [table for table in registry.tables() if f"| `{table}` |" not in WRITTEN] == []
    assert [place for place in registry.personal_columns() if f"`{place[1]}`" not in WRITTEN] == []
    assert [shelf.alias for shelf in registry.shelves() if f"| `{shelf.alias}`" not in WRITTEN] == []
    for table, found in registry.tables().items():
        (line,) = [line for line in WRITTEN.splitlines() if line.startswith(f"| `{table}` |")]
        assert [column for column in found.columns if f" {column}" not in line] == []


def test_every_table_with_personal_columns_says_why(settings):
    assert set(registry.purposes()) == {table for table, _column in registry.personal_columns()}
    assert {shelf.alias for shelf in registry.shelves()} == set(settings.STORAGES) - {"default", "staticfiles"}


def test_r99_and_the_decisions_are_in_it():
    for words in ("REDACT_POSTCODE=full", "at most 30 days", "privacy_datakey", "secure_delete", *markers.MARKERS):
        assert words in WRITTEN


def test_every_role_is_in_it_with_what_it_sees_of_buyers():
    (line,) = [line for line in WRITTEN.splitlines() if line.startswith(f"| {access.WAREHOUSE} |")]
    assert "orders that are still to be sent" in line and "all orders" not in line
    (line,) = [line for line in WRITTEN.splitlines() if line.startswith(f"| {access.ADMINISTRATOR} |")]
    assert "no name" in line
    assert all(f"- **{role}**: " in WRITTEN for role in access.ROLES)


def test_a_new_column_makes_the_file_wrong_until_it_is_written_again(monkeypatch, tmp_path):
    changed = registry.tables() | {"orders_tag": Table.of(operational="id name level", pii="nickname")}
    monkeypatch.setattr(registry, "tables", lambda: changed)
    with pytest.raises(CommandError, match="privacy_map --write"):
        call_command("privacy_map", check=True)
    monkeypatch.setattr(describing, "PATH", tmp_path / "privacy.md")
    call_command("privacy_map", write=True, stdout=io.StringIO())
    assert "nickname" in (tmp_path / "privacy.md").read_text()
    call_command("privacy_map", check=True)
