"""The carriers: the whole table with what this installation says otherwise, and the form for one of them."""

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.lists import ReadOnlyAdmin
from privacy.audited import Audited
from shipments import carriers, carriersettings
from shipments.carriers import Carrier
from shipments.forms_carriers import CarrierForm
from shipments.models import CarrierSetting

READ, BOTH = ("GET", "HEAD"), ("GET", "HEAD", "POST")
MOST_ENTRIES = 20
SCANNED = {carriers.YES: _("yes"), carriers.PART: _("only in part"), carriers.NO: _("no")}
COUNTRIES = {
    "": _("Worldwide"), "US": _("United States"), "CA": _("Canada"), "MX": _("Mexico"), "GB": _("United Kingdom"),
    "FR": _("France"), "DE": _("Germany"), "ES": _("Spain"), "IT": _("Italy"), "JP": _("Japan"), "CN": _("China"),
}  # fmt: skip


@admin.register(CarrierSetting)
class CarrierSettingAdmin(Audited, ReadOnlyAdmin):
    """A row exists only where something differs, so the list shows the table and not the rows."""

    def has_edit_permission(self, request) -> bool:
        return request.user.has_perm("shipments.change_carriersetting")

    def get_urls(self):
        view = self.admin_site.admin_view(self.carrier_view)
        return [path("carrier/<slug:code>/", view, name="shipments_carriersetting_carrier"), *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        if request.method not in READ:
            return HttpResponseNotAllowed(READ)
        if not self.has_view_permission(request):
            raise PermissionDenied
        own = {row.code: row for row in CarrierSetting.objects.all()}
        context = self.admin_site.each_context(request) | {
            "title": _now("Carriers"), "opts": self.opts, "may_change": self.has_edit_permission(request),
            "groups": [(COUNTRIES[country], rows) for country, rows in _by_country(own).items()],
        }  # fmt: skip
        return TemplateResponse(request, "shipments/carrier_list.html", context)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The history links to rows by their number; people meet carriers by their code."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return _to(row.code)

    def carrier_view(self, request, code):
        if request.method not in BOTH:
            return HttpResponseNotAllowed(BOTH)
        posted = request.method == "POST"
        if not self.has_view_permission(request) or (posted and not self.has_edit_permission(request)):
            raise PermissionDenied
        carrier = carriers.in_table(code)
        if carrier not in carriers.ALL:
            raise Http404
        row = CarrierSetting.objects.select_related("changed_by").filter(code=carrier.code).first()
        form = CarrierForm(request.POST if posted else None, instance=row, carrier=carrier)
        if posted and form.is_valid():
            return self._keep(request, carrier, form)
        return TemplateResponse(request, "shipments/carrier_page.html", self._page(request, carrier, form))

    def _keep(self, request, carrier: Carrier, form: CarrierForm):
        row, changed = carriersettings.keep(carrier.code, form.cleaned_data, by=request.user, now=clock.now())
        if changed:
            names = [str(CarrierSetting._meta.get_field(name).verbose_name) for name in changed]
            self.log_change(request, row, [{"changed": {"fields": names}}])
        told = _now("%(carrier)s is saved. It counts everywhere within a minute.") % {"carrier": carrier.title}
        self.message_user(request, told, messages.SUCCESS)
        return _to(carrier.code)

    def _page(self, request, carrier: Carrier, form: CarrierForm) -> dict:
        row = CarrierSetting.objects.filter(code=carrier.code).first()  # the form's may hold what was refused
        return self.admin_site.each_context(request) | {
            "title": carrier.title, "opts": self.opts, "form": form, "may_change": self.has_edit_permission(request),
            "row": _row(carrier, row), "history": _history(row) if row else [],
        }  # fmt: skip


def _to(code: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:shipments_carriersetting_carrier", args=[code]))


def _by_country(own: dict[str, CarrierSetting]) -> dict[str, list[dict]]:
    """Rows of the list, in the table's order, under the country where they take parcels in first."""
    found: dict[str, list[dict]] = {"": []}
    for carrier in carriers.ALL:
        found.setdefault((carrier.countries or ("",))[0], []).append(_row(carrier, own.get(carrier.code)))
    return found


def _row(carrier: Carrier, own: CarrierSetting | None) -> dict:
    """A carrier as it counts here, in words. `link`: its tracking page with a number that looks like one of its own."""
    url = (own.tracking_url if own else "") or carrier.url
    return {
        "carrier": carrier, "own": own, "amazon": (own.amazon if own else "") or carrier.amazon, "url": url,
        "hidden": bool(own and own.hidden), "differs": bool(own and (own.amazon or own.tracking_url)),
        "scanned": SCANNED[carrier.auto], "link": url.replace("{n}", carrier.example),
        "site": url.removeprefix("https://").partition("/")[0],
        "services": [
            {"name": service.name, "scanned": SCANNED[service.auto] if service.auto != carrier.auto else ""}
            for service in carrier.known_services
        ],
    }  # fmt: skip


def _history(row: CarrierSetting) -> list[LogEntry]:
    kept = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk))
    return list(kept.select_related("user").order_by("-action_time", "-pk")[:MOST_ENTRIES])
