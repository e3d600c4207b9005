"""Doors to how long stores keep personal data: the privacy officer's, who sees nothing else of a store."""

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from stores import retaining, retention_panel
from stores.models import Store

LIST = "admin:stores_store_retentions"


class RetentionDoor:
    """Part of StoreAdmin."""

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("retention/", view(self.retentions_view), name="stores_store_retentions"),
            path("<path:object_id>/retention/", view(self.retention_view), name="stores_store_retention"),
            *super().get_urls(),
        ]

    def retentions_view(self, request):
        """Every store with its periods; one query."""
        self._for_the_officer(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        stores = Store.objects.select_related("merchant").order_by("merchant__name", "name")
        rows = [
            {"store": store, "rows": retention_panel.rows(store), "old": retention_panel.old_orders(store)}
            for store in stores
        ]
        return self._retention_answer(request, "stores/store_retentions.html", title=_("Periods of stores"), rows=rows)

    def retention_view(self, request, object_id):
        self._for_the_officer(request)
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        store = self._store_of(object_id)
        form = retention_panel.of(store)
        if request.method == "POST":
            form = retention_panel.RetentionForm(request.POST)
            if form.is_valid() and self._change(request, store, form):
                return HttpResponseRedirect(reverse(LIST))
        title = _("Personal data of %(store)s") % {"store": store}
        return self._retention_answer(
            request, "stores/store_retention_page.html", title=title, store=store, form=form,
            facts=retention_panel.facts(request.user, store),
        )  # fmt: skip

    @staticmethod
    def _change(request, store: Store, form) -> bool:
        try:
            changed = retaining.change(store, form.wish(), by=request.user, request=request)
        except RuleViolation as error:
            form.add_error(None, str(error))
            return False
        if changed:
            text = _("%(store)s: kept. Due dates that are now too late are brought forward within minutes.")
        else:
            text = _("%(store)s: nothing was changed.")
        messages.success(request, text % {"store": store})
        return True

    @staticmethod
    def _for_the_officer(request) -> None:
        if not retaining.may_change(request.user):
            raise PermissionDenied

    @staticmethod
    def _store_of(object_id: str) -> Store:
        number = unquote(object_id)
        found = number.isascii() and number.isdigit() and len(number) < 19
        store = Store.objects.select_related("merchant").filter(pk=int(number)).first() if found else None
        if store is None:
            raise Http404
        return store

    def _retention_answer(self, request, template: str, **context):
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, template, self.admin_site.each_context(request) | {"opts": self.opts} | context
        )
