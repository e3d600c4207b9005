"""The page that describes the API to people. In English: names of fields and addresses are its words."""

from django.http import HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _


def urls(site) -> list:
    """Addresses of the admin site, for whoever is signed in: nothing of a shop is on them."""

    def page(request):
        from orderhub.api import reference  # wiring: the apps' models must be loaded first

        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        context = site.each_context(request) | {"title": _("API reference"), "reference": reference.read()}
        return TemplateResponse(request, "admin/api_reference.html", context)

    def document(request):
        from orderhub.api import schema  # wiring, as above

        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        headers = {"Content-Disposition": 'attachment; filename="openapi.json"'}
        return HttpResponse(schema.text(), content_type="application/json", headers=headers)

    return [
        path("api-reference/", site.admin_view(page), name="api_reference"),
        path("api-reference/openapi.json", site.admin_view(document), name="api_document"),
    ]
