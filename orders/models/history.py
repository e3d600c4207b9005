"""Reading orders by the date they were made: the daily search for gaps, and the past of a source added later."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.constraints import known_values
from stores.models import AmazonAccount


class HistoryKind(models.TextChoices):
    """Why the past is read."""

    GAPS = "gaps", _("search for gaps")
    BACKFILL = "backfill", _("orders from before the connection")


class HistoryRead(models.Model):
    """One reading of an account's orders by creation date, page by page; one of a kind is open at a time.

    `marketplaces`: Amazon's marketplace ids to ask for, all where empty. `missing`: orders that Amazon had and we did
    not; `late`: orders whose newer state we had missed.
    """

    Kind = HistoryKind

    account = models.ForeignKey(AmazonAccount, models.CASCADE, verbose_name=_("account"), related_name="history_reads")
    kind = models.CharField(_("kind"), max_length=10, choices=HistoryKind.choices)
    marketplaces = models.JSONField(_("marketplaces"), default=list, blank=True)
    created_after = models.DateTimeField(_("orders made from"))
    created_before = models.DateTimeField(_("orders made until"), null=True, blank=True)
    page_token = models.TextField(_("next page"), blank=True)
    pages = models.PositiveIntegerField(_("pages read"), default=0)
    seen = models.PositiveIntegerField(_("orders seen"), default=0)
    missing = models.PositiveIntegerField(_("orders missing here"), default=0)
    late = models.PositiveIntegerField(_("orders out of date here"), default=0)
    started_at = models.DateTimeField(_("started at"), default=clock.now)
    next_at = models.DateTimeField(_("goes on at"), default=clock.now)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("reading of past orders")
        verbose_name_plural = _("readings of past orders")
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind"], condition=Q(finished_at__isnull=True), name="history_read_one_open"
            ),
            known_values("kind", HistoryKind, "history_read_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.account_id}"
