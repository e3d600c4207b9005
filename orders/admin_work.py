"""Doors to whose work an order is and how its store calls its status, on the page of the order."""

from django.contrib.auth import get_user_model
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _

from orderhub.doors import post_only
from orders import assigning, own_status
from stores.models import MarketplaceStatus

MOST_NAME = MarketplaceStatus._meta.get_field("name").max_length  # a refusal repeats no more of what was posted


class WorkDoors:
    """Assignment and own status of one order."""

    def get_urls(self):
        def deed(name, view):
            return path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"orders_order_{name}")

        return [deed("assign", self.assign_view), deed("own-status", self.own_status_view), *super().get_urls()]

    @post_only("admin:orders_order_change")
    def assign_view(self, request, pk):
        """`user`: an id, `me`, or '' for nobody."""
        self._allow(self.has_decide_permission(request))
        user = person_of(request.POST.get("user", ""), request.user)
        told = _("Assigned to %(user)s.") % {"user": user.get_username()} if user else _("Assigned to nobody.")
        return self._decide(request, pk, lambda order, **who: assigning.assign([order.pk], user, **who), told)

    @post_only("admin:orders_order_change")
    def own_status_view(self, request, pk):
        self._allow(self.has_decide_permission(request))
        name = request.POST.get("own", "")[:MOST_NAME]
        told = _("Own status: %(own)s.") % {"own": name} if name else _("Own status taken off.")
        return self._decide(request, pk, lambda order, **who: own_status.wear(order, name, **who), told)


def person_of(posted: str, me):
    """The member of staff a form names: `me`, an id, or None for nobody. 404 for anybody who is not there."""
    if posted == "me":
        return me
    if not posted:
        return None
    number = int(posted) if posted.isascii() and posted.isdigit() and len(posted) < 19 else 0
    return get_object_or_404(get_user_model(), pk=number, is_client=False)
