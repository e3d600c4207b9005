"""What marketplaces were told of parcels, what comes next, and sending one again."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from orderhub.rest import scopes
from orderhub.rest.filtering import choice, instant, number
from orderhub.rest.serializers import SparseSerializer, StrictSerializer
from orderhub.rest.views import ClientViewSet, Listed, Shown
from shipments import noticewords, pushing
from shipments.models import ShipmentNotification


class NotificationShape(SparseSerializer):
    """One per order and channel. The marketplace's own words are never shown: they may repeat an address."""

    id = serializers.IntegerField(read_only=True)
    order_id = serializers.IntegerField(read_only=True)
    shipment_id = serializers.IntegerField(read_only=True)
    channel = serializers.ChoiceField(choices=ShipmentNotification.Channel.choices, read_only=True)
    state = serializers.ChoiceField(choices=ShipmentNotification.State.choices, read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    attempts = serializers.IntegerField(read_only=True)
    next_attempt_at = serializers.DateTimeField(read_only=True, allow_null=True)
    confirmed_at = serializers.DateTimeField(read_only=True, allow_null=True)
    error_code = serializers.SerializerMethodField()
    meaning = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()
    can_retry = serializers.SerializerMethodField()

    def get_error_code(self, notice: ShipmentNotification) -> str:
        return self._words(notice).code

    def get_meaning(self, notice: ShipmentNotification) -> str:
        return self._words(notice).meaning

    def get_reason(self, notice: ShipmentNotification) -> str:
        return self._words(notice).reason

    def get_can_retry(self, notice: ShipmentNotification) -> bool:
        return self._words(notice).can_retry

    def _words(self, notice: ShipmentNotification) -> noticewords.NoticeWords:
        """Made once a row."""
        if not hasattr(notice, "words"):
            notice.words = noticewords.of(notice, now=self.context["view"].now)
        return notice.words


class NotificationViewSet(Listed, Shown, ClientViewSet):
    """Notices about orders of the key's stores."""

    queryset = ShipmentNotification.objects.select_related("order__store__account", "shipment")
    serializer_class = NotificationShape
    sorts = ("-id", "id")
    filters = {
        "order_id": number("order_id"), "store_id": number("order__store_id"), "shipment_id": number("shipment_id"),
        "state": choice("state", ShipmentNotification.State.values),
        "channel": choice("channel", ShipmentNotification.Channel.values), "created_after": instant("created_at__gte"),
    }  # fmt: skip
    scopes = {
        **dict.fromkeys(("list", "retrieve"), scopes.NOTIFICATIONS_READ), "retry": scopes.NOTIFICATIONS_RETRY,
    }  # fmt: skip
    store_lookup = "order__store_id"

    def get_queryset(self):
        return super().get_queryset().with_mirror_standing()

    @extend_schema(summary="Send it again", request=None, responses=NotificationShape)
    @action(detail=True, methods=["post"])
    def retry(self, request, pk) -> Response:
        """Never a second notice: one whose outcome is unknown is read back first."""
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        notice = self.get_object()
        pushing.push(notice, by=request.user, now=self.now, gate=pushing.Gate(self.now))
        return self.show(self.get_object())
