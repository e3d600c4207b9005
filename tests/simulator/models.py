"""Amazon's official models as JSON Schemas, strict: a field the model does not know is an error."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference" / "spapi-models"

needs_models = pytest.mark.skipif(not FOLDER.is_dir(), reason="Amazon's models are not at ../shared/reference.")


def _schema(node: Any) -> Any:
    """Without the x- extensions and prose; x-nullable becomes a second type; known fields only."""
    if isinstance(node, list):
        return [_schema(below) for below in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _schema(below) for name, below in node.items() if not name.startswith("x-")}
    if node.get("x-nullable") is True and isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"]
    if kept.get("type") == "object" and isinstance(kept.get("properties"), dict):
        kept.setdefault("additionalProperties", False)
    return kept


@cache
def _definitions(model: str) -> dict[str, Any]:
    return _schema(json.loads((FOLDER / model).read_text())["definitions"])


_checker = jsonschema.FormatChecker(formats=[])


@_checker.checks("date-time", raises=ValueError)
def _is_date_time(value: Any) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def faults(model: str, definition: str, data: Any) -> list[str]:
    """What the model has against `data`: paths and rules, at most five."""
    schema = {"$ref": f"#/definitions/{definition}", "definitions": _definitions(model)}
    errors = jsonschema.Draft4Validator(schema, format_checker=_checker).iter_errors(data)
    return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in list(errors)[:5]]
