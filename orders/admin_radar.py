"""The list of orders that lose their address before they are sent: what is left of their time, and what to do now."""

from datetime import timedelta

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub import clock
from orderhub.lists import ChoiceFilter
from orderhub.wording import short_day_and_time, utc
from orders import clockwords, deciding, filters, radar
from orders.deadlines import left_in_words
from orders.models import Order, OrderItem
from stores import sellercentral

ACTIONS = ("ship", "batch_labels", "hold", "hold_until", "release", "assign_to_me", "assign")
GAUGE_WIDTH = 120


class HorizonFilter(ChoiceFilter):
    title, parameter_name, always = _("address erased"), "horizon", True

    def lookups(self, request, model_admin):
        return [
            (str(days), ngettext("within %(count)d day", "within %(count)d days", days) % {"count": days})
            for days in radar.HORIZONS
        ]

    def value(self):
        chosen = super().value()
        return chosen if chosen in {str(days) for days in radar.HORIZONS} else str(radar.HORIZONS[0])

    def narrow(self, rows, value, request):
        return rows.filter(radar.at_risk(clock.now(), days=int(value)))


class WhyFilter(ChoiceFilter):
    title, parameter_name = _("not sent because"), "why"

    def lookups(self, request, model_admin):
        return [
            ("ready", _("it can be sent")), ("hold", _("on hold")), ("unpaid", _("not paid, or fulfilled elsewhere")),
            ("cancel", _("buyer asks to cancel")),
        ]  # fmt: skip

    def narrow(self, rows, value, request):
        return rows.filter(radar.WHY[value])


class RadarList(ChangeList):
    """The rows with what their columns show, in a constant number of queries."""

    def get_queryset(self, request, exclude_parameters=None):
        lines = OrderItem.objects.only("order_id", "quantity", "quantity_shipped", "sku", "asin")
        return super().get_queryset(request, exclude_parameters).prefetch_related(Prefetch("items", lines), "tags")


class RadarScreen:
    """Over the admin of orders, whose actions and rights it takes. Made for one request."""

    change_list_template = "orders/radar.html"
    list_display = ["number", "left", "deadline", "why", "lines", "deeds"]
    list_filter = [HorizonFilter, WhyFilter, filters.StoreFilter]
    search_fields = ["order_number"]
    sortable_by = ["left", "deadline", "number"]

    def __init__(self, model, admin_site, *, user):
        self.user, self.now = user, clock.now()
        super().__init__(model, admin_site)

    def get_changelist(self, request, **kwargs):
        return RadarList

    def get_list_display(self, request):
        return self.list_display

    def get_ordering(self, request):
        return ["redaction_due_at", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(radar.at_risk(self.now, days=max(radar.HORIZONS)))

    def get_actions(self, request):
        offered = super().get_actions(request)
        return {name: offered[name] for name in ACTIONS if name in offered}

    @admin.display(description=_("address until"), ordering="redaction_due_at")
    def left(self, order):
        until = order.redaction_due_at
        soon = until <= self.now + timedelta(days=1)
        told = left_in_words(until - self.now)
        return format_html(
            '<time datetime="{}" title="{}"><strong class="oh-number oh-text--{}">{}</strong></time>'
            '<svg class="oh-gauge oh-gauge--row oh-gauge--{}" viewBox="0 0 {} 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
            '<rect width="{}" height="8" rx="3"></rect><rect class="oh-gauge__left" width="{}" height="8" rx="3"></rect></svg>'
            '<span class="oh-quiet oh-number">{} UTC</span>',
            until.isoformat(), utc(until), "bad" if soon else "warn", told, "bad" if soon else "warn",
            GAUGE_WIDTH, GAUGE_WIDTH, clockwords.width(order.first_imported_at, until, self.now, GAUGE_WIDTH),
            short_day_and_time(until),
        )  # fmt: skip

    @admin.display(description=_("why it waits"))
    def why(self, order):
        return format_html_join("", "<p>{}</p>", ((text,) for text in radar.why_waiting(order)))

    @admin.display(description=_("what to do"))
    def deeds(self, order):
        """The buttons belong to the form around the list, and post elsewhere."""
        found = [*self._ship(order), *self._hold(order), *self._ask(order)]
        return format_html('<div class="oh-deeds">{}</div>', format_html_join("", "{}", ((deed,) for deed in found)))

    def _ship(self, order: Order) -> list:
        if not self.user.has_perm("shipments.add_shipment") or order.why_not_shippable():
            return []
        url = f"{reverse('admin:shipments_ship')}?ids={order.pk}"
        return [
            format_html(
                '<a class="oh-button" href="{}">{}<span class="visually-hidden"> {}</span></a>',
                url, _now("Ship…"), order.order_number,
            )
        ]  # fmt: skip

    def _hold(self, order: Order) -> list:
        if not self.user.has_perm("orders.hold_order"):
            return []
        if order.status == Order.Status.AWAITING_SHIPMENT:
            return [_button(order, "admin:orders_order_hold", _now("Hold"), name="reason", value="check")]
        if order.status == Order.Status.ON_HOLD and not deciding.held_for_cancellation(order):
            return [_button(order, "admin:orders_order_release", _now("Release"))]
        return []

    @staticmethod
    def _ask(order: Order) -> list:
        """Seller Central's page of the order: the buyer's name on it opens the message."""
        if order.store.market is None:
            return []
        return [
            format_html(
                '<a href="{}" title="{}" rel="noreferrer noopener" target="_blank">{}<span class="visually-hidden"> {}</span></a>',
                sellercentral.order_url(order.store.market, order.order_number),
                _now("Opens the order in Seller Central: the buyer’s name there opens the message."),
                _now("Ask the buyer"), order.order_number,
            )
        ]  # fmt: skip


def _button(order: Order, page: str, word: str, *, name: str = "", value: str = ""):
    extra = format_html(' name="{}" value="{}"', name, value) if name else ""
    return format_html(
        '<button class="oh-button oh-button--quiet" type="submit" formaction="{}"{}>{}<span class="visually-hidden"> {}</span></button>',
        reverse(page, args=[order.pk]), extra, word, order.order_number,
    )  # fmt: skip
