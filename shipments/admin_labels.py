"""Doors to labels, one or many, to many packing slips, and to the note on a slip."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.lists import ids_of
from orders.models import Order
from privacy import access
from shipments import buyernotes, merging, opening, slips
from shipments.admin_picking import PDF_POLICY, pdf_answer
from shipments.labels import pages, zpl
from shipments.models import Label, Shipment

FORMATS = {"": "", "pdf": "pdf", "png": "png", "zpl": "zpl"}
PAPERS = {"": "4x6"} | {paper: paper for paper in pages.PAPERS}
PRINTERS = {"": 203} | {str(dpi): dpi for dpi in zpl.SIZES}
MOST = 1000  # labels of the list in one document


class LabelDoors:
    """For the admin of shipments. Ids are in addresses, nothing else."""

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("label/<int:pk>/", view(self.label_view), name="shipments_label"),
            path("slips/", view(self.slips_view), name="shipments_slips"),
            path("note/<int:pk>/", view(self.note_view), name="shipments_note"),
        ]
        return ours + super().get_urls()

    def label_view(self, request, pk):
        """The label's file, or its stand-in once the address is erased. Every opening is logged."""
        if not access.may_open_labels(request.user):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        try:
            wish = {
                "format": FORMATS[request.GET.get("format", "")],
                "paper": PAPERS[request.GET.get("paper", "")],
                "dpi": PRINTERS[request.GET.get("dpi", "")],
            }
        except KeyError:
            return HttpResponseBadRequest()
        label = get_object_or_404(Label.objects.select_related("shipment__order__store__merchant"), pk=pk)
        try:
            content = opening.open_label(label, by=request.user, now=clock.now(), **wish)
        except RuleViolation as error:
            return self._back(request, label.shipment.order_id, error)
        except ValueError:  # a file of others that cannot be read
            told = _now("The file of this label is damaged and cannot be changed. Open it as it is.")
            return self._back(request, label.shipment.order_id, told)
        return label_answer(content, name=f"label-{pk}")

    def _back(self, request, order_id: int, told):
        self.message_user(request, str(told), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order_id]))

    # -- many labels

    actions = ["labels_as_pdf", "labels_on_a4"]

    def has_label_permission(self, request):
        return access.may_open_labels(request.user)

    @admin.action(description=_("Labels as one PDF"), permissions=["label"])
    def labels_as_pdf(self, request, rows):
        return self._labels(request, rows, "4x6")

    @admin.action(description=_("Labels as one PDF, on A4"), permissions=["label"])
    def labels_on_a4(self, request, rows):
        return self._labels(request, rows, "a4")

    def _labels(self, request, rows, paper: str):
        chosen = list(rows.values_list("pk", flat=True)[: MOST + 1])
        labels = list(Label.objects.filter(shipment__in=chosen))
        if len(chosen) > MOST:
            told = _now("Choose at most %(count)d shipments at once.") % {"count": MOST}
        elif not labels:
            told = _now("None of these shipments has a label.")
        else:
            place = {pk: number for number, pk in enumerate(chosen)}  # the list's order is the order of the pages
            labels.sort(key=lambda label: (place[label.shipment_id], label.pk))
            made = merging.labels_pdf(labels, by=request.user, now=clock.now(), paper=paper)
            return pdf_answer(made, name="labels")
        self.message_user(request, told, messages.ERROR)
        return None

    # -- many packing slips

    def slips_view(self, request):
        """The slips of chosen orders, drawn for this reader now and kept nowhere. Each is logged."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not (request.user.has_perm("orders.view_order") and slips.may_print_some(request.user)):
            raise PermissionDenied
        ids = ids_of(request.GET.get("ids", ""))
        if len(ids) > merging.MOST_SLIPS:
            told = _now("Choose at most %(count)d orders at once.") % {"count": merging.MOST_SLIPS}
            self.message_user(request, told, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:orders_order_changelist"))
        orders = Order.objects.filter(pk__in=ids).only("pk").in_bulk()
        made = merging.slips_pdf([orders[pk] for pk in ids if pk in orders], by=request.user, now=clock.now())
        return pdf_answer(made, name="packing-slips")

    # -- the note on a slip

    @post_only("admin:shipments_shipment_change")
    def note_view(self, request, pk):
        shipment = get_object_or_404(Shipment.objects.select_related("order"), pk=pk)
        if not buyernotes.may_write(request.user, shipment.order):
            raise PermissionDenied
        try:
            buyernotes.write(shipment, request.POST.get("note", ""), now=clock.now())
        except RuleViolation as error:
            return self._back(request, shipment.order_id, error)
        self.message_user(request, _now("The note is saved: it is on the packing slip."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[shipment.order_id]))


def label_answer(content: bytes, *, name: str) -> HttpResponse:
    """A label for this reader only. What is for printers is saved, never shown: no browser may guess what it is."""
    kind = opening.kind_of(content)
    if kind == opening.PDF:
        return pdf_answer(content, name=name)
    is_picture = kind == opening.PNG
    headers = {
        "Content-Disposition": f'{"inline" if is_picture else "attachment"}; filename="{name}.{kind}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store, private",
        "Content-Security-Policy": PDF_POLICY,
    }
    return HttpResponse(
        content, content_type="image/png" if is_picture else "application/octet-stream", headers=headers
    )
