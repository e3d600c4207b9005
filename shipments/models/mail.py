"""Mails to buyers: who was to get which kind, and what became of it. Neither address nor text is kept (R93)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orderhub import clock
from orderhub.constraints import known_values
from orders.models import Order
from shipments.models.shipment import Shipment


class MailKind(models.TextChoices):
    SHIPPED = "shipped", _("the parcel is on its way")
    DELIVERED = "delivered", _("the parcel was delivered")
    RETURN_LABEL = "return_label", _("return label")


class MailState(models.TextChoices):
    PENDING = "pending", _("waiting to be sent")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    REFUSED = "refused", _("not allowed")
    FAILED = "failed", pgettext_lazy("mail", "failed")
    CANCELLED = "cancelled", _("cancelled: the personal data was erased")


class OutgoingMail(models.Model):
    """One mail about one shipment, rendered when it is sent. `recipient_hash`: keyed, gone with the erasure."""

    Kind = MailKind
    State = MailState

    order = models.ForeignKey(Order, models.PROTECT, verbose_name=_("order"), related_name="mails")
    shipment = models.ForeignKey(Shipment, models.PROTECT, verbose_name=_("shipment"), related_name="mails")
    kind = models.CharField(_("kind"), max_length=14, choices=MailKind.choices)
    state = models.CharField(_("state"), max_length=10, choices=MailState.choices, default=MailState.PENDING)
    reason = models.CharField(_("reason"), max_length=40, blank=True)  # a code
    recipient_hash = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("created by"), related_name="+"
    )
    next_attempt_at = models.DateTimeField(_("next attempt at"), default=clock.now)
    lease_until = models.DateTimeField(_("held until"), null=True, blank=True)
    fence = models.PositiveIntegerField(_("start number"), default=0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("mail to a buyer")
        verbose_name_plural = _("mails to buyers")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["shipment", "kind"], name="mail_once_per_shipment"),
            known_values("kind", MailKind, "mail_kind_known"),
            known_values("state", MailState, "mail_state_known"),
            models.CheckConstraint(
                condition=Q(state="sending", lease_until__isnull=False)
                | (~Q(state="sending") & Q(lease_until__isnull=True)),
                name="mail_sending_is_leased",
            ),
            models.CheckConstraint(condition=~Q(state="sent") | Q(sent_at__isnull=False), name="mail_sent_has_instant"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.order_id}"
