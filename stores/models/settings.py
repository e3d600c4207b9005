"""A store's own settings, in groups as its page shows them. Abstract: all are columns of Store."""

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.constraints import known_values

MOST_DELAY_MINUTES = 24 * 60
MAPPED_FIELDS = ("custom_field_1", "custom_field_2", "custom_field_3")  # R31: three, and the table has no fourth


def brand_storage():
    """The one place for logos, shared by all hosts in production."""
    return storages["brand"]


class BrandSettings(models.Model):
    """What buyers see of the shop: on packing slips, labels and mails."""

    brand_name = models.CharField(_("name on labels"), max_length=120, blank=True)
    brand_logo = models.FileField(_("logo"), storage=brand_storage, max_length=120, blank=True, editable=False)
    brand_phone = models.CharField(_("phone"), max_length=40, blank=True)
    brand_site = models.URLField(_("web site"), max_length=200, blank=True)
    slip_message = models.CharField(_("text on packing slips"), max_length=300, blank=True)
    slip_shows_sku = models.BooleanField(_("packing slips show SKUs"), default=True)
    brand_from_email = models.EmailField(_("sender of mails"), blank=True)
    approved_sender = models.EmailField(_("approved sender"), blank=True, editable=False)
    approved_sender_confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True, editable=False)
    approved_sender_confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False,
        verbose_name=_("confirmed by"), related_name="+",
    )  # fmt: skip

    class Meta:
        abstract = True


class NotifyWhen(models.TextChoices):
    """When the marketplace is told of a parcel."""

    LABEL = "label", _("as soon as the label is made")
    DELAY = "delay", _("some time after the label is made")
    NEVER = "never", _("never: somebody does it in Seller Central")


class NotificationSettings(models.Model):
    """When the marketplace is told. Mails can be chosen where no marketplace forbids them: in manual stores (R59, R62)."""

    NotifyWhen = NotifyWhen

    notify_when = models.CharField(
        _("tell the marketplace"), max_length=8, choices=NotifyWhen.choices, default=NotifyWhen.LABEL
    )
    notify_delay_minutes = models.PositiveSmallIntegerField(_("delay in minutes"), null=True, blank=True)
    correct_tracking = models.BooleanField(_("tracking numbers may be corrected at Amazon"), default=False)
    mail_shipped = models.BooleanField(_("mail the buyer when a parcel leaves"), default=False)
    mail_delivered = models.BooleanField(_("mail the buyer when a parcel is delivered"), default=False)

    class Meta:
        abstract = True


class Overwrite(models.TextChoices):
    """Whether what Amazon says of a product replaces what we have."""

    NEVER = "never", _("never")
    IF_EMPTY = "if_empty", _("only where empty")
    ALWAYS = "always", _("always")


def _overwrite(label, default: str) -> models.CharField:
    return models.CharField(label, max_length=8, choices=Overwrite.choices, default=default)


class ShortStock(models.TextChoices):
    """What happens when somebody ships more than was counted on the shelf."""

    ALLOW = "allow", _("allow it")
    WARN = "warn", _("allow it, and show a badge")
    BLOCK = "block", _("refuse it")


class ProductSettings(models.Model):
    """Field by field, whether the catalogue of Amazon overwrites a product's details; and what a shortage stops."""

    Overwrite = Overwrite
    ShortStock = ShortStock

    short_stock = models.CharField(
        _("shipping more than was counted"), max_length=5, choices=ShortStock.choices, default=ShortStock.WARN
    )

    product_title_policy = _overwrite(_("title"), Overwrite.ALWAYS)
    product_image_policy = _overwrite(_("photo"), Overwrite.ALWAYS)
    product_weight_policy = _overwrite(_("weight"), Overwrite.IF_EMPTY)
    product_dimensions_policy = _overwrite(_("dimensions"), Overwrite.IF_EMPTY)

    class Meta:
        abstract = True


PRODUCT_POLICIES = (
    "product_title_policy",
    "product_image_policy",
    "product_weight_policy",
    "product_dimensions_policy",
)


class CustomFieldSource(models.TextChoices):
    """What a custom field may hold: the seven sources of R32."""

    SELLER_ORDER_ID = "seller_order_id", _("seller order ID")
    ORDER_NUMBER = "order_number", _("order number")
    PURCHASE_ORDER_NUMBER = "purchase_order_number", _("purchase order number")
    EARLIEST_SHIP_DATE = "earliest_ship_date", _("earliest ship date")
    LATEST_DELIVERY_DATE = "latest_delivery_date", _("latest delivery date")
    BUSINESS_ORDER = "business_order", _("business order")
    SERVICE_LEVEL = "service_level", _("shipment service level category")


def _mapped(label) -> models.CharField:
    return models.CharField(label, max_length=24, choices=CustomFieldSource.choices, blank=True, editable=False)


class CustomFieldSettings(models.Model):
    """What customer success alone switches on (stores/features.py), and the mapping that support then edits."""

    CustomFieldSource = CustomFieldSource

    custom_fields_enabled = models.BooleanField(_("custom fields enabled"), default=False, editable=False)
    japan_enabled = models.BooleanField(_("Amazon.co.jp enabled"), default=False, editable=False)
    custom_field_1 = _mapped(_("custom field 1"))
    custom_field_2 = _mapped(_("custom field 2"))
    custom_field_3 = _mapped(_("custom field 3"))

    class Meta:
        abstract = True


class ToldBy(models.TextChoices):
    """Who tells Amazon of parcels where a BigCommerce store mirrors the orders."""

    ORDERHUB = "orderhub", _("OrderHub")
    CONNECTOR = "connector", _("the connector between BigCommerce and Amazon")


class LinkSettings(models.Model):
    """The BigCommerce store that mirrors this Amazon store, and the two answers that linking asks for."""

    ToldBy = ToldBy

    linked_store = models.ForeignKey(
        "stores.Store", models.PROTECT, null=True, blank=True, editable=False,
        verbose_name=_("linked BigCommerce store"), related_name="linked_from",
    )  # fmt: skip
    linked_mails_off_at = models.DateTimeField(
        _("status mails said to be off at"), null=True, blank=True, editable=False
    )
    linked_mails_off_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False,
        verbose_name=_("said by"), related_name="+",
    )  # fmt: skip
    amazon_told_by = models.CharField(
        _("Amazon is told by"), max_length=10, choices=ToldBy.choices, default=ToldBy.ORDERHUB, editable=False
    )

    class Meta:
        abstract = True


def _no_mapping() -> Q:
    return Q(**dict.fromkeys(MAPPED_FIELDS, ""))


SETTINGS_CONSTRAINTS = [
    known_values("notify_when", NotifyWhen, "store_notify_when_known"),
    models.CheckConstraint(
        condition=(Q(notify_when="delay") & Q(notify_delay_minutes__range=(1, MOST_DELAY_MINUTES)))
        | (~Q(notify_when="delay") & Q(notify_delay_minutes__isnull=True)),
        name="store_delay_has_minutes",
    ),
    *(known_values(name, Overwrite, f"store_{name}_known") for name in PRODUCT_POLICIES),
    known_values("short_stock", ShortStock, "store_short_stock_known"),
    *(
        models.CheckConstraint(
            condition=Q(**{f"{name}__in": ["", *CustomFieldSource.values]}), name=f"store_{name}_known"
        )
        for name in MAPPED_FIELDS
    ),
    models.CheckConstraint(condition=Q(custom_fields_enabled=True) | _no_mapping(), name="store_mapping_needs_grant"),
    models.CheckConstraint(
        condition=Q(approved_sender="", approved_sender_confirmed_at__isnull=True)
        | (~Q(approved_sender="") & Q(approved_sender_confirmed_at__isnull=False)),
        name="store_approved_sender_has_instant",
    ),
    models.CheckConstraint(
        condition=Q(platform="manual") | Q(mail_shipped=False, mail_delivered=False), name="store_mails_are_allowed"
    ),
    known_values("amazon_told_by", ToldBy, "store_amazon_told_by_known"),
    models.CheckConstraint(
        condition=Q(linked_store__isnull=True) | Q(platform="amazon", linked_mails_off_at__isnull=False),
        name="store_link_is_answered",
    ),
    models.CheckConstraint(
        condition=Q(amazon_told_by="orderhub") | Q(linked_store__isnull=False), name="store_told_by_needs_link"
    ),
]
