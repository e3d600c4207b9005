"""Pages by cursor: the place after the last row, so that rows which come in between neither repeat nor hide others.

A cursor is signed: it is for going on, not for asking about columns.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework import pagination, serializers
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

SALT = "orderhub.rest.paging"
DEFAULT, MOST = 50, 100


class KeysetPagination(pagination.BasePagination):
    """`?page_size=` up to 100, `?cursor=` from the page before. The view's `sorts` names what may be sorted by.

    `sorts`: {"-modified_at": "modified_at", …}, the first one is the default; a minus before the name means newest
    first. Each row's id decides among equals. The same statement count for any page, however far down.
    """

    def paginate_queryset(self, queryset: QuerySet, request, view=None) -> list:
        self.request = request
        sort = self._sort(request, view)
        size = self._size(request)
        column, down = sort.lstrip("-"), sort.startswith("-")
        queryset = queryset.order_by(sort, "-pk" if down else "pk") if column != "id" else queryset.order_by(sort)
        after = self._after(request, sort)
        if after is not None:
            queryset = queryset.filter(_beyond(column, down, *after))
        rows = list(queryset[: size + 1])
        self.next_cursor = _cursor(sort, rows[size - 1], column) if len(rows) > size else None
        return rows[:size]

    def get_paginated_response(self, data: Sequence) -> Response:
        return Response({"results": data, "next_cursor": self.next_cursor, "next": self._next()})

    def get_paginated_response_schema(self, schema: dict) -> dict:
        return {
            "type": "object",
            "required": ["results", "next_cursor", "next"],
            "properties": {
                "results": schema,
                "next_cursor": {"type": ["string", "null"], "description": "Pass as cursor; null on the last page."},
                "next": {"type": ["string", "null"], "description": "Address of the next page."},
            },
        }

    def get_schema_operation_parameters(self, view) -> list[dict]:
        sorts = list(getattr(view, "sorts", ("-id",)))
        return [
            {"name": "page_size", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT}},
            {"name": "cursor", "in": "query", "schema": {"type": "string"}},
            {"name": "sort", "in": "query", "schema": {"type": "string", "enum": sorts, "default": sorts[0]}},
        ]  # fmt: skip

    def _sort(self, request, view) -> str:
        sorts = getattr(view, "sorts", ("-id",))
        wanted = request.query_params.get("sort", sorts[0])
        if wanted not in sorts:
            raise serializers.ValidationError({"sort": [_("Sort by one of: %(names)s.") % {"names": ", ".join(sorts)}]})
        return wanted

    def _size(self, request) -> int:
        text = request.query_params.get("page_size", str(DEFAULT))
        if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST):
            raise serializers.ValidationError(
                {"page_size": [_("A page has between 1 and %(most)d rows.") % {"most": MOST}]}
            )
        return int(text)

    def _after(self, request, sort: str) -> tuple[Any, int] | None:
        text = request.query_params.get("cursor", "")
        if not text:
            return None
        try:
            made_for, value, pk = signing.loads(text, salt=SALT)
        except (signing.BadSignature, ValueError, TypeError):
            made_for = None
        if made_for != sort:
            raise serializers.ValidationError({"cursor": [_("This cursor is of another list. Begin without one.")]})
        return (datetime.fromisoformat(value) if isinstance(value, str) else value), pk

    def _next(self) -> str | None:
        if self.next_cursor is None:
            return None
        url = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return replace_query_param(url, "cursor", self.next_cursor)


def _beyond(column: str, down: bool, value, pk: int) -> Q:
    further = "lt" if down else "gt"
    if column == "id":
        return Q(**{f"pk__{further}": pk})
    # Two conditions: the first alone lets the database use the index, whatever it makes of the OR
    among = Q(**{f"{column}__{further}e": value})
    return among & (Q(**{f"{column}__{further}": value}) | Q(**{f"pk__{further}": pk}))


def _cursor(sort: str, row, column: str) -> str:
    value = getattr(row, column)
    return signing.dumps(
        [sort, value.isoformat() if isinstance(value, datetime) else value, row.pk], salt=SALT, compress=False
    )
