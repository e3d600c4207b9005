"""Readings of past orders, for reading only: what the daily check found, and how far the past of a source is read."""

from django.contrib import admin
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub.lists import ChoiceFilter, ColumnFilter, ReadOnlyAdmin
from orderhub.wording import badge, stacked_utc
from orders.models import HistoryRead
from stores import marketplaces


class KindFilter(ColumnFilter):
    title, parameter_name, codes = _("kind"), "kind", HistoryRead.Kind


class FoundFilter(ChoiceFilter):
    title, parameter_name = _("result"), "found"

    def lookups(self, request, model_admin):
        return [("missing", _("found orders missing")), ("open", _("not finished")), ("error", _("with an error"))]

    def narrow(self, rows, value, request):
        match value:
            case "missing":
                return rows.filter(missing__gt=0)
            case "open":
                return rows.filter(finished_at__isnull=True)
            case _error:
                return rows.exclude(error_code="")


@admin.register(HistoryRead)
class HistoryReadAdmin(ReadOnlyAdmin):
    list_display = ["what", "account", "sources", "began", "window", "seen", "missing", "late", "state"]
    list_display_links = None
    list_select_related = ["account"]
    list_filter = [KindFilter, FoundFilter]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("account__refresh_token")

    @admin.display(description=_("kind"))
    def what(self, row):
        return row.get_kind_display()

    @admin.display(description=_("order sources"))
    def sources(self, row):
        known = (marketplaces.BY_ID.get(code) for code in row.marketplaces)
        return ", ".join(market.label for market in known if market) or _now("all")

    @admin.display(description=_("started at"), ordering="started_at")
    def began(self, row):
        return stacked_utc(row.started_at)

    @admin.display(description=_("orders made from"), ordering="created_after")
    def window(self, row):
        return stacked_utc(row.created_after)

    @admin.display(description=_("result"), ordering="finished_at")
    def state(self, row):
        if row.error_code:
            return badge(row.error_code, "bad" if row.finished_at else "warn")
        if row.finished_at is None:
            return badge(_now("page %(page)d follows") % {"page": row.pages + 1}, "info")
        return badge(_now("found and repaired"), "warn") if row.missing else badge(_now("complete"), "ok")
