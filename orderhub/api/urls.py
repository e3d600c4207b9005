"""Addresses of the native API, version 1. Each app's `api` lists what it offers as RESOURCES."""

from django.http import HttpResponse
from django.urls import include, path
from django.utils.translation import gettext as _
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

import orders.api
import shipments.api
import stores.api
from orderhub.api import schema
from orderhub.rest import problems
from orderhub.webhooks import api as webhooks


def not_found(request, rest: str = ""):
    """Nothing is offered at this address."""
    return problems.plain(404, "no-such-address", _("There is nothing at this address. See /api/v1/openapi.json."))


def _routes() -> list:
    router = SimpleRouter(trailing_slash=False)
    for app in (stores.api, orders.api, shipments.api, webhooks):
        for prefix, viewset in app.RESOURCES.items():
            router.register(prefix, viewset, basename=prefix)
    return router.urls


class DescriptionView(APIView):
    """GET /api/v1/openapi.json, for every key. The file in docs/ needs none."""

    schema = None

    def get(self, request):
        return HttpResponse(schema.text(), content_type="application/json")


app_name = "api"
urlpatterns = [
    path("", include(_routes())),
    path("openapi.json", DescriptionView.as_view()),
    path("<path:rest>", not_found),
]
