"""Addresses of the native API, version 1. Each app's `api` lists what it offers as RESOURCES."""

from django.urls import include, path
from django.utils.translation import gettext as _
from rest_framework.routers import SimpleRouter

import orders.api
from orderhub.rest import problems


def not_found(request, rest: str = ""):
    """Nothing is offered at this address."""
    return problems.plain(404, "no-such-address", _("There is nothing at this address. See /api/v1/openapi.json."))


def _routes() -> list:
    router = SimpleRouter(trailing_slash=False)
    for app in (orders.api,):
        for prefix, viewset in app.RESOURCES.items():
            router.register(prefix, viewset, basename=prefix)
    return router.urls


app_name = "api"
urlpatterns = [path("", include(_routes())), path("<path:rest>", not_found)]
