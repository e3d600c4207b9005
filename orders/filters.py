"""Filters and tabs of the order list."""

from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orderhub import clock
from orderhub.lists import ChoiceFilter
from orders import deadlines, deciding
from orders.models import Order, SkippedOrder
from privacy.erasure import ALARM_AFTER
from stores.models import Store

Status = Order.Status
DUE_SOON = timedelta(days=3)
MOST_STORES = 200
LIVE = (Order.PiiState.NONE, Order.PiiState.PRESENT)
TABS = {
    "to_ship": (pgettext_lazy("tab", "To ship"), Q(status=Status.AWAITING_SHIPMENT, pii_state__in=LIVE)),
    "erased": (
        pgettext_lazy("tab", "Address erased"),
        Q(status=Status.AWAITING_SHIPMENT, pii_state__in=Order.PiiState.MASKED),
    ),
    "hold": (pgettext_lazy("tab", "On hold"), Q(status=Status.ON_HOLD)),
    "unpaid": (
        pgettext_lazy("tab", "Awaiting payment"),
        Q(status__in=[Status.AWAITING_PAYMENT, Status.PENDING_FULFILLMENT]),
    ),
    "shipped": (pgettext_lazy("tab", "Shipped"), Q(status=Status.SHIPPED)),
    "cancelled": (pgettext_lazy("tab", "Cancelled"), Q(status=Status.CANCELLED)),
}
HINTS = {"erased": _("To be shipped from Seller Central")}


def due_soon(now) -> Q:
    """Personal data goes within three days."""
    return Q(pii_state__in=LIVE, redaction_due_at__lte=now + DUE_SOON)


class TabFilter(ChoiceFilter):
    title, parameter_name, in_bar = _("status"), "tab", False

    def lookups(self, request, model_admin):
        return [(code, name) for code, (name, _condition) in TABS.items()]

    def narrow(self, rows, value, request):
        return rows.filter(TABS[value][1])


class StoreFilter(ChoiceFilter):
    title, parameter_name = _("store"), "store"

    def lookups(self, request, model_admin):
        stores = Store.objects.order_by("name").values_list("pk", "name")[:MOST_STORES]
        return [(str(pk), name) for pk, name in stores]

    def narrow(self, rows, value, request):
        return rows.filter(store=value)


class DeadlineFilter(ChoiceFilter):
    title, parameter_name = _("ship by"), "due"

    def lookups(self, request, model_admin):
        return [
            (deadlines.LATE, _("late")),
            (deadlines.TODAY, _("today")),
            (deadlines.NEXT, _("the 7 days after")),
        ]

    def narrow(self, rows, value, request):
        return rows.filter(deadlines.when(value, now=clock.now(), zone_names=deadlines.zones()))


class FulfilledByFilter(ChoiceFilter):
    title, parameter_name = _("fulfilled by"), "by"

    def lookups(self, request, model_admin):
        return Order.FulfilledBy.choices

    def narrow(self, rows, value, request):
        return rows.filter(fulfilled_by=value)


class ServiceFilter(ChoiceFilter):
    title, parameter_name = _("service level"), "service"

    def lookups(self, request, model_admin):
        return Order.ServiceLevel.choices

    def narrow(self, rows, value, request):
        return rows.filter(service_level=value)


class KindFilter(ChoiceFilter):
    title, parameter_name = _("kind"), "kind"
    conditions = {
        "cancel": Q(cancel_requested_at__isnull=False) & ~Q(status__in=[Status.SHIPPED, Status.CANCELLED]),
        "roman": Q(status=Status.ON_HOLD, hold_reason=deciding.ADDRESS_HOLD, pii_state__in=LIVE),
        "business": Q(is_business=True),
        "prime": Q(is_prime=True),
        "gift": Q(is_gift=True),
    }

    def lookups(self, request, model_admin):
        return [
            ("cancel", _("buyer asks to cancel")),
            ("roman", _("address to write in Roman characters")),
            ("business", _("business")),
            ("prime", _("Prime")),
            ("gift", _("gift")),
        ]

    def narrow(self, rows, value, request):
        return rows.filter(self.conditions[value])


class PrivacyFilter(ChoiceFilter):
    title, parameter_name = _("personal data"), "privacy"

    def lookups(self, request, model_admin):
        return [
            ("soon", _("erased within 3 days, not shipped")),
            ("erased", _("erased")),
            ("overdue", _("erasure overdue")),
        ]

    def narrow(self, rows, value, request):
        now = clock.now()
        if value == "erased":
            return rows.filter(pii_state__in=Order.PiiState.MASKED)
        if value == "overdue":
            return rows.filter(overdue(now))
        return rows.filter(due_soon(now) & open_orders())


class NoticeFilter(ChoiceFilter):
    """States of the notice, through the reverse relation: `orders` does not know who keeps them."""

    title, parameter_name = _("notice to Amazon"), "notice"

    def lookups(self, request, model_admin):
        return Order._meta.get_field("notifications").related_model.State.choices

    def narrow(self, rows, value, request):
        return rows.filter(pk__in=Order.objects.filter(notifications__state=value).values("pk"))


def open_orders() -> Q:
    """Neither shipped nor cancelled."""
    return ~Q(status__in=[Status.SHIPPED, Status.CANCELLED])


def overdue(now) -> Q:
    """Should have been erased more than an hour ago, as privacy.erasure.overdue counts it."""
    return Q(pii_state__in=[*LIVE, Order.PiiState.REDACTING], redaction_due_at__lt=now - ALARM_AFTER)


class SkipReasonFilter(ChoiceFilter):
    title, parameter_name = _("reason"), "reason"

    def lookups(self, request, model_admin):
        return SkippedOrder.Reason.choices

    def narrow(self, rows, value, request):
        return rows.filter(reason=value)
