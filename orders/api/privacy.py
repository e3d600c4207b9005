"""Certificates of erasure, and asking for one. What is erased, and when, is never a client's to decide."""

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from orderhub.rest import scopes
from orderhub.rest.filtering import instant, number, text
from orderhub.rest.serializers import IdField, SparseSerializer, StrictSerializer
from orderhub.rest.views import ClientViewSet, Listed, Shown
from orders import erasure_requests
from orders.models import Order
from privacy.models import ErasureCertificate, PersonalDataRequest


class CertificateShape(SparseSerializer):
    """What was erased of an order, when, and by which rule. Names of fields, no values."""

    id = serializers.IntegerField(read_only=True)
    order_id = serializers.IntegerField(read_only=True)
    order_number = serializers.CharField(read_only=True)
    rule = serializers.CharField(read_only=True)
    due_at = serializers.DateTimeField(read_only=True, allow_null=True)
    done_at = serializers.DateTimeField(read_only=True)
    fields_erased = serializers.ListField(source="fields", child=serializers.CharField(), read_only=True)


class CertificateViewSet(Listed, Shown, ClientViewSet):
    """Certificates of orders of the key's stores."""

    queryset = ErasureCertificate.objects.all()
    serializer_class = CertificateShape
    sorts = ("-id", "id")
    filters = {
        "order_id": number("order_id"), "order_number": text("order_number"), "done_after": instant("done_at__gte"),
        "done_before": instant("done_at__lt"),
    }  # fmt: skip
    scopes = {"list": scopes.PRIVACY_REPORT, "retrieve": scopes.PRIVACY_REPORT}
    store_lookup = ""

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):  # being described, nobody asks
            return ErasureCertificate.objects.none()
        here = Order.objects.filter(pk=OuterRef("order_id"), store__in=self.key.store_ids)
        return super().get_queryset().filter(Exists(here))


class RequestInput(StrictSerializer):
    """Which orders, and who wants it, as a code: no free text, so that no name gets in."""

    order_ids = serializers.ListField(child=IdField(), min_length=1, max_length=50)
    reason = serializers.ChoiceField(choices=PersonalDataRequest.Reason.values)


class RequestShape(SparseSerializer):
    """A request for erasure. The privacy officer decides on it."""

    id = serializers.IntegerField(read_only=True)
    order_ids = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    reason = serializers.CharField(read_only=True)
    state = serializers.ChoiceField(choices=PersonalDataRequest.State.choices, read_only=True)
    asked_at = serializers.DateTimeField(read_only=True)
    decided_at = serializers.DateTimeField(read_only=True, allow_null=True)
    done_at = serializers.DateTimeField(read_only=True, allow_null=True)


class RequestViewSet(Listed, Shown, ClientViewSet):
    """The key's own requests."""

    queryset = PersonalDataRequest.objects.all()
    serializer_class = RequestShape
    sorts = ("-id", "id")
    creates = frozenset({"create"})
    scopes = dict.fromkeys(("list", "retrieve", "create"), scopes.PRIVACY_REQUEST)
    store_lookup = ""

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):  # being described, nobody asks
            return PersonalDataRequest.objects.none()
        return super().get_queryset().filter(asked_by=self.key.user)

    @extend_schema(
        summary="Ask for the erasure of orders' personal data", request=RequestInput, responses={201: RequestShape}
    )
    def create(self, request):
        """It goes on the orders' timelines and to the privacy officer; nothing is erased before it is decided."""
        given = RequestInput(data=request.data)
        given.is_valid(raise_exception=True)
        ids, reason = set(given.validated_data["order_ids"]), given.validated_data["reason"]
        rows = Order.objects.filter(pk__in=ids, store__in=self.key.store_ids)
        if rows.count() != len(ids):
            raise serializers.ValidationError({"order_ids": [_("Your key sees no such order.")]})
        scope = erasure_requests.scope_of(rows)
        made, fresh = self.make_once(
            lambda: [erasure_requests.ask(scope, reason, by=request.user, now=self.now, request=request._request).pk]
        )
        row = self.get_queryset().get(pk=made[0])
        return Response(RequestShape(row).data, status=201 if fresh else 200)
