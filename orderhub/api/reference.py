"""The description of the API as people read it: the same document as the programs', laid out for a page."""

from dataclasses import dataclass
from functools import cache

from orderhub.api import schema

METHODS = ("get", "post", "patch", "put", "delete")


@dataclass(frozen=True)
class Part:
    """A parameter, a field of a body, or a field of an answer. `kind`: its type in a word or two."""

    name: str
    kind: str
    required: bool
    text: str = ""


@dataclass(frozen=True)
class Operation:
    anchor: str
    method: str
    path: str
    title: str
    text: str
    scope: str
    parameters: tuple[Part, ...]
    body: tuple[Part, ...]
    answer: str
    shape: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    name: str
    text: str
    fields: tuple[Part, ...]


@dataclass(frozen=True)
class Reference:
    """Operations by collection, and the shapes they speak of."""

    sections: tuple[tuple[str, tuple[Operation, ...]], ...]
    shapes: tuple[Shape, ...]


@cache
def read() -> Reference:
    """Made once a process: it is as the code is."""
    document = schema.document()
    schemas = document["components"]["schemas"]
    sections: dict[str, list[Operation]] = {}
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                found = operations[method]
                sections.setdefault(found["tags"][0], []).append(_operation(path, method, found, schemas))
    shapes = [
        Shape(name, found.get("description", ""), _fields(found))
        for name, found in schemas.items()
        if found.get("properties") and not name.startswith("Paginated")
    ]
    return Reference(tuple((name, tuple(found)) for name, found in sections.items()), tuple(shapes))


def _operation(path: str, method: str, found: dict, schemas: dict) -> Operation:
    lines = found.get("description", "").split("\n\nScope:")[0].removeprefix("Scope:").split("\n", 1)
    title = found.get("summary") or lines[0].strip()
    rest = found.get("description", "").split("\n\nScope:")[0] if found.get("summary") else "".join(lines[1:])
    code, answer = _answer(found["responses"])
    body = found.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return Operation(
        anchor=found["operationId"], method=method.upper(), path=path, title=title,
        text="" if rest.startswith("Scope:") else rest.strip(), scope=found.get("x-scope", ""),
        parameters=tuple(
            Part(one["name"], _kind(one["schema"]), one.get("required", False), one.get("description", ""))
            for one in found.get("parameters", ())
        ),
        body=_fields(schemas.get(_name(body), {})), answer=code, shape=_shown(answer, schemas),
        codes=tuple(code for code in found["responses"] if code >= "400"),
    )  # fmt: skip


def _answer(responses: dict) -> tuple[str, dict]:
    code = next((code for code in responses if code < "400"), "")
    content = responses.get(code, {}).get("content", {})
    return code, next(iter(content.values()), {}).get("schema", {})


def _shown(found: dict, schemas: dict) -> str:
    """The shape of an answer: of a page, that of its rows."""
    name = _name(found)
    if name.startswith("Paginated"):
        return _name(schemas[name]["properties"]["results"]["items"])
    return name or _name(found.get("items", {}))


def _name(found: dict) -> str:
    return found.get("$ref", "").rpartition("/")[2]


def _fields(found: dict) -> tuple[Part, ...]:
    required = set(found.get("required", ()))
    return tuple(
        Part(name, _kind(one), name in required, one.get("description", ""))
        for name, one in found.get("properties", {}).items()
    )


def _kind(found: dict) -> str:
    """`integer`, `date-time or null`, `list of ItemShape`, `one of: a, b`."""
    for several in ("oneOf", "anyOf", "allOf"):
        if several in found:
            return " or ".join(dict.fromkeys(_kind(one) for one in found[several]))
    if "$ref" in found:
        return _name(found)
    if "enum" in found:
        return "one of: " + ", ".join(str(one) for one in found["enum"] if one not in (None, ""))
    kinds = found.get("type", "any")
    if found.get("format") == "date-time":
        kinds = ["date-time", "null"] if "null" in kinds and kinds != "string" else "date-time"
    if kinds == "array":
        return "list of " + _kind(found.get("items", {}))
    return " or ".join(kinds) if isinstance(kinds, list) else kinds
