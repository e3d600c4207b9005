"""What a store sells, as its orders name it, and what Amazon's catalogue says of it."""

from datetime import datetime

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.constraints import known_values
from stores import marketplaces
from stores.models import Store


def photo_storage():
    """The one place for pictures of products, shared by all hosts in production."""
    return storages["photos"]


class Dimensions(models.Model):
    """Weight in grams, sides in millimetres; empty where unknown."""

    weight_g = models.PositiveIntegerField(_("weight in grams"), null=True, blank=True)
    length_mm = models.PositiveIntegerField(_("length in mm"), null=True, blank=True)
    width_mm = models.PositiveIntegerField(_("width in mm"), null=True, blank=True)
    height_mm = models.PositiveIntegerField(_("height in mm"), null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def sides(self) -> tuple[int | None, int | None, int | None]:
        return self.length_mm, self.width_mm, self.height_mm


class LookupState(models.TextChoices):
    """How far we are with one question to the catalogue."""

    WAITING = "waiting", _("to be looked up")
    FOUND = "found", _("found")
    MISSING = "missing", _("not in the catalogue")


class CatalogueItem(Dimensions):
    """Amazon's catalogue for one ASIN in one marketplace: asked once for all stores that sell there.

    `is_physical`: None where the catalogue does not say; such goods count as physical.
    """

    State = LookupState

    marketplace = models.CharField(_("marketplace"), max_length=2, choices=marketplaces.CODE_CHOICES)
    asin = models.CharField("ASIN", max_length=20)
    state = models.CharField(_("state"), max_length=8, choices=LookupState.choices, default=LookupState.WAITING)
    title = models.CharField(_("title"), max_length=500, blank=True)
    is_physical = models.BooleanField(_("physical"), null=True, blank=True)
    image_url = models.CharField(_("address of the photo"), max_length=300, blank=True)
    image = models.FileField(_("photo"), storage=photo_storage, max_length=120, blank=True)
    image_error = models.CharField(_("photo not fetched because"), max_length=60, blank=True)
    looked_up_at = models.DateTimeField(_("looked up at"), null=True, blank=True)
    next_lookup_at = models.DateTimeField(_("next look-up at"), default=clock.now)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)

    class Meta:
        verbose_name = _("catalogue item")
        verbose_name_plural = _("catalogue items")
        constraints = [
            models.UniqueConstraint(fields=["marketplace", "asin"], name="catalogue_item_once"),
            models.CheckConstraint(condition=~Q(asin=""), name="catalogue_item_has_asin"),
            known_values("state", LookupState, "catalogue_item_state_known"),
        ]
        indexes = [models.Index(fields=["next_lookup_at"], name="catalogue_item_due")]

    def __str__(self) -> str:
        return f"{self.asin} ({self.marketplace})"


class Product(Dimensions):
    """One product of one store. `key`: its SKU or ASIN, whichever the store calls its products by.

    Stock is two numbers that mean two things. `stock_listed` is what Amazon still sells: Amazon takes the units of an
    order off at once, so it says nothing of a shortage. `stock_on_hand` is what a person counted on the shelf;
    `sent_when_counted` are the units shipped until then, so that those shipped since can be taken off.
    """

    store = models.ForeignKey(Store, models.CASCADE, verbose_name=_("store"), related_name="products")
    key = models.CharField(_("product identifier"), max_length=120)
    sku = models.CharField("SKU", max_length=120, blank=True)
    asin = models.CharField("ASIN", max_length=20, blank=True)
    title = models.CharField(_("title"), max_length=500, blank=True)
    photo = models.FileField(_("photo"), storage=photo_storage, max_length=120, blank=True, editable=False)
    warehouse_location = models.CharField(_("storage location"), max_length=60, blank=True)
    is_physical = models.BooleanField(_("physical"), null=True, blank=True)
    stock_on_hand = models.PositiveIntegerField(_("counted on the shelf"), null=True, blank=True)
    stock_confirmed_at = models.DateTimeField(_("counted at"), null=True, blank=True)
    stock_confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("counted by"), related_name="+"
    )
    sent_when_counted = models.PositiveIntegerField(_("units sent before the count"), default=0)
    stock_listed = models.PositiveIntegerField(_("for sale at Amazon"), null=True, blank=True)
    stock_fba = models.PositiveIntegerField(_("in Amazon's warehouses"), null=True, blank=True)
    stock_checked_at = models.DateTimeField(_("asked Amazon at"), null=True, blank=True)
    looked_up_at = models.DateTimeField(_("catalogue applied at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        permissions = [("confirm_stock", _("Can say how many are on the shelf"))]
        ordering = ["key", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["store", "key"], name="product_once_per_store"),
            models.CheckConstraint(condition=~Q(key=""), name="product_has_key"),
            models.CheckConstraint(
                condition=Q(stock_on_hand__isnull=True) | Q(stock_confirmed_at__isnull=False),
                name="product_count_has_instant",
            ),
        ]
        indexes = [
            models.Index(fields=["sku"], name="product_sku"),
            models.Index(fields=["asin"], name="product_asin"),
        ]

    def __str__(self) -> str:
        return self.key

    def counted(self, units: int, *, sent: int, by, at: datetime) -> None:
        """Take a person's count. Not saved here. `sent`: units of this product shipped so far."""
        self.stock_on_hand, self.sent_when_counted = units, sent
        self.stock_confirmed_by, self.stock_confirmed_at = by, at
