"""Everything about the buyer and recipient of an order, in one narrow row.

The CHECK constraints are the latch: while `marker` is set, no column of a person can hold anything but the marker.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order
from privacy import markers

ERASED = (
    "buyer_name", "buyer_username", "buyer_company", "purchase_order_number",
    "recipient_name", "recipient_company", "street1", "street2", "street3", "phone",
    "gift_message", "buyer_notes", "delivery_instructions",
    "romanised_name", "romanised_company", "romanised_street1", "romanised_street2", "romanised_street3",
    "romanised_city", "romanised_state",
)  # fmt: skip
EMAIL = "buyer_email"  # erased unless it is one of Amazon's relay addresses
KEPT = ("city", "district", "state", "postal_code", "country")
LATCHED = (*ERASED, EMAIL)


def _short(label, length: int = 500) -> models.CharField:
    return models.CharField(label, max_length=length, blank=True, default="")


def _latch() -> list[models.CheckConstraint]:
    found = [
        models.CheckConstraint(
            condition=Q(marker="") | Q(**{name: ""}) | Q(**{name: F("marker")}), name=f"person_latch_{name}"
        )
        for name in ERASED
    ]
    relay = Q(buyer_email__icontains="@marketplace.amazon.")  # in any case: privacy.markers.is_relay reads it so
    found.append(
        models.CheckConstraint(
            condition=Q(marker="") | Q(buyer_email="") | Q(buyer_email=F("marker")) | relay,
            name="person_latch_buyer_email",
        )
    )
    return found


class OrderPersonalData(models.Model):
    """One row an order. Never saved whole after creation: columns are written by name."""

    order = models.OneToOneField(
        Order, models.CASCADE, primary_key=True, verbose_name=_("order"), related_name="person"
    )  # fmt: skip
    marker = models.CharField(_("erased with"), max_length=20, blank=True, default="")
    buyer_name = _short(_("buyer"))
    buyer_username = _short(_("user name"))
    buyer_email = _short(_("e-mail"))
    buyer_company = _short(_("buyer's company"))
    purchase_order_number = _short(_("purchase order number"))
    recipient_name = _short(_("recipient"))
    recipient_company = _short(_("company"))
    street1 = _short(_("street"))
    street2 = _short(_("street (2)"))
    street3 = _short(_("street (3)"))
    phone = _short(_("phone"))
    gift_message = models.TextField(_("gift message"), blank=True, default="")
    buyer_notes = models.TextField(_("note from the buyer"), blank=True, default="")
    delivery_instructions = models.TextField(_("delivery instructions"), blank=True, default="")
    romanised_name = _short(_("recipient (Roman letters)"))
    romanised_company = _short(_("company (Roman letters)"))
    romanised_street1 = _short(_("street (Roman letters)"))
    romanised_street2 = _short(_("street 2 (Roman letters)"))
    romanised_street3 = _short(_("street 3 (Roman letters)"))
    romanised_city = _short(_("city (Roman letters)"))
    romanised_state = _short(_("state (Roman letters)"))
    city = _short(_("city"))
    district = _short(_("district"))
    state = _short(_("state"))
    postal_code = _short(_("postal code"))
    country = _short(_("country"), 60)

    class Meta:
        verbose_name = _("personal data")
        verbose_name_plural = _("personal data")
        constraints = [
            models.CheckConstraint(condition=Q(marker__in=["", *markers.MARKERS]), name="person_marker_is_known"),
            *_latch(),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id}"

    @property
    def holds_anything(self) -> bool:
        """Whether any erasable column holds something that is not the marker."""
        return self.marker == "" and any(getattr(self, name) for name in LATCHED)
