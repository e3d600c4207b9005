"""What the buttons of a store's page do, and its two pages that only show: each an address of its own."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from stores import customfields, features, forms_store, historywords, letters, logos, panels, samples, senders
from stores.models import MAPPED_FIELDS, Store

PAGE = "admin:stores_store_change"


class StoreDeeds:
    """Part of StoreAdmin. Every deed asks for its rights here or in the function it calls, whatever the page showed."""

    def get_urls(self):
        def own(name, view):
            address = f"<path:object_id>/{name}/"
            return path(address, self.admin_site.admin_view(view), name=f"stores_store_{name.replace('-', '_')}")

        return [
            own("grant", self.grant_view),
            own("custom-fields", self.custom_fields_view),
            own("logo", self.logo_view),
            own("preview", self.preview_view),
            *super().get_urls(),
        ]

    def _store(self, request, object_id, *rights: str) -> Store:
        """The store, for someone who may see it and holds these rights. 403 before 404."""
        if not self.has_view_permission(request) or not all(map(request.user.has_perm, rights)):
            raise PermissionDenied
        store = self.get_object(request, unquote(object_id))
        if store is None:
            raise Http404
        return store

    @staticmethod
    def _back(store: Store) -> HttpResponseRedirect:
        """The page from its top, where the outcome stands."""
        return HttpResponseRedirect(reverse(PAGE, args=[store.pk]))

    # -- features

    @post_only(PAGE)
    def grant_view(self, request, object_id):
        store = self._store(request, object_id)
        form = forms_store.GrantForm(request.POST)
        # an empty reason goes on: whether this user may change the feature at all is the first thing to say
        form.is_valid()
        if set(form.errors) - {"reason"} or len(request.POST.get("reason", "")) > 200:
            messages.error(request, gettext("Nothing was changed: the form was not complete."))
        else:
            self._grant(request, store, form.cleaned_data)
        return self._back(store)

    def _grant(self, request, store: Store, wish: dict) -> None:
        try:
            record = features.grant(
                store,
                wish["feature"],
                by=request.user,
                reason=wish.get("reason", ""),
                enabled=wish["enabled"],
            )
        except RuleViolation as error:
            messages.error(request, str(error))
            return
        self.log_change(request, store, historywords.switched(record.feature, record.enabled))
        text = gettext("%(feature)s: enabled.") if record.enabled else gettext("%(feature)s: disabled.")
        messages.success(request, text % {"feature": record.get_feature_display().capitalize()})

    # -- custom fields

    @post_only(PAGE)
    def custom_fields_view(self, request, object_id):
        """Keep the mapping; or only look at it, by an address that names sources and no values."""
        store = self._store(request, object_id)
        if "preview" in request.POST:
            asked = panels.asked_sources(request.POST) or store.mapping
            query = urlencode(dict(zip(MAPPED_FIELDS, asked, strict=True)))
            return HttpResponseRedirect(f"{reverse(PAGE, args=[store.pk])}?{query}#custom-fields")
        more = [name for name in request.POST if name.startswith("custom_field_") and name not in MAPPED_FIELDS]
        try:
            wanted = [request.POST.get(name, "") for name in (*MAPPED_FIELDS, *more)]
            customfields.map_fields(store, wanted, by=request.user)
        except RuleViolation as error:
            messages.error(request, str(error))
        else:
            messages.success(request, gettext("The custom fields are mapped."))
            self.log_change(request, store, historywords.changed(*MAPPED_FIELDS))
        return self._back(store)

    # -- buttons of the form: its settings are saved first, so nothing typed is lost

    def do_more(self, request, store: Store) -> None:
        """What the pressed button asks for besides saving: the sender confirmed or not any more, the logo removed."""
        deed = request.POST.get("deed")
        if deed == "remove-logo":
            self._remove_logo(request, store)
        elif deed == "confirm-sender" and panels.sends_mails(store):
            self._confirm_sender(request, store)
        elif deed == "withdraw-sender" and panels.sends_mails(store):
            self._withdraw_sender(request, store)

    def _confirm_sender(self, request, store: Store) -> None:
        """The address on the screen: the one typed, else the one the button named, which may have changed since."""
        address = store.brand_from_email or request.POST.get("shown_sender", "")
        try:
            senders.confirm_sender(store, address, by=request.user, now=clock.now())
        except RuleViolation as error:
            messages.error(request, str(error))
            return
        messages.success(request, gettext("Kept: %(address)s is an approved sender.") % {"address": address})
        self.log_change(request, store, historywords.changed("approved_sender"))

    def _withdraw_sender(self, request, store: Store) -> None:
        senders.forget_confirmation(store)
        text = gettext(
            "The confirmation is withdrawn: no mail with a return label is sent until a sender is confirmed."
        )
        messages.success(request, text)
        self.log_change(request, store, historywords.changed("approved_sender"))

    def _remove_logo(self, request, store: Store) -> None:
        """A picture chosen at the same time has replaced the one that was to go; it stays."""
        if request.FILES.get("logo") or not store.brand_logo:
            return
        logos.remove(store)
        messages.success(request, gettext("The logo is removed."))
        self.log_change(request, store, historywords.changed("logo"))

    # -- logo

    def logo_view(self, request, object_id):
        """The picture, for those who may see the store. It was drawn by us and is nothing but a PNG."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        store = self._store(request, object_id)
        try:
            with store.brand_logo.open("rb") as file:
                drawn = file.read()
        except (ValueError, OSError):  # none, or removed a moment ago
            raise Http404 from None
        headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": 'inline; filename="logo.png"'}
        return HttpResponse(drawn, content_type="image/png", headers=headers)

    # -- preview

    def preview_view(self, request, object_id):
        """What buyers would get, with an invented order."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        store = self._store(request, object_id)
        request.current_app = self.admin_site.name
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": gettext("Preview of %(store)s") % {"store": store},
            "store": store,
            "shop": letters.shown_name(store),
            "slip": samples.slip(store, today=clock.now().astimezone(store.zone).date()),
            "mail": samples.return_mail(store),
        }
        return TemplateResponse(request, "stores/store_preview.html", context)
