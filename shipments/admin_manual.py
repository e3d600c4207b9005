"""The list of orders to confirm by hand in Seller Central: what to paste where, and the tick that it was done."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.lists import ChoiceFilter
from orderhub.wording import about, badge, short_day_and_time
from orders import deadlines
from shipments import manual_updates
from shipments.admin import OrderRows, StoreFilter
from shipments.forms import MOST
from shipments.models import ManualUpdate
from stores import sellercentral


class DoneFilter(ChoiceFilter):
    """Without a choice the list shows what is to do, and what was ticked off just now, so that it can be taken back."""

    title, parameter_name = _("state"), "state"

    def lookups(self, request, model_admin):
        return [("open", _("to do")), ("done", _("done"))]

    def narrow(self, rows, value, request):
        return rows.filter(done_at__isnull=value == "open")

    def queryset(self, request, queryset):
        if self.value() in {"open", "done"}:
            return super().queryset(request, queryset)
        lately = Q(done_how=ManualUpdate.DoneHow.BY_HAND, done_at__gt=clock.now() - manual_updates.UNDO_FOR)
        return queryset if request.GET.get("q") else queryset.filter(Q(done_at__isnull=True) | lately)


@admin.register(ManualUpdate)
class ManualUpdateAdmin(OrderRows):
    change_list_template = "shipments/manual_list.html"
    list_display = ["number", "shop", "parcel", "deadline", "age", "there", "state"]
    list_select_related = ["order__store", "shipment", "done_by"]
    list_filter = [DoneFilter, StoreFilter]
    search_fields = ["order__order_number__startswith", "shipment__tracking_number__startswith"]
    search_help_text = _("Order number or tracking number")
    ordering = ["order__ship_by", "pk"]
    actions = ["tick_off"]

    @admin.display(description=_("parcel: paste this"))
    def parcel(self, row):
        return format_html(
            '{}<br><span class="oh-copy">{}</span>', row.shipment.carrier_name, row.shipment.tracking_number
        )

    @admin.display(description=_("late after"), ordering="order__ship_by")
    def deadline(self, row):
        found = deadlines.ship_by_of(row.order, now=clock.now())
        if found is None:
            return "–"
        return format_html(
            '<span class="oh-number oh-text--{}">{}</span><br><span class="oh-quiet oh-number">{} ({})</span>',
            found.level if row.done_at is None else "plain", found.left, short_day_and_time(found.at), found.zone,
        )  # fmt: skip

    @admin.display(description=_("waits for"), ordering="created_at")
    def age(self, row):
        return deadlines.span_in_words((row.done_at or clock.now()) - row.created_at)

    @admin.display(description=_("at Amazon"))
    def there(self, row):
        market = row.order.store.market
        if market is None:
            return "–"
        return format_html(
            '<a href="{}" rel="noreferrer noopener" target="_blank">{}<span class="visually-hidden"> {}</span></a>',
            sellercentral.order_url(market, row.order.order_number), _now("Open in Seller Central"), row.order.order_number,
        )  # fmt: skip

    @admin.display(description=_("state"))
    def state(self, row):
        """The tick, or what became of it. The buttons belong to the form around the list, and post elsewhere."""
        if row.done_at is None:
            return self._button(row, "admin:shipments_manual_done", _now("Done"), quiet=False)
        word = badge(row.get_done_how_display(), "ok")
        who = row.done_by.get_username() if row.done_by else ""
        undo = "" if manual_updates.why_no_undo(row, now=clock.now()) else self._button(
            row, "admin:shipments_manual_undo", _now("Undo"), quiet=True
        )  # fmt: skip
        return format_html('{} <span class="oh-quiet">{}</span> {}', word, who, undo)

    @staticmethod
    def _button(row, name: str, word: str, *, quiet: bool):
        return format_html(
            '<button class="oh-button{}" type="submit" formaction="{}">{}<span class="visually-hidden"> {}</span></button>',
            " oh-button--quiet" if quiet else "", reverse(name, args=[row.pk]), word, row.order.order_number,
        )  # fmt: skip

    # -- ticking off

    def has_tick_permission(self, request):
        return request.user.has_perm("shipments.change_manualupdate")

    @admin.action(description=_("Done in Seller Central"), permissions=["tick"])
    def tick_off(self, request, rows):
        self._tick(request, list(rows.values_list("pk", flat=True)[:MOST]))

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("<int:pk>/done/", view(self.done_view), name="shipments_manual_done"),
            path("<int:pk>/undo/", view(self.undo_view), name="shipments_manual_undo"),
        ]
        return ours + super().get_urls()

    @post_only("admin:shipments_manualupdate_change")
    def done_view(self, request, pk):
        self._allow(request)
        get_object_or_404(ManualUpdate, pk=pk)
        self._tick(request, [pk])
        return self._to_list()

    @post_only("admin:shipments_manualupdate_change")
    def undo_view(self, request, pk):
        self._allow(request)
        row = get_object_or_404(ManualUpdate.objects.select_related("order"), pk=pk)
        try:
            manual_updates.undo(row, by=request.user, now=clock.now())
            self.message_user(request, about(row.order.order_number, _now("It waits again.")), messages.SUCCESS)
        except RuleViolation as error:
            self.message_user(request, about(row.order.order_number, str(error)), messages.ERROR)
        return self._to_list()

    def _allow(self, request) -> None:
        if not self.has_tick_permission(request):
            raise PermissionDenied

    def _tick(self, request, ids: list[int]) -> None:
        done = manual_updates.tick_off(ids, by=request.user, now=clock.now())
        told = ngettext("%(count)d order ticked off.", "%(count)d orders ticked off.", done) % {"count": done}
        if done:
            told += " " + _now("For ten minutes you can take it back here.")
        self.message_user(request, told, messages.SUCCESS if done else messages.WARNING)

    @staticmethod
    def _to_list():
        return HttpResponseRedirect(reverse("admin:shipments_manualupdate_changelist"))
