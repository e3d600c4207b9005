"""Doors to parcels that are not simply one order's: a part of one, several in one, and voiding.

Each shows what will happen before it does: a first POST leads to the preview, a second with the preview's seal does it,
and only if it still means what was read. What is typed stays in the body; ids alone are in the address.
"""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from orderhub import clock
from orderhub.errors import RuleViolation
from orderhub.jobs import enqueue
from orderhub.lists import ids_of
from orderhub.wording import about
from shipments import combining, parting, voiding, voidwords
from shipments.forms import ParcelForm, Row, rows_for
from shipments.forms_parcels import PartForm
from shipments.jobs import notify_account
from shipments.models import Shipment
from shipments.parting import ChangedMeanwhile


class ParcelDoors:
    """For the admin of shipments."""

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("split/<int:pk>/", view(self.split_view), name="shipments_split"),
            path("combine/", view(self.combine_view), name="shipments_combine"),
            path("void/<int:pk>/", view(self.void_view), name="shipments_void"),
        ]
        return ours + super().get_urls()

    # -- a part of an order

    @method_decorator(sensitive_post_parameters())
    def split_view(self, request, pk):
        if refused := _refused(request, "shipments.add_shipment"):
            return refused
        rows, now = rows_for([pk], now=clock.now()), clock.now()
        if not rows:
            return self._to_orders(request, _("There is no such order."))
        row = rows[0]
        if row.refusal or not parting.may_part(row.order):
            told = row.refusal or _("Only one unit is left: send it from the order's page.")
            return self._to_order(request, row.order.pk, about(row.order.order_number, told), messages.ERROR)
        data = request.POST if request.method == "POST" else None
        row.form = PartForm(
            data,
            initial=row.form.initial,
            today=row.form.today,
            lines=row.order.items.all(),
            prefix="part",
            noted=True,
        )

        def plan(wish):
            return parting.plan(row.order, wish, now=now)

        def send(wish, seal):
            return parting.send(row.order, wish, as_seen=seal, by=request.user, now=now)

        answer = self._ask_twice(request, row.form, plan, send)
        if isinstance(answer, Shipment):
            return self._sent(request, [answer], back=pk)
        title = _("Send a part of order %(number)s") % {"number": row.order.order_number}
        return self._page(request, "shipments/split.html", title, answer | {"row": row, "order": row.order})

    # -- several orders

    @method_decorator(sensitive_post_parameters())
    def combine_view(self, request):
        if refused := _refused(request, "shipments.add_shipment"):
            return refused
        ids, now = ids_of(request.GET.get("ids", "")), clock.now()
        if not combining.LEAST <= len(ids) <= combining.MOST:
            return self._to_orders(request, combining.how_many())
        orders = combining.read(ids)
        refusals = combining.why_not(orders)
        context = {"orders": orders, "refusals": refusals, "ids": ",".join(map(str, ids))}
        title = _("Combine orders into one parcel")
        if refusals:
            return self._page(request, "shipments/combine.html", title, context)
        row = next(row for row in rows_for([orders[0].pk], now=now))
        form = _parcel_form(row, request)

        def plan(wish):
            return combining.plan(ids, wish, now=now)

        def send(wish, seal):
            return combining.combine(ids, wish, as_seen=seal, by=request.user, now=now)

        answer = self._ask_twice(request, form, plan, send)
        if isinstance(answer, Shipment):
            return self._sent(request, [answer, *answer.riders.select_related("order")], back=answer.order_id)
        return self._page(request, "shipments/combine.html", title, context | answer | {"row": row, "form": form})

    # -- voiding

    def void_view(self, request, pk):
        if refused := _refused(request, "shipments.void_shipment"):
            return refused
        shipment = get_object_or_404(
            Shipment.objects.select_related("order__store__account", "combined_with__order"), pk=pk
        )
        now, number = clock.now(), shipment.order.order_number
        if refusal := voiding.why_not(shipment):
            return self._to_order(request, shipment.order_id, about(number, refusal), messages.ERROR)
        changed = False
        if request.method == "POST":
            try:
                voiding.void(shipment, by=request.user, now=now, as_seen=request.POST.get("seal", ""))
                done = _("The shipment is void. Its units wait to be sent again.")
                if shipment.is_return:
                    done = _("The return label is void.")
                return self._to_order(request, shipment.order_id, about(number, done), messages.SUCCESS)
            except ChangedMeanwhile:
                changed = True
            except RuleViolation as error:
                return self._to_order(request, shipment.order_id, about(number, str(error)), messages.ERROR)
        told = voidwords.of(shipment, now=now)
        context = {"shipment": shipment, "told": told, "seal": voidwords.seal(told), "changed": changed}
        return self._page(request, "shipments/void.html", _("Void a shipment"), context)

    # -- what they share

    def _ask_twice(self, request, form, plan: Callable, send: Callable) -> Shipment | dict:
        """The shipment, once what was previewed is confirmed; else what the page shows: the form, or the preview."""
        if request.method != "POST":
            return {"form": form}
        if "again" in request.POST:  # back from the preview, with what was typed
            form.is_valid()
            return {"form": form}
        if not form.is_valid():
            return {"form": form, "error": _("Check the fields below: nothing was sent.")}
        wish, seal, changed = form.wish(), request.POST.get("seal", ""), ""
        try:
            if seal:
                return send(wish, seal)
        except ChangedMeanwhile as error:
            changed = str(error)
        except RuleViolation as error:
            return {"form": form, "error": str(error)}
        try:
            return {"form": form, "plan": plan(wish), "changed": changed}
        except RuleViolation as error:
            return {"form": form, "error": str(error)}

    def _sent(self, request, shipments: list[Shipment], *, back: int):
        for account_id in sorted({sent.order.store.account_id for sent in shipments} - {None}):
            enqueue(notify_account, account_id)
        numbers = ", ".join(sent.order.order_number for sent in shipments)
        told = _("Sent in one parcel: %(numbers)s") if len(shipments) > 1 else _("A part of order %(numbers)s is sent.")
        return self._to_order(request, back, told % {"numbers": numbers}, messages.SUCCESS)

    def _to_order(self, request, pk: int, told: str, level: int):
        self.message_user(request, told, level)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[pk]))

    def _to_orders(self, request, told: str):
        self.message_user(request, told, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:orders_order_changelist") + "?tab=to_ship")

    def _page(self, request, template: str, title: str, context: dict):
        shared = self.admin_site.each_context(request) | {"title": title, "opts": self.opts}
        return TemplateResponse(request, template, shared | context)


def _refused(request, right: str):
    """The answer to a method that nobody may use; 403 without the right; None where the door is open."""
    if not request.user.has_perm(right):
        raise PermissionDenied
    return None if request.method in {"GET", "HEAD", "POST"} else HttpResponseNotAllowed(["GET", "POST"])


def _parcel_form(row: Row, request) -> ParcelForm:
    data = request.POST if request.method == "POST" else None
    return ParcelForm(data, initial=row.form.initial, today=row.form.today, prefix="parcel")
