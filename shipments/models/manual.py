"""Orders whose parcel somebody must confirm in Seller Central, because Amazon is told of another one only."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orders.models import Order
from shipments.models.shipment import Shipment


class DoneHow(models.TextChoices):
    BY_HAND = "by_hand", _("ticked off")
    SEEN = "seen", _("seen as shipped at Amazon")
    VOIDED = "voided", _("no longer needed: the parcel was voided")


class ManualUpdateQuerySet(models.QuerySet):
    def open(self):
        return self.filter(done_at__isnull=True)


class ManualUpdate(models.Model):
    """One order to be updated by hand in Amazon (R50). Instants are UTC."""

    DoneHow = DoneHow

    order = models.OneToOneField(Order, models.PROTECT, verbose_name=_("order"), related_name="manual_update")
    shipment = models.ForeignKey(Shipment, models.PROTECT, verbose_name=_("shipment"), related_name="manual_updates")
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    remind_at = models.DateTimeField(_("reminder at"), default=clock.now)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    done_how = models.CharField(_("done how"), max_length=10, choices=DoneHow.choices, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("done by"), related_name="+"
    )

    objects = ManualUpdateQuerySet.as_manager()

    class Meta:
        verbose_name = _("update by hand in Amazon")
        verbose_name_plural = _("updates by hand in Amazon")
        ordering = ["remind_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_how="") | (Q(done_at__isnull=False) & ~Q(done_how="")),
                name="manual_update_done_says_how",
            ),
            models.CheckConstraint(
                condition=Q(done_how="") | Q(done_how__in=DoneHow.values), name="manual_update_how_known"
            ),
        ]
        indexes = [models.Index(fields=["remind_at"], name="manual_update_open", condition=Q(done_at__isnull=True))]

    def __str__(self) -> str:
        return f"#{self.order_id}"
