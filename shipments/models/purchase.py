"""The intent to buy a label, written before the provider is asked: a label is money, and is never bought twice."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.constraints import known_values
from orders.models import Order
from shipments.models.batch import LabelBatchRow
from shipments.models.shipment import LabelProvider, Shipment


class PurchaseState(models.TextChoices):
    BUYING = "buying", _("being bought")
    UNKNOWN = "unknown", _("outcome unknown, being asked for")
    BOUGHT = "bought", _("bought")
    FAILED = "failed", _("not bought")
    VOIDING = "voiding", _("being voided")
    VOIDED = "voided", _("voided")


PurchaseState.OPEN = (PurchaseState.BUYING, PurchaseState.UNKNOWN)


class LabelPurchase(models.Model):
    """One label wanted from a provider. `idempotency_key` is fixed: the same wish sent again buys nothing new."""

    State = PurchaseState

    order = models.ForeignKey(Order, models.PROTECT, verbose_name=_("order"), related_name="purchases")
    provider = models.CharField(_("provider"), max_length=20, choices=LabelProvider.choices)
    state = models.CharField(_("state"), max_length=10, choices=PurchaseState.choices, default=PurchaseState.BUYING)
    idempotency_key = models.CharField(max_length=40, unique=True, editable=False)
    request_token = models.TextField(blank=True, editable=False)  # Amazon's, for the rates it quoted; lives 10 minutes
    rate_id = models.TextField(blank=True, editable=False)
    carrier = models.CharField(_("carrier"), max_length=40, blank=True)
    service = models.CharField(_("service"), max_length=80, blank=True)
    price = models.DecimalField(_("price"), max_digits=18, decimal_places=4, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    tracked = models.BooleanField(_("automatically tracked"), default=False)
    parcel = models.JSONField(_("parcel"), default=dict, blank=True)  # weight, size, ship date, format; no address
    provider_ref = models.CharField(_("number at the provider"), max_length=80, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=60, blank=True)
    shipment = models.OneToOneField(
        Shipment, models.PROTECT, null=True, blank=True, verbose_name=_("shipment"), related_name="purchase"
    )
    batch_row = models.ForeignKey(
        LabelBatchRow,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("row of a batch"),
        related_name="purchases",
    )
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("created by"), related_name="+"
    )
    next_attempt_at = models.DateTimeField(_("next attempt at"), default=clock.now)
    lease_until = models.DateTimeField(_("held until"), null=True, blank=True)
    fence = models.PositiveIntegerField(_("start number"), default=0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    error_code = models.CharField(_("error"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("label purchase")
        verbose_name_plural = _("label purchases")
        ordering = ["-pk"]
        constraints = [
            known_values("state", PurchaseState, "purchase_state_known"),
            known_values("provider", LabelProvider, "purchase_provider_known"),
            models.UniqueConstraint(
                fields=["order"], condition=Q(state__in=["buying", "unknown"]), name="purchase_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["bought", "voiding", "voided"]) | ~Q(provider_ref=""),
                name="purchase_bought_has_reference",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
