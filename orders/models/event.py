"""The timeline: what happened to an order, as codes and numbers. Words are made when it is shown."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orders.models.order import Order


class OrderEventQuerySet(models.QuerySet):
    """A line of the timeline moves its order's `modified_at`, in the same transaction: that is how clients learn of it.

    Who writes lines past here (orderhub.bulk) writes the column with the order's others.
    """

    def create(self, **given):
        event = super().create(**given)
        self._touch([event])
        return event

    def bulk_create(self, objs, *args, **kwargs):
        events = super().bulk_create(objs, *args, **kwargs)
        self._touch(events)
        return events

    def _touch(self, events) -> None:
        seen = [event for event in events if event.kind not in OrderEvent.UNSEEN]
        if seen:
            Order.objects.touch({event.order_id for event in seen}, max(event.at for event in seen))


class OrderEvent(models.Model):
    """One thing that happened. `params` holds ids, dates and codes, never a personal value."""

    class Kind(models.TextChoices):
        IMPORTED = "imported", _("Imported from %(source)s, status %(status)s")
        STATUS = "status", _("Status changed from %(before)s to %(after)s")
        SHIPPED_ELSEWHERE = "shipped_elsewhere", _("Shipped outside OrderHub, as Amazon reports")
        CANCELLED_AFTER_SHIPPING = (
            "cancelled_after_shipping",
            _("ALERT: cancelled at Amazon after it was shipped"),
        )
        CANCEL_REQUESTED = "cancel_requested", _("The buyer asks to cancel this order")
        CANCEL_DECIDED = "cancel_decided", _("Cancellation request answered")
        HELD = "held", _("Put on hold")
        RELEASED = "released", _("Released from hold")
        ROMANISED = "romanised", _("Address written in Roman characters")
        ROMAN_DROPPED = "roman_dropped", _("Amazon changed the address: it must be written in Roman characters anew")
        DUE = "due", _("Personal data is kept until %(due)s UTC")
        SHIPMENT = "shipment", _("Shipped with %(carrier)s, tracking number %(tracking)s")
        PART_SHIPPED = "part_shipped", _("Part shipped with %(carrier)s, tracking number %(tracking)s")
        VOIDED = "voided", _("Shipment voided, tracking number %(tracking)s")
        COMBINED = "combined", _("Sent in one parcel with %(orders)s")
        RETURN_LABEL = "return_label", _("Return label made with %(carrier)s, tracking number %(tracking)s")
        DELIVERED = "delivered", _("Delivered on %(due)s UTC")
        MAIL = "mail", _("Mail to the buyer (%(mail)s): %(outcome)s")
        MANUAL_UPDATE = "manual_update", _("To be confirmed in Seller Central: %(outcome)s")
        TOLD_OF_FIRST = "told_of_first", _("No notice to Amazon for %(tracking)s")
        NOTICE = "notice", _("Notice to %(channel)s: %(state)s")
        REDACTED = "redacted", _("Personal data erased")
        REDUCED = "reduced", _("Reduced to accounting fields: %(hold)s")
        NOTED = "noted", _("Note added")
        TAGGED = "tagged", _("Tags: %(tags)s")
        ASSIGNED = "assigned", _("Assigned to %(user)s")
        OWN_STATUS = "own_status", _("Own status: %(own)s")
        WEIGHED = "weighed", _("Weight set to %(weight)s g")
        RULES = "rules", _("Rules applied: %(rules)s")
        ALERT = "alert", _("ALERT from the rules")
        ALERT_SEEN = "alert_seen", _("Alert dealt with")
        FETCHED = "fetched", _("Fetched from Amazon on request")
        GAP_CLOSED = "gap_closed", _("Found missing by the daily check, and brought up to date")
        CUSTOMIZATION = "customization", _("Customisation: %(outcome)s")
        ENTERED = "entered", _("Entered by hand, status %(status)s")
        FROM_FILE = "from_file", _("Imported from a file, status %(status)s")
        FROM_CLIENT = "from_client", _("Created by an API client, status %(status)s")
        OPTIONS = "options", _("Choices of the buyer written by %(client)s, lines: %(count)s")
        CUSTOM_FIELDS = "custom_fields", _("Custom fields written by %(client)s: %(count)s")
        MERGED = "merged", _("Customer records joined")
        NOT_PHYSICAL = "not_physical", _("Amazon's catalogue says nothing in it is physical")
        BLOCKED = "blocked", _("Personal data from Amazon ignored: already erased here")
        BLOCKED_WRITE = "blocked_write", _("Personal data written by %(client)s ignored: already erased here")
        ERASURE_ASKED = "erasure_asked", _("Erasure asked for, request %(request)s")
        REVEALED = "revealed", _("Names and address shown to %(user)s: %(reason)s")

    order = models.ForeignKey(Order, models.CASCADE, verbose_name=_("order"), related_name="events")
    at = models.DateTimeField(_("at"), default=clock.now)
    kind = models.CharField(_("kind"), max_length=30, choices=Kind.choices)
    params = models.JSONField(_("details"), default=dict, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("by"),
        related_name="+",
    )

    objects = OrderEventQuerySet.as_manager()
    UNSEEN = frozenset({Kind.REVEALED, Kind.BLOCKED, Kind.BLOCKED_WRITE})  # nothing of the order is different

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} #{self.order_id}"
