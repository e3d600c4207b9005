"""The outbox: what a marketplace must be told of an order, once."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, When
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.constraints import known_values
from orders.models import Order
from privacy.fields import PersonalCharField, sealed_values
from shipments.models.feed import Feed
from shipments.models.shipment import Shipment

GATHER = timedelta(seconds=45)  # single labels wait this long for others to be told with (F55)


class NotificationState(models.TextChoices):
    """What became of a notice."""

    PENDING = "pending", _("waiting to be sent")
    IN_FLIGHT = "in_flight", _("being sent")
    CONFIRMED = "confirmed", _("accepted")
    CONFIRMED_EXTERNAL = "confirmed_external", _("already shipped outside OrderHub")
    RETRY_AT = "retry_at", _("throttled or not reached, will retry")
    UNKNOWN = "unknown", _("outcome unknown, being checked")
    REJECTED = "rejected", _("refused")
    NEEDS_ATTENTION = "needs_attention", _("needs attention")
    MANUAL = "manual", _("done by hand")
    IN_FEED = "in_feed", _("sent in one submission with others, result awaited")
    WITHDRAWN = "withdrawn", _("withdrawn: the parcel was voided before Amazon was told")


NotificationState.FINAL = (
    NotificationState.CONFIRMED,
    NotificationState.CONFIRMED_EXTERNAL,
    NotificationState.MANUAL,
)
NotificationState.LEVELS = {
    NotificationState.PENDING: "info", NotificationState.IN_FLIGHT: "info", NotificationState.RETRY_AT: "info",
    NotificationState.UNKNOWN: "warn", NotificationState.CONFIRMED: "ok", NotificationState.CONFIRMED_EXTERNAL: "ok",
    NotificationState.MANUAL: "ok", NotificationState.REJECTED: "bad", NotificationState.NEEDS_ATTENTION: "bad",
    NotificationState.IN_FEED: "info", NotificationState.WITHDRAWN: "muted",
}  # fmt: skip
NotificationState.WAITING = (NotificationState.PENDING, NotificationState.RETRY_AT, NotificationState.UNKNOWN)
NotificationState.STUCK = (NotificationState.REJECTED, NotificationState.NEEDS_ATTENTION)


class DoneReason(models.TextChoices):
    """Why somebody says that a notice is done. Codes, as a free text could name the buyer."""

    CONFIRMED_THERE = "confirmed_there", _("confirmed in Seller Central")
    SHIPPED_OTHERWISE = "shipped_otherwise", _("shipped in another way, and confirmed there")
    REFUNDED = "refunded", _("refunded or cancelled there")
    NOT_NEEDED = "not_needed", _("the marketplace needs no notice")


class NotificationQuerySet(models.QuerySet):
    def waiting(self, now: datetime):
        """Rows to send now, oldest first; with them those that only wait to be gathered with others."""
        State = ShipmentNotification.State
        gathered = Q(state=State.PENDING, next_attempt_at__lte=now + GATHER) & Q(
            next_attempt_at__lte=F("created_at") + GATHER
        )
        due = Q(state__in=[State.PENDING, State.RETRY_AT], next_attempt_at__lte=now)
        return self.filter(due | gathered).order_by("created_at", "pk")  # a refusal costs nobody the place in the queue

    def to_reconcile(self, now: datetime):
        """Rows whose outcome must be read before anything else is sent."""
        return self.filter(state=ShipmentNotification.State.UNKNOWN, next_attempt_at__lte=now).order_by("pk")

    def of_mirror(self, shop):
        """What a BigCommerce store is to be told: of the orders of the Amazon stores linked to it."""
        return self.filter(channel=ShipmentNotification.Channel.BIGCOMMERCE, order__store__linked_store=shop)

    def after_amazon(self):
        """Without those whose order Amazon must hear of first."""
        return self.filter(~_amazon_unsettled())

    def with_mirror_standing(self):
        """With what a notice to BigCommerce waits for: `waits_for_amazon`, `shop_status` of the linked store's token, and
        `shop_closed_until`, where the store asked to be left alone."""
        return self.annotate(
            waits_for_amazon=_amazon_unsettled(),
            shop_status=F("order__store__linked_store__bigcommerce__status"),
            shop_closed_until=_shop_closed_until(clock.now()),
        )

    def closing_mirrors(self, now: datetime):
        """Rows that keep until when a BigCommerce store asked to be left alone, the longest wait first."""
        State = ShipmentNotification.State
        closed = self.filter(
            channel=ShipmentNotification.Channel.BIGCOMMERCE, error_code=ShipmentNotification.MIRROR_THROTTLED,
            state__in=[State.RETRY_AT, State.UNKNOWN], next_attempt_at__gt=now,
        )  # fmt: skip
        return closed.order_by("-next_attempt_at")

    def to_do_by_hand(self):
        """Withheld by a store's settings: somebody tells Amazon in Seller Central."""
        return self.filter(state=ShipmentNotification.State.MANUAL, error_code=ShipmentNotification.STORE_POLICY)

    def move(self, row, *, frm: str, **changes) -> bool:
        """Change a row only if it still is as we left it: state and start number. False if another holder has it."""
        if "error_text" in changes:
            changes |= sealed_values(row, error_text=changes["error_text"])
        return bool(self.filter(pk=row.pk, state=frm, fence=row.fence).update(**changes))


def _amazon_unsettled() -> Exists:
    """Whether Amazon is still to be told of the same order, or somebody must look at why it was not."""
    Notice = ShipmentNotification
    told = Notice.objects.filter(order=OuterRef("order"), channel=Notice.Channel.AMAZON, correction_of__isnull=True)
    return Exists(told.exclude(state__in=[*Notice.State.FINAL, Notice.State.WITHDRAWN]))


def _shop_closed_until(now: datetime) -> Case:
    """The end of the linked store's wait, looked up for an open notice to it only; else NULL."""
    State, shop = ShipmentNotification.State, "order__store__linked_store"
    closing = ShipmentNotification.objects.filter(**{shop: OuterRef(shop)}).closing_mirrors(now)
    unsettled = {"channel": ShipmentNotification.Channel.BIGCOMMERCE, "state__in": [*State.WAITING, *State.STUCK]}
    return Case(When(**unsettled, then=Subquery(closing.values("next_attempt_at")[:1])))


class ShipmentNotification(models.Model):
    """One per order and channel, by constraint: a second parcel cannot even queue a second notice."""

    class Channel(models.TextChoices):
        AMAZON = "amazon", "Amazon"
        BIGCOMMERCE = "bigcommerce", "BigCommerce"

    State = NotificationState
    DoneReason = DoneReason
    # Why a notice is withheld, as `error_code`
    STORE_POLICY, TOLD_BY_CONNECTOR, BY_RULE = "StorePolicy", "ToldByConnector", "AutomationRule"
    TOLD_BY_PROVIDER = "ToldByProvider"  # a label of Amazon's own, which confirms the order
    WITHHELD = (STORE_POLICY, TOLD_BY_CONNECTOR, BY_RULE, TOLD_BY_PROVIDER)
    NEVER_OURS = (TOLD_BY_CONNECTOR, TOLD_BY_PROVIDER)  # whatever anybody wishes: Amazon would be told twice
    TOGETHER = Q(single_only=False, correction_of__isnull=True)  # what may go in one submission with others
    # As `error_code`: BigCommerce does not have the order, or not yet; it asked that the store be left alone.
    MIRROR_NOT_FOUND, MIRROR_THROTTLED = "MirrorNotFound", "429"

    order = models.ForeignKey(Order, models.PROTECT, verbose_name=_("order"), related_name="notifications")
    channel = models.CharField(_("channel"), max_length=12, choices=Channel.choices, default=Channel.AMAZON)
    shipment = models.ForeignKey(Shipment, models.PROTECT, verbose_name=_("shipment"), related_name="notifications")
    package_reference = models.CharField(_("package reference"), max_length=20)
    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.PENDING)
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    next_attempt_at = models.DateTimeField(_("next attempt at"), default=clock.now)
    lease_until = models.DateTimeField(_("held until"), null=True, blank=True)
    fence = models.PositiveIntegerField(_("start number"), default=0)
    starts = models.PositiveIntegerField(_("starts without an end"), default=0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    reads = models.PositiveIntegerField(_("reads since unknown"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    request_hash = models.CharField(max_length=32, blank=True, editable=False)
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    error_text = PersonalCharField(_("error text"), max_length=300, blank=True, owner="order:order_id")
    asked_for = models.BooleanField(_("sent on somebody's wish"), default=False)  # whatever the store's policy says
    confirmed_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    feed = models.ForeignKey(
        Feed, models.PROTECT, null=True, blank=True, verbose_name=_("submission"), related_name="notices"
    )
    single_only = models.BooleanField(_("in no submission with others"), default=False)  # after one that failed
    correction_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name=_("corrects"), related_name="corrections"
    )
    remote_id = models.CharField(_("number at the marketplace"), max_length=40, blank=True)  # of the mirrored order
    done_reason = models.CharField(_("done by hand because"), max_length=20, choices=DoneReason.choices, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("done by"), related_name="+"
    )
    remedies = models.JSONField(_("remedies ticked off"), default=dict, blank=True)  # code of a step to who and when

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice to a marketplace")
        verbose_name_plural = _("notices to marketplaces")
        ordering = ["next_attempt_at"]
        permissions = [
            ("retry_notification", _("Can send stuck notices again")),
            ("mark_notification", _("Can say that a notice was done by hand")),
            ("correct_tracking", _("Can correct a tracking number at Amazon")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "channel"], condition=Q(correction_of__isnull=True), name="notice_once_per_order"
            ),
            models.UniqueConstraint(
                fields=["correction_of"],
                condition=~Q(state__in=["confirmed", "confirmed_external", "manual", "withdrawn"]),
                name="notice_one_correction_at_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="in_feed") | Q(feed__isnull=False), name="notice_in_feed_has_feed"
            ),
            models.CheckConstraint(
                condition=Q(feed__isnull=True) | Q(correction_of__isnull=True, channel="amazon"),
                name="notice_feed_is_amazons",
            ),
            models.CheckConstraint(condition=Q(done_reason="") | Q(state="manual"), name="notice_reason_is_by_hand"),
            known_values("state", NotificationState, "notice_state_known"),
            models.CheckConstraint(condition=~Q(package_reference=""), name="notice_has_reference"),
            models.CheckConstraint(
                condition=~Q(state__in=["confirmed", "confirmed_external"]) | Q(confirmed_at__isnull=False),
                name="notice_confirmed_has_instant",
            ),
            models.CheckConstraint(
                condition=Q(state="in_flight", lease_until__isnull=False)
                | (~Q(state="in_flight") & Q(lease_until__isnull=True)),
                name="notice_in_flight_is_leased",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["in_flight", "in_feed"]) | ~Q(request_hash=""),
                name="notice_intent_before_call",
            ),
            models.CheckConstraint(condition=Q(attempts__lte=F("fence")), name="notice_attempts_are_starts"),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="notice_due",
                condition=Q(state__in=["pending", "retry_at", "unknown", "in_flight"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} #{self.order_id}"

    @property
    def is_final(self) -> bool:
        return self.state in self.State.FINAL

    @property
    def state_word(self) -> str:
        """The state in words; a withheld notice is nobody's deed yet."""
        if self.channel == self.Channel.BIGCOMMERCE:
            return self._mirror_word
        if not self.is_withheld:
            return self.get_state_display()
        if self.error_code == self.BY_RULE:
            return _now("withheld by a rule")
        if self.error_code == self.TOLD_BY_PROVIDER:
            return _now("told by Amazon’s own label")
        return _now("to be done by hand") if self.error_code == self.STORE_POLICY else _now("left to the connector")

    @property
    def _mirror_word(self) -> str:
        if self.state == self.State.WITHDRAWN:
            return _now("withdrawn: the parcel was voided first")
        if self.state == self.State.RETRY_AT and self.error_code == self.MIRROR_NOT_FOUND:
            return _now("not in BigCommerce yet")
        return self.get_state_display()

    @property
    def level(self) -> str:
        """How the state is tinted: what waits for somebody's hand is not done."""
        by_hand = self.is_withheld and self.error_code == self.STORE_POLICY
        return "warn" if by_hand else self.State.LEVELS.get(self.state, "muted")

    @property
    def is_withheld(self) -> bool:
        """Whether the store's settings, or a rule, kept us from telling Amazon: nothing was sent."""
        return self.state == self.State.MANUAL and self.error_code in self.WITHHELD

    @property
    def is_first_word(self) -> bool:
        """Whether this is what Amazon hears of the order: neither a correction nor another marketplace's."""
        return self.channel == self.Channel.AMAZON and self.correction_of_id is None

    @property
    def is_stuck(self) -> bool:
        return self.state in self.State.STUCK
