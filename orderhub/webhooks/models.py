"""Where clients are told, and what each was told of: ids and codes only. What is sent is written anew at each attempt."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.constraints import known_values
from orderhub.models import ApiKey
from privacy.fields import EncryptedTextField

LASTS = timedelta(hours=24)  # a delivery is tried for so long


class Surface(models.TextChoices):
    """Whose form the message has."""

    NATIVE = "native", "OrderHub"
    SHIPSTATION = "shipstation", "ShipStation v1"


class Because(models.TextChoices):
    """Why an endpoint is off."""

    BY_HAND = "by_hand", _("switched off by hand")
    GONE = "gone", _("the receiver answered 410: it wants nothing more")
    FAILING = "failing", _("nothing but failures for 24 hours")


class EndpointQuerySet(models.QuerySet):
    def heard(self, *, now: datetime):
        """Those that are on, whose key still opens something."""
        usable = ApiKey.objects.usable(now=now)
        return self.filter(Q(key__isnull=True) | Q(key__in=usable), active=True)


class Endpoint(models.Model):
    """One address that a client is told at. `url` and `secret` are encrypted; people see `url_shown`, its host only.

    `events`: names of the surface. `store_ids`: those of the key's stores it is about; empty: all of them.
    `failures`: in a row, since `failing_since`; from the fifth on nothing is sent until `paused_until`.
    """

    Surface, Because = Surface, Because

    key = models.ForeignKey(
        ApiKey, models.CASCADE, null=True, blank=True, verbose_name=_("API key"), related_name="endpoints"
    )
    surface = models.CharField(_("API"), max_length=12, choices=Surface.choices, default=Surface.NATIVE)
    name = models.CharField(_("name"), max_length=60, blank=True)
    url = EncryptedTextField(_("address"))
    url_shown = models.CharField(_("address"), max_length=300)
    secret = EncryptedTextField(_("secret"))
    events = models.JSONField(_("events"), default=list)
    store_ids = models.JSONField(_("stores"), default=list, blank=True)
    active = models.BooleanField(_("on"), default=True)
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    disabled_at = models.DateTimeField(_("off since"), null=True, blank=True)
    disabled_because = models.CharField(_("off because"), max_length=8, choices=Because.choices, blank=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["-pk"]
        constraints = [
            known_values("surface", Surface, "endpoint_surface_known"),
            models.CheckConstraint(
                condition=Q(active=True, disabled_because="", disabled_at__isnull=True)
                | Q(active=False, disabled_because__in=Because.values, disabled_at__isnull=False),
                name="endpoint_off_for_a_reason",
            ),
            models.CheckConstraint(condition=~Q(url="") & ~Q(secret=""), name="endpoint_signs"),
            models.CheckConstraint(
                condition=Q(failures=0, failing_since__isnull=True) | Q(failures__gt=0, failing_since__isnull=False),
                name="endpoint_failing_since_a_failure",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class State(models.TextChoices):
    """What became of a delivery."""

    WAITING = "waiting", _("waiting")
    IN_FLIGHT = "in_flight", _("being sent")
    DELIVERED = "delivered", _("delivered")
    DEAD = "dead", _("given up")


class DeliveryQuerySet(models.QuerySet):
    def due(self, *, now: datetime):
        """To be sent now, oldest first: waiting ones whose time has come, and those whose sender died."""
        waiting = Q(state=State.WAITING, next_attempt_at__lte=now)
        abandoned = Q(state=State.IN_FLIGHT, lease_until__lte=now)
        return self.filter(waiting | abandoned).order_by("pk")


class Delivery(models.Model):
    """One thing one endpoint is told. `event_id` is the same at every attempt: receivers know by it what they had.

    `source` names what it tells of, so that whoever looks twice tells once.
    """

    State = State

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField(_("event id"), default=uuid.uuid4, unique=True, editable=False)
    event = models.CharField(_("event"), max_length=40)
    source = models.CharField(max_length=80)
    order_id = models.BigIntegerField(_("order"), null=True, blank=True)
    shipment_id = models.BigIntegerField(_("shipment"), null=True, blank=True)
    account_id = models.BigIntegerField(_("account"), null=True, blank=True)
    store_id = models.BigIntegerField(_("store"), null=True, blank=True)
    happened_at = models.DateTimeField(_("happened at"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=clock.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(_("last answer"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    tried_until = models.DateTimeField(_("tried until"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "source"], name="delivery_once"),
            known_values("state", State, "delivery_state_known"),
            models.CheckConstraint(
                condition=Q(state=State.IN_FLIGHT, lease_until__isnull=False)
                | (~Q(state=State.IN_FLIGHT) & Q(lease_until__isnull=True)),
                name="delivery_leased_in_flight",
            ),
            models.CheckConstraint(
                condition=Q(state=State.DELIVERED, delivered_at__isnull=False)
                | (~Q(state=State.DELIVERED) & Q(delivered_at__isnull=True)),
                name="delivery_delivered_at",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                name="delivery_open",
                condition=Q(state__in=[State.WAITING, State.IN_FLIGHT]),
            ),
            models.Index(fields=["created_at"], name="delivery_created"),
        ]

    def __str__(self) -> str:
        return f"{self.event} #{self.pk}"


class FeedCursor(models.Model):
    """How far the timeline was read. One row.

    Ids may commit out of order: everything up to `reached` was read, everything beyond `position` is read again.
    `mark` was the highest id at `marked_at`; once that is long enough ago, `position` moves there. Orders by the
    instant they were last changed at.
    """

    position = models.BigIntegerField()
    reached = models.BigIntegerField()
    mark = models.BigIntegerField()
    marked_at = models.DateTimeField()
    orders_at = models.DateTimeField()
    orders_id = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("place in the timeline")
        verbose_name_plural = _("places in the timeline")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="feedcursor_single")]

    def __str__(self) -> str:
        return f"#{self.pk}"
