"""One call of a client: who calls, with what, and how its parts are read. Names of fields are compared without case."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.http import HttpRequest

from orderhub.models import ApiKey
from orderhub.models.apikey import UseKind


class Wrong(Exception):
    """The client's mistake, as v1 words it: 400 with `ModelState`. `errors`: sentences by field."""

    def __init__(self, errors: Mapping[str, list[str]], *, status: int = 400):
        super().__init__(", ".join(errors))
        self.errors, self.status = dict(errors), status


class Refused(Exception):
    """Answered with this status and sentence; nothing was changed."""

    def __init__(self, message: str, *, status: int = 400, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.message, self.status, self.headers = message, status, dict(headers or {})


@dataclass
class Call:
    """`query`: of the address, names in lower case. `body`: the JSON that was sent ({} where none was).

    `path_id`: the number in the address, where the route has one. `noted`: what the compatibility report counts.
    `headers`: of the answer.
    """

    request: HttpRequest
    key: ApiKey
    now: datetime
    query: dict[str, str]
    body: object
    path_id: int | None = None
    noted: list[tuple[UseKind, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def stores(self) -> list[int]:
        """Ids of the stores this client sees; every query is narrowed to them."""
        return self.key.store_ids

    def note(self, kind: UseKind, name: str) -> None:
        """Count for the report. `name`: out of the request's form or a code, never a value."""
        self.noted.append((kind, name))
