"""Adding a store that no marketplace stands behind: Handmade, or orders that come by other ways."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext

from stores.forms_manual import ManualStoreForm
from stores.models import Merchant, Store


class ManualViews:
    """For the admin of stores."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.add_manual_view)
        return [path("manual/add/", view, name="stores_store_add_manual"), *super().get_urls()]

    def add_manual_view(self, request):
        if not request.user.has_perm("stores.add_store"):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        form = ManualStoreForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                store = _opened(form.cleaned_data)
            except IntegrityError:  # somebody added a merchant of this name this very moment
                text = gettext("Somebody added a merchant of this name meanwhile. Choose it in the list.")
                form.add_error("merchant", text)
            else:
                self.log_addition(request, store, [{"added": {}}])
                messages.success(request, gettext("The store is added: its orders can be entered now."))
                return HttpResponseRedirect(reverse("admin:stores_store_change", args=[store.pk]))
        if form.is_bound:
            form.focus()
        request.current_app = self.admin_site.name
        context = self.admin_site.each_context(request) | {
            "opts": self.opts, "title": gettext("Add a Handmade or manual store"), "form": form,
        }  # fmt: skip
        return TemplateResponse(request, "stores/manual_add.html", context)


@transaction.atomic
def _opened(typed: dict) -> Store:
    """A new merchant comes into being with its store, or not at all."""
    return Store.objects.create(
        merchant=typed["merchant"] or Merchant.objects.create(name=typed["new_merchant"]), platform=typed["platform"],
        name=typed["name"], time_zone=typed["time_zone"], product_identifier=typed["product_identifier"],
    )  # fmt: skip
