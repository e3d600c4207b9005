"""The privacy officer's door to somebody's personal data as a file: a reason and a fresh proof first. Nothing is kept."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from orderhub import clock
from orderhub.errors import RuleViolation
from orderhub.freshness import ask_again, is_fresh
from orderhub.lists import ids_of
from orders.csvfile import people
from privacy import masks

LIST = "admin:orders_order_changelist"
PAGE = "admin:orders_export_people"


class ExportingDoors:
    """For the admin of orders."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.export_people_view)
        return [path("export/people/", view, name="orders_export_people"), *super().get_urls()]

    def has_export_people_permission(self, request):
        return people.may(request.user)

    @admin.action(description=_("Export personal data…"), permissions=["export_people"])
    def export_people(self, request, rows):
        return self.open_for(request, rows, PAGE, most=people.MOST)

    def export_people_view(self, request):
        """GET: what would leave, and why; POST: the file. The address holds ids, as other pages' for chosen orders do."""
        if not (self.has_view_permission(request) and people.may(request.user)):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        if not is_fresh(request):
            return ask_again(request, back=request.get_full_path())
        rows = self.get_queryset(request).filter(pk__in=ids_of(request.GET.get("ids", ""))[: people.MOST + 1])
        if request.method != "POST":
            return self._before_export(request, rows)
        return self._export_people(request, rows)

    @sensitive_variables()
    def _export_people(self, request, rows):
        try:
            content = people.export(rows, request.POST.get("reason", ""), request=request, now=clock.now())
        except RuleViolation as error:
            return self._before_export(request, rows, error=str(error))
        name = f"personal-data-{clock.now():%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store, private"}
        return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)

    def _before_export(self, request, rows, *, error: str = ""):
        numbers = list(rows.order_by("-pk").values_list("order_number", flat=True))
        if not 0 < len(numbers) <= people.MOST:
            text = _now("Choose between 1 and %(count)d orders in the list, then export them.")
            messages.error(request, text % {"count": people.MOST})
            return HttpResponseRedirect(reverse(LIST))
        request.current_app = self.admin_site.name
        context = self.admin_site.each_context(request) | {
            "opts": self.opts, "title": _now("Export personal data"), "numbers": numbers, "error": error,
            "reasons": masks.ExportReason.choices, "back": reverse(LIST),
        }  # fmt: skip
        return TemplateResponse(request, "orders/export_people.html", context)
