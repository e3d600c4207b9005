"""Many labels in one go: a batch, and a row for each of its orders with what became of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orderhub import clock
from orderhub.constraints import known_values
from orders.models import Order
from shipments.models.shipment import LabelProvider, Shipment


class BatchState(models.TextChoices):
    DRAFT = "draft", _("being prepared")
    PRICING = "pricing", _("asking for prices")
    RUNNING = "running", _("making labels")
    DONE = "done", pgettext_lazy("batch", "done")


BatchState.BUSY = (BatchState.PRICING, BatchState.RUNNING)  # a job is at it: nothing can be typed


class BatchPaper(models.TextChoices):
    LABEL = "4x6", _("label, 4 × 6 in")
    A4 = "a4", "A4"


class LabelBatch(models.Model):
    """Labels for many orders. What is common to its rows is here; a row may say otherwise. Instants are UTC."""

    State = BatchState
    Paper = BatchPaper

    created_at = models.DateTimeField(_("created at"), default=clock.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("created by"), related_name="+"
    )
    state = models.CharField(_("state"), max_length=10, choices=BatchState.choices, default=BatchState.DRAFT)
    provider = models.CharField(
        _("labels from"), max_length=20, choices=LabelProvider.choices, default=LabelProvider.MANUAL
    )
    carrier = models.CharField(_("carrier"), max_length=40, blank=True)
    service = models.CharField(_("service"), max_length=80, blank=True)
    ship_date = models.DateField(_("ship date"), null=True, blank=True)
    length_mm = models.PositiveIntegerField(_("length (mm)"), null=True, blank=True)
    width_mm = models.PositiveIntegerField(_("width (mm)"), null=True, blank=True)
    height_mm = models.PositiveIntegerField(_("height (mm)"), null=True, blank=True)
    paper = models.CharField(_("paper"), max_length=4, choices=BatchPaper.choices, default=BatchPaper.LABEL)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    told_from = models.DateTimeField(_("marketplaces are told from"), null=True, blank=True)  # its notices wait for it

    class Meta:
        verbose_name = _("batch of labels")
        verbose_name_plural = _("batches of labels")
        ordering = ["-pk"]
        constraints = [
            known_values("state", BatchState, "batch_state_known"),
            known_values("provider", LabelProvider, "batch_provider_known"),
            known_values("paper", BatchPaper, "batch_paper_known"),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(started_at__isnull=False), name="batch_running_has_start"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_busy(self) -> bool:
        return self.state in BatchState.BUSY

    @property
    def buys(self) -> bool:
        """Whether its labels cost money at a provider: prices are asked for first."""
        return self.provider != LabelProvider.MANUAL


class RowState(models.TextChoices):
    WAITING = "waiting", _("to do")
    RUNNING = "running", _("in progress")
    DONE = "done", _("label made")
    FAILED = "failed", _("not made")


class LabelBatchRow(models.Model):
    """One order of a batch. `error` and `warning` are sentences or codes of ours about the order, never about a person."""

    State = RowState

    batch = models.ForeignKey(LabelBatch, models.CASCADE, verbose_name=_("batch"), related_name="rows")
    order = models.ForeignKey(Order, models.PROTECT, verbose_name=_("order"), related_name="batch_rows")
    position = models.PositiveIntegerField(_("position"))
    state = models.CharField(_("state"), max_length=10, choices=RowState.choices, default=RowState.WAITING)
    carrier = models.CharField(_("carrier"), max_length=40, blank=True)
    service = models.CharField(_("service"), max_length=80, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=60, blank=True)
    weight_g = models.PositiveIntegerField(_("weight (g)"), null=True, blank=True)
    length_mm = models.PositiveIntegerField(_("length (mm)"), null=True, blank=True)
    width_mm = models.PositiveIntegerField(_("width (mm)"), null=True, blank=True)
    height_mm = models.PositiveIntegerField(_("height (mm)"), null=True, blank=True)
    offer = models.JSONField(
        _("offer"), default=dict, blank=True
    )  # see shipments.batchprices; measures and prices only
    error = models.CharField(_("error"), max_length=400, blank=True)
    warning = models.CharField(_("warning"), max_length=400, blank=True)
    shipment = models.OneToOneField(
        Shipment, models.PROTECT, null=True, blank=True, verbose_name=_("shipment"), related_name="batch_row"
    )
    lease_until = models.DateTimeField(_("held until"), null=True, blank=True)
    fence = models.PositiveIntegerField(_("start number"), default=0)
    starts = models.PositiveIntegerField(_("starts without an end"), default=0)

    class Meta:
        verbose_name = _("order of a batch")
        verbose_name_plural = _("orders of a batch")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "order"], name="batch_row_once_per_order"),
            known_values("state", RowState, "batch_row_state_known"),
            models.CheckConstraint(
                condition=Q(state="done", shipment__isnull=False) | (~Q(state="done") & Q(shipment__isnull=True)),
                name="batch_row_done_has_shipment",
            ),
            models.CheckConstraint(
                condition=Q(state="running", lease_until__isnull=False)
                | (~Q(state="running") & Q(lease_until__isnull=True)),
                name="batch_row_running_is_leased",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.batch_id}/{self.position}"
