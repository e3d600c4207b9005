"""`__among`: like `__in` for plain ids and codes, as one parameter whatever their number.

A statement with hundreds of parameters takes longer to write and to read than to run, and SQLite limits their number.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

from django.core.exceptions import EmptyResultSet
from django.db.models import ForeignObject, Lookup
from django.db.models.fields import Field


class Ids(Collection):
    """Ids that many statements name, written out for the database once.

    No list on purpose: Django looks at each element of a list again in every filter it is given to.
    """

    def __init__(self, ids: Iterable[int]):
        self._ids = tuple(ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def __contains__(self, one: object) -> bool:
        return one in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    @cached_property
    def as_array(self) -> str:
        """As PostgreSQL writes an array of numbers."""
        return "{" + ",".join(map(str, self._ids)) + "}"

    @cached_property
    def as_json(self) -> str:
        return json.dumps(self._ids)


@Field.register_lookup
@ForeignObject.register_lookup
class Among(Lookup):
    lookup_name = "among"
    prepare_rhs = False

    def get_prep_lookup(self) -> list | Ids:
        if isinstance(self.rhs, Ids):
            return self.rhs
        found = list(self.rhs)
        return Ids(found) if all(type(one) is int for one in found) else found

    def as_sql(self, compiler, connection):
        """SQLite: the list as JSON."""
        lhs, params = self._asked(compiler, connection)
        told = self.rhs.as_json if isinstance(self.rhs, Ids) else json.dumps(self.rhs)
        return f"{lhs} IN (SELECT value FROM json_each(%s))", [*params, told]  # noqa: S608

    def as_postgresql(self, compiler, connection):
        lhs, params = self._asked(compiler, connection)
        if isinstance(self.rhs, Ids):
            return f"{lhs} = ANY(%s::bigint[])", [*params, self.rhs.as_array]
        return f"{lhs} = ANY(%s::text[])", [*params, self.rhs]

    def _asked(self, compiler, connection):
        """No row is among none; an empty array has no type either."""
        if not len(self.rhs):
            raise EmptyResultSet
        return self.process_lhs(compiler, connection)
