"""Orders we did not take in, and why."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from stores.models import AmazonAccount, Store


class SkippedOrder(models.Model):
    """An order left out on purpose. Its row goes when the order is imported after all."""

    class Reason(models.TextChoices):
        AFN_OFF = "afn_off", _("Fulfilled by Amazon, and this store does not import such orders")
        AFN_NOT_SHIPPED = "afn_not_shipped", _("Fulfilled by Amazon and not shipped yet")
        NOT_PHYSICAL = "not_physical", _("No physical product in it")
        INACTIVE = "inactive", _("The store is not active")

    store = models.ForeignKey(Store, models.CASCADE, verbose_name=_("store"), related_name="skipped")
    order_number = models.CharField(_("order number"), max_length=60)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    amazon_status = models.CharField(_("status at Amazon"), max_length=40, blank=True)
    seen_at = models.DateTimeField(_("seen at"), default=clock.now)

    class Meta:
        verbose_name = _("skipped order")
        verbose_name_plural = _("skipped orders")
        ordering = ["-seen_at"]
        constraints = [models.UniqueConstraint(fields=["store", "order_number"], name="skipped_once")]

    def __str__(self) -> str:
        return self.order_number


class QuarantinedOrder(models.Model):
    """An order we could not read: its id, an error code and where; never its content."""

    account = models.ForeignKey(AmazonAccount, models.CASCADE, verbose_name=_("account"), related_name="quarantined")
    order_number = models.CharField(_("order number"), max_length=60)
    code = models.CharField(_("error"), max_length=60)
    path = models.CharField(_("where"), max_length=120, blank=True)
    times = models.PositiveIntegerField(_("times seen"), default=1)
    seen_at = models.DateTimeField(_("seen at"), default=clock.now)

    class Meta:
        verbose_name = _("quarantined order")
        verbose_name_plural = _("quarantined orders")
        ordering = ["-seen_at"]
        constraints = [
            models.UniqueConstraint(fields=["account", "order_number"], name="quarantined_once"),
            models.CheckConstraint(condition=Q(times__gte=1), name="quarantined_at_least_once"),
        ]

    def __str__(self) -> str:
        return self.order_number
