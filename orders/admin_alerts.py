"""The order page's door to its alert."""

from django.urls import path
from django.utils.translation import gettext as _

from orderhub.doors import post_only
from orders import alerting


class AlertDoors:
    """An alert is taken off where it is read."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.alert_view)
        return [path("<int:pk>/alert/", view, name="orders_order_alert"), *super().get_urls()]

    @post_only("admin:orders_order_change")
    def alert_view(self, request, pk):
        self._allow(self.has_decide_permission(request))
        seen = request.POST.get("alert", "").replace("\0", "")  # no database takes it
        told = _("The alert is dealt with.")
        return self._decide(request, pk, lambda order, **who: alerting.dealt_with(order, seen, **who), told)
