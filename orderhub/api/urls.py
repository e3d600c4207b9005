"""Addresses of the native API, version 1. Each app's `api` lists what it offers as RESOURCES."""

from django.http import HttpResponse
from django.urls import include, path
from django.utils.translation import gettext as _
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

import orders.api
import shipments.api
import stores.api
from orderhub.api import counting, schema
from orderhub.rest import problems
from orderhub.webhooks import api as webhooks


class NotFoundView(APIView):
    """Nothing is offered at this address, whatever the method. Who sends a key is told so as its client, and counted."""

    schema = None
    permission_classes = []

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        detail = _("There is nothing at this address. See /api/v1/openapi.json.")
        raise problems.Problem(404, counting.NOWHERE, detail)


not_found = NotFoundView.as_view()


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
