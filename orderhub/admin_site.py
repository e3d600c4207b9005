"""The back-office's admin site."""

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class BackOffice(AdminSite):
    site_title = _("OrderHub")
    site_header = _("OrderHub")
    index_title = _("What needs work")
    enable_nav_sidebar = False
