"""What a list can be narrowed by: a table of names a view declares, and nothing besides.

A name that is not in the table is refused: a typing error must not show everything, and no column of a person becomes
a question that can be asked until it answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.filters import BaseFilterBackend

from orderhub.rest.problems import UNKNOWN_FIELD

PAGING = frozenset({"page_size", "cursor", "sort", "fields"})
MOST_LETTERS = 200


@dataclass(frozen=True)
class Filter:
    """`lookup`: as Django writes it, or a function of the value that gives a Q. `read` raises ValueError with a sentence."""

    lookup: str | Callable[[Any], Q]
    read: Callable[[str], Any]
    schema: Mapping[str, Any]
    help: str = ""

    def q(self, value) -> Q:
        return self.lookup(value) if callable(self.lookup) else Q(**{self.lookup: value})


def text(lookup, help: str = "") -> Filter:
    return Filter(lookup, _text, {"type": "string", "minLength": 1, "maxLength": MOST_LETTERS}, help)


def number(lookup, help: str = "") -> Filter:
    return Filter(lookup, _number, {"type": "integer", "minimum": 0, "maximum": 2**53}, help)


def flag(lookup, help: str = "") -> Filter:
    return Filter(lookup, _flag, {"type": "boolean"}, help)


def instant(lookup, help: str = "") -> Filter:
    return Filter(lookup, _instant, {"type": "string", "format": "date-time"}, help)


def choice(lookup: str, choices: Sequence[str], help: str = "") -> Filter:
    """One of these words, or several with commas between them."""

    def read(given: str) -> list[str]:
        words = [word.strip() for word in given.split(",")]
        if not set(words) <= set(choices):
            raise ValueError(_("Choose from: %(names)s.") % {"names": ", ".join(choices)})
        return words

    told = f"{help} One of, or several with commas: {', '.join(choices)}.".strip()
    return Filter(
        f"{lookup}__in", read, {"type": "string", "pattern": f"^({'|'.join(choices)})(,({'|'.join(choices)}))*$"}, told
    )


def span(lookup: str) -> dict[str, Filter]:
    """`{name}_after` (that instant included) and `{name}_before` (not included); to be named by the caller."""
    return {"after": instant(f"{lookup}__gte"), "before": instant(f"{lookup}__lt")}


class TableFilter(BaseFilterBackend):
    """Filters by the view's `filters`, a table of names."""

    def filter_queryset(self, request, queryset: QuerySet, view) -> QuerySet:
        table: Mapping[str, Filter] = view.filters
        errors, found = {}, Q()
        for name, values in request.query_params.lists():
            if name in PAGING:
                continue
            if name not in table or len(values) > 1:
                errors[name[:60]] = [UNKNOWN_FIELD]
                continue
            try:
                found &= table[name].q(table[name].read(values[0]))
            except ValueError as error:
                errors[name] = [str(error)]
        if errors:
            raise serializers.ValidationError(errors)
        return queryset.filter(found)

    def get_schema_operation_parameters(self, view) -> list[dict]:
        fields = {
            "name": "fields", "in": "query", "schema": {"type": "string"},
            "description": "Names of the fields to show, with commas between them; all of them without it.",
        }  # fmt: skip
        return [
            {"name": name, "in": "query", "schema": dict(found.schema)}
            | ({"description": found.help} if found.help else {})
            for name, found in view.filters.items()
        ] + [fields]


def _text(given: str) -> str:
    if not given or len(given) > MOST_LETTERS or "\x00" in given:
        raise ValueError(_("Write between 1 and %(most)d characters.") % {"most": MOST_LETTERS})
    return given


def _number(given: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 17 and int(given) <= 2**53):
        raise ValueError(_("Write a whole number."))
    return int(given)


def _flag(given: str) -> bool:
    if given not in {"true", "false"}:
        raise ValueError(_("Write true or false."))
    return given == "true"


def _instant(given: str) -> datetime:
    try:
        found = parse_datetime(given)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or found.year < 1000:
        raise ValueError(_("Write an instant with its offset, such as 2026-11-20T08:46:27Z."))
    return found
