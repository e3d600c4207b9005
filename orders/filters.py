"""Filters and tabs of the order list."""

from datetime import timedelta

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orderhub import clock
from orderhub.lists import ChoiceFilter, ColumnFilter, TextFilter
from orders import assigning, custom_columns, deadlines, deciding
from orders.models import Order, SkippedOrder, Tag
from privacy.erasure import ALARM_AFTER
from stores.models import MAPPED_FIELDS, MarketplaceStatus

Status = Order.Status
DUE_SOON = timedelta(days=3)
MOST_STORES = custom_columns.MOST_STORES
MOST_TAGS = 200
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
        return [(str(pk), name) for pk, name in custom_columns.stores_for(request)]

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


class FulfilledByFilter(ColumnFilter):
    title, parameter_name, in_more = _("fulfilled by"), "by", True
    codes, column = Order.FulfilledBy, "fulfilled_by"


class ServiceFilter(ColumnFilter):
    title, parameter_name, in_more = _("service level"), "service", True
    codes, column = Order.ServiceLevel, "service_level"


class KindFilter(ChoiceFilter):
    title, parameter_name = _("kind"), "kind"
    conditions = {
        "cancel": Q(cancel_requested_at__isnull=False) & ~Q(status__in=[Status.SHIPPED, Status.CANCELLED]),
        "roman": Q(status=Status.ON_HOLD, hold_reason=deciding.ADDRESS_HOLD, pii_state__in=LIVE),
        "alert": ~Q(alert=""),
        "business": Q(is_business=True),
        "prime": Q(is_prime=True),
        "gift": Q(is_gift=True),
    }

    def lookups(self, request, model_admin):
        return [
            ("cancel", _("buyer asks to cancel")),
            ("roman", _("address to write in Roman characters")),
            ("alert", _("alert")),
            ("business", _("business")),
            ("prime", _("Prime")),
            ("gift", _("gift")),
        ]

    def narrow(self, rows, value, request):
        return rows.filter(self.conditions[value])


class TagFilter(ChoiceFilter):
    title, parameter_name = _("tag"), "tag"

    def lookups(self, request, model_admin):
        return [(str(pk), name) for pk, name in Tag.objects.values_list("pk", "name")[:MOST_TAGS]]

    def narrow(self, rows, value, request):
        return rows.filter(pk__in=Order.tags.through.objects.filter(tag=value).values("order"))


class WorkerFilter(ChoiceFilter):
    """Whose work: mine, nobody's (those of people who left included), or a colleague's."""

    title, parameter_name = _("assigned to"), "who"
    ME, NOBODY = "me", "nobody"

    def lookups(self, request, model_admin):
        people = assigning.assignable().exclude(pk=request.user.pk).values_list("pk", "username")
        return [(self.ME, _("me")), (self.NOBODY, _("nobody")), *((str(pk), name) for pk, name in people)]

    def narrow(self, rows, value, request):
        if value == self.NOBODY:
            return rows.filter(assigning.nobodys())
        return rows.filter(assigned_to=request.user.pk if value == self.ME else value)


class OwnStatusFilter(ChoiceFilter):
    """Names of stores beside our statuses, on the orders that wear them now."""

    title, parameter_name, in_more = _("own status"), "own", True

    def lookups(self, request, model_admin):
        names = MarketplaceStatus.objects.order_by("name").values_list("name", flat=True).distinct()
        return [(name, name) for name in names[:MOST_TAGS]]

    def narrow(self, rows, value, request):
        return rows.filter(own_status__name=value, own_status__status=F("status"))


class CustomFieldFilter(TextFilter):
    """Exactly this in one of the three fields; never in those fed by something personal, which has no place in an address."""

    title, parameter_name, in_more = _("custom field"), "custom", True
    hint = _("Exactly as it is written. Purchase order numbers are personal and cannot be searched for.")

    def offered(self, request):
        return custom_columns.offered_to(request)

    def narrow(self, rows, value, request):
        found = Q()
        for name in MAPPED_FIELDS:
            found |= Q(**{name: value})
        return rows.filter(found)


class CustomFieldFilledFilter(ChoiceFilter):
    title, parameter_name, in_more = _("custom fields"), "filled", True

    def lookups(self, request, model_admin):
        if not custom_columns.offered_to(request):
            return []
        return [("yes", _("at least one has a value")), ("no", _("all are empty"))]

    def narrow(self, rows, value, request):
        blank = Q()
        for name in MAPPED_FIELDS:
            blank &= Q(**{name: ""}) & (Q(person__isnull=True) | Q(**{f"person__{name}": ""}))
        return rows.filter(blank) if value == "no" else rows.exclude(blank)


class PrivacyFilter(ChoiceFilter):
    """By the privacy clock. What counts down counts shipped orders too; `soon` is about those not sent yet."""

    title, parameter_name, in_more = _("personal data"), "privacy", True
    DAYS = {"in1": 1, "in3": 3, "in7": 7}

    def lookups(self, request, model_admin):
        return [
            ("soon", _("erased within 3 days, not shipped")),
            ("in1", _("erased within 24 hours")),
            ("in3", _("erased within 3 days")),
            ("in7", _("erased within 7 days")),
            ("overdue", _("erasure overdue")),
            ("failed", _("erasure failed, tried again")),
            ("erased", _("erased")),
            ("none", _("none kept")),
        ]

    def narrow(self, rows, value, request):
        now = clock.now()
        if value in self.DAYS:
            return rows.filter(counts_down(now, days=self.DAYS[value]))
        conditions = {
            "soon": due_soon(now) & open_orders(),
            "overdue": overdue(now),
            "failed": failed(),
            "erased": Q(pii_state__in=Order.PiiState.MASKED),
            "none": Q(pii_state=Order.PiiState.NONE),
        }
        return rows.filter(conditions[value])


class NoticeFilter(ChoiceFilter):
    """States of the notice, through the reverse relation: `orders` does not know who keeps them."""

    title, parameter_name = _("notice to Amazon"), "notice"

    def lookups(self, request, model_admin):
        return Order._meta.get_field("notifications").related_model.State.choices

    def narrow(self, rows, value, request):
        found = Order.objects.filter(notifications__state=value, notifications__channel="amazon")
        return rows.filter(pk__in=found.values("pk"))


def open_orders() -> Q:
    """Neither shipped nor cancelled."""
    return ~Q(status__in=[Status.SHIPPED, Status.CANCELLED])


def counts_down(now, *, days: int) -> Q:
    """Personal data that is here and goes within so many days; what should be gone counts too."""
    return Q(pii_state=Order.PiiState.PRESENT, redaction_due_at__lte=now + timedelta(days=days))


def failed() -> Q:
    """The last erasure of it failed; the next sweep tries again."""
    return ~Q(redaction_error="") & ~Q(pii_state=Order.PiiState.REDACTED)


def overdue(now) -> Q:
    """Should have been erased more than an hour ago, as privacy.erasure.overdue counts it."""
    return Q(pii_state__in=[*LIVE, Order.PiiState.REDACTING], redaction_due_at__lt=now - ALARM_AFTER)


class SkipReasonFilter(ColumnFilter):
    title, parameter_name, codes = _("reason"), "reason", SkippedOrder.Reason
