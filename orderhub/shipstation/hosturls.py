"""The same at the root of a host of its own, as clients expect that can change nothing but the host."""

from django.urls import path

from orderhub import views
from orderhub.shipstation.urls import urlpatterns as below

app_name = "shipstation"
urlpatterns = [path("healthz", views.healthz), *below]
