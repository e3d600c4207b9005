"""Bringing everything that is encrypted under the newest master key. Safe to kill at any line and to repeat.

Personal data need not be touched: only the keys of the records are wrapped anew. Secrets of the installation are
encrypted again, and what was written while encryption was off is encrypted now.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import models, transaction
from django.db.models import Q

from privacy import datakeys, keys, sealing
from privacy.fields import EncryptedTextField, PersonalField, give_keys, is_plain
from privacy.models import DataKey

BATCH = 500


@dataclass
class Rotation:
    """What was done: keys wrapped anew, secrets encrypted anew, records that were not encrypted before."""

    keys: int = 0
    secrets: int = 0
    records: int = 0


def rotate() -> Rotation:
    """Everything, batch by batch, each in a transaction of its own."""
    done = Rotation()
    for count in _wrap_anew():
        done.keys += count
    for model, field in _secrets():
        done.secrets += _encrypt_anew(model, field)
    for model in _people():
        for count in _seal(model):
            done.records += count
    return done


def left() -> int:
    """How many data keys are not under the newest master key: an old one may go once there is none."""
    return DataKey.objects.exclude(wrapped__startswith=_newest()).count()


def _newest() -> str:
    return f"{sealing.VERSION}:{keys.newest()}:"


def _wrap_anew() -> Iterator[int]:
    after = ""
    while True:
        with transaction.atomic():
            rows = DataKey.objects.select_for_update().exclude(wrapped__startswith=_newest()).filter(owner__gt=after)
            batch = list(rows.order_by("owner")[:BATCH])
            for row in batch:
                row.wrapped = datakeys.rewrap(row.wrapped)
            DataKey.objects.bulk_update(batch, ["wrapped"])
        if not batch:
            return
        after = batch[-1].owner
        yield len(batch)


def _secrets() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field


def _encrypt_anew(model: type[models.Model], field: EncryptedTextField) -> int:
    """Few rows: accounts and shops."""
    count = 0
    for pk in list(model._base_manager.values_list("pk", flat=True)):
        with transaction.atomic():
            row = model._base_manager.select_for_update().only("pk", field.attname).get(pk=pk)
            if getattr(row, field.attname):
                row.save(update_fields=[field.attname])
                count += 1
    return count


def _people() -> Iterator[type[models.Model]]:
    for model in apps.get_models():
        if any(isinstance(field, PersonalField) for field in model._meta.local_concrete_fields):
            yield model


def _seal(model: type[models.Model]) -> Iterator[int]:
    fields = [field for field in model._meta.local_concrete_fields if isinstance(field, PersonalField)]
    plain = Q()
    for field in fields:
        plain |= is_plain(field)
    after = 0
    while True:
        with transaction.atomic():
            rows = model._base_manager.select_for_update(of=("self",)).filter(plain, pk__gt=after).order_by("pk")
            batch = list(rows[:BATCH])
            give_keys(batch)
            for row in batch:
                row.save(update_fields=[field.attname for field in fields])
        if not batch:
            return
        after = batch[-1].pk
        yield len(batch)
