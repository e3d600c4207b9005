"""Label files. They name the recipient: opening one needs its own scope, and is logged."""

from django.db.models import Q
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action

from orderhub.rest import scopes
from orderhub.rest.filtering import flag, number
from orderhub.rest.views import ClientViewSet, Listed, Shown
from shipments import opening
from shipments.api.shipments import LabelShape
from shipments.labels import zpl
from shipments.models import Label

TYPES = {opening.PDF: "application/pdf", opening.PNG: "image/png", opening.ZPL: "text/plain; charset=utf-8"}
FORMATS, PAPERS = ("", "pdf", "zpl"), ("4x6", "a4")
MEDIA = {(200, kind.split(";")[0]): OpenApiTypes.BINARY for kind in TYPES.values()}


class LabelViewSet(Listed, Shown, ClientViewSet):
    """Labels of the key's stores."""

    queryset = Label.objects.select_related("shipment__order__store__merchant")
    serializer_class = LabelShape
    sorts = ("-id", "id")
    filters = {
        "shipment_id": number("shipment_id"), "order_id": number("shipment__order_id"),
        "redacted": flag(lambda gone: Q(redacted_at__isnull=not gone)),
    }  # fmt: skip
    scopes = {"list": scopes.SHIPMENTS_READ, "retrieve": scopes.SHIPMENTS_READ, "file": scopes.LABELS_READ}
    store_lookup = "shipment__order__store_id"

    @extend_schema(
        summary="Open a label's file",
        parameters=[
            OpenApiParameter("format", enum=[name for name in FORMATS if name], description="What is stored without it."),
            OpenApiParameter("paper", enum=list(PAPERS), default="4x6"),
            OpenApiParameter("dpi", OpenApiTypes.INT, enum=sorted(zpl.SIZES), default=203),
        ],
        responses=MEDIA,
    )  # fmt: skip
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def file(self, request, pk) -> HttpResponse:
        """From the instant the address is due, a page without it."""
        label = self.get_object()
        content = opening.open_label(label, by=request.user, now=self.now, **self._wanted(request.query_params))
        kind = opening.kind_of(content)
        headers = {"Content-Disposition": f'attachment; filename="label-{label.pk}.{kind}"'}
        return HttpResponse(content, content_type=TYPES[kind], headers=headers)

    @staticmethod
    def _wanted(query) -> dict:
        found = {"format": query.get("format", ""), "paper": query.get("paper", "4x6"), "dpi": query.get("dpi", "203")}
        known = {"format": FORMATS, "paper": PAPERS, "dpi": tuple(str(dpi) for dpi in zpl.SIZES)}
        wrong = [name for name, value in found.items() if value not in known[name]]
        wrong += [name[:60] for name in query if name not in known]
        if wrong:
            raise serializers.ValidationError({name: [_("A label does not exist like this.")] for name in wrong})
        return found | {"dpi": int(found["dpi"])}
