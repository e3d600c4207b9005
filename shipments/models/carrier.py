"""What this installation says otherwise of a carrier than the table that comes with it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub import clock


class CarrierSetting(models.Model):
    """One carrier's own address of its tracking page, Amazon's spelling of it, or that nobody here uses it."""

    code = models.CharField(_("carrier"), max_length=40, unique=True)
    amazon = models.CharField(_("Amazon's spelling"), max_length=60, blank=True)
    tracking_url = models.CharField(_("tracking page"), max_length=200, blank=True)
    hidden = models.BooleanField(_("not offered"), default=False)
    changed_at = models.DateTimeField(_("changed at"), default=clock.now, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False,
        verbose_name=_("changed by"), related_name="+",
    )  # fmt: skip

    class Meta:
        verbose_name = _("carrier")
        verbose_name_plural = _("carriers")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code
