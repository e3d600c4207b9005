"""Doors to bought labels: prices for one order's parcel, the purchase, and what to do about one left half-way."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.jobs import enqueue
from orders.models import Order
from shipments import buying, labelcancelling, offers, quoting
from shipments.forms_buying import MeasureForm
from shipments.jobs import notify_account, settle_account
from shipments.models import LabelPurchase
from shipments.providers.base import Rate


@dataclass(frozen=True)
class Shown:
    """One offer on the page. `in_time`: whether it arrives by the order's date; None where one of the two is unknown."""

    rate: Rate
    sealed: str
    arrives: datetime | None  # in the store's zone
    in_time: bool | None


class BuyingDoors:
    """For the admin of shipments. Ids are in the address, measures and offers in the body."""

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("buy/<int:pk>/", view(self.buy_view), name="shipments_buy"),
            path("purchase/<int:pk>/", view(self.purchase_view), name="shipments_purchase"),
            path("purchase/<int:pk>/ask/", view(self.ask_view), name="shipments_purchase_ask"),
            path("purchase/<int:pk>/close/", view(self.close_view), name="shipments_purchase_close"),
            path("purchase/<int:pk>/void/", view(self.void_label_view), name="shipments_purchase_void"),
        ]
        return ours + super().get_urls()

    def buy_view(self, request, pk):
        """The page with the parcel's measures; posted, with its prices; posted with an offer, the purchase."""
        if not request.user.has_perm("shipments.add_shipment"):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        order = get_object_or_404(Order.objects.select_related("store__account", "store__merchant"), pk=pk)
        now = clock.now()
        if request.method != "POST":
            return self._buy_page(request, order, MeasureForm(order=order, now=now))
        if request.POST.get("offer"):
            return self._buy(request, order, now)
        form, rates, parcel, refusal = MeasureForm(request.POST, order=order, now=now), [], None, ""
        if form.is_valid():
            try:
                parcel = quoting.facts(order, now=now, **form.cleaned_data)
                rates = quoting.quote(order, parcel, now=now)
            except RuleViolation as error:
                refusal = str(error)
        return self._buy_page(request, order, form, parcel, rates, refusal)

    def _buy(self, request, order: Order, now):
        try:
            parcel, rate = offers.opened(request.POST["offer"], order)
        except RuleViolation as error:
            return self._buy_page(request, order, MeasureForm(order=order, now=now), refusal=str(error))
        try:
            shipment = buying.buy(order, rate, parcel=parcel, now=now, by=request.user)
        except quoting.PriceRose as error:
            return self._buy_page(request, order, _measured(order, parcel, now), parcel, error.rates, str(error))
        except buying.NotBoughtNow as error:
            self.message_user(request, str(error), messages.WARNING)
            if error.unknown:
                enqueue(settle_account, order.store.account_id)
        except RuleViolation as error:
            return self._buy_page(request, order, _measured(order, parcel, now), refusal=str(error))
        else:
            enqueue(notify_account, order.store.account_id)  # a linked store may have to hear of it
            told = _("Label bought for order %(number)s, tracking number %(tracking)s.")
            told %= {"number": order.order_number, "tracking": shipment.tracking_number}
            self.message_user(request, told, messages.SUCCESS)
        return _to_order(order.pk)

    def _buy_page(self, request, order, form, parcel=None, rates=(), refusal=""):
        shown = [_shown(order, parcel, rate) for rate in rates]
        context = self.admin_site.each_context(request) | {
            "title": _("Buy a label"), "opts": self.opts, "order": order, "form": form, "offers": shown,
            "refusal": refusal, "stopped": _why_not(order), "zone": order.store.time_zone,
            "deliver_by": order.deliver_by.astimezone(order.store.zone) if order.deliver_by else None,
        }  # fmt: skip
        return TemplateResponse(request, "shipments/buy.html", context)

    # -- a purchase left half-way

    def purchase_view(self, request, pk):
        """Its order's page is its page."""
        return _to_order(self._purchase(request, pk, "shipments.view_shipment").order_id)

    @post_only("admin:shipments_purchase")
    def ask_view(self, request, pk):
        purchase = self._purchase(request, pk, "shipments.add_shipment")
        return self._done(
            request, purchase, lambda: buying.ask_now(purchase, now=clock.now()), _("Asked Amazon again.")
        )

    @post_only("admin:shipments_purchase")
    def close_view(self, request, pk):
        purchase = self._purchase(request, pk, "shipments.add_shipment")
        return self._done(
            request, purchase, lambda: buying.close(purchase, by=request.user), _("The purchase is closed.")
        )

    @post_only("admin:shipments_purchase")
    def void_label_view(self, request, pk):
        purchase = self._purchase(request, pk, "shipments.void_shipment")
        if purchase.shipment_id is not None:
            raise PermissionDenied  # its parcel is voided, and the label with it
        return self._done(
            request, purchase, lambda: labelcancelling.cancel(purchase, now=clock.now()), _("The label is void.")
        )  # fmt: skip

    @staticmethod
    def _purchase(request, pk, permission: str) -> LabelPurchase:
        if not request.user.has_perm(permission):
            raise PermissionDenied
        return get_object_or_404(LabelPurchase.objects.select_related("order__store__account"), pk=pk)

    def _done(self, request, purchase: LabelPurchase, deed, told: str):
        try:
            deed()
        except RuleViolation as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            self.message_user(request, told, messages.SUCCESS)
        return _to_order(purchase.order_id)


def _to_order(pk: int) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:orders_order_change", args=[pk]))


def _measured(order: Order, parcel, now) -> MeasureForm:
    form = MeasureForm(order=order, now=now)
    form.initial |= {name: getattr(parcel, name) for name in ("weight_g", *quoting.SIDES, "ship_date")}
    return form


def _shown(order: Order, parcel, rate: Rate) -> Shown:
    arrives = rate.deliver_by.astimezone(order.store.zone) if rate.deliver_by else None
    return Shown(rate, offers.seal(order, parcel, rate), arrives, _in_time(order, rate))


def _in_time(order: Order, rate: Rate) -> bool | None:
    return rate.deliver_by <= order.deliver_by if rate.deliver_by and order.deliver_by else None


def _why_not(order: Order) -> str:
    try:
        quoting.check(order)
    except RuleViolation as error:
        return str(error)
    return ""
