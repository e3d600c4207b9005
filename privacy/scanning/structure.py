"""What erased orders may still hold: the marker, nothing, or a relay address, in every personal column there is.

No value is known any more, so none is looked for: the columns are read as the registry lists them, and as they lie in
the database: ciphertext that stayed is a finding though nobody can read it. An order is erased where it has a
certificate, whatever its own row says.
"""

from collections.abc import Iterator

from django.apps import apps
from django.db.models import Model

from privacy import markers, registry
from privacy.fields import PersonalField, as_stored
from privacy.models import ErasureCertificate
from privacy.purposes import ROW_DECIDES, Purpose

from .chunks import chunks
from .results import Finding

CHUNK = 500
BARE = (None, "", *markers.MARKERS)


def batches() -> Iterator[tuple[int, list[Finding]]]:
    """(how many erased orders were looked at, what was found), most recent erasures first, then the tables whose own
    rows say that they are erased."""
    erased = ErasureCertificate.objects.filter(kind=ErasureCertificate.Kind.ORDER).order_by("-pk")
    for order_ids in chunks(erased.values_list("order_id", flat=True).iterator(chunk_size=CHUNK), CHUNK):
        yield len(order_ids), list(_left_of(order_ids))
    for table, purpose in registry.purposes().items():
        if purpose.order == ROW_DECIDES:
            yield 0, list(_left_in_marked_rows(table))


def model_of(table: str) -> type[Model]:
    """The model of a table. LookupError where none has it."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.db_table == table:
            return model
    raise LookupError(table)


def personal_fields(table: str) -> list[str]:
    """Attribute names of a table's personal columns."""
    wanted = {column for owner, column in registry.personal_columns() if owner == table}
    return [field.attname for field in model_of(table)._meta.concrete_fields if field.column in wanted]


def _left_of(order_ids: list[int]) -> Iterator[Finding]:
    for table, purpose in registry.purposes().items():
        if purpose.order != ROW_DECIDES:
            yield from _left_in(table, purpose, order_ids)


def _left_in(table: str, purpose: Purpose, order_ids: list[int]) -> Iterator[Finding]:
    names = personal_fields(table)
    rows = model_of(table)._base_manager.filter(**{f"{purpose.order}__in": order_ids})
    for order_id, *values in rows.values_list(purpose.order, *_as_they_lie(table, names)):
        yield from _judged(table, order_id, names, values)


def _left_in_marked_rows(table: str) -> Iterator[Finding]:
    names = personal_fields(table)
    rows = model_of(table)._base_manager.exclude(marker="")
    for _marker, *values in rows.values_list("marker", *_as_they_lie(table, names)).iterator(chunk_size=CHUNK):
        yield from _judged(table, 0, names, values)


def _as_they_lie(table: str, names: list[str]) -> list:
    told = model_of(table)._meta
    return [as_stored(name) if isinstance(told.get_field(name), PersonalField) else name for name in names]


def _judged(table: str, order_id: int, names: list[str], values: list) -> Iterator[Finding]:
    for name, value in zip(names, values, strict=True):
        if not is_bare(value):
            yield Finding("column", f"{table}.{name}", order_id)


def is_bare(value: object) -> bool:
    """Whether a personal column holds nothing of a person."""
    if isinstance(value, str):
        return value in BARE or markers.is_relay(value)
    return not value
