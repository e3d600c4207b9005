"""BigCommerce on the screens of stores: connecting one, verifying it again, linking it to an Amazon store."""

from copy import copy

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from stores import forms_bigcommerce as forms
from stores import linking
from stores.models import Store

REQUIRED_SCOPE = "Orders: modify"
OPTIONAL_SCOPES = ("Channel settings: read-only", "Information & settings: read-only")


class BigCommerceViews:
    """For the admin of stores."""

    def get_urls(self):
        view = self.admin_site.admin_view
        own = [
            path("bigcommerce/add/", view(self.add_shop_view), name="stores_store_add_bigcommerce"),
            path("<path:object_id>/bigcommerce/", view(self.renew_shop_view), name="stores_store_bigcommerce"),
            path("<path:object_id>/link/", view(self.link_view), name="stores_store_link"),
        ]
        return own + super().get_urls()

    @method_decorator(sensitive_post_parameters("token"))
    @sensitive_variables()
    def add_shop_view(self, request):
        if not request.user.has_perm("stores.add_store"):
            raise PermissionDenied
        origin = self._origin(request)
        given = {"initial": {"merchant": origin.merchant_id}} if origin else {}
        form = forms.ShopForm(request.POST if request.method == "POST" else None, **given)
        if form.is_valid():
            typed = form.cleaned_data
            try:
                store = linking.connect_shop(
                    typed["merchant"], name=typed["name"], store_hash=typed["store_hash"], token=typed["token"],
                    now=clock.now(), by=request.user,
                )  # fmt: skip
            except RuleViolation as error:
                form.add_error(None, str(error))
            else:
                self.log_addition(request, store, [{"added": {}}])
                return self._to_link(request, origin, store)
        if form.is_bound:
            form.focus()
        request.current_app = self.admin_site.name
        context = self.admin_site.each_context(request) | {
            "opts": self.opts, "title": gettext("Connect a BigCommerce store"), "form": form, "origin": origin,
            "required_scope": REQUIRED_SCOPE, "optional_scopes": OPTIONAL_SCOPES,
        }  # fmt: skip
        return TemplateResponse(request, "stores/bigcommerce_add.html", context)

    def _origin(self, request) -> Store | None:
        """The Amazon store from whose page somebody came here, where its number is right and they may see it."""
        store = self.get_object(request, request.GET.get("store", ""))
        visible = store is not None and self.has_view_permission(request, store)
        return store if visible and store.platform == Store.Platform.AMAZON else None

    def _to_link(self, request, origin: Store | None, shop: Store) -> HttpResponseRedirect:
        """Back to the Amazon store, if it can be linked to this shop; else to the shop itself."""
        if origin is not None and origin.merchant_id == shop.merchant_id:
            text = gettext("BigCommerce confirmed %(shop)s. Link it here, under BigCommerce.")
            messages.success(request, text % {"shop": shop})
            return self._to_store(origin)
        messages.success(request, gettext("BigCommerce confirmed the store. Link it on the page of an Amazon store."))
        return self._to_store(shop)

    @post_only("admin:stores_store_change")
    @method_decorator(sensitive_post_parameters("token"))
    @sensitive_variables()
    def renew_shop_view(self, request, object_id):
        store = self._changeable(request, object_id, Store.Platform.BIGCOMMERCE)
        form = forms.ShopTokenForm(request.POST)
        if not form.is_valid():
            return self._refused(request, store, form)
        try:
            linking.renew_shop(store, form.cleaned_data["token"], now=clock.now(), by=request.user)
        except RuleViolation as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, store, [{"changed": {"fields": ["BigCommerce"]}}])
            messages.success(request, gettext("BigCommerce confirmed the store."))
        return self._to_store(store)

    @post_only("admin:stores_store_change")
    def link_view(self, request, object_id):
        store = self._changeable(request, object_id, Store.Platform.AMAZON)
        if request.POST.get("unlink"):
            linking.unlink(store)
            messages.success(request, gettext("The link is removed: OrderHub tells Amazon."))
            self.log_change(request, store, [{"changed": {"fields": ["BigCommerce"]}}])
            return self._to_store(store)
        form = forms.LinkForm(request.POST, store=store)
        if not form.is_valid():
            return self._again(request, store, form)
        try:
            self._link(store, form, by=request.user)
        except RuleViolation as error:
            asks_mails = not form.keeps_answer and not form.cleaned_data.get("mails_off")
            form.add_error("mails_off" if asks_mails else None, str(error))
            return self._again(request, store, form)
        self.log_change(request, store, [{"changed": {"fields": ["BigCommerce"]}}])
        text = gettext("Linked: %(shop)s mirrors this store. Both answers are kept.")
        messages.success(request, text % {"shop": store.linked_store})
        return self._to_store(store)

    @staticmethod
    def _link(store: Store, form: forms.LinkForm, *, by) -> None:
        """Link as chosen. What somebody said of the mails of this very shop stays, with who said it and when."""
        typed = form.cleaned_data
        said = {"mails_off": typed.get("mails_off", False), "now": clock.now(), "by": by}
        if form.keeps_answer:
            said = {"mails_off": True, "now": store.linked_mails_off_at, "by": store.linked_mails_off_by}
        linking.link(store, typed["shop"], told_by=typed["told_by"], **said)

    def _again(self, request, store: Store, form: forms.LinkForm):
        """The store's page with what was chosen and why it was refused; otherwise as if it had been opened."""
        form.focus()
        asked = copy(request)
        asked.method = "GET"
        return self.change_view(asked, str(store.pk), extra_context={"link_form": form})

    def _refused(self, request, store: Store, form) -> HttpResponseRedirect:
        for texts in form.errors.values():
            messages.error(request, " ".join(texts))
        return self._to_store(store)

    def _changeable(self, request, object_id: str, platform: str) -> Store:
        """A store of this platform, for someone who may change it. 403 before 404."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        store = self.get_object(request, unquote(object_id))
        if store is None or store.platform != platform:
            raise Http404
        if platform == Store.Platform.BIGCOMMERCE and not hasattr(store, "bigcommerce"):
            raise Http404
        return store

    @staticmethod
    def _to_store(store: Store) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:stores_store_change", args=[store.pk]))
