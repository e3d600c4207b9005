"""The order page's door to masked names: by POST, with a reason, shown in that answer only."""

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orders import revealing


class RevealDoors:
    """For the admin of orders."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.reveal_view)
        return [path("<int:pk>/reveal/", view, name="orders_order_reveal"), *super().get_urls()]

    @post_only("admin:orders_order_change")
    def reveal_view(self, request, pk):
        """The order's page with its names, once. A reload asks for the reason again."""
        self._allow(self.has_view_permission(request) and revealing.may(request.user))
        order = get_object_or_404(self.get_queryset(request).select_related("person"), pk=pk)
        try:
            reason = revealing.allow(order, request.POST.get("reason", ""), request=request, now=clock.now())
        except RuleViolation as error:
            self._tell(request, order, str(error), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:orders_order_change", args=[pk]))
        return self._page(request, order, reason=reason)
