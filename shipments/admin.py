"""Shipping orders, opening labels, and what Amazon was told."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.jobs import enqueue
from orderhub.lists import ChoiceFilter, ReadOnlyAdmin, ids_of
from orderhub.wording import about, badge, day, stacked_utc
from orders import persons
from orders.filters import MOST_STORES
from orders.models import Order
from privacy import access
from shipments import admin_batches, noticewords, pushing, sending
from shipments.admin_buying import BuyingDoors
from shipments.admin_cockpit import AccountFilter, CockpitDoors
from shipments.admin_errors import ErrorDoors
from shipments.admin_labels import LabelDoors
from shipments.admin_mirror import MirrorDoors
from shipments.admin_notices import ChannelFilter, NoticeDoors, StateFilter, SubmissionFilter
from shipments.admin_parcels import ParcelDoors
from shipments.admin_picking import PickingDoors
from shipments.admin_returns import ReturnDoors
from shipments.forms import MOST, WARNED, AllRowsForm, rows_for, warned_of
from shipments.jobs import notify_account
from shipments.models import Shipment, ShipmentNotification
from stores.models import Store

__all__ = ["admin_batches"]  # registered by being imported


class StoreFilter(ChoiceFilter):
    title, parameter_name = _("store"), "store"

    def lookups(self, request, model_admin):
        return [(str(pk), name) for pk, name in Store.objects.order_by("name").values_list("pk", "name")[:MOST_STORES]]

    def narrow(self, rows, value, request):
        return rows.filter(order__store=value)


class OrderRows(ReadOnlyAdmin):
    """Rows that belong to an order: the order's page is their page."""

    list_display_links = None

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[row.order_id]))

    @admin.display(description=_("order"), ordering="order__order_number")
    def number(self, row):
        url = reverse("admin:orders_order_change", args=[row.order_id])
        return format_html('<a href="{}" class="oh-number">{}</a>', url, row.order.order_number)

    @admin.display(description=_("store"), ordering="order__store__name")
    def shop(self, row):
        return row.order.store.name


@admin.register(Shipment)
class ShipmentAdmin(BuyingDoors, ParcelDoors, LabelDoors, PickingDoors, ReturnDoors, OrderRows):
    change_list_template = "shipments/shipment_list.html"
    list_display = ["made", "number", "shop", "carrier_words", "tracking", "sent_on", "label", "who"]
    list_select_related = ["order__store", "created_by"]
    list_filter = [StoreFilter]
    search_fields = ["tracking_number__startswith", "order__order_number__startswith"]
    search_help_text = _("Tracking number or order number")

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("labels")

    def get_list_display(self, request):
        """Links to labels only for those who may open them."""
        if access.may_open_labels(request.user):
            return self.list_display
        return [name for name in self.list_display if name != "label"]

    @admin.display(description=_("created at"), ordering="created_at")
    def made(self, row):
        return stacked_utc(row.created_at)

    @admin.display(description=_("carrier"), ordering="carrier")
    def carrier_words(self, row):
        return f"{row.carrier_name}, {row.service}" if row.service else row.carrier_name

    @admin.display(description=_("tracking number"), ordering="tracking_number")
    def tracking(self, row):
        if not row.tracking_url:
            return row.tracking_number
        return format_html(
            '<a href="{}" rel="noreferrer noopener" target="_blank">{}</a>', row.tracking_url, row.tracking_number
        )

    @admin.display(description=_("ship date"), ordering="ship_date")
    def sent_on(self, row):
        return day(row.ship_date)

    @admin.display(description=_("label"))
    def label(self, row):
        labels = row.labels.all()
        if not labels:
            return "–"
        name = {"format": labels[0].get_format_display()}
        word = _now("Erased label") if labels[0].redacted_at else _now("Label (%(format)s)") % name
        link = format_html('<a href="{}">{}</a>', reverse("admin:shipments_label", args=[labels[0].pk]), word)
        return format_html("{} {}", link, badge(_now("void"), "bad")) if row.voided_at else link

    @admin.display(description=_("created by"))
    def who(self, row):
        return row.created_by.get_username() if row.created_by else "–"

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("ship/", view(self.ship_view), name="shipments_ship"),
        ]
        return ours + super().get_urls()

    # -- the ship form

    def ship_view(self, request):
        """Send one order or many; their ids are in the query string, what is typed is in the body."""
        if not request.user.has_perm("shipments.add_shipment"):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        ids, now = ids_of(request.GET.get("ids", "")), clock.now()
        if len(ids) > MOST:
            self.message_user(
                request, _now("Choose at most %(count)d orders at once.") % {"count": MOST}, messages.ERROR
            )
            return HttpResponseRedirect(reverse("admin:orders_order_changelist"))
        for_all = AllRowsForm(request.POST or None, prefix="all")
        outcome = None
        rows = rows_for(ids, now=now, data=request.POST if request.method == "POST" else None)
        if request.method == "POST":
            outcome = sending.send(rows, by=request.user, now=now, warned=warned_of(request.POST), **for_all.chosen())
            if not outcome.left:
                return self._all_sent(request, outcome)
            rows = outcome.left
        return self._ship_page(request, rows, for_all, outcome)

    def _all_sent(self, request, outcome):
        numbers = [shipment.order.order_number for shipment in outcome.sent]
        if numbers:
            self.message_user(request, _sent(numbers), messages.SUCCESS)
        if len(numbers) == 1:
            return HttpResponseRedirect(reverse("admin:orders_order_change", args=[outcome.sent[0].order_id]))
        return HttpResponseRedirect(reverse("admin:orders_order_changelist") + "?tab=to_ship")

    def _ship_page(self, request, rows, for_all, outcome):
        if outcome:  # an order may have changed meanwhile: only what can still be sent keeps its fields
            fresh = Order.objects.in_bulk([row.order.pk for row in rows])
            for row in rows:
                row.refusal = fresh[row.order.pk].why_not_shippable()
        ready = [row for row in rows if not row.refusal]
        context = self.admin_site.each_context(request) | {
            "title": _now("Ship orders"),
            "opts": self.opts,
            "rows": ready,
            "refused": [row for row in rows if row.refusal],
            "for_all": for_all,
            "sent": outcome.sent if outcome else [],
            "failed": bool(outcome) and bool(ready),
            "ids": ",".join(str(row.order.pk) for row in ready),
            "warned_name": WARNED,
            "warned": [row.token for row in ready if row.token],
            "may_romanise": any(row.unreadable for row in ready) and persons.may_romanise(request.user, ready[0].order),
        }
        return TemplateResponse(request, "shipments/ship.html", context)


@admin.register(ShipmentNotification)
class NoticeAdmin(NoticeDoors, CockpitDoors, ErrorDoors, MirrorDoors, OrderRows):
    change_list_template = "shipments/notice_list.html"
    list_display = ["number", "shop", "channel", "state_words", "meaning", "since", "next_try", "attempts", "error"]
    list_select_related = ["order__store__account", "shipment"]
    list_filter = [StateFilter, ChannelFilter, StoreFilter, AccountFilter, SubmissionFilter]
    search_fields = ["order__order_number__startswith", "shipment__tracking_number__startswith"]
    search_help_text = _("Order number or tracking number")
    ordering = ["-pk"]
    actions = ["retry_now", "mark_done"]

    @admin.display(description=_("what it means"))
    def meaning(self, row):
        return noticewords.of(row, now=clock.now()).meaning

    @admin.display(description=_("next try"), ordering="next_attempt_at")
    def next_try(self, row):
        return noticewords.of(row, now=clock.now()).next_try or "–"

    def has_retry_permission(self, request):
        return request.user.has_perm("shipments.retry_notification")

    @admin.action(description=_("Retry now"), permissions=["retry"])
    def retry_now(self, request, rows):
        self._retry(request, rows[:MOST])

    def get_urls(self):
        view = self.admin_site.admin_view(self.retry_view)
        return [path("<int:pk>/retry/", view, name="shipments_retry"), *super().get_urls()]

    @post_only("admin:shipments_shipmentnotification_change")
    def retry_view(self, request, pk):
        if not self.has_retry_permission(request):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request).select_related("order__store__account"), pk=pk)
        self._retry(request, [row])
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[row.order_id]))

    def _retry(self, request, rows) -> None:
        """Retry each row for itself, say what came of it, and wake each account once."""
        done, later, accounts, gate = [], [], set(), pushing.Gate(clock.now())
        for row in self.retry_mirrors(request, rows):
            try:
                pushing.push(row, by=request.user, now=clock.now(), gate=gate)
            except RuleViolation as error:
                self.message_user(request, about(row.order.order_number, str(error)), messages.ERROR)
                continue
            (later if noticewords.account_stopped(row) else done).append(row.order.order_number)
            accounts.add(row.order.store.account_id)
        for account_id in sorted(accounts - {None}):
            enqueue(notify_account, account_id)
        if done:
            told = _now("Amazon is told again within a minute: %(numbers)s") % {"numbers": ", ".join(done)}
            self.message_user(request, told, messages.SUCCESS)
        if later:
            told = _now("Amazon is told again once its account is authorised: %(numbers)s")
            self.message_user(request, told % {"numbers": ", ".join(later)}, messages.WARNING)


def _sent(numbers: list[str]) -> str:
    told = ngettext("%(count)d order shipped: %(numbers)s", "%(count)d orders shipped: %(numbers)s", len(numbers))
    return told % {"count": len(numbers), "numbers": ", ".join(numbers)}


from shipments import admin_carriers, admin_feeds, admin_manual  # noqa: E402, F401  registered by being imported
from shipments.admin_mails import OutgoingMailAdmin as OutgoingMailAdmin  # noqa: E402  takes its base from here
