"""Labels for many orders at once. Each row stands for itself, and marketplaces are told of all of them together."""

from django.db.models import Exists, OuterRef, Prefetch
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from orderhub.jobs import enqueue
from orderhub.rest import scopes, versions
from orderhub.rest.filtering import choice
from orderhub.rest.serializers import IdField, SparseSerializer, StrictSerializer
from orderhub.rest.views import ClientViewSet, Listed, Shown
from orders.models import Order
from shipments import batchchecking, batching, batchshowing, carriers, merging
from shipments.jobs import run_batch
from shipments.models import LabelBatch, LabelBatchRow

MOST = 500  # of one call; a batch of the back-office may hold more


class BatchRowShape(serializers.Serializer):
    """One order of a batch. `error`: a sentence that says what to do."""

    order_id = serializers.IntegerField(read_only=True)
    state = serializers.ChoiceField(choices=LabelBatchRow.State.choices, read_only=True)
    carrier = serializers.CharField(read_only=True)
    tracking_number = serializers.CharField(read_only=True)
    shipment_id = serializers.IntegerField(read_only=True, allow_null=True)
    error = serializers.SerializerMethodField()
    warning = serializers.CharField(read_only=True)

    def get_error(self, row: LabelBatchRow) -> str:
        return batchshowing.why_failed(row) if row.error else ""


class BatchShape(SparseSerializer):
    """A batch of labels."""

    id = serializers.IntegerField(read_only=True)
    state = serializers.ChoiceField(choices=LabelBatch.State.choices, read_only=True)
    carrier = serializers.CharField(read_only=True)
    service = serializers.CharField(read_only=True)
    ship_date = serializers.DateField(read_only=True, allow_null=True)
    paper = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    started_at = serializers.DateTimeField(read_only=True, allow_null=True)
    finished_at = serializers.DateTimeField(read_only=True, allow_null=True)
    rows = BatchRowShape(many=True, read_only=True)


class RowInput(StrictSerializer):
    """One order and its tracking number."""

    order_id = IdField()
    tracking_number = serializers.CharField(max_length=60)
    weight_g = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False, allow_null=True, default=None)


class BatchInput(StrictSerializer):
    """A batch of labels of our own, each with a number of the client's carrier."""

    carrier = serializers.CharField(max_length=40)
    service = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    ship_date = serializers.DateField(required=False, allow_null=True, default=None)
    paper = serializers.ChoiceField(choices=LabelBatch.Paper.values, required=False, default=LabelBatch.Paper.LABEL)
    rows = RowInput(many=True, min_length=1, max_length=MOST)

    def validate_rows(self, rows: list) -> list:
        if len({row["order_id"] for row in rows}) != len(rows):
            raise serializers.ValidationError(_("An order stands in a batch once."))
        return rows


class BatchViewSet(Listed, Shown, ClientViewSet):
    """Batches whose orders are all of the key's stores."""

    queryset = LabelBatch.objects.prefetch_related(Prefetch("rows", LabelBatchRow.objects.order_by("position", "pk")))
    serializer_class = BatchShape
    sorts = ("-id", "id")
    filters = {"state": choice("state", LabelBatch.State.values)}
    creates = frozenset({"create"})
    scopes = {
        **dict.fromkeys(("list", "retrieve"), scopes.SHIPMENTS_READ),
        **dict.fromkeys(("create", "retry"), scopes.SHIPMENTS_WRITE), "labels": scopes.LABELS_READ,
    }  # fmt: skip
    store_lookup = ""

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):  # being described, nobody asks
            return LabelBatch.objects.none()
        rows = LabelBatchRow.objects.filter(batch=OuterRef("pk"))
        mine, others = (
            Exists(rows.filter(order__store__in=self.key.store_ids)), Exists(rows.exclude(order__store__in=self.key.store_ids)),
        )  # fmt: skip
        return super().get_queryset().filter(mine, ~others)

    def etag_of(self, batch: LabelBatch) -> str:
        """Rows change while the batch stays."""
        rows = [(row.pk, row.state, row.error, row.shipment_id) for row in batch.rows.all()]
        return versions.etag_of("batch", batch.pk, batch.state, batch.finished_at, rows)

    @extend_schema(summary="Make labels for many orders", request=BatchInput, responses={201: BatchShape})
    def create(self, request):
        """Rows that nothing stands in the way of are made by a job, within a minute; the others say why not."""
        given = BatchInput(data=request.data)
        given.is_valid(raise_exception=True)
        told = given.validated_data
        ids = [row["order_id"] for row in told["rows"]]
        if Order.objects.filter(pk__in=ids, store__in=self.key.store_ids).count() != len(ids):
            raise serializers.ValidationError({"rows": [_("Your key sees no such order.")]})
        made, fresh = self.make_once(lambda: [self._start(told)])
        batch = self.get_queryset().filter(pk__in=made).first()
        if batch is None:
            raise Http404
        return self.show(batch, status=201 if fresh else 200)

    def _start(self, told: dict) -> int:
        batch = batching.create([row["order_id"] for row in told["rows"]], by=self.request.user, now=self.now)
        carrier = carriers.in_table(told["carrier"]).code
        common = {
            "carrier": carrier,
            "service": told["service"],
            "ship_date": told["ship_date"] or self.now.date(),
            "paper": told["paper"],
        }
        typed = {row["order_id"]: row for row in told["rows"]}
        rows = {
            row.pk: {
                "carrier": "", "service": "", "tracking_number": typed[row.order_id]["tracking_number"],
                "weight_g": typed[row.order_id]["weight_g"],
            }
            for row in batch.rows.all()
        }  # fmt: skip
        batching.save(batch, common=common, rows=rows)
        self._go(batch)
        return batch.pk

    def _go(self, batch: LabelBatch) -> None:
        checked = batchchecking.check(batch, now=self.now)
        batching.start(batch, seen=checked.seen, now=self.now)
        enqueue(run_batch, batch.pk)

    @extend_schema(summary="Try again what failed", request=None, responses=BatchShape)
    @action(detail=True, methods=["post"])
    def retry(self, request, pk) -> Response:
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        self._go(self.get_object())
        return self.show(self.get_object())

    @extend_schema(summary="All labels in one PDF", responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def labels(self, request, pk) -> HttpResponse:
        """In the order of the rows; each opening is logged."""
        batch = self.get_object()
        labels = list(merging.of_batch(batch))
        if not labels:
            raise Http404
        content = merging.labels_pdf(labels, by=request.user, now=self.now, paper=batch.paper)
        headers = {"Content-Disposition": f'attachment; filename="labels-batch-{batch.pk}.pdf"'}
        return HttpResponse(content, content_type="application/pdf", headers=headers)
