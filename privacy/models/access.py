"""Who looked at whose data, and who confirmed that everybody's access is still right."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub import clock


class AccessLog(models.Model):
    """Who saw whose data, when and why. Ids only."""

    at = models.DateTimeField(_("at"), default=clock.now)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("user"), related_name="+")
    order_id = models.BigIntegerField(_("order id"))
    what = models.CharField(_("what"), max_length=30)
    why = models.CharField(_("why"), max_length=30, blank=True)

    class Meta:
        verbose_name = _("access to personal data")
        verbose_name_plural = _("accesses to personal data")
        indexes = [models.Index(fields=["user", "at"], name="accesslog_user_at")]

    def __str__(self) -> str:
        return f"{self.what} {self.order_id}"


class AccessReview(models.Model):
    """A signature under the list of everybody's access: who, when, and how many accounts the list had."""

    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("signed by"), related_name="+"
    )
    signed_at = models.DateTimeField(_("signed at"), default=clock.now)
    accounts = models.PositiveIntegerField(_("accounts"))
    digest = models.CharField(_("digest of what was signed"), max_length=64)

    class Meta:
        verbose_name = _("access review")
        verbose_name_plural = _("access reviews")
        ordering = ["-signed_at"]

    def __str__(self) -> str:
        return f"{self.signed_at:%Y-%m-%d}"
