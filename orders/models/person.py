"""Everything about the buyer and recipient of an order, in one narrow row.

The CHECK constraints are the latch: while `marker` is set, no column of a person can hold anything but the marker.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orderhub.constraints import known_values
from orders.models.order import Order, OrderItem
from privacy import markers
from privacy.fields import PersonalCharField, PersonalTextField

ERASED = (
    "buyer_name", "buyer_username", "buyer_company", "purchase_order_number",
    "recipient_name", "recipient_company", "street1", "street2", "street3", "phone",
    "gift_message", "buyer_notes", "delivery_instructions",
    "romanised_name", "romanised_company", "romanised_street1", "romanised_street2", "romanised_street3",
    "romanised_city", "romanised_state",
    "custom_field_1", "custom_field_2", "custom_field_3",
)  # fmt: skip
EMAIL = "buyer_email"  # erased unless it is one of Amazon's relay addresses
KEPT = ("city", "district", "state", "postal_code", "country")
LATCHED = (*ERASED, EMAIL)


def _short(label, length: int = 500) -> models.CharField:
    return models.CharField(label, max_length=length, blank=True, default="")


def _personal(label, length: int = 500) -> PersonalCharField:
    return PersonalCharField(label, max_length=length, blank=True, default="", owner="order:order_id")


def _long(label) -> PersonalTextField:
    return PersonalTextField(label, blank=True, default="", owner="order:order_id")


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
    buyer_name = _personal(_("buyer"))
    buyer_username = _personal(_("user name"))
    buyer_email = _personal(_("e-mail"))
    buyer_company = _personal(_("buyer's company"))
    purchase_order_number = _personal(_("purchase order number"))
    recipient_name = _personal(_("recipient"))
    recipient_company = _personal(_("company"))
    street1 = _personal(_("street"))
    street2 = _personal(_("street (2)"))
    street3 = _personal(_("street (3)"))
    phone = _personal(_("phone"))
    gift_message = _long(_("gift message"))
    buyer_notes = _long(_("note from the buyer"))
    delivery_instructions = _long(_("delivery instructions"))
    romanised_name = _personal(_("recipient (Roman letters)"))
    romanised_company = _personal(_("company (Roman letters)"))
    romanised_street1 = _personal(_("street (Roman letters)"))
    romanised_street2 = _personal(_("street 2 (Roman letters)"))
    romanised_street3 = _personal(_("street 3 (Roman letters)"))
    romanised_city = _personal(_("city (Roman letters)"))
    romanised_state = _personal(_("state (Roman letters)"))
    custom_field_1 = _personal(_("custom field 1"), 120)  # here where its source is personal, else on the order
    custom_field_2 = _personal(_("custom field 2"), 120)
    custom_field_3 = _personal(_("custom field 3"), 120)
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


class BuyerWord(models.Model):
    """A keyed hash of one word by which support may look for an order's person. All go with the erasure."""

    order = models.ForeignKey(Order, models.CASCADE, verbose_name=_("order"), related_name="buyer_words")
    word = models.BigIntegerField(editable=False)

    class Meta:
        verbose_name = _("word to search for")
        verbose_name_plural = _("words to search for")
        default_permissions = []
        constraints = [models.UniqueConstraint(fields=["word", "order"], name="buyerword_once_per_order")]

    def __str__(self) -> str:
        return f"#{self.order_id}"


class CustomizationState(models.TextChoices):
    """How far we are with what the buyer wished for on a line."""

    WAITING = "waiting", _("to be fetched")
    FETCHED = "fetched", _("fetched")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("could not be fetched")


ITEM_ERASED = ("customized_url", "customization")


class ItemPersonalData(models.Model):
    """What the buyer wrote and drew for one line (Amazon Custom). Erased with its order.

    `customization`: JSON text as orders/customization writes it. `images`: JSON list of names in the storage
    `customization`; their files are destroyed before the row is overwritten.
    """

    State = CustomizationState

    item = models.OneToOneField(
        OrderItem, models.CASCADE, primary_key=True, verbose_name=_("order line"), related_name="person"
    )
    marker = models.CharField(_("erased with"), max_length=20, blank=True, default="")
    customized_url = PersonalTextField(_("where Amazon keeps it"), blank=True, default="", owner="item:item_id")
    customization = PersonalTextField(_("customisation"), blank=True, default="", owner="item:item_id")
    images = models.JSONField(_("pictures"), default=list, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=CustomizationState.choices, default=CustomizationState.WAITING
    )
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)

    class Meta:
        verbose_name = _("customisation of a line")
        verbose_name_plural = _("customisations of lines")
        constraints = [
            models.CheckConstraint(condition=Q(marker__in=["", *markers.MARKERS]), name="item_person_marker_is_known"),
            known_values("state", CustomizationState, "item_person_state_known"),
            *(
                models.CheckConstraint(
                    condition=Q(marker="") | Q(**{name: ""}) | Q(**{name: F("marker")}),
                    name=f"item_person_latch_{name}",
                )
                for name in ITEM_ERASED
            ),
            models.CheckConstraint(condition=Q(marker="") | Q(images=[]), name="item_person_latch_images"),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="item_person_due", condition=Q(state="waiting", marker=""))
        ]

    def __str__(self) -> str:
        return f"#{self.item_id}"
