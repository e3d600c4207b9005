"""Orders for the people who send them: a list of work, a page per order, and lists of what was left out."""

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Prefetch
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from django.views.decorators.debug import sensitive_post_parameters

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.lists import ReadOnlyAdmin
from orderhub.wording import about, amount, badge, short_day_and_time, stacked_utc, utc
from orders import (
    admin_customers,
    admin_history,
    admin_products,
    admin_rules,
    custom_columns,
    deadlines,
    deciding,
    filters,
    holding,
    persons,
    roman,
    stock,
)
from orders.admin_alerts import AlertDoors
from orders.admin_bulk import BulkDoors
from orders.admin_entering import EnteringDoors
from orders.admin_erasure import ErasureOfOrder
from orders.admin_exporting import ExportingDoors
from orders.admin_files import FileDoors
from orders.admin_notes import NoteDoors
from orders.admin_people import PeopleDoors
from orders.admin_picking import PickDoors
from orders.admin_radar import RadarScreen
from orders.admin_revealing import RevealDoors
from orders.admin_tags import TagDoors
from orders.admin_views import ViewChips, ViewDoors
from orders.admin_where import WhereDoors
from orders.admin_work import WorkDoors
from orders.clockwords import kept_until
from orders.custom_columns import CustomColumns
from orders.customization.doors import CustomizationDoors
from orders.finding import search
from orders.models import Order, OrderItem, QuarantinedOrder, SkippedOrder
from orders.product_doors import GoodsDoors
from orders.showing import badges, page, tags_of, worker_of

__all__ = ["admin_customers", "admin_history", "admin_products", "admin_rules"]  # registered by being imported
LINES_SHOWN = 2


class OrderList(ViewChips, ChangeList):
    """The list's rows with what its columns show, in a constant number of queries."""

    def __init__(self, request, *args, **kwargs):
        self.request = request
        super().__init__(request, *args, **kwargs)

    def get_queryset(self, request, exclude_parameters=None):
        rows = super().get_queryset(request, exclude_parameters)
        if exclude_parameters:
            return rows
        return rows.annotate(ship_city=F("person__city"), ship_country=F("person__country")).prefetch_related(
            Prefetch("items", OrderItem.objects.only("order_id", "quantity", "quantity_shipped", "sku", "asin")),
            "notifications",
            "tags",
        )

    _filters = None

    def get_filters(self, request):
        """Made once: the tabs' counts need the same filters again."""
        self._filters = self._filters or super().get_filters(request)
        return self._filters

    @cached_property
    def counts(self) -> dict[str, int]:
        """Orders in each tab under the other filters, '' for all of them: one aggregate query."""
        rows = self.get_queryset(self.request, ["tab"]).order_by()
        wanted = {code: Count("pk", filter=condition) for code, (_name, condition) in filters.TABS.items()}
        found = rows.aggregate(all=Count("pk"), **wanted)
        return found | {"": found["all"]}

    def get_results(self, request):
        """The count of the chosen tab is the count of the rows: it is not asked twice."""
        chosen = self.params.get("tab", "")
        request.order_count = self.counts.get(chosen, self.counts[""])
        super().get_results(request)
        custom_columns.attach(request.user, self.result_list)
        stock.mark_short(self.result_list)

    def more_in_use(self) -> bool:
        """Whether a filter is set that is folded away."""
        return any(spec.in_more and spec.value() for spec in self.filter_specs)

    def tabs(self) -> list[dict]:
        """Every tab with its count under the other filters."""
        chosen = self.params.get("tab", "")
        named = [(code, name) for code, (name, _condition) in filters.TABS.items()]
        return [
            {
                "name": name, "count": self.counts[code], "url": self._tab_url(code), "current": code == chosen,
                "hint": filters.HINTS.get(code, ""),
            }
            for code, name in [*named, ("", pgettext("tab", "All"))]
        ]  # fmt: skip

    def get_ordering_field_columns(self):
        """No column is marked as sorted until somebody sorts: the default depends on the tab."""
        return super().get_ordering_field_columns() if "o" in self.params else {}

    def _tab_url(self, code: str) -> str:
        return self.get_query_string({"tab": code}, ["p"]) if code else self.get_query_string(remove=["tab", "p"])


@admin.register(Order)
class OrderAdmin(
    ErasureOfOrder,
    AlertDoors,
    NoteDoors,
    TagDoors,
    WorkDoors,
    ViewDoors,
    BulkDoors,
    CustomColumns,
    CustomizationDoors,
    EnteringDoors,
    FileDoors,
    ExportingDoors,
    GoodsDoors,
    PeopleDoors,
    WhereDoors,
    PickDoors,
    RevealDoors,
    ReadOnlyAdmin,
):
    change_list_template = "orders/list.html"
    list_display = [
        "number", "ordered", "deadline", "kept_until", "state", "lines", "total", "destination", "notice",
    ]  # fmt: skip
    list_display_links = None  # the number column has its own link
    list_select_related = ["store", "own_status", "assigned_to"]
    list_filter = [
        filters.TabFilter, filters.StoreFilter, filters.DeadlineFilter, filters.KindFilter, filters.TagFilter,
        filters.WorkerFilter, filters.ServiceFilter, filters.NoticeFilter, filters.PrivacyFilter,
        filters.FulfilledByFilter, filters.OwnStatusFilter, filters.CustomFieldFilter, filters.CustomFieldFilledFilter,
    ]  # fmt: skip
    search_fields = ["order_number"]  # shows the search box; get_search_results decides
    search_help_text = _("Order number, SKU, ASIN or tracking number")
    actions = [
        "ship", "combine", "pick", "slips", "hold", "hold_until", "release", "assign_to_me", "assign", "change_tags", "set_own_status",
        "export_people",
    ]  # fmt: skip

    # -- the list

    @classmethod
    def offer(cls, action, *, after: str) -> None:
        """Put an action of an app to the left of this one into the list's menu: it need not be known here."""
        cls.actions.insert(cls.actions.index(after) + 1, action)

    def get_changelist(self, request, **kwargs):
        return OrderList

    def get_paginator(self, request, *args, **kwargs):
        found = super().get_paginator(request, *args, **kwargs)
        if hasattr(request, "order_count"):
            found.count = request.order_count
        return found

    def get_ordering(self, request):
        return ["ship_by", "pk"] if request.GET.get("tab") == "to_ship" else ["-ordered_at", "-pk"]

    def get_search_results(self, request, queryset, search_term):
        return search(queryset, search_term), False

    @admin.display(description=_("order and store"), ordering="order_number")
    def number(self, order):
        return format_html(
            '<a href="{}" class="oh-number">{}</a><br><span class="oh-quiet oh-number">{}</span><div class="oh-badges">{}</div>',
            reverse("admin:orders_order_change", args=[order.pk]), order.order_number, order.store.name,
            format_html_join("", "{}", ((tag,) for tag in tags_of(order))),
        )  # fmt: skip

    @admin.display(description=_("ordered at"), ordering="ordered_at")
    def ordered(self, order):
        return stacked_utc(order.ordered_at)

    @admin.display(description=_("ship by"), ordering="ship_by")
    def deadline(self, order):
        found = deadlines.of(order, now=clock.now())
        if found is None:
            return "–"
        return format_html(
            '<span class="oh-number oh-text--{}">{}</span><br><span class="oh-quiet oh-number">{} ({})</span>',
            found.level, found.left, short_day_and_time(found.at), found.zone,
        )  # fmt: skip

    @admin.display(description=_("status"), ordering="status")
    def state(self, order):
        return format_html(
            '<span class="oh-badges">{}</span>{}',
            format_html_join("", "{}", ((b,) for b in badges(order))), worker_of(order),
        )  # fmt: skip

    @admin.display(description=_("lines"))
    def lines(self, order):
        items = list(order.items.all())
        told = [f"{item.quantity} × {_identifier(item, order)}" for item in items[:LINES_SHOWN]]
        if len(items) > LINES_SHOWN:
            told.append(_now("%(count)d more") % {"count": len(items) - LINES_SHOWN})
        return format_html_join(", ", '<span class="oh-number">{}</span>', ((text,) for text in told)) or "–"

    @admin.display(description=_("total"), ordering="order_total")
    def total(self, order):
        return format_html('<span class="oh-number">{}</span>', amount(order.order_total, order.currency))

    @admin.display(description=_("ship to"))
    def destination(self, order):
        return ", ".join(filter(None, [order.ship_city, order.ship_country])) or "–"

    @admin.display(description=_("notice to Amazon"))
    def notice(self, order):
        found = next((row for row in order.notifications.all() if row.is_first_word), None)
        return badge(found.state_word, found.level) if found else "–"

    @admin.display(description=_("personal data until"), ordering="redaction_due_at")
    def kept_until(self, order):
        return kept_until(order, now=clock.now())

    # -- actions of the list

    def has_ship_permission(self, request):
        return request.user.has_perm("shipments.add_shipment")

    def has_hold_permission(self, request):
        return request.user.has_perm("orders.hold_order")

    def has_decide_permission(self, request):
        return request.user.has_perm("orders.change_order")

    @admin.action(description=_("Ship…"), permissions=["ship"])
    def ship(self, request, rows):
        return self.open_for(request, rows, "admin:shipments_ship")

    @admin.action(description=_("Combine into one parcel…"), permissions=["ship"])
    def combine(self, request, rows):
        return self.open_for(request, rows, "admin:shipments_combine")

    # -- the page of one order

    def get_urls(self):
        def deed(name, view):
            return path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"orders_order_{name}")

        ours = [
            deed("hold", self.hold_view), deed("release", self.release_view), deed("cancellation", self.cancellation_view),
            deed("romanise", self.romanise_view),
            path("radar/", self.admin_site.admin_view(self.radar_view), name="orders_radar"),
        ]  # fmt: skip
        return ours + super().get_urls()

    def radar_view(self, request):
        return RadarAdmin(self.model, self.admin_site, user=request.user).changelist_view(request)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        order = self.get_object(request, object_id)
        if order is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, order):
            raise PermissionDenied
        return self._page(request, order)

    def _page(self, request, order, **refused):
        context = self.admin_site.each_context(request) | page(request.user, order, **refused)
        context |= {"title": _now("Order %(number)s") % {"number": order.order_number}, "opts": self.opts}
        return TemplateResponse(request, "orders/order_page.html", context)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("store", "store__account", "own_status", "assigned_to")

    @post_only("admin:orders_order_change")
    def hold_view(self, request, pk):
        self._allow(self.has_hold_permission(request))
        reason, day, hour = (request.POST.get(name, "") for name in ("reason", "until_day", "until_time"))

        def hold(order, **who):
            deciding.hold(order, reason, until=holding.until(order.store, day, hour), **who)

        return self._decide(request, pk, hold, _now("Put on hold."))

    @post_only("admin:orders_order_change")
    def release_view(self, request, pk):
        self._allow(self.has_hold_permission(request))
        return self._decide(request, pk, deciding.release, _now("Released from hold."), to_ship=True)

    @post_only("admin:orders_order_change")
    def cancellation_view(self, request, pk):
        self._allow(self.has_decide_permission(request))
        anyway = request.POST.get("answer") == "ship"
        told = _now("It can be sent now.") if anyway else _now("It stays on hold: cancel it in Seller Central.")

        def answer(order, **who):
            deciding.answer_cancellation(order, ship_anyway=anyway, **who)

        return self._decide(request, pk, answer, told, to_ship=anyway)

    @method_decorator(sensitive_post_parameters())
    @post_only("admin:orders_order_change")
    def romanise_view(self, request, pk):
        """Errors are shown beside the fields, with what was typed; the address itself is in no message."""
        order = get_object_or_404(self.get_queryset(request), pk=pk)
        self._allow(persons.may_romanise(request.user, order))
        typed, waited = {twin: request.POST.get(twin, "") for twin in persons.ROMAN}, deciding.held_for_address(order)
        try:
            roman.write(order, typed, by=request.user, now=clock.now())
            self._tell(request, order, _saved(released=waited), messages.SUCCESS)
        except roman.NotRoman as error:
            return self._page(request, order, typed=typed, wrong=error.fields)
        except RuleViolation as error:
            self._tell(request, order, str(error), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))

    @staticmethod
    def _allow(allowed: bool) -> None:
        if not allowed:
            raise PermissionDenied

    def _tell(self, request, order, text: str, level: int) -> None:
        self.message_user(request, about(order.order_number, text), level)

    def _decide(self, request, pk: int, deed, told: str, *, to_ship: bool = False):
        """`to_ship`: the order was cleared for sending; what still stands in its way is said instead of `told`."""
        order = get_object_or_404(self.get_queryset(request), pk=pk)
        try:
            deed(order, by=request.user, now=clock.now())
            refusal = order.why_not_shippable() if to_ship else ""
            self._tell(request, order, refusal or told, messages.WARNING if refusal else messages.SUCCESS)
        except RuleViolation as error:
            self._tell(request, order, str(error), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))


class RadarAdmin(RadarScreen, OrderAdmin):
    """Orders that lose their address before they are sent; see admin_radar.py. Not registered: it has one page."""


def _saved(*, released: bool) -> str:
    if released:
        return _now("The address in Roman characters is saved, and the order is released from hold.")
    return _now("The address in Roman characters is saved.")


def _identifier(item: OrderItem, order: Order) -> str:
    """What this store calls its products by."""
    first, second = (item.asin, item.sku) if order.store.product_identifier == "asin" else (item.sku, item.asin)
    return first or second or "?"


@admin.register(SkippedOrder)
class SkippedOrderAdmin(ReadOnlyAdmin):
    """Orders left out on purpose, each with its reason in words."""

    list_display = ["order_number", "store", "why", "amazon_status", "seen"]
    list_display_links = None
    list_select_related = ["store"]
    list_filter = [filters.StoreFilter, filters.SkipReasonFilter]
    search_fields = ["order_number__startswith"]
    search_help_text = _("Order number")

    @admin.display(description=_("reason"))
    def why(self, row):
        return row.get_reason_display()

    @admin.display(description=_("seen at"), ordering="seen_at")
    def seen(self, row):
        return utc(row.seen_at)


@admin.register(QuarantinedOrder)
class QuarantinedOrderAdmin(ReadOnlyAdmin):
    """Orders that could not be read. Their content is not kept, so the row says where to look instead."""

    list_display = ["order_number", "account", "what", "path", "times", "seen"]
    list_display_links = None
    list_select_related = ["account"]
    search_fields = ["order_number__startswith"]
    search_help_text = _("Order number")

    @admin.display(description=_("what to do"))
    def what(self, row):
        return format_html(
            "{} <span class='oh-quiet'>{}</span>",
            _now(
                "Amazon sent something OrderHub cannot read. Handle this order in Seller Central and tell your administrator."
            ),
            row.code,
        )

    @admin.display(description=_("seen at"), ordering="seen_at")
    def seen(self, row):
        return utc(row.seen_at)
