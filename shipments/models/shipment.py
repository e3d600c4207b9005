"""A shipment and its label."""

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.constraints import known_values
from orders.models import Order, OrderItem
from privacy.fields import PersonalCharField
from shipments import carriers


def label_storage():
    """The one place for label files, shared by all hosts in production."""
    return storages["labels"]


class LabelProvider(models.TextChoices):
    """Where a label comes from."""

    MANUAL = "manual", _("our own label, number typed in")
    AMAZON_SHIPPING = "amazon_shipping", _("bought from Amazon Buy Shipping")


class TrackingStatus(models.TextChoices):
    """How far a parcel got, as a provider or the marketplace reports it; in the order of a parcel's life."""

    UNKNOWN = "", _("no scan reported")
    PRE_TRANSIT = "pre_transit", _("announced")
    ACCEPTED = "accepted", _("handed to the carrier")
    IN_TRANSIT = "in_transit", _("on its way")
    OUT_FOR_DELIVERY = "out_for_delivery", _("out for delivery")
    AVAILABLE_FOR_PICKUP = "available_for_pickup", _("waits to be fetched")
    FAILED = "failed", _("delivery failed")
    RETURNED = "returned", _("returned to the sender")
    LOST = "lost", _("lost")
    DELIVERED = "delivered", _("delivered")


class Shipment(models.Model):
    """One parcel of one order. Instants are UTC.

    A parcel that holds several orders has one row for each: the riders point to the lead by `combined_with`, and only
    the lead has a label.

    `tracked` is frozen at creation; `first_ship_at` and `first_delivered_at` keep the earliest instants ever recorded,
    so that a later correction cannot extend how long the address is kept.
    """

    # For those who look here from the order: codes and names, all of them, and those that are not hidden here.
    CARRIERS = carriers.CHOICES
    carriers_offered = staticmethod(carriers.choices)
    Provider = LabelProvider
    Tracking = TrackingStatus

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
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("voided by"), related_name="+"
    )
    is_return = models.BooleanField(_("return"), default=False)
    combined_with = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name=_("in the parcel of"), related_name="riders"
    )
    provider = models.CharField(
        _("label from"), max_length=20, choices=LabelProvider.choices, default=LabelProvider.MANUAL
    )
    provider_ref = models.CharField(_("number at the provider"), max_length=80, blank=True)
    confirms_order = models.BooleanField(_("the provider tells the marketplace itself"), default=False)
    cost = models.DecimalField(_("cost"), max_digits=18, decimal_places=4, null=True, blank=True)
    cost_currency = models.CharField(_("currency of the cost"), max_length=3, blank=True)
    length_mm = models.PositiveIntegerField(_("length (mm)"), null=True, blank=True)
    width_mm = models.PositiveIntegerField(_("width (mm)"), null=True, blank=True)
    height_mm = models.PositiveIntegerField(_("height (mm)"), null=True, blank=True)
    note_to_buyer = PersonalCharField(_("note to the buyer"), max_length=500, blank=True, owner="order:order_id")
    tracking_status = models.CharField(
        _("tracking"), max_length=20, choices=TrackingStatus.choices, blank=True, default=TrackingStatus.UNKNOWN
    )
    tracking_checked_at = models.DateTimeField(_("tracking asked for at"), null=True, blank=True)

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        ordering = ["-created_at", "-pk"]
        permissions = [("void_shipment", _("Can void shipments"))]
        constraints = [
            models.CheckConstraint(condition=~Q(tracking_number=""), name="shipment_has_tracking_number"),
            models.CheckConstraint(condition=~Q(carrier=""), name="shipment_has_carrier"),
            known_values("provider", LabelProvider, "shipment_provider_known"),
            known_values("tracking_status", TrackingStatus, "shipment_tracking_status_known"),
            models.CheckConstraint(
                condition=~Q(provider="amazon_shipping") | ~Q(provider_ref=""), name="shipment_bought_has_reference"
            ),
            models.CheckConstraint(
                condition=Q(cost__isnull=True) | ~Q(cost_currency=""), name="shipment_cost_has_currency"
            ),
            models.CheckConstraint(
                condition=Q(combined_with__isnull=True) | Q(is_return=False), name="shipment_return_rides_alone"
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_ref"], condition=~Q(provider_ref=""), name="shipment_bought_once"
            ),
        ]
        indexes = [
            models.Index(fields=["tracking_number"], name="shipment_tracking"),
            models.Index(  # deliveries that came with an import, and are still to be taken in; by id, as they are read
                fields=["id"], name="shipment_delivery_noted",
                condition=Q(delivered_at__isnull=False, first_delivered_at__isnull=True),
            ),
        ]  # fmt: skip

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


class LabelKind(models.TextChoices):
    SHIPPING = "shipping", _("label")
    RETURN = "return", _("return label")


class LabelFormat(models.TextChoices):
    """What the stored file is. Of our own labels the other formats are drawn when asked for."""

    PDF = "pdf", "PDF"
    PNG = "png", "PNG"
    ZPL = "zpl", "ZPL"


class Label(models.Model):
    """A label file. At `due_at` its bytes are destroyed and a label without the address takes its place."""

    shipment = models.ForeignKey(Shipment, models.PROTECT, verbose_name=_("shipment"), related_name="labels")
    Kind = LabelKind
    Format = LabelFormat

    kind = models.CharField(_("kind"), max_length=10, choices=LabelKind.choices, default=LabelKind.SHIPPING)
    format = models.CharField(_("format"), max_length=4, choices=LabelFormat.choices, default=LabelFormat.PDF)
    file = models.FileField(_("file"), storage=label_storage, max_length=120)
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    due_at = models.DateTimeField(_("address until"))
    due_rule = models.CharField(_("rule that sets it"), max_length=20)
    redacted_at = models.DateTimeField(_("address erased at"), null=True, blank=True)

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ["pk"]
        constraints = [
            known_values("kind", LabelKind, "label_kind_known"),
            known_values("format", LabelFormat, "label_format_known"),
        ]
        indexes = [models.Index(fields=["due_at"], name="label_due", condition=Q(redacted_at__isnull=True))]

    def __str__(self) -> str:
        return f"#{self.pk}"
