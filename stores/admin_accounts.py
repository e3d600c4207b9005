"""The screens of Amazon accounts: the list, and the page with its panels. Connecting: admin_wizard.py."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.lists import ShortSearch
from privacy.audited import Audited
from privacy.models.event import EventCode
from stores import authorizing, connecting, forms, health, overview, sellercentral, words
from stores.admin_signin import SignInViews, home_market
from stores.admin_wizard import ConnectionWizard
from stores.connectors.amazon.client import SEARCH_ORDERS
from stores.models import AmazonAccount


@admin.register(AmazonAccount)
class AmazonAccountAdmin(ConnectionWizard, SignInViews, Audited, ShortSearch, admin.ModelAdmin):
    """Accounts are connected, renewed and extended here; no column of theirs is typed."""

    added, changed = EventCode.STORE_CONNECTED, EventCode.STORE_CHANGED
    list_display = ["seller", "merchant", "region_words", "state", "expires", "behind", "stores_count"]
    list_select_related = ["merchant"]
    list_filter = ["status", "region"]
    search_fields = ["selling_partner_id", "merchant__name"]
    ordering = ["merchant__name", "region", "pk"]
    show_full_result_count = False
    actions = None
    add_words = _("Connect an Amazon account")

    # -- list

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(stores_total=Count("stores"))

    @admin.display(description=_("Seller ID"), ordering="selling_partner_id")
    def seller(self, account):
        return account.selling_partner_id

    @admin.display(description=_("Region"), ordering="region")
    def region_words(self, account):
        return words.REGION_WORDS[account.region]

    @admin.display(description=_("Status"), ordering="status")
    def state(self, account):
        return words.account_badge(account)

    @admin.display(description=_("Authorisation"), ordering="authorization_expires_at")
    def expires(self, account):
        return words.expiry_badge(account)

    def code_of(self, message):
        renewed = any("authorisation" in entry.get("changed", {}).get("fields", ()) for entry in message)
        return EventCode.STORE_REAUTHORISED if renewed else self.changed

    @admin.display(description=_("Import is behind by"), ordering="imported_until")
    def behind(self, account):
        return words.lag_words(account)

    @admin.display(description=_("Stores"))
    def stores_count(self, account):
        return account.stores_total

    # -- rights: the stock form shows and changes nothing; our own views ask for the right they need

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def lookup_allowed(self, lookup, value, request=None):
        """No guessing at the token or the cursor through the address bar."""
        name = lookup.split("__")[0]
        return name not in {"refresh_token", "page_token"} and super().lookup_allowed(lookup, value, request)

    def get_urls(self):
        view = self.admin_site.admin_view
        own = [
            *self.wizard_urls(),
            *self.sign_in_urls(),
            path(
                "<path:object_id>/sources/",
                view(self.add_sources_view),
                name="stores_amazonaccount_add_sources",
            ),
            path("<path:object_id>/resume/", view(self.resume_view), name="stores_amazonaccount_resume"),
            path("<path:object_id>/renew/", view(self.renew_view), name="stores_amazonaccount_renew"),
            path(
                "<path:object_id>/import-now/",
                view(self.import_now_view),
                name="stores_amazonaccount_import_now",
            ),
        ]
        return own + super().get_urls()

    # -- the account's page and its panels

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self._page(request, self._account(request, object_id))

    @post_only("admin:stores_amazonaccount_change")
    def add_sources_view(self, request, object_id):
        account = self._account(request, object_id, "stores.change_amazonaccount", "stores.add_store")
        open_sources = overview.unconnected(account, list(account.stores.all()))
        form = forms.SourcesForm(request.POST, codes=[row.code for row in open_sources if row.offered])
        if not form.is_valid():
            return self._page(request, account, sources_form=form)
        try:
            with transaction.atomic():
                added = connecting.add_sources(
                    account,
                    form.cleaned_data["sources"],
                    product_identifier=form.cleaned_data["product_identifier"],
                )
        except RuleViolation as error:
            form.add_error(None, str(error))
            return self._page(request, account, sources_form=form)
        labels = ", ".join(store.market.label for store in added)
        text = gettext("Connected: %(sources)s. Their recent orders come in with the next import.")
        messages.success(request, text % {"sources": labels})
        self.log_change(request, account, [{"changed": {"fields": [gettext_noop("order sources")]}}])
        return self._to_account(account.pk)

    @post_only("admin:stores_amazonaccount_change")
    @method_decorator(sensitive_post_parameters("token"))
    @sensitive_variables()
    def renew_view(self, request, object_id):
        account = self._account(request, object_id, "stores.change_amazonaccount")
        form = forms.RenewForm(request.POST)
        if form.is_valid():
            try:
                connecting.renew(account, form.cleaned_data["token"], now=clock.now(), by=request.user)
            except RuleViolation as error:
                form.add_error(None, str(error))
            else:
                text = gettext("The authorisation is renewed. Import and notices go on where they stopped.")
                messages.success(request, text)
                self.log_change(request, account, [{"changed": {"fields": [gettext_noop("authorisation")]}}])
        return self._after_renewal(request, account, form)

    def _after_renewal(self, request, account: AmazonAccount, form):
        """Back to the page the token was pasted on: the account's, or that of one of its stores."""
        asked = request.POST.get("store", "")
        is_id = asked.isascii() and asked.isdigit() and len(asked) < 19
        store = account.stores.filter(pk=asked).first() if is_id else None
        if store is None:
            return self._page(request, account, renew_form=form) if form.errors else self._to_account(account.pk)
        for texts in form.errors.values():
            messages.error(request, " ".join(texts))
        return HttpResponseRedirect(reverse("admin:stores_store_change", args=[store.pk]))

    @post_only("admin:stores_amazonaccount_change")
    def resume_view(self, request, object_id):
        account = self._account(request, object_id, "stores.change_amazonaccount")
        try:
            connecting.resume(account, now=clock.now(), by=request.user)
        except RuleViolation as error:
            messages.error(request, str(error))
        else:
            messages.success(request, gettext("The account works again. Import and notices go on where they stopped."))
            self.log_change(request, account, [{"changed": {"fields": ["status"]}}])
        return self._to_account(account.pk)

    @post_only("admin:stores_amazonaccount_change")
    def import_now_view(self, request, object_id):
        account = self._account(request, object_id, "stores.change_amazonaccount")
        if AmazonAccount.objects.filter(pk=account.pk).poll_now(clock.now()):
            text = gettext(
                "The import is due now: a worker takes it up within about a minute, as Amazon's limits allow."
            )
            messages.success(request, text)
        else:
            messages.error(request, health.words(account))
        return self._to_account(account.pk)

    def _account(self, request, object_id, *rights: str) -> AmazonAccount:
        """The account, for someone who may see it and holds these rights. 403 before 404."""
        if not self.has_view_permission(request) or not all(map(request.user.has_perm, rights)):
            raise PermissionDenied
        account = self.get_object(request, unquote(object_id))
        if account is None:
            raise Http404
        return account

    def _page(self, request, account, *, renew_form=None, sources_form=None):
        now = clock.now()
        stores = list(account.stores.order_by("pk"))
        unconnected = overview.unconnected(account, stores)
        offered = [row.code for row in unconnected if row.offered]
        buckets = overview.buckets(account, now=now)
        may_change = request.user.has_perm("stores.change_amazonaccount")
        answer = self._render(
            request,
            "stores/account_page.html",
            str(account),
            account=account,
            original=account,
            region=words.REGION_WORDS[account.region],
            status_badge=words.account_badge(account),
            trouble=health.words(account),
            expiry=words.expiry_badge(account),
            lag=words.lag_words(account),
            stores=[(store, words.store_badge(store)) for store in stores],
            buckets=buckets,
            next_search=next((row.next_call_at for row in buckets if row.operation == SEARCH_ORDERS.name), None),
            unconnected=unconnected,
            offered=offered,
            hosts=overview.seller_central_hosts(account.region, {s.marketplace for s in stores} | set(offered)),
            may_change=may_change,
            can_resume=may_change and health.can_resume(account, now=now),
            renew_form=renew_form or forms.RenewForm(auto_id="renew_%s"),
            sources_form=sources_form or forms.SourcesForm(codes=offered, auto_id="sources_%s"),
            sign_in_available=authorizing.available(),
            errors=words.consent_errors(),
        )
        return self._may_leave_for(answer, sellercentral.origin(home_market(account)))

    # -- shared

    def _to_account(self, account_id: int) -> HttpResponseRedirect:
        """To the top of the page, where the outcome stands: else the browser goes on to the panel it comes from."""
        return HttpResponseRedirect(f"{reverse('admin:stores_amazonaccount_change', args=[account_id])}#content-start")

    def _render(self, request, template: str, title: str, **context) -> TemplateResponse:
        request.current_app = self.admin_site.name
        common = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": title,
            "application_id": sellercentral.application_id(),
        }
        return TemplateResponse(request, template, common | context)
