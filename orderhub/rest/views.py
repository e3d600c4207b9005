"""What every view of the native API is made of: a scope for each of its actions, and the stores of the key.

DRF applies rights on objects neither to lists nor to creates by itself: `get_queryset` narrows to the key's stores
first, so what is not the client's is not there (404, as for an unknown id).
"""

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _
from rest_framework import permissions, viewsets
from rest_framework.response import Response

from orderhub import clock
from orderhub.models import ApiKey
from orderhub.rest import repeating, versions
from orderhub.rest.filtering import Filter, TableFilter
from orderhub.rest.problems import Problem
from orderhub.rest.serializers import sparse


class HasScope(permissions.BasePermission):
    """The view's `scopes` names, for each action, what the key must be allowed. An action without one is nobody's."""

    def has_permission(self, request, view) -> bool:
        if view.action is None:  # a method this address does not take: DRF says so
            return True
        scope = view.scopes.get(view.action)
        if scope is None or not request.auth.may(scope):
            detail = _("Your key lacks the scope %(scope)s.") % {"scope": scope or "-"}
            raise Problem(403, "scope-missing", detail)
        return True


class ClientViewSet(viewsets.GenericViewSet):
    """Base of all resources. Subclasses give `queryset`, `scopes`, `serializer_class`, `sorts` for their lists, and in
    `creates` the actions that go through `make_once`.

    `filters`: what the list can be narrowed by (orderhub.rest.filtering). `store_lookup`: the path to the store's id, by which rows are narrowed to the key's stores; '' for what
    belongs to no store.
    """

    permission_classes = [permissions.IsAuthenticated, HasScope]
    scopes: Mapping[str, str] = {}
    creates: frozenset[str] = frozenset()  # actions that need an Idempotency-Key
    sorts: tuple[str, ...] = ("-id",)
    store_lookup: str = "store_id"
    filter_backends = [TableFilter]
    filters: Mapping[str, Filter] = {}
    lookup_value_regex = "[0-9]{1,18}"

    @property
    def key(self) -> ApiKey:
        return self.request.auth

    @property
    def now(self) -> datetime:
        """This request's own instant."""
        if not hasattr(self, "_now"):
            self._now = clock.now()
        return self._now

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):  # being described, nobody asks
            return super().get_queryset().none()
        if not self.store_lookup:
            return super().get_queryset()
        return super().get_queryset().filter(**{f"{self.store_lookup}__in": self.key.store_ids})

    def only(self) -> tuple[str, ...]:
        """What `?fields=` asks for."""
        return sparse(self.get_serializer_class(), self.request.query_params)

    def show(self, row, *, status: int = 200) -> Response:
        """One row as the answer, with its ETag; 304 where the client has it already."""
        etag = self.etag_of(row)
        if self.request.method == "GET" and versions.is_unchanged(self.request, etag):
            return Response(status=304, headers={"ETag": etag})
        return Response(self.get_serializer(row, only=self.only()).data, status=status, headers={"ETag": etag})

    def etag_of(self, row) -> str:
        """Of the row's columns, unless the subclass knows better."""
        return versions.etag_of(
            type(row).__name__, {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
        )

    def check_match(self, row) -> None:
        versions.check_match(self.request, self.etag_of(row))

    def make_once(self, make) -> tuple[list[int], bool]:
        """`make` once for the request's Idempotency-Key; see orderhub.rest.repeating.once."""
        return repeating.once(self.request, route=f"{self.request.method} {self.request.path}", now=self.now, make=make)


class Listed:
    """GET of the collection, page by page."""

    def list(self, request, *args, **kwargs):
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(rows, many=True, only=self.only()).data)


class Shown:
    """GET of one."""

    def retrieve(self, request, *args, **kwargs):
        return self.show(self.get_object())
