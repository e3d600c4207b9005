"""Encrypted columns.

`EncryptedTextField`: secrets of the installation, under the master keys. Nothing is searchable.

`PersonalCharField`, `PersonalTextField`: what is known of a person, each record under a data key of its own
(privacy/datakeys.py). Empty text, the markers of an erasure and Amazon's relay addresses are stored as they are, so
that constraints, sweeps and scans can tell them apart. The key comes along with the value in the same statement, so
reading costs no further query; writing goes through an instance, whose `data_key` may be given for many at once by
`give_keys`.
"""

import re
from functools import lru_cache, reduce
from operator import add

from django.conf import settings
from django.core import checks
from django.db import models
from django.db.models.lookups import IContains, StartsWith

from privacy import datakeys, markers
from privacy.datakeys import MARK, Sealed
from privacy.sealing import CannotDecrypt, decrypt, encrypt

__all__ = ["CannotDecrypt", "EncryptedTextField", "PersonalCharField", "PersonalTextField", "decrypt", "encrypt"]

_SEALED = re.compile(re.escape(MARK) + r"[A-Za-z0-9+/]{37,}={0,2}")
_COLUMN = re.compile(r'("[^"]+")\."[^"]+"')
_RELAY = "@marketplace.amazon."


class EncryptedTextField(models.TextField):
    """Text that is ciphertext in the database. The empty string stays empty."""

    @property
    def _place(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        return encrypt(value, place=self._place) if value else value

    def from_db_value(self, value, expression, connection):
        return decrypt(value, place=self._place) if value else value

    def get_lookup(self, lookup_name):
        """Only emptiness can be asked: equal texts have different ciphertexts."""
        if lookup_name not in {"exact", "isnull"}:
            raise TypeError("an encrypted column cannot be searched")
        return super().get_lookup(lookup_name)


class PersonalField:
    """What the two fields share. `owner`: kind and column of the record's owner, such as `order:order_id`."""

    def __init__(self, *args, owner: str = "", **kwargs):
        self.owner = owner
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"owner": self.owner}

    def get_internal_type(self) -> str:
        return "TextField"  # ciphertext is longer than what a person may write

    def check(self, **kwargs):
        found = super().check(**kwargs)
        if not re.fullmatch(r"[a-z]+:[a-z_]+", self.owner):
            found.append(checks.Error("owner must name a kind and a column.", obj=self, id="privacy.E001"))
        return found

    @property
    def place(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def owner_of(self, instance) -> str:
        kind, column = self.owner.split(":")
        value = getattr(instance, column)
        if value is None:  # made before the row it points to had its id
            value = getattr(instance, column.removesuffix("_id")).pk
        return f"{kind}:{value}"

    def pre_save(self, instance, add):
        return self.sealed_for(instance)

    def sealed_for(self, instance) -> str:
        """The instance's value as it is stored: under the key of its owner."""
        value = getattr(instance, self.attname)
        if not value or isinstance(value, Sealed) or not isinstance(value, str) or not _is_sealed_here(value):
            return value
        return datakeys.seal(value, _key_for(self, instance), place=self.place)

    def get_prep_value(self, value):
        """Plain text without an instance has no key: it can neither be stored nor looked for."""
        value = super().get_prep_value(value)
        if isinstance(value, str) and value and not isinstance(value, Sealed) and _is_sealed_here(value):
            raise TypeError(f"{self.place} is encrypted: it is written through its record and cannot be searched")
        return value

    def select_format(self, compiler, sql, params):
        """Has the database send the owner's key along with what is encrypted."""
        found = _COLUMN.fullmatch(sql)
        if found is None:
            return sql, params
        kind, column = self.owner.split(":")
        table = compiler.quote_name_unless_alias("privacy_datakey")
        owner = f"{found[1]}.{compiler.connection.ops.quote_name(column)}"
        key = f"SELECT {table}.wrapped FROM {table} WHERE {table}.owner = '{kind}:' || {owner}"  # noqa: S608  names only
        sealed = f"substr({sql}, 1, {len(MARK)}) = '{MARK}'"
        return f"CASE WHEN {sealed} THEN {sql} || ' ' || coalesce(({key}), '') ELSE {sql} END", params

    def from_db_value(self, value, expression, connection):
        """Blank where the key is gone: whoever restores a backup without its keys restores nobody's data."""
        if not value or not value.startswith(MARK):
            return value
        sealed, _blank, wrapped = value.partition(" ")
        if not _SEALED.fullmatch(sealed):
            return value
        return datakeys.unseal(sealed, wrapped, place=self.place) if wrapped else ""

    def get_lookup(self, lookup_name):
        """Emptiness and markers can be asked for, and of an address whether it is a relay's: that lies there as it is.
        Equal texts have different ciphertexts."""
        relay = lookup_name == "icontains" and self.attname.endswith("email")
        if lookup_name not in {"exact", "in", "isnull"} and not relay:
            raise TypeError("an encrypted column cannot be searched")
        return super().get_lookup(lookup_name)


class PersonalCharField(PersonalField, models.CharField):
    """One line about a person."""


class PersonalTextField(PersonalField, models.TextField):
    """Text about a person, of any length."""


def _is_sealed_here(value: str) -> bool:
    """Whether this value is stored encrypted. What looks like ciphertext is, even where encryption is off."""
    if value in markers.MARKERS or markers.is_relay(value) or value == _RELAY:
        return False
    return settings.ENCRYPT_PERSONAL_DATA or value.startswith(MARK)


def as_stored(name: str) -> models.Func:
    """The beginning of a column as it lies in the database: an encrypted value stays so."""
    return models.Func(
        models.F(name), models.Value(1), models.Value(500), function="substr", output_field=models.TextField()
    )


def filled(names: tuple[str, ...]):
    """Which of these columns hold something, as the bits of a number: nobody's data leaves the database for it."""
    bits = (
        models.Case(models.When(**{name: ""}, then=models.Value(0)), default=models.Value(1 << place))
        for place, name in enumerate(names)
    )
    return reduce(add, bits)


@lru_cache(maxsize=1024)
def named(names: tuple[str, ...], filled: int) -> tuple[str, ...]:
    return tuple(name for place, name in enumerate(names) if filled >> place & 1)


def is_plain(field: PersonalField) -> models.Q:
    """Rows whose column holds something that should be encrypted and is not."""
    raw = as_stored(field.attname)
    kept = models.Q(StartsWith(raw, MARK)) | models.Q(IContains(raw, _RELAY))
    return ~models.Q(**{f"{field.attname}__in": ["", *markers.MARKERS]}) & ~kept


def _key_for(field: PersonalField, instance) -> str:
    owner = field.owner_of(instance)
    held = instance.__dict__.get("data_key")
    if held is None or held[0] != owner:
        held = instance.data_key = (owner, datakeys.obtain([owner])[owner])
    return held[1]


def give_keys(rows, *, fresh: bool = False) -> None:
    """Give records of one model their data keys before they are written: two statements, one where all are `fresh`."""
    rows = list(rows)
    if not rows or not settings.ENCRYPT_PERSONAL_DATA:
        return
    field = next(found for found in rows[0]._meta.concrete_fields if isinstance(found, PersonalField))
    owners = {id(row): field.owner_of(row) for row in rows}
    found = datakeys.obtain(owners.values(), fresh=fresh)
    for row in rows:
        row.data_key = (owners[id(row)], found[owners[id(row)]])


def sealed_values(instance, **values: str) -> dict[str, str]:
    """Values of personal columns ready for QuerySet.update(), under the key of this record's owner."""
    found = {}
    for name, value in values.items():
        field = instance._meta.get_field(name)
        plain = not (isinstance(field, PersonalField) and value and _is_sealed_here(value))
        found[name] = value if plain else datakeys.seal(value, _key_for(field, instance), place=field.place)
    return found
