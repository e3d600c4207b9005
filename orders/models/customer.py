"""Customers: who bought, as far as one merchant may know it. Latched like the persons of orders."""

import secrets

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from privacy import markers
from privacy.fields import PersonalCharField
from stores.models import AmazonAccount, Merchant

CUSTOMER_ERASED = ("name", "phone", "user_name", "match_key")


def _key_name() -> str:
    return secrets.token_hex(16)


def _personal(label) -> PersonalCharField:
    return PersonalCharField(label, max_length=500, blank=True, default="", owner="customer:key_name")


class Customer(models.Model):
    """A buyer of one merchant. Found again by e-mail address only; two accounts never share one by themselves.

    `match_key`: a keyed hash of the address, and for a relay address of the account as well, so that the same relay
    text at two accounts stays two customers. Empty after erasure: a redacted buyer who orders again is a new customer
    (R106). `email_from_amazon`, `phone_from_amazon`: what goes from a mixed customer with its last Amazon order (R105).
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="customers")
    account = models.ForeignKey(
        AmazonAccount, models.PROTECT, null=True, blank=True, verbose_name=_("Amazon account"), related_name="+"
    )
    marker = models.CharField(_("erased with"), max_length=20, blank=True, default="")
    key_name = models.CharField(
        max_length=32, default=_key_name, editable=False
    )  # whose data key, from before it has an id
    match_key = models.CharField(max_length=64, blank=True, default="", editable=False)
    name = _personal(_("name"))
    email = _personal(_("e-mail"))
    phone = _personal(_("phone"))
    user_name = _personal(_("user name"))
    email_from_amazon = models.BooleanField(default=False, editable=False)
    phone_from_amazon = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    last_order_at = models.DateTimeField(_("last order at"), null=True, blank=True)
    redacted_at = models.DateTimeField(_("erased at"), null=True, blank=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [("merge_customer", _("Can join customer records"))]
        ordering = ["-last_order_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "match_key"], condition=~Q(match_key=""), name="customer_once_per_address"
            ),
            models.CheckConstraint(condition=Q(marker__in=["", *markers.MARKERS]), name="customer_marker_is_known"),
            models.CheckConstraint(
                condition=Q(marker="", redacted_at__isnull=True) | (~Q(marker="") & Q(redacted_at__isnull=False)),
                name="customer_redacted_has_instant",
            ),
            models.CheckConstraint(condition=Q(marker="") | Q(match_key=""), name="customer_latch_match_key"),
            *(
                models.CheckConstraint(
                    condition=Q(marker="") | Q(**{name: ""}) | Q(**{name: F("marker")}), name=f"customer_latch_{name}"
                )
                for name in ("name", "phone", "user_name")
            ),
            models.CheckConstraint(
                condition=Q(marker="")
                | Q(email="")
                | Q(email=F("marker"))
                | Q(email__icontains="@marketplace.amazon."),
                name="customer_latch_email",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
