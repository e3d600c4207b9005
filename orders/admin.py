"""Orders for the people who send them: a list of work, a page per order, and lists of what was left out."""

from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Prefetch
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
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
from orders import deadlines, deciding, filters, persons, roman
from orders.finding import search
from orders.models import Order, OrderItem, QuarantinedOrder, SkippedOrder
from orders.showing import badges, page

MOST_TO_SHIP = 200
LINES_SHOWN = 2


class OrderList(ChangeList):
    """The list's rows with what its columns show, in a constant number of queries."""

    def __init__(self, request, *args, **kwargs):
        self.request = request
        super().__init__(request, *args, **kwargs)

    def get_queryset(self, request, exclude_parameters=None):
        rows = super().get_queryset(request, exclude_parameters)
        if exclude_parameters:
            return rows
        return rows.annotate(ship_city=F("person__city"), ship_country=F("person__country")).prefetch_related(
            Prefetch("items", OrderItem.objects.only("order_id", "quantity", "sku", "asin")), "notifications"
        )

    def tabs(self) -> list[dict]:
        """Every tab with its count under the other filters: one aggregate query."""
        rows = self.get_queryset(self.request, ["tab"]).order_by()
        wanted = {code: Count("pk", filter=condition) for code, (_name, condition) in filters.TABS.items()}
        counts = rows.aggregate(all=Count("pk"), **wanted)
        chosen = self.params.get("tab", "")
        named = [(code, name) for code, (name, _condition) in filters.TABS.items()]
        return [
            {
                "name": name, "count": counts[code or "all"], "url": self._tab_url(code), "current": code == chosen,
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
class OrderAdmin(ReadOnlyAdmin):
    change_list_template = "orders/list.html"
    list_display = [
        "number", "ordered", "deadline", "state", "lines", "total", "destination", "notice", "kept_until",
    ]  # fmt: skip
    list_display_links = None  # the number column has its own link
    list_select_related = ["store"]
    list_filter = [
        filters.TabFilter, filters.StoreFilter, filters.DeadlineFilter, filters.KindFilter, filters.FulfilledByFilter,
        filters.ServiceFilter, filters.NoticeFilter, filters.PrivacyFilter,
    ]  # fmt: skip
    search_fields = ["order_number"]  # shows the search box; get_search_results decides
    search_help_text = _("Order number, SKU, ASIN or tracking number")
    actions = ["ship", "hold", "release"]

    # -- the list

    def get_changelist(self, request, **kwargs):
        return OrderList

    def get_ordering(self, request):
        return ["ship_by", "pk"] if request.GET.get("tab") == "to_ship" else ["-ordered_at", "-pk"]

    def get_search_results(self, request, queryset, search_term):
        return search(queryset, search_term), False

    @admin.display(description=_("order and store"), ordering="order_number")
    def number(self, order):
        return format_html(
            '<a href="{}" class="oh-number">{}</a><br><span class="oh-quiet oh-number">{}</span>',
            reverse("admin:orders_order_change", args=[order.pk]), order.order_number, order.store.name,
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
            '<span class="oh-badges">{}</span>', format_html_join("", "{}", ((b,) for b in badges(order)))
        )

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
        found = list(order.notifications.all())
        return badge(found[0].state_word, found[0].level) if found else "–"

    @admin.display(description=_("personal data until"), ordering="redaction_due_at")
    def kept_until(self, order):
        if order.masked:
            return badge(order.get_pii_state_display())
        if order.redaction_due_at is None:
            return "–"
        soon = order.is_open and order.redaction_due_at <= clock.now() + filters.DUE_SOON
        return stacked_utc(order.redaction_due_at, "warn" if soon else "plain")

    # -- actions of the list

    def has_ship_permission(self, request):
        return request.user.has_perm("shipments.add_shipment")

    def has_hold_permission(self, request):
        return request.user.has_perm("orders.hold_order")

    def has_decide_permission(self, request):
        return request.user.has_perm("orders.change_order")

    @admin.action(description=_("Ship…"), permissions=["ship"])
    def ship(self, request, rows):
        ids = list(rows.values_list("pk", flat=True)[: MOST_TO_SHIP + 1])
        if len(ids) > MOST_TO_SHIP:
            text = _now("Choose at most %(count)d orders at once.") % {"count": MOST_TO_SHIP}
            self.message_user(request, text, messages.ERROR)
            return None
        chosen = urlencode({"ids": ",".join(map(str, ids))}, safe=",")
        return HttpResponseRedirect(f"{reverse('admin:shipments_ship')}?{chosen}")

    @admin.action(description=_("Put on hold, to be checked"), permissions=["hold"])
    def hold(self, request, rows):
        self._each(
            request, rows, lambda order, **who: deciding.hold(order, "check", **who), _now("Put on hold: %(numbers)s")
        )

    @admin.action(description=_("Release from hold"), permissions=["hold"])
    def release(self, request, rows):
        self._each(request, rows, deciding.release, _now("Released: %(numbers)s"))

    def _each(self, request, rows, deed, told: str) -> None:
        """One deed on every row: what was done in one message, what was refused with its sentence by row."""
        done = []
        for order in rows[:MOST_TO_SHIP]:
            try:
                deed(order, by=request.user, now=clock.now())
                done.append(order.order_number)
            except RuleViolation as error:
                self.message_user(request, about(order.order_number, str(error)), messages.ERROR)
        if done:
            self.message_user(request, told % {"numbers": ", ".join(done)}, messages.SUCCESS)

    # -- the page of one order

    def get_urls(self):
        def deed(name, view):
            return path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"orders_order_{name}")

        ours = [
            deed("hold", self.hold_view), deed("release", self.release_view), deed("cancellation", self.cancellation_view),
            deed("romanise", self.romanise_view),
        ]  # fmt: skip
        return ours + super().get_urls()

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
        return super().get_queryset(request).select_related("store", "store__account")

    @post_only("admin:orders_order_change")
    def hold_view(self, request, pk):
        reason = request.POST.get("reason", "")
        self._allow(self.has_hold_permission(request))
        return self._decide(request, pk, lambda order, **who: deciding.hold(order, reason, **who), _now("Put on hold."))

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
