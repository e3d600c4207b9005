"""Doors to return labels and to the mails of a parcel. Ids are in the address, nothing else."""

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
from orders.models import Order
from shipments import labelling, mails, returning, voiding
from shipments.forms_returns import ReturnForm
from shipments.mails import words
from shipments.models import OutgoingMail, Shipment
from stores import samples

PARCEL = "admin:shipments_shipment_change"  # leads to the order's page
RETURN, MAIL = "shipments.add_shipment", "shipments.add_outgoingmail"


class ReturnDoors:
    """For the admin of shipments."""

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("return/<int:pk>/", view(self.return_view), name="shipments_return"),
            path("<int:pk>/void-return/", view(self.void_return_view), name="shipments_voidreturn"),
            path("<int:pk>/mail/", view(self.mail_view), name="shipments_mail"),
        ]
        return ours + super().get_urls()

    def return_view(self, request, pk):
        """The form of a return label for one order, and what it asks for."""
        if not request.user.has_perm(RETURN):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        order = get_object_or_404(Order.objects.select_related("store__merchant"), pk=pk)
        form = ReturnForm(request.POST if request.method == "POST" else None, may_mail=request.user.has_perm(MAIL))
        error = ""
        if form.is_valid():
            try:
                shipment = returning.make(order, form.wish(), by=request.user, now=clock.now())
            except RuleViolation as refused:
                error = str(refused)
            else:
                return self._return_made(request, shipment, mail=form.wants_mail)
        return self._return_page(request, order, form, error)

    def _return_made(self, request, shipment, *, mail: bool):
        told = _("The return label of order %(number)s is made.") % {"number": shipment.order.order_number}
        self.message_user(request, told, messages.SUCCESS)
        if mail:
            _ask_for(self, request, shipment, OutgoingMail.Kind.RETURN_LABEL)
        return _to_order(shipment.order_id)

    def _return_page(self, request, order, form, error: str):
        context = self.admin_site.each_context(request) | {
            "title": _("Return label for order %(number)s") % {"number": order.order_number},
            "opts": self.opts,
            "order": order,
            "form": form,
            "error": error,
            "refusal": "" if error else returning.why_not(order, now=clock.now()),
            "to_lines": samples.address_lines(labelling.ship_from(order) or {}),
        }
        return TemplateResponse(request, "shipments/return.html", context)

    @post_only(PARCEL)
    def void_return_view(self, request, pk):
        if not request.user.has_perm("shipments.void_shipment"):
            raise PermissionDenied
        shipment = get_object_or_404(Shipment.objects.select_related("order__store"), pk=pk, is_return=True)
        try:
            voiding.void(shipment, by=request.user, now=clock.now())
        except RuleViolation as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, _("The return label is void: its parcel must not be sent."), messages.SUCCESS)
        return _to_order(shipment.order_id)

    @post_only(PARCEL)
    def mail_view(self, request, pk):
        """Ask for one mail about one parcel."""
        if not request.user.has_perm(MAIL):
            raise PermissionDenied
        shipment = get_object_or_404(Shipment.objects.select_related("order__store"), pk=pk)
        kind = request.POST.get("kind", "")
        right = OutgoingMail.Kind.RETURN_LABEL if shipment.is_return else ""
        if kind not in OutgoingMail.Kind.values or (kind == OutgoingMail.Kind.RETURN_LABEL) != bool(right):
            self.message_user(request, _("Nothing was sent: choose one of the mails on the page."), messages.ERROR)
        else:
            _ask_for(self, request, shipment, kind)
        return _to_order(shipment.order_id)


class MailDoors:
    """For the admin of mails."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.again_view)
        return [path("<int:pk>/again/", view, name="shipments_mailagain"), *super().get_urls()]

    @post_only("admin:shipments_outgoingmail_change")
    def again_view(self, request, pk):
        """Send one mail once more, as it stood when the page was opened."""
        if not request.user.has_perm(MAIL):
            raise PermissionDenied
        row = get_object_or_404(OutgoingMail.objects.select_related("shipment", "order__store"), pk=pk)
        seen = request.POST.get("seen", "")
        seen = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1
        try:
            tell(self, request, mails.send_again(row, seen=seen, by=request.user, now=clock.now()))
        except RuleViolation as error:
            self.message_user(request, str(error), messages.ERROR)
        return _to_order(row.order_id)


def _ask_for(admin, request, shipment, kind: str) -> None:
    tell(admin, request, mails.request(shipment, kind, by=request.user, now=clock.now()))


def tell(admin, request, row: OutgoingMail) -> None:
    """What became of the wish, in words."""
    told = words.of(row)
    level = {"ok": messages.SUCCESS, "info": messages.SUCCESS}.get(told.level, messages.ERROR)
    sentence = _("Mail to the buyer (%(kind)s): %(meaning)s")
    admin.message_user(request, sentence % {"kind": row.get_kind_display(), "meaning": told.meaning}, level)


def _to_order(order_id: int) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order_id]))
