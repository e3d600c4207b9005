"""From the list of orders to what the warehouse fetches for them."""

from urllib.parse import urlencode

from django.contrib import admin, messages
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

MOST = 200


class PickDoors:
    """For the admin of orders."""

    @admin.action(description=_("Pick list…"))
    def pick(self, request, rows):
        return self.open_for(request, rows, "admin:shipments_pick")

    def has_slip_permission(self, request):
        return request.user.has_perm("shipments.view_label") or request.user.has_perm("orders.hold_order")

    @admin.action(description=_("Packing slips"), permissions=["slip"])
    def slips(self, request, rows):
        return self.open_for(request, rows, "admin:shipments_slips")

    def open_for(self, request, rows, page: str, *, most: int = MOST):
        """Go to a page with the ids of the chosen orders in its address; an error instead where they are too many."""
        ids = list(rows.values_list("pk", flat=True)[: most + 1])
        if len(ids) > most:
            text = _now("Choose at most %(count)d orders at once.") % {"count": most}
            self.message_user(request, text, messages.ERROR)
            return None
        chosen = urlencode({"ids": ",".join(map(str, ids))}, safe=",")
        return HttpResponseRedirect(f"{reverse(page)}?{chosen}")
