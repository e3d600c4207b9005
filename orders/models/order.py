"""The order and its lines. Nothing here names a person: see person.py."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from orderhub import clock
from orderhub.constraints import known_values
from orderhub.errors import RuleViolation
from orderhub.money import Money
from privacy.retention import Rule
from stores.models import CanonicalStatus as OrderStatus
from stores.models import MarketplaceStatus, Store

CANCELLED_ALERT = gettext_noop("Cancelled at Amazon after it was shipped.")  # as are the alerts of rules
CANCEL_HOLD = gettext_noop("Buyer asked to cancel: cancel it in Seller Central.")  # translated when shown
MONEY = {"max_digits": 18, "decimal_places": 4, "null": True, "blank": True}


class FulfilledBy(models.TextChoices):
    """Who sends it."""

    MERCHANT = "MFN", _("Merchant")
    AMAZON = "AFN", _("Amazon (FBA)")


class ReplacesAs(models.TextChoices):
    """Why Amazon made an order for another one."""

    REPLACEMENT = "replacement", _("replacement")
    EXCHANGE = "exchange", _("exchange")


class PiiState(models.TextChoices):
    """What we hold of the people of an order."""

    NONE = "none", _("none received")
    PRESENT = "present", _("present")
    REDACTING = "redacting", _("being erased")
    REDACTED = "redacted", _("erased")


PiiState.MASKED = (PiiState.REDACTING, PiiState.REDACTED)  # nobody may see what the columns still hold


class OrderQuerySet(models.QuerySet):
    def shippable(self):
        """Orders a parcel may leave for now."""
        return self.filter(status=Order.Status.AWAITING_SHIPMENT, fulfilled_by=Order.FulfilledBy.MERCHANT).exclude(
            pii_state__in=Order.PiiState.MASKED
        )

    def touch(self, order_ids: Collection[int], at: datetime) -> None:
        """Something happened to these orders that a client can see. One statement; never sets an instant back."""
        self.filter(pk__among=list(order_ids)).move(at)

    def move(self, at: datetime) -> int:
        """The same for all of a query; returns how many were moved. Call before the change where the change empties it."""
        return self.filter(modified_at__lt=at).update(modified_at=at)


class Order(models.Model):
    """One order of one store. Instants are UTC.

    `modified_at` moves with every line of the timeline (models/event.py), and with what an import or an erasure writes.
    """

    Status = OrderStatus

    FulfilledBy = FulfilledBy

    class ServiceLevel(models.TextChoices):
        EXPEDITED = "EXPEDITED", _("Expedited")
        FREE_ECONOMY = "FREE_ECONOMY", _("Free Economy")
        NEXT_DAY = "NEXT_DAY", _("Next Day")
        PRIORITY = "PRIORITY", _("Priority")
        SAME_DAY = "SAME_DAY", _("Same Day")
        SECOND_DAY = "SECOND_DAY", _("Second Day")
        SCHEDULED = "SCHEDULED", _("Scheduled")
        STANDARD = "STANDARD", _("Standard")

    PiiState = PiiState

    store = models.ForeignKey(Store, models.PROTECT, verbose_name=_("store"), related_name="orders")
    order_number = models.CharField(_("order number"), max_length=60)
    seller_order_id = models.CharField(_("seller order ID"), max_length=60, blank=True)
    client_key = models.CharField(max_length=50, blank=True, editable=False)  # what an API client calls it
    origin_marketplace = models.CharField(_("origin"), max_length=12, default="amazon")
    status = models.CharField(_("status"), max_length=20, choices=Status.choices)
    custom_status = models.CharField(_("marketplace status"), max_length=40, blank=True)
    decided_status = models.CharField(
        max_length=20, blank=True, editable=False
    )  # what the marketplace's word last meant
    fulfilled_by = models.CharField(_("fulfilled by"), max_length=3, choices=FulfilledBy.choices)
    programs = models.JSONField(_("programs"), default=list, blank=True)
    is_business = models.BooleanField(_("business order"), default=False)
    is_prime = models.BooleanField(_("Prime"), default=False)
    is_gift = models.BooleanField(_("gift"), default=False)
    replaces = models.CharField(_("replaces order"), max_length=60, blank=True)
    replaces_as = models.CharField(_("made as"), max_length=12, choices=ReplacesAs.choices, blank=True)
    customer = models.ForeignKey(
        "orders.Customer", models.SET_NULL, null=True, blank=True, verbose_name=_("customer"), related_name="orders"
    )
    ordered_at = models.DateTimeField(_("ordered at"))
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    ship_by = models.DateTimeField(_("ship by"), null=True, blank=True)
    earliest_ship_at = models.DateTimeField(_("earliest ship date"), null=True, blank=True)
    deliver_from = models.DateTimeField(_("earliest delivery"), null=True, blank=True)
    deliver_by = models.DateTimeField(_("deliver by"), null=True, blank=True)
    service_level = models.CharField(_("service level"), max_length=40, blank=True)
    requested_service = models.CharField(_("requested service"), max_length=60, blank=True)
    address_type = models.CharField(_("kind of address"), max_length=20, blank=True)
    payment_method = models.CharField(_("payment method"), max_length=120, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    item_total = models.DecimalField(_("items"), **MONEY)
    shipping_total = models.DecimalField(_("shipping"), **MONEY)
    tax_total = models.DecimalField(_("tax"), **MONEY)
    discount_total = models.DecimalField(_("discounts"), **MONEY)
    gift_wrap_total = models.DecimalField(_("gift wrap"), **MONEY)
    cod_fee_total = models.DecimalField(_("cash on delivery fee"), **MONEY)
    other_total = models.DecimalField(_("other charges"), **MONEY)
    order_total = models.DecimalField(_("order total"), **MONEY)
    weight_g = models.PositiveIntegerField(_("weight in grams"), null=True, blank=True)
    weight_is_typed = models.BooleanField(_("weight was typed in"), default=False)
    custom_field_1 = models.CharField(_("custom field 1"), max_length=120, blank=True)
    custom_field_2 = models.CharField(_("custom field 2"), max_length=120, blank=True)
    custom_field_3 = models.CharField(_("custom field 3"), max_length=120, blank=True)
    own_status = models.ForeignKey(
        MarketplaceStatus, models.SET_NULL, null=True, blank=True, verbose_name=_("own status"), related_name="+"
    )
    tags = models.ManyToManyField("orders.Tag", verbose_name=_("tags"), related_name="orders", blank=True)
    wishes = models.JSONField(_("what rules wish for its parcel"), default=dict, blank=True)
    rules_ran_at = models.DateTimeField(_("rules ran at"), null=True, blank=True)
    alert = models.CharField(_("alert"), max_length=120, blank=True)
    hold_reason = models.CharField(_("reason for the hold"), max_length=200, blank=True)
    hold_until = models.DateTimeField(_("on hold until"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(_("cancellation requested at"), null=True, blank=True)
    cancel_reason_code = models.CharField(_("cancellation reason"), max_length=60, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("assigned to"),
        related_name="+",
    )
    first_imported_at = models.DateTimeField(_("first imported at"), default=clock.now)
    modified_at = models.DateTimeField(_("modified at"), default=clock.now)
    amazon_updated_at = models.DateTimeField(_("updated at Amazon"), null=True, blank=True)
    content_hash = models.CharField(max_length=32, blank=True, editable=False)
    shipped_at = models.DateTimeField(_("shipped at"), null=True, blank=True)
    told_shipped = models.BooleanField(default=False, editable=False)  # to the marketplace, by us: its word is our echo
    pii_state = models.CharField(
        _("personal data"), max_length=10, choices=PiiState.choices, default=PiiState.NONE
    )  # fmt: skip
    redaction_due_at = models.DateTimeField(_("personal data until"), null=True, blank=True)
    redaction_rule = models.CharField(_("rule that sets it"), max_length=20, blank=True)
    redacted_at = models.DateTimeField(_("erased at"), null=True, blank=True)
    redaction_reason = models.CharField(_("erased because"), max_length=20, blank=True)
    reduced_at = models.DateTimeField(_("reduced to accounting fields at"), null=True, blank=True, editable=False)
    redaction_error = models.CharField(_("erasure failed with"), max_length=60, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-ordered_at", "-pk"]
        permissions = [
            ("hold_order", _("Can put orders on hold and release them")),
            ("fetch_order", _("Can fetch one order from Amazon now")),
            ("export_order", _("Can export orders without personal data")),
            ("view_personal_data", _("Can see names and addresses of orders")),
            ("view_personal_data_of_open_orders", _("Can see names and addresses of open orders")),
            ("reveal_person", _("Can see names and addresses for a stated reason")),
            ("search_person", _("Can search orders by name, e-mail or phone")),
            ("export_personal_data", _("Can export orders with personal data, for a stated reason")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["store", "order_number"], name="order_once_per_store"),
            models.UniqueConstraint(
                fields=["store", "client_key"], condition=~Q(client_key=""), name="order_client_key_once"
            ),
            known_values("status", OrderStatus, "order_status_known"),
            known_values("fulfilled_by", FulfilledBy, "order_fulfilled_by_known"),
            models.CheckConstraint(
                condition=Q(hold_until__isnull=True) | Q(status="on_hold"), name="order_hold_until_is_held"
            ),
            models.CheckConstraint(
                condition=Q(replaces_as="") | Q(replaces_as__in=ReplacesAs.values), name="order_replaces_as_known"
            ),
            known_values("pii_state", PiiState, "order_pii_state_known"),
            models.CheckConstraint(
                condition=~Q(fulfilled_by="AFN") | Q(status="shipped"), name="order_by_amazon_is_shipped"
            ),
            models.CheckConstraint(
                condition=~Q(fulfilled_by="AFN") | Q(pii_state="none", redaction_due_at__isnull=True),
                name="order_by_amazon_has_no_person",
            ),
            models.CheckConstraint(
                condition=Q(pii_state="redacted", redacted_at__isnull=False)
                | (~Q(pii_state="redacted") & Q(redacted_at__isnull=True)),
                name="order_redacted_has_instant",
            ),
            models.CheckConstraint(
                condition=Q(reduced_at__isnull=True) | Q(fulfilled_by="AFN") | Q(pii_state="redacted"),
                name="order_reduced_is_erased",
            ),
            models.CheckConstraint(
                condition=Q(fulfilled_by="AFN") | ~Q(origin_marketplace="amazon") | Q(redaction_due_at__isnull=False),
                name="order_amazon_has_due_date",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "ship_by"], name="order_status_ship_by"),
            models.Index(fields=["store", "-ordered_at"], name="order_store_ordered"),
            # Not by store: a client that sees several of them wants one order of all. Ids settle what came together.
            models.Index(fields=["-modified_at", "-id"], name="order_modified"),
            models.Index(
                fields=["redaction_due_at"],
                name="order_due",
                condition=~Q(pii_state="redacted"),
            ),
            models.Index(fields=["redaction_due_at"], name="order_being_erased", condition=Q(pii_state="redacting")),
            models.Index(fields=["order_number"], name="order_number"),
            models.Index(fields=["hold_until"], name="order_hold_ends", condition=Q(hold_until__isnull=False)),
            models.Index(fields=["alert"], name="order_alert", condition=~Q(alert="")),
            *(
                models.Index(fields=[name], name=f"order_{name}", condition=~Q(**{name: ""}))
                for name in ("custom_field_1", "custom_field_2", "custom_field_3")
            ),
        ]

    def __str__(self) -> str:
        return self.order_number

    @property
    def masked(self) -> bool:
        """Whether nobody may see the personal data any more, whatever the columns still hold."""
        return self.pii_state in self.PiiState.MASKED

    def is_erased(self, *, now: datetime) -> bool:
        """Whether nobody may use the person any more: from the due instant on, whether or not the sweep came by."""
        return self.masked or (self.redaction_due_at is not None and self.redaction_due_at <= now)

    @property
    def is_open(self) -> bool:
        return self.status not in {self.Status.SHIPPED, self.Status.CANCELLED}

    @property
    def by_amazon(self) -> bool:
        return self.fulfilled_by == self.FulfilledBy.AMAZON

    def money(self, column: str) -> Money | None:
        """A total as money, None where Amazon did not say."""
        amount = getattr(self, column)
        return None if amount is None else Money(amount, self.currency)

    def why_not_shippable(self) -> str:
        """A sentence saying why no parcel may leave and what to do, or ''."""
        number = {"number": self.order_number}
        if self.by_amazon:
            return (
                _now("Order %(number)s is fulfilled by Amazon: Amazon ships it, there is nothing to do here.") % number
            )
        if self.status == self.Status.SHIPPED:
            return _now("Order %(number)s is already shipped. Open it to see its shipment.") % number
        if self.status == self.Status.CANCELLED:
            return _now("Order %(number)s is cancelled: do not send it.") % number
        if self.status == self.Status.ON_HOLD:
            return _now("Order %(number)s is on hold. Release it first, on the order's page.") % number
        if self.status == self.Status.AWAITING_PAYMENT:
            return _now("Order %(number)s is not paid yet: Amazon will say when it may be sent.") % number
        if self.status == self.Status.PENDING_FULFILLMENT:
            return _now("Order %(number)s is being fulfilled elsewhere: it cannot be sent from here.") % number
        if self.cancel_requested_at:
            return (
                _now("The buyer of order %(number)s asks to cancel it. Decide that on the order's page first.") % number
            )
        if self.masked and self.redaction_rule == Rule.REQUEST:
            return _now("The address of order %(number)s was erased on request. Send it from Seller Central.") % number
        if self.masked:
            return _now("The address of order %(number)s was erased on schedule. Send it from Seller Central.") % number
        return ""

    def mark_shipped(self, *, at: datetime) -> None:
        """Awaiting shipment to shipped. The UPDATE decides, not the row in hand: of two workers, one is refused."""
        done = Order.objects.shippable().filter(pk=self.pk, cancel_requested_at__isnull=True)
        if not done.update(status=self.Status.SHIPPED, shipped_at=at):
            self.refresh_from_db()
            raise RuleViolation(self.why_not_shippable() or _now("The order changed meanwhile: look at it again."))
        self.refresh_from_db(fields=["status", "shipped_at"])

    def hold(self, reason: str, *, until: datetime | None = None) -> None:
        """Put on hold: nothing is sent until released. The erasure clock goes on. `until`: when a job releases it."""
        waiting = Order.objects.filter(pk=self.pk, status=self.Status.AWAITING_SHIPMENT)
        if not waiting.update(status=self.Status.ON_HOLD, hold_reason=reason[:200], hold_until=until):
            raise RuleViolation(_now("Only an order awaiting shipment can be put on hold."))
        self.refresh_from_db(fields=["status", "hold_reason", "hold_until"])

    def release(self) -> None:
        """Back to awaiting shipment."""
        held = Order.objects.filter(pk=self.pk, status=self.Status.ON_HOLD)
        if not held.update(status=self.Status.AWAITING_SHIPMENT, hold_reason="", hold_until=None):
            raise RuleViolation(_now("This order is not on hold."))
        self.refresh_from_db(fields=["status", "hold_reason", "hold_until"])

    def decide_cancellation(self, *, ship_anyway: bool) -> None:
        """Answer the buyer's wish to cancel: ship anyway, or leave the order blocked until Amazon cancels it."""
        if ship_anyway:
            Order.objects.filter(pk=self.pk).update(cancel_requested_at=None)
        else:
            self.hold(CANCEL_HOLD)
        self.refresh_from_db(fields=["cancel_requested_at", "status", "hold_reason"])


class OrderItem(models.Model):
    """One line of an order, as the marketplace sent it. `quantity_shipped` is ours: units in active shipments."""

    order = models.ForeignKey(Order, models.CASCADE, verbose_name=_("order"), related_name="items")
    amazon_item_id = models.CharField(_("Amazon item id"), max_length=60)
    sku = models.CharField("SKU", max_length=120, blank=True)
    asin = models.CharField("ASIN", max_length=20, blank=True)
    product = models.ForeignKey(
        "orders.Product", models.SET_NULL, null=True, blank=True, verbose_name=_("product"), related_name="items"
    )
    title = models.CharField(_("title"), max_length=500, blank=True)
    condition = models.CharField(_("condition"), max_length=40, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"))
    quantity_shipped = models.PositiveIntegerField(_("shipped"), default=0)
    unit_price = models.DecimalField(_("unit price"), **MONEY)
    tax = models.DecimalField(_("tax"), **MONEY)
    discount = models.DecimalField(_("discount"), **MONEY)
    shipping = models.DecimalField(_("shipping"), **MONEY)
    gift_wrap = models.DecimalField(_("gift wrap"), **MONEY)
    cod_fee = models.DecimalField(_("cash on delivery fee"), **MONEY)
    gift_wrap_level = models.CharField(_("kind of gift wrap"), max_length=60, blank=True)
    is_gift = models.BooleanField(_("gift"), default=False)
    is_business_price = models.BooleanField(_("business price"), default=False)
    promotions = models.JSONField(_("promotions"), default=list, blank=True)
    requirements = models.JSONField(_("required of the delivery"), default=list, blank=True)
    scheduled_from = models.DateTimeField(_("delivery wanted from"), null=True, blank=True)
    scheduled_until = models.DateTimeField(_("delivery wanted until"), null=True, blank=True)
    ioss_number = models.CharField(_("IOSS number"), max_length=40, blank=True)
    options = models.JSONField(_("options"), default=list, blank=True)
    weight_g = models.PositiveIntegerField(_("weight of one in grams"), null=True, blank=True)
    warehouse_location = models.CharField(_("storage location"), max_length=60, blank=True)
    is_physical = models.BooleanField(_("physical"), default=True)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "amazon_item_id"], name="item_once_per_order"),
            models.CheckConstraint(condition=Q(quantity_shipped__lte=F("quantity")), name="item_not_shipped_twice"),
        ]
        indexes = [models.Index(fields=["sku"], name="item_sku"), models.Index(fields=["asin"], name="item_asin")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku or self.asin}"
