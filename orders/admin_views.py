"""The order list's door to saved views."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as _

from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orders import saved_views
from orders.admin_tags import number

LIST = "admin:orders_order_changelist"


@dataclass(frozen=True)
class Chip:
    """One view above the list. `owner`: whose it is, '' for one's own."""

    pk: int
    name: str
    url: str
    current: bool
    owner: str
    shared: bool


class ViewDoors:
    """Views are saved and deleted above the list; opening one is a link."""

    def get_urls(self):
        def deed(name, view):
            return path(f"views/{name}/", self.admin_site.admin_view(view), name=f"orders_order_view_{name}")

        return [deed("save", self.save_view_view), deed("delete", self.delete_view_view), *super().get_urls()]

    def view_parameters(self) -> set[str]:
        """What a view may hold: the parameters of this list's filters."""
        return {found.parameter_name for found in self.list_filter}

    @post_only(LIST)
    def save_view_view(self, request):
        self._allow(self.has_view_permission(request))
        query = request.POST.get("query", "")
        try:
            found = saved_views.save(
                request.user, request.POST.get("name", ""), query,
                known=self.view_parameters(), shared=bool(request.POST.get("shared")),
            )  # fmt: skip
            self.message_user(request, _("View “%(name)s” saved.") % {"name": found.name}, messages.SUCCESS)
        except RuleViolation as error:
            self.message_user(request, str(error), messages.ERROR)
        return self._back(query)

    @post_only(LIST)
    def delete_view_view(self, request):
        self._allow(self.has_view_permission(request))
        try:
            name = saved_views.delete(request.user, number(request.POST.get("view")))
            self.message_user(request, _("View “%(name)s” deleted.") % {"name": name}, messages.SUCCESS)
        except RuleViolation as error:
            self.message_user(request, str(error), messages.ERROR)
        return self._back(request.POST.get("query", ""))

    def _back(self, query: str) -> HttpResponseRedirect:
        """To the list as it was, less whatever is no filter of it."""
        try:
            kept = saved_views.clean(query, self.view_parameters())
        except RuleViolation:
            kept = ""
        return HttpResponseRedirect(f"{reverse(LIST)}?{kept}" if kept else reverse(LIST))


class ViewChips:
    """The part of the list's rows that knows the views; `params` are those of the list's address."""

    def view_query(self) -> str:
        """The present filters as a view would keep them."""
        try:
            return saved_views.clean(self.params, self.model_admin.view_parameters())
        except RuleViolation:
            return ""

    def chips(self) -> list[Chip]:
        """The views this user may open; one query."""
        present, known = self.view_query(), self.model_admin.view_parameters()
        found = []
        for view in saved_views.visible_to(self.request.user):
            query, own = saved_views.clean(view.query, known), view.owner_id == self.request.user.pk
            owner = "" if own else view.owner.get_username()
            found.append(Chip(view.pk, view.name, f"?{query}", query == present, owner, view.shared))
        return found
