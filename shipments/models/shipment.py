"""A shipment and its label."""

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orders.models import Order, OrderItem
from shipments import carriers


def label_storage():
    """The one place for label files, shared by all hosts in production."""
    return storages["labels"]


class Shipment(models.Model):
    """One parcel of one order. Instants are UTC.

    `tracked` is frozen at creation; `first_ship_at` and `first_delivered_at` keep the earliest instants ever recorded,
    so that a later correction cannot extend how long the address is kept.
    """

    CARRIERS = carriers.CHOICES  # for those who look here from the order: codes and names

    order = models.ForeignKey(Order, models.PROTECT, verbose_name=_("order"), related_name="shipments")
    carrier = models.CharField(_("carrier"), max_length=40)
    service = models.CharField(_("service"), max_length=80, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=60)
    tracked = models.BooleanField(_("automatically tracked"), default=False, editable=False)
    ship_date = models.DateField(_("ship date"))
    first_ship_at = models.DateTimeField(_("first recorded ship date"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    first_delivered_at = models.DateTimeField(_("first recorded delivery"), null=True, blank=True)
    weight_g = models.PositiveIntegerField(_("weight (g)"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("created by"),
        related_name="+",
    )
    voided_at = models.DateTimeField(_("voided at"), null=True, blank=True)
    is_return = models.BooleanField(_("return"), default=False)

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(tracking_number=""), name="shipment_has_tracking_number"),
            models.CheckConstraint(condition=~Q(carrier=""), name="shipment_has_carrier"),
        ]
        indexes = [models.Index(fields=["tracking_number"], name="shipment_tracking")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def active(self) -> bool:
        return self.voided_at is None and not self.is_return

    @property
    def label_created_at(self):
        """When its first label was made; the label's clock starts there."""
        made = [label.created_at for label in self.labels.all()]
        return min(made) if made else None

    @property
    def carrier_name(self) -> str:
        return carriers.named(self.carrier).name

    @property
    def tracking_url(self) -> str:
        return carriers.named(self.carrier).tracking_url(self.tracking_number)


class ShipmentItem(models.Model):
    """Units of one order line in one parcel."""

    shipment = models.ForeignKey(Shipment, models.CASCADE, verbose_name=_("shipment"), related_name="items")
    item = models.ForeignKey(OrderItem, models.PROTECT, verbose_name=_("order line"), related_name="shipped_in")
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("shipped line")
        verbose_name_plural = _("shipped lines")
        constraints = [
            models.UniqueConstraint(fields=["shipment", "item"], name="shipped_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="shipped_line_has_units"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x #{self.item_id}"


class Label(models.Model):
    """A label file. At `due_at` its bytes are destroyed and a label without the address takes its place."""

    shipment = models.ForeignKey(Shipment, models.PROTECT, verbose_name=_("shipment"), related_name="labels")
    file = models.FileField(_("file"), storage=label_storage, max_length=120)
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    due_at = models.DateTimeField(_("address until"))
    due_rule = models.CharField(_("rule that sets it"), max_length=20)
    redacted_at = models.DateTimeField(_("address erased at"), null=True, blank=True)

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ["pk"]
        indexes = [models.Index(fields=["due_at"], name="label_due", condition=Q(redacted_at__isnull=True))]

    def __str__(self) -> str:
        return f"#{self.pk}"
