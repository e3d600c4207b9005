"""Every operation of both APIs, as the code declares them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orderhub.api import schema
from orderhub.shipstation import dispatching

NATIVE, VERSION_1 = "native", "shipstation"


@dataclass(frozen=True)
class Operation:
    """`path` has {id} where a number stands."""

    surface: str
    method: str
    path: str
    scope: str

    def url(self, number: int = 1) -> str:
        return re.sub(r"\{[^}]*\}", str(number), self.path)

    @property
    def row(self) -> str:
        return f"{self.surface},{self.method},{self.path},{self.scope}"


def native() -> Iterator[Operation]:
    for path, operations in schema.document()["paths"].items():
        for method, operation in operations.items():
            yield Operation(NATIVE, method.upper(), path, operation["x-scope"])


def version_1() -> Iterator[Operation]:
    for (method, _name), route in dispatching.declared().items():
        yield Operation(VERSION_1, method, f"/shipstation{route.name}", route.scope)
