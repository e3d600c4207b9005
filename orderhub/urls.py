"""Addresses: the admin is the product's face; health is for machines."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from orderhub import views
from orderhub.api.urls import not_found
from orderhub.shipstation.dispatching import dispatch
from orderhub.signin import views as signin

handler403 = "orderhub.views.forbidden"
handler404 = "orderhub.views.not_found"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", views.healthz, name="healthz"),
    path("language/", views.set_language, name="set_language"),
    path("account/second-factor/", signin.second_factor, name="second_factor"),
    path("account/second-factor/key.svg", signin.second_factor_picture, name="second_factor_picture"),
    path("account/second-factor/code/", signin.second_factor_check, name="second_factor_check"),
    path("account/confirm/", signin.confirm_identity, name="confirm_identity"),
    path("api/v1/", include("orderhub.api.urls")),
    path("api/", not_found),
    path("api/<path:rest>", not_found),
    path("shipstation", dispatch),
    path("shipstation/", include("orderhub.shipstation.urls")),
    path("admin/logout/", signin.sign_out),  # before the admin's own, which lets nobody out who owes a code
    path("admin/", admin.site.urls),
]
