"""The page that explains errors: the whole catalogue, searched by code or words."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _

from shipments import errorcatalogue


class ErrorDoors:
    """Mixed into the list of notices, whose rights it asks for."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.errors_view)
        return [path("errors/", view, name="shipments_errors"), *super().get_urls()]

    def errors_view(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        typed = request.GET.get("q", "").strip()[:60]
        context = self.admin_site.each_context(request) | {
            "title": _("What errors mean"), "opts": self.opts, "typed": typed, "everything": not typed,
            "entries": [_shown(entry) for entry in errorcatalogue.by_code_or_words(typed)],
        }  # fmt: skip
        return TemplateResponse(request, "shipments/errors.html", context)


def _shown(entry: errorcatalogue.Entry) -> dict:
    """An entry as the page shows it; the many names of one broken connection are cut."""
    return {
        "entry": entry,
        "kind": errorcatalogue.Kind(entry.kind).label,
        "who": errorcatalogue.Who(entry.who).label,
        "codes": entry.codes[:8],
        "more": max(0, len(entry.codes) - 8),
        "market": {errorcatalogue.AMAZON: "Amazon", errorcatalogue.BIGCOMMERCE: "BigCommerce"}.get(entry.channel, ""),
    }
