"""Webhooks for API clients: each sees and changes those of its own key."""

import uuid

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from orderhub.errors import RuleViolation
from orderhub.rest import scopes
from orderhub.rest.filtering import choice, flag, text
from orderhub.rest.serializers import IdField, SparseSerializer, StrictSerializer, sparse
from orderhub.rest.views import ClientViewSet, Listed, Shown
from orderhub.webhooks import addresses, sending, subscribing
from orderhub.webhooks.models import Because, Delivery, Endpoint, State, Surface

MOST_EVENTS = 30


class WebhookShape(SparseSerializer):
    """An endpoint. Of its address only scheme and host: the rest may be a password."""

    id = serializers.IntegerField(read_only=True)
    surface = serializers.ChoiceField(Surface.choices, read_only=True, help_text="whose form the messages have")
    name = serializers.CharField(read_only=True)
    url_shown = serializers.CharField(read_only=True, help_text="scheme and host")
    events = serializers.ListField(child=serializers.CharField(), read_only=True)
    store_ids = serializers.ListField(
        child=serializers.IntegerField(), read_only=True, help_text="empty: all of the key"
    )
    active = serializers.BooleanField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    failures = serializers.IntegerField(read_only=True, help_text="in a row")
    failing_since = serializers.DateTimeField(read_only=True, allow_null=True)
    paused_until = serializers.DateTimeField(read_only=True, allow_null=True)
    disabled_at = serializers.DateTimeField(read_only=True, allow_null=True)
    disabled_because = serializers.ChoiceField(Because.choices, read_only=True, allow_blank=True)


class NewWebhookShape(WebhookShape):
    """As it is shown once, when it was made."""

    secret = serializers.CharField(read_only=True, help_text="signs every message; shown this once")


class WebhookWish(StrictSerializer):
    """A new endpoint."""

    url = serializers.CharField(max_length=addresses.MOST_LETTERS)
    events = serializers.ListField(child=serializers.CharField(max_length=40), min_length=1, max_length=MOST_EVENTS)
    store_ids = serializers.ListField(child=IdField(), required=False, max_length=1000)
    name = serializers.CharField(max_length=60, required=False, allow_blank=True)

    surface = Surface.NATIVE

    def validate_url(self, url: str) -> str:
        return self._checked(url, lambda: addresses.split(url))

    def validate_events(self, names: list[str]) -> list[str]:
        return self._checked(names, lambda: subscribing.check_events(self.context["key"], self.surface, names))

    def validate_store_ids(self, ids: list[int]) -> list[int]:
        return self._checked(ids, lambda: subscribing.check_stores(self.context["key"], ids))

    @staticmethod
    def _checked(value, check):
        try:
            check()
        except RuleViolation as error:
            raise serializers.ValidationError(str(error)) from error
        return value


class WebhookChange(WebhookWish):
    """What may be changed of it. Another address is another endpoint, with a secret of its own."""

    url = store_ids = None
    events = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=MOST_EVENTS, required=False
    )
    active = serializers.BooleanField(required=False)

    @property
    def surface(self) -> str:
        return self.context["endpoint"].surface


class DeliveryShape(SparseSerializer):
    """One thing the endpoint was told, and what came of it."""

    event_id = serializers.UUIDField(read_only=True, help_text="the same at every attempt")
    type = serializers.CharField(source="event", read_only=True)
    state = serializers.ChoiceField(State.choices, read_only=True)
    order_id = serializers.IntegerField(read_only=True, allow_null=True)
    shipment_id = serializers.IntegerField(read_only=True, allow_null=True)
    account_id = serializers.IntegerField(read_only=True, allow_null=True)
    store_id = serializers.IntegerField(read_only=True, allow_null=True)
    attempts = serializers.IntegerField(read_only=True)
    last_status = serializers.IntegerField(read_only=True, allow_null=True, help_text="HTTP status of the last answer")
    last_error = serializers.CharField(read_only=True)
    happened_at = serializers.DateTimeField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    next_attempt_at = serializers.DateTimeField(read_only=True, help_text="while it waits")
    delivered_at = serializers.DateTimeField(read_only=True, allow_null=True)


class WebhookViewSet(Listed, Shown, ClientViewSet):
    """The key's own webhooks."""

    queryset = Endpoint.objects.all()
    serializer_class = WebhookShape
    sorts = ("-id", "id")
    creates = frozenset({"create"})
    scopes = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "destroy", "ping", "deliveries", "redeliver"), scopes.WEBHOOKS
    )

    @property
    def filters(self):
        of_deliveries = {"state": choice("state", State.values), "type": text("event", "exactly")}
        return {"list": {"active": flag("active")}, "deliveries": of_deliveries}.get(self.action, {})

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):  # being described, nobody asks
            return Endpoint.objects.none()
        return subscribing.endpoints_of(self.key)

    @extend_schema(summary="Make a webhook", request=WebhookWish, responses={201: NewWebhookShape})
    def create(self, request):
        wish = WebhookWish(data=request.data, context={"key": self.key})
        wish.is_valid(raise_exception=True)
        given = dict(wish.validated_data)
        names = given.pop("events")
        ids, is_new = self.make_once(lambda: [subscribing.make(self.key, names=names, now=self.now, **given).pk])
        endpoint = get_object_or_404(self.get_queryset(), pk=ids[0])
        shape = NewWebhookShape if is_new else WebhookShape
        return Response(shape(endpoint).data, status=201, headers={"ETag": self.etag_of(endpoint)})

    @extend_schema(summary="Change a webhook, or switch it", request=WebhookChange, responses=WebhookShape)
    def partial_update(self, request, pk):
        endpoint = self._endpoint()
        self.check_match(endpoint)
        wish = WebhookChange(data=request.data, context={"key": self.key, "endpoint": endpoint})
        wish.is_valid(raise_exception=True)
        given = wish.validated_data
        if {"events", "name"} & given.keys():
            subscribing.change(endpoint, names=given.get("events"), name=given.get("name"), by=request.user)
        if "active" in given:
            subscribing.switch(endpoint, on=given["active"], by=request.user, now=self.now)
        return self.show(self._endpoint())

    @extend_schema(summary="Delete a webhook, with all that waits for it", responses={204: None})
    def destroy(self, request, pk):
        endpoint = self._endpoint()
        self.check_match(endpoint)
        subscribing.unsubscribe(self.key, endpoint.pk, now=self.now)
        return Response(status=204)

    @extend_schema(summary="Send it a test message now", request=None, responses=DeliveryShape)
    @action(detail=True, methods=["post"], url_path="test")
    def ping(self, request, pk):
        return Response(DeliveryShape(sending.ping(self._endpoint(), now=self.now)).data)

    @extend_schema(summary="What it was told, the newest first", responses=DeliveryShape(many=True))
    @action(detail=True, methods=["get"])
    def deliveries(self, request, pk):
        page = self.paginate_queryset(self.filter_queryset(Delivery.objects.filter(endpoint=self._endpoint())))
        only = sparse(DeliveryShape, request.query_params)
        return self.get_paginated_response(DeliveryShape(page, many=True, only=only).data)

    @extend_schema(summary="Send one again, with the same event id", request=None, responses=DeliveryShape)
    @action(detail=True, methods=["post"], url_path="deliveries/(?P<event_id>[0-9a-f-]{1,36})/redeliver")
    def redeliver(self, request, pk, event_id):
        try:
            wanted = uuid.UUID(event_id)
        except ValueError:
            raise Http404 from None
        delivery = get_object_or_404(Delivery.objects.filter(endpoint=self._endpoint()), event_id=wanted)
        subscribing.redeliver(delivery, now=self.now)
        delivery.refresh_from_db()
        return Response(DeliveryShape(delivery).data)

    def _endpoint(self) -> Endpoint:
        """Without the filters, which are about its deliveries."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])


RESOURCES = {"webhooks": WebhookViewSet}
