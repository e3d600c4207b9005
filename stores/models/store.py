"""Stores: one order source each, what belongs to it alone, and who switched its features on."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.constraints import known_values
from privacy import retention
from privacy.fields import EncryptedTextField
from privacy.holds import LegalHold
from stores import marketplaces
from stores.models.account import AmazonAccount, Merchant
from stores.models.settings import (
    MAPPED_FIELDS,
    SETTINGS_CONSTRAINTS,
    BrandSettings,
    CustomFieldSettings,
    LinkSettings,
    NotificationSettings,
    ProductSettings,
)


class StoreQuerySet(models.QuerySet):
    def importing(self):
        """Stores that take orders in. Amazon.co.jp needs its grant."""
        return self.filter(active=True).exclude(marketplace=marketplaces.JAPAN, japan_enabled=False)


RETENTION_MOST = (
    ("retention_unshipped_days", retention.UNSHIPPED_DAYS),
    ("retention_shipped_days", retention.SHIPPED_DAYS),
    ("retention_label_days", retention.LABEL_DAYS),
)


class Store(BrandSettings, NotificationSettings, ProductSettings, CustomFieldSettings, LinkSettings):
    """One order source with its own settings. What features.grant() writes, nobody else writes."""

    class Platform(models.TextChoices):
        AMAZON = "amazon", "Amazon"
        BIGCOMMERCE = "bigcommerce", "BigCommerce"
        HANDMADE = "handmade", "Amazon Handmade"
        MANUAL = "manual", _("Manual")

    class Identifier(models.TextChoices):
        SKU = "sku", "SKU"
        ASIN = "asin", "ASIN"

    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="stores")
    name = models.CharField(_("name"), max_length=120)
    platform = models.CharField(_("platform"), max_length=12, choices=Platform.choices, default=Platform.AMAZON)
    account = models.ForeignKey(
        AmazonAccount,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("Amazon account"),
        related_name="stores",
    )
    marketplace = models.CharField(_("order source"), max_length=2, choices=marketplaces.CODE_CHOICES, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=40, default="UTC")
    product_identifier = models.CharField(
        _("product identifier"), max_length=4, choices=Identifier.choices, default=Identifier.SKU
    )
    active = models.BooleanField(_("active"), default=True)
    import_afn = models.BooleanField(_("import Amazon-fulfilled orders"), default=False)
    import_customization = models.BooleanField(_("import details of Amazon Custom orders"), default=False)
    ship_from = models.JSONField(_("ship-from address"), default=dict, blank=True)
    # Shorter periods and a stricter profile than the installation's; nothing can lengthen them
    retention_unshipped_days = models.PositiveSmallIntegerField(
        _("days after import, not shipped"), null=True, blank=True
    )
    retention_shipped_days = models.PositiveSmallIntegerField(_("days after shipping"), null=True, blank=True)
    retention_label_days = models.PositiveSmallIntegerField(_("days after the label"), null=True, blank=True)
    redaction_strict = models.BooleanField(_("strict profile of erasure"), default=False)
    # Why something of old orders outlives Amazon's eighteen months
    legal_hold = models.CharField(_("law that keeps old orders"), max_length=20, choices=LegalHold.choices, blank=True)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    objects = StoreQuerySet.as_manager()

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering = ["name"]
        permissions = [
            ("grant_features", _("Can enable features that customer success owns")),
            ("map_custom_fields", _("Can map custom fields once they are enabled")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "marketplace"], name="store_once_per_source"),
            models.CheckConstraint(
                condition=~Q(platform="amazon") | (Q(account__isnull=False) & ~Q(marketplace="")),
                name="store_amazon_has_account",
            ),
            models.CheckConstraint(
                condition=~Q(marketplace="JP") | Q(active=False) | Q(japan_enabled=True),
                name="store_japan_needs_grant",
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__lte": most}), name=f"store_{name}_shorter"
                )
                for name, most in RETENTION_MOST
            ),
            models.CheckConstraint(condition=Q(legal_hold__in=["", *LegalHold.values]), name="store_legal_hold_known"),
            *SETTINGS_CONSTRAINTS,
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def market(self) -> marketplaces.Marketplace | None:
        return marketplaces.BY_CODE.get(self.marketplace)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def sender(self) -> str:
        """The address mails of this store come from: its own, else the service's."""
        return self.brand_from_email or settings.DEFAULT_FROM_EMAIL

    @property
    def sender_approved(self) -> bool:
        """Whether somebody confirmed exactly the present sender in Seller Central; another address voids it (R61)."""
        return bool(self.approved_sender) and self.approved_sender == self.sender

    @property
    def mapping(self) -> tuple[str, ...]:
        """The sources of custom fields 1 to 3; '' where none is mapped."""
        return tuple(getattr(self, name) for name in MAPPED_FIELDS)


class FeatureGrant(models.Model):
    """Who enabled what for which store, when and why. Written by stores/features.py only."""

    class Feature(models.TextChoices):
        CUSTOM_FIELDS = "custom_fields", _("custom fields")
        JAPAN = "japan", "Amazon.co.jp"

    store = models.ForeignKey(Store, models.PROTECT, verbose_name=_("store"), related_name="grants")
    feature = models.CharField(_("feature"), max_length=20, choices=Feature.choices)
    enabled = models.BooleanField(_("enabled"), default=True)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("granted by"), related_name="+"
    )
    granted_at = models.DateTimeField(_("granted at"), default=clock.now)
    reason = models.CharField(_("reason"), max_length=200)

    class Meta:
        verbose_name = _("feature grant")
        verbose_name_plural = _("feature grants")
        ordering = ["-granted_at"]

    def __str__(self) -> str:
        return f"{self.get_feature_display()}: {self.store}"


class CanonicalStatus(models.TextChoices):
    """Where an order stands with us. Here, as a store's status map leads to them; orders take them from here."""

    AWAITING_PAYMENT = "awaiting_payment", _("Awaiting payment")
    AWAITING_SHIPMENT = "awaiting_shipment", _("Awaiting shipment")
    PENDING_FULFILLMENT = "pending_fulfillment", _("Pending fulfilment")
    ON_HOLD = "on_hold", _("On hold")
    SHIPPED = "shipped", _("Shipped")
    CANCELLED = "cancelled", _("Cancelled")


class MarketplaceStatus(models.Model):
    """What a status of the marketplace's own means here (R40). One without a row keeps its text and waits on hold."""

    Canonical = CanonicalStatus

    store = models.ForeignKey(Store, models.CASCADE, verbose_name=_("store"), related_name="status_map")
    name = models.CharField(_("marketplace status"), max_length=40)
    status = models.CharField(_("means"), max_length=20, choices=CanonicalStatus.choices)

    class Meta:
        verbose_name = _("marketplace status")
        verbose_name_plural = _("marketplace statuses")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["store", "name"], name="marketplace_status_once"),
            models.CheckConstraint(condition=~Q(name=""), name="marketplace_status_has_name"),
            known_values("status", CanonicalStatus, "marketplace_status_known"),
        ]

    def __str__(self) -> str:
        return self.name


class BigCommerceStatus(models.TextChoices):
    """Whether BigCommerce takes the token."""

    ACTIVE = "active", _("active")
    REFUSED = "refused", _("refused by BigCommerce")


class BigCommerceCredentials(models.Model):
    """How a BigCommerce store is reached: its hash in the fixed host's path, and a token. No address can be given."""

    Status = BigCommerceStatus

    store = models.OneToOneField(Store, models.CASCADE, verbose_name=_("store"), related_name="bigcommerce")
    store_hash = models.CharField(_("store hash"), max_length=24, unique=True)
    access_token = EncryptedTextField(_("access token"))
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.ACTIVE)
    status_reason = models.CharField(_("reason"), max_length=60, blank=True)
    verified_at = models.DateTimeField(_("verified at"))
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("verified by"),
        related_name="+",
    )
    shop_name = models.CharField(_("name at BigCommerce"), max_length=120, blank=True)
    amazon_channel_id = models.PositiveBigIntegerField(_("Amazon channel"), null=True, blank=True)
    mailing_statuses = models.JSONField(_("statuses that mail the buyer"), null=True, blank=True)

    class Meta:
        verbose_name = _("BigCommerce credentials")
        verbose_name_plural = _("BigCommerce credentials")
        constraints = [known_values("status", BigCommerceStatus, "bigcommerce_status_known")]

    def __str__(self) -> str:
        return self.store_hash
