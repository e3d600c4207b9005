"""Addresses: the admin is the product's face; health is for machines."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from orderhub import views

handler403 = "orderhub.views.forbidden"
handler404 = "orderhub.views.not_found"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", views.healthz, name="healthz"),
    path("language/", views.set_language, name="set_language"),
    path("admin/", admin.site.urls),
]
