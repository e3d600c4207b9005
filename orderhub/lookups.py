"""`__among`: like `__in` for plain ids and codes, as one parameter whatever their number.

A statement with hundreds of parameters takes longer to write and to read than to run, and SQLite limits their number.
"""

import json

from django.db.models import ForeignObject, Lookup
from django.db.models.fields import Field


@Field.register_lookup
@ForeignObject.register_lookup
class Among(Lookup):
    lookup_name = "among"
    prepare_rhs = False

    def get_prep_lookup(self) -> list:
        return list(self.rhs)

    def as_sql(self, compiler, connection):
        """SQLite: the list as JSON."""
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} IN (SELECT value FROM json_each(%s))", [*params, json.dumps(self.rhs)]  # noqa: S608

    def as_postgresql(self, compiler, connection):
        lhs, params = self.process_lhs(compiler, connection)
        kind = "bigint" if not self.rhs or isinstance(self.rhs[0], int) else "text"
        return f"{lhs} = ANY(%s::{kind}[])", [*params, self.rhs]
