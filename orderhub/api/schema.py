"""The description of the native API as OpenAPI 3.1: made from the views, completed with what all of them share.

English whatever the reader's language: it is for programs. docs/openapi.json is a copy, which a test compares.
"""

import json
from pathlib import Path

from django.conf import settings
from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from orderhub.rest import problems
from orderhub.rest.repeating import HEADER, MOST_LETTERS

COMMITTED = Path(settings.BASE_DIR) / "docs" / "openapi.json"
ALWAYS = (401, 403, 429, 500, 503)
WITH_BODY = (400, 409, 413, 415, 422)


class BearerKey(OpenApiAuthenticationExtension):
    """How spectacular names our way of signing in."""

    target_class = "orderhub.api.authentication.Bearer"
    name = "key"

    def get_security_definition(self, auto_schema) -> dict:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "oh_…"}


class ClientSchema(AutoSchema):
    """What an operation needs is written where it is declared: the view's `scopes` and `creates`."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_operation_id(self) -> str:
        """`orders_hold`: the collection and the action, as they are called in the code."""
        return f"{self.get_tags()[0].replace('-', '_')}_{self.view.action}"

    def get_extensions(self) -> dict:
        return super().get_extensions() | {"x-scope": self.view.scopes.get(self.view.action, "")}

    def get_operation(self, *args):
        operation = super().get_operation(*args)
        if operation is not None:
            operation.setdefault("parameters", []).extend(self._headers())
            if not operation["parameters"]:
                del operation["parameters"]
        return operation

    def _headers(self) -> list[dict]:
        found = []
        if self.view.action in self.view.creates:
            told = "A random value of your own, the same when you send this request again."
            schema = {"type": "string", "minLength": 1, "maxLength": MOST_LETTERS, "pattern": "^[!-~]+$"}
            found.append({"name": HEADER, "in": "header", "required": True, "description": told, "schema": schema})
        if self.view.action == "partial_update":
            told = "The ETag you read: 412 where somebody changed it since."
            found.append({"name": "If-Match", "in": "header", "description": told, "schema": {"type": "string"}})
        return found


def document() -> dict:
    """The whole description."""
    with translation.override("en"):
        found = SchemaGenerator().get_schema(request=None, public=True)
        for path, operations in found["paths"].items():
            for method, operation in operations.items():
                _complete(operation, with_id="{" in path, writes=method != "get")
        found["components"]["schemas"]["Problem"] = _problem()
        return json.loads(json.dumps(found, default=str))


def text() -> str:
    """As it is committed and served."""
    return json.dumps(document(), indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def _complete(operation: dict, *, with_id: bool, writes: bool) -> None:
    """Errors every operation may answer with, and the headers of all answers."""
    codes = {*ALWAYS, 422}
    codes |= {404} if with_id else set()
    codes |= {409} if writes else set()
    codes |= set(WITH_BODY) | {404} if "requestBody" in operation else set()
    headers = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "header"}
    if HEADER in headers:  # sent again
        codes.add(400)
        told = {"description": "Made before: as it is now."}
        operation["responses"].setdefault("200", operation["responses"].get("201", {}) | told)
    codes |= {412} if "If-Match" in headers else set()
    for code in sorted(codes):
        operation["responses"].setdefault(str(code), _refusal(code))
    operation["responses"] = dict(sorted(operation["responses"].items()))
    scope = operation.get("x-scope")
    if scope:
        lines = [operation.get("description", "").strip(), f"Scope: `{scope}`."]
        operation["description"] = "\n\n".join(filter(None, lines))


def _refusal(code: int) -> dict:
    told = problems.TITLES[code]
    content = {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": told, "content": content}


def _problem() -> dict:
    one = {
        "type": "object",
        "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}, "code": {"type": "string"}},
        "required": ["pointer", "detail", "code"],
    }
    return {
        "type": "object",
        "description": "RFC 9457 problem details.",
        "properties": {
            "type": {"type": "string", "description": "urn:orderhub:problem:… – for programs"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "A sentence that says what to do."},
            "errors": {"type": "array", "items": one},
            "error_id": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail"],
    }
