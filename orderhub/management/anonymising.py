"""A copy of the database for work that must not see anybody: derived from the registry, so that a new column of
persons cannot be forgotten. Lines of JSON, one row each, as `loaddata` reads them.
"""

from collections.abc import Iterator

from django.apps import apps
from django.core import serializers
from django.db import models

from privacy import markers, registry
from privacy.fields import PersonalField
from privacy.registry import Kind

# Public or operational by the registry, and still a hint at a person in hands that should have none
HINTS = {
    "orders_order": {"custom_field_1", "custom_field_2", "custom_field_3"},
    "orders_orderpersonaldata": {"city", "district", "state", "postal_code"},
    "orders_savedview": {"query"},
}
# Keyed words of persons, keys that are worth nothing in a copy, the admin's own history: no row of these
LEFT_OUT = {"orders_buyerword", "privacy_datakey", "django_admin_log"}
EMAILS = ("email", "buyer_email")
CHUNK = 500


def rows(database: str = "default") -> Iterator[str]:
    """Every row that may leave, as a line of JSON. Tables with anything opaque in them are left out whole."""
    for model in apps.get_models(include_auto_created=True):
        columns = registry.tables().get(model._meta.db_table)
        if columns is None or model._meta.auto_created or _is_left_out(model, columns):
            continue
        found = model._base_manager.using(database).order_by("pk").iterator(chunk_size=CHUNK)
        for row in found:
            _anonymise(row, columns.columns)
            yield serializers.serialize("jsonl", [row])


def _is_left_out(model: type[models.Model], columns: registry.Table) -> bool:
    return model._meta.db_table in LEFT_OUT or Kind.OPAQUE in columns.columns.values()


def _anonymise(row: models.Model, kinds: dict[str, Kind]) -> None:
    hints = HINTS.get(row._meta.db_table, set())
    for field in row._meta.concrete_fields:
        kind = kinds.get(field.column, Kind.PII)  # what nobody classified is taken for a person's
        if kind in {Kind.PII, Kind.SECRET} or field.column in hints or (kind is Kind.STAFF and _names(field)):
            setattr(row, field.attname, _instead(row, field, kind))


def _names(field: models.Field) -> bool:
    """Of staff, what names or reaches somebody: texts and addresses. Who did what, by number, may stay."""
    return isinstance(field, models.CharField | models.TextField | models.GenericIPAddressField)


def _instead(row: models.Model, field: models.Field, kind: Kind):
    """A value of the same shape that says nothing; what is empty or the erased marker stays as it is."""
    value = getattr(row, field.attname)
    if value in (None, "", [], {}) or value == getattr(row, "marker", None):
        return value
    if isinstance(field, models.JSONField):
        return type(value)()
    if isinstance(field, models.GenericIPAddressField):
        return None if field.null else "192.0.2.1"
    if not isinstance(field, models.CharField | models.TextField):
        return field.get_default()
    if isinstance(field, PersonalField):  # a copy has no key to encrypt another text with
        return "" if value[0] in "[{" else markers.AMAZON
    if kind is Kind.SECRET and not field.unique:
        return ""
    told = f"{row.pk}@example.invalid" if field.name in EMAILS else f"{field.name} {row.pk}"
    return told[: field.max_length] if field.max_length else told
