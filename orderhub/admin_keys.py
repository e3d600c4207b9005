"""API keys for administrators: made, shown once, changed, revoked; and what each client asks for. All of it recorded."""

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables

from orderhub import apikeys, apireport, clock, keystates
from orderhub.admin_keyforms import GIVING_NAMES, KeyForm, NewKeyForm
from orderhub.doors import allowed_methods
from orderhub.errors import RuleViolation
from orderhub.freshness import fresh_required
from orderhub.lists import ChoiceFilter, ReadOnlyAdmin
from orderhub.models import ApiKey
from orderhub.rest.scopes import SCOPES
from orderhub.wording import badge, day, stacked_utc
from privacy import audit
from privacy.models.event import EventCode
from stores.models import Store

LIST, PAGE = "admin:orderhub_apikey_changelist", "admin:orderhub_apikey_change"
NAMED = 2  # stores and scopes that the list names before it only counts them


class StateFilter(ChoiceFilter):
    title, parameter_name = _("state"), "state"

    def lookups(self, request, model_admin):
        return keystates.State.choices

    def narrow(self, rows, value, request):
        return rows.filter(keystates.those(value, now=clock.now()))


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Nothing here is deleted: a revoked key goes on naming what was done with it."""

    change_list_template = "admin/orderhub/apikey/list.html"
    add_words = _("New API key")
    list_display = ["name", "key", "owner", "allowed", "of_stores", "ends", "used", "rate_per_minute", "state_words"]
    list_filter = [StateFilter]
    list_select_related = ["owner"]
    ordering = ["name"]
    search_fields = ["name", "prefix"]
    search_help_text = _("A client or the beginning of a key")

    def has_add_permission(self, request):
        return request.user.has_perm("orderhub.add_apikey")

    def has_work_permission(self, request) -> bool:
        return request.user.has_perm("orderhub.change_apikey")

    def get_queryset(self, request):
        return super().get_queryset(request).defer("secret_hash")

    def changelist_view(self, request, extra_context=None):
        self._names = dict(Store.objects.values_list("pk", "name"))  # once for all rows
        return super().changelist_view(request, extra_context)

    @admin.display(description=_("key"), ordering="prefix")
    def key(self, key):
        return format_html('<span class="oh-number">{}…</span>', key.prefix)

    @admin.display(description=_("scopes"))
    def allowed(self, key):
        names = badge(_now("names"), "warn") if GIVING_NAMES & set(key.scopes) else ""
        if len(key.scopes) <= NAMED:
            return format_html("{} {}", ", ".join(key.scopes), names)
        return format_html(
            "{} {}", _now("%(count)d of %(all)d") % {"count": len(key.scopes), "all": len(SCOPES)}, names
        )

    @admin.display(description=_("stores"))
    def of_stores(self, key):
        if len(key.store_ids) <= NAMED:
            return ", ".join(self._names.get(pk, f"#{pk}") for pk in key.store_ids)
        return ngettext("%(count)d store", "%(count)d stores", len(key.store_ids)) % {"count": len(key.store_ids)}

    @admin.display(description=_("expires at"), ordering="expires_at")
    def ends(self, key):
        now = clock.now()
        level = keystates.ending_level(key, now=now)
        text = format_html('<span class="oh-number">{}</span>', day(key.expires_at))
        return format_html("{}<br>{}", text, badge(keystates.left(key, now=now), level)) if level else text

    @admin.display(description=_("last used at"), ordering="last_used_at")
    def used(self, key):
        return stacked_utc(key.last_used_at)

    @admin.display(description=_("state"))
    def state_words(self, key):
        found = keystates.state(key, now=clock.now())
        return badge(found.label, keystates.LEVELS[found])

    # -- one key

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("<int:pk>/edit/", view(self.edit_view), name="orderhub_apikey_edit"),
            path("<int:pk>/revoke/", view(self.revoke_view), name="orderhub_apikey_revoke"),
        ]
        return ours + super().get_urls()

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._add(request)

    @allowed_methods("GET", "HEAD", "POST")
    @fresh_required
    @sensitive_variables("token")
    def _add(self, request):
        """The token goes out with the answer to the very POST that made it: no session, message or address holds it."""
        form = NewKeyForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    key, token = apikeys.create(**form.cleaned_data, now=clock.now())
                    _record(request, key, "created")
            except RuleViolation as error:
                form.add_error(None, str(error))
            else:
                return self._page(request, "made", _now("New API key"), key=key, **_once(request, token))
        return self._page(request, "form", _now("New API key"), form=form)

    @allowed_methods("GET", "HEAD")
    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Reading only: the key's page, with the compatibility report. It is changed on a page of its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not object_id.isdigit() or len(object_id) > 18:
            raise Http404
        key, now = self._key(int(object_id)), clock.now()
        found = keystates.state(key, now=now)
        return self._page(
            request, "page", key.name, key=key, state=badge(found.label, keystates.LEVELS[found]),
            ending=keystates.ending_level(key, now=now), left=keystates.left(key, now=now),
            allowed=[(code, SCOPES.get(code, ""), code in GIVING_NAMES) for code in key.scopes],
            stores=Store.objects.filter(pk__among=key.store_ids).select_related("merchant").order_by("name"),
            report=apireport.of(key), reason=REASONS.get(key.revoked_because, ""),
            may_work=self.has_work_permission(request) and key.revoked_at is None,
        )  # fmt: skip

    def edit_view(self, request, pk):
        if not self.has_work_permission(request):
            raise PermissionDenied
        return self._edit(request, pk)

    @allowed_methods("GET", "HEAD", "POST")
    @fresh_required
    def _edit(self, request, pk):
        key = self._key(pk)
        form = KeyForm(request.POST) if request.method == "POST" else KeyForm.of(key)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    changed = apikeys.change(key, **form.cleaned_data)
                    for column in changed:
                        _record(request, key, f"changed: {column}")
            except RuleViolation as error:
                form.add_error(None, str(error))
            else:
                told = _now("Saved. It holds from the next request on.") if changed else _now("Nothing was changed.")
                self.message_user(request, told, messages.SUCCESS)
                return HttpResponseRedirect(reverse(PAGE, args=[pk]))
        return self._page(request, "form", key.name, form=form, key=key)

    def revoke_view(self, request, pk):
        if not self.has_work_permission(request):
            raise PermissionDenied
        return self._revoke(request, pk)

    @allowed_methods("GET", "HEAD", "POST")
    @fresh_required
    def _revoke(self, request, pk):
        key = self._key(pk)
        if request.method != "POST":
            return self._page(request, "revoke", key.name, key=key)
        with transaction.atomic():
            if done := apikeys.revoke(key, apikeys.Reason.BY_HAND, now=clock.now()):
                _record(request, key, "revoked")
        if done:
            told = _now("The key of %(client)s is revoked: its next request is refused.") % {"client": key.name}
            self.message_user(request, told, messages.SUCCESS)
        else:
            self.message_user(request, _now("This key was revoked already."), messages.INFO)
        return HttpResponseRedirect(reverse(PAGE, args=[pk]))

    @staticmethod
    def _key(pk: int) -> ApiKey:
        return get_object_or_404(ApiKey.objects.select_related("owner").defer("secret_hash"), pk=pk)

    def _page(self, request, name: str, title: str, **context) -> TemplateResponse:
        shared = self.admin_site.each_context(request) | {"opts": self.opts, "title": title}
        return TemplateResponse(request, f"admin/orderhub/apikey/{name}.html", shared | context)


REASONS = {
    apikeys.Reason.BY_HAND: _("by an administrator"),
    apikeys.Reason.IN_ADDRESS: _("by itself: it was sent in an address, where proxies and logs keep it"),
}


def _record(request, key: ApiKey, reason: str) -> None:
    audit.record(EventCode.KEY_CHANGED, request=request, kind="key", ids=[key.pk], reason=reason)


def _once(request, token: str) -> dict[str, str]:
    """The token in both forms, and where each API is reached from outside."""
    user, password = apikeys.basic_pair(token)
    there = request.build_absolute_uri("/").rstrip("/")
    hosts = settings.SHIPSTATION_HOSTS
    version_1 = f"{request.scheme}://{hosts[0]}" if hosts else f"{there}/shipstation"
    return {
        "token": token, "api_key": user, "api_secret": password, "native_url": f"{there}/api/v1", "v1_url": version_1,
    }  # fmt: skip
