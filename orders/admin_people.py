"""The door to finding orders by whom they are for. Mixed into the admin of orders."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from orderhub import clock
from orderhub.wording import badge
from orders import people
from orders.showing import LEVELS
from privacy import access, audit
from privacy.models.event import EventCode


class PeopleDoors:
    """`people/`: the form by GET, what is found by POST: names stand in no address, log or session."""

    def get_urls(self):
        view = self.admin_site.admin_view
        return [path("people/", view(self.people_view), name="orders_people"), *super().get_urls()]

    @method_decorator(sensitive_post_parameters())
    @method_decorator(sensitive_variables())
    def people_view(self, request):
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        if not access.holds(request.user, "orders.search_person"):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | {"title": _("Find a person's orders"), "opts": self.opts}
        if request.method == "POST":
            context |= _found(request, request.POST.get("who", "")[:500])
        return TemplateResponse(request, "orders/people.html", context)


def _found(request, text: str) -> dict:
    """Rows without names: whoever opens one sees what their role sees, and is logged again."""
    orders = list(people.find(text).select_related("store"))
    audit.record(
        EventCode.PERSON_SEARCHED, request=request, kind="order", ids=[order.pk for order in orders],
        reason=people.search_digest(text, now=clock.now()),
    )  # fmt: skip
    rows = [(order, badge(order.get_status_display(), LEVELS.get(order.status, "muted"))) for order in orders]
    return {"asked": True, "understood": bool(people.searched(text)), "rows": rows, "most": people.MOST_FOUND}
