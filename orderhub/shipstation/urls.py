"""Below the site's own addresses. Any case, with and without a slash at the end: dispatching.py decides."""

from django.urls import path

from orderhub.shipstation.dispatching import dispatch

urlpatterns = [path("", dispatch), path("<path:rest>", dispatch)]
