"""Proof of what was erased and who looked. Orders are known here by number only; no row holds a personal value."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub import clock


class ErasureCertificate(models.Model):
    """One erasure: when it was due, when it was done, by which rule, which fields; never what they held."""

    class Kind(models.TextChoices):
        ORDER = "order", _("order")
        LABEL = "label", _("label")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.ORDER)
    order_id = models.BigIntegerField(_("order id"))
    order_number = models.CharField(_("order number"), max_length=60)
    subject_id = models.BigIntegerField(_("subject id"))  # the label's id, or the order's again
    rule = models.CharField(_("rule"), max_length=20)
    due_at = models.DateTimeField(_("due at"))
    done_at = models.DateTimeField(_("done at"), default=clock.now)
    fields = models.JSONField(_("fields"), default=list)
    documents = models.PositiveIntegerField(_("documents"), default=0)
    marker = models.CharField(_("marker"), max_length=20)
    version = models.CharField(_("version"), max_length=20)

    class Meta:
        verbose_name = _("erasure certificate")
        verbose_name_plural = _("erasure certificates")
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id"], name="certificate_once_per_subject")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.order_number}"
