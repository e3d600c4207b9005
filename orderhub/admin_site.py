"""The back-office's admin site: its menu, and the start page that says what needs work."""

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from orderhub import admin_reference, clock
from privacy import access

FIRST = ("Order", "Shipment", "Product", "Customer", "ShipmentNotification", "Store")  # the others are under "More"


class BackOffice(AdminSite):
    site_title = _("OrderHub")
    site_header = _("OrderHub")
    index_title = _("What needs work")
    index_template = "admin/index.html"
    site_url = None
    enable_nav_sidebar = False

    def has_permission(self, request):
        """Staff whose second factor was shown, if they owe one: without it there is no page and no menu."""
        from orderhub.signin import sessions  # wiring: the apps' models must be loaded first

        return super().has_permission(request) and not (hasattr(request, "session") and sessions.owes_factor(request))

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request, extra_context=None):
        from orderhub.signin import views  # wiring, as above

        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        context = self.each_context(request) | {"title": _now("Log in"), "app_path": request.get_full_path()}
        context |= {"no_second_factor": not settings.REQUIRE_SECOND_FACTOR, "has_permission": False}
        context |= {"next": request.POST.get("next") or request.GET.get("next") or reverse("admin:index")}
        return views.SignIn.as_view(extra_context=context, template_name="admin/login.html")(request)

    def password_change(self, request, extra_context=None):
        from orderhub.signin import views  # wiring, as above

        return views.PasswordChange.as_view(extra_context=self.each_context(request))(request)

    def each_context(self, request):
        context = super().each_context(request)
        if context["has_permission"]:
            context["menu"] = _menu(context["available_apps"], request.path)
            if request.user.has_perm("orders.view_order"):
                _add_where(context["menu"]["first"], request.path)
                _add_radar(context["menu"], request.path)
            if request.user.has_perm("shipments.view_shipmentnotification"):
                _add_errors(context["menu"], request.path)
            if request.user.has_perm("privacy.view_lag"):
                _add_erasure(context["menu"], request.path)
            _add_reference(context["menu"], request.path)
            context["roles"] = _roles(request.user)
            context["banner"] = _banner(request)
            context["languages"] = [(code, name, code.upper()) for code, name in settings.LANGUAGES]
        return context

    def get_urls(self):
        from orderhub.ledger import doors  # wiring, as above

        return [*doors.urls(self), *admin_reference.urls(self), *super().get_urls()]

    def index(self, request, extra_context=None):
        from orderhub import dashboard  # wiring: the apps' models must be loaded first

        board = dashboard.board_for(request.user, now=clock.now())
        return super().index(
            request, (extra_context or {}) | {"board": board, "no_second_factor": not settings.REQUIRE_SECOND_FACTOR}
        )


def _add_where(links: list[dict], path: str) -> None:
    """The question has a link of its own, though its address lies under the orders'."""
    url = reverse("admin:orders_where")
    for link in links:
        link["current"] = link["current"] and path != url
    links.append({"name": _now("Where is…?"), "url": url, "current": path == url})


def _add_radar(menu: dict[str, list[dict]], path: str) -> None:
    """What loses its address before it is sent lies under the orders too, and has a link of its own."""
    url = reverse("admin:orders_radar")
    for link in menu["first"]:
        link["current"] = link["current"] and path != url
    menu["more"].append({"name": _now("Erased before shipping"), "url": url, "current": path == url})


def _add_errors(menu: dict[str, list[dict]], path: str) -> None:
    """What errors mean lies under the notices, and is looked up from everywhere."""
    url = reverse("admin:shipments_errors")
    for link in menu["first"]:
        link["current"] = link["current"] and path != url
    menu["more"].append({"name": _now("What errors mean"), "url": url, "current": path == url})


def _add_erasure(menu: dict[str, list[dict]], path: str) -> None:
    """Whether erasure keeps up; the privacy officer goes on from there."""
    url = reverse("admin:privacy_lag")
    menu["more"].append({"name": _now("Erasure"), "url": url, "current": path.startswith(url)})


def _add_reference(menu: dict[str, list[dict]], path: str) -> None:
    """What programs may ask, for whoever writes them or answers those who do."""
    url = reverse("admin:api_reference")
    menu["more"].append({"name": _now("API reference"), "url": url, "current": path == url})


def _banner(request) -> list:
    """What the reader must know on every page. The start page and the account's own say it at more length themselves."""
    from orderhub import dashboard  # wiring, as above

    if request.path == reverse("admin:index"):
        return []
    return [notice for notice in dashboard.banner_for(request.user, now=clock.now()) if notice.url != request.path]


def _roles(user) -> list[str]:
    """The user's roles in the reader's language."""
    return [str(access.LABELS.get(name, name)) for name in sorted(access.role_names(user))]


def _menu(available_apps: list[dict], path: str) -> dict[str, list[dict]]:
    """Links to the lists this user may see: the daily ones first, in their fixed order, then the rest."""
    models = [model for app in available_apps for model in app["models"] if model["admin_url"]]
    links = {
        model["object_name"]: {
            "name": capfirst(model["name"]),
            "url": model["admin_url"],
            "current": path.startswith(model["admin_url"]),
        }
        for model in models
    }
    first = [links.pop(name) for name in FIRST if name in links]
    return {"first": first, "more": list(links.values())}
