"""Doors to what the warehouse prints: the pick list of chosen orders, and the packing slip of one."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub import clock
from orderhub.errors import RuleViolation
from orderhub.lists import ids_of
from orderhub.wording import day_and_time
from orders.models import Order
from orders.models.product import photo_storage
from orders.photos import photo_url
from shipments import picking, slips
from shipments.labels import picksheet

PDF_POLICY = "default-src 'none'; object-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class PickingDoors:
    """For the admin of shipments. Ids of orders are in the address, nothing else."""

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("pick/", view(self.pick_view), name="shipments_pick"),
            path("pick/pdf/", view(self.pick_pdf_view), name="shipments_pick_pdf"),
            path("slip/<int:pk>/", view(self.slip_view), name="shipments_slip"),
        ]
        return ours + super().get_urls()

    def pick_view(self, request):
        found = self._picked(request)
        if isinstance(found, HttpResponse):
            return found
        context = self.admin_site.each_context(request) | {
            "title": _("Pick list"), "opts": self.opts, "list": found, "told": told(found),
            "picks": [(pick, photo_url(pick.photo)) for pick in found.picks],
            "ids": ",".join(str(order.pk) for order in found.orders), "at": _now(),
        }  # fmt: skip
        return TemplateResponse(request, "shipments/pick_list.html", context)

    def pick_pdf_view(self, request):
        found = self._picked(request)
        if isinstance(found, HttpResponse):
            return found
        return pick_pdf(found, name="pick-list")

    def _picked(self, request):
        """The list, or the answer to a request for something else."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not request.user.has_perm("orders.view_order"):
            raise PermissionDenied
        ids = ids_of(request.GET.get("ids", ""))
        if len(ids) > picking.MOST:
            text = _("Choose at most %(count)d orders at once.") % {"count": picking.MOST}
            self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:orders_order_changelist"))
        return picking.pick_list(ids)

    def slip_view(self, request, pk):
        """Drawn for this reader now and kept nowhere. Every opening is logged. `?shipment=`: what is in one parcel."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        order = get_object_or_404(Order.objects.select_related("store"), pk=pk)
        refusal = slips.why_not(order, now=clock.now())
        if not (request.user.has_perm("orders.view_order") and (refusal or slips.may_print(request.user, order))):
            raise PermissionDenied
        shipment, chosen = None, request.GET.get("shipment", "")
        if chosen:
            known = ids_of(chosen)
            shipment = get_object_or_404(order.shipments.filter(voided_at__isnull=True), pk=known[0] if known else 0)
        try:
            drawn = slips.draw(order, by=request.user, now=clock.now(), shipment=shipment)
            return pdf_answer(drawn, name=f"packing-slip-{pk}")
        except RuleViolation as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:orders_order_change", args=[pk]))


def pdf_answer(content: bytes, *, name: str) -> HttpResponse:
    """A PDF for this reader only: nobody on the way keeps it."""
    headers = {
        "Content-Disposition": f'inline; filename="{name}.pdf"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store, private",
        "Content-Security-Policy": PDF_POLICY,
    }
    return HttpResponse(content, content_type="application/pdf", headers=headers)


def pick_pdf(found: picking.PickList, *, name: str) -> HttpResponse:
    """The list on A4, with the hour it was made at."""
    title = _("Pick list, %(at)s") % {"at": _now()}
    content = picksheet.draw(found.picks, title=title, told=told(found), photo=_photo, stores=found.many_stores)
    return pdf_answer(content, name=name)


def told(found: picking.PickList) -> str:
    """How much there is to fetch, in words."""
    units = ngettext("%(count)d unit", "%(count)d units", found.quantity) % {"count": found.quantity}
    count = len(found.orders)
    return ngettext("%(units)s for %(count)d order", "%(units)s for %(count)d orders", count) % {
        "units": units, "count": count,
    }  # fmt: skip


def _now() -> str:
    return f"{day_and_time(clock.now())} UTC"


def _photo(name: str) -> bytes | None:
    try:
        with photo_storage().open(name) as file:
            return file.read()
    except FileNotFoundError:
        return None
