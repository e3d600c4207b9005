"""App configurations of the wiring."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class OrderHubConfig(AppConfig):
    name = "orderhub"
    verbose_name = _("Administration")
    default = True

    def ready(self):
        from orderhub import checks, tempdir  # noqa: F401  registers the system checks

        tempdir.claim()


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site class: start page, titles, no user tools that staff must not have."""

    default = False
    default_site = "orderhub.admin_site.BackOffice"
