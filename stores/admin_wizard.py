"""Connecting an account in steps: country tile, how to authorise, the account, order sources, product identifiers.

What was typed waits in a sealed draft (stores/drafts.py), so that every step can be left and come back to. Nothing is
saved before the last one; the token never goes back to the browser.
"""

from dataclasses import replace

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from orderhub import clock
from orderhub.errors import RuleViolation
from stores import authorizing, connecting, drafts, forms, sellercentral, tiles, verifying, words
from stores.admin_steps import Steps, of_another_seller, posted, step
from stores.drafts import Draft
from stores.models import AmazonAccount, Merchant, Store


class ConnectionWizard(Steps):
    """The wizard's views, for the admin of accounts."""

    def wizard_urls(self) -> list:
        def at(name, view):
            address = f"add/<str:key>/{name}/"
            return path(address, self.admin_site.admin_view(view), name=f"stores_connect_{name}")

        return [
            at("country", self.country_view), at("authorise", self.authorise_view), at("account", self.account_view),
            at("other-tile", self.other_tile_view), at("sources", self.sources_view), at("products", self.products_view),
        ]  # fmt: skip

    # -- step 1: the country tile

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._country(request, key="", draft=None)

    @step
    def country_view(self, request, key, draft):
        return self._country(request, key=key, draft=draft)

    def _country(self, request, *, key: str, draft: Draft | None):
        form = forms.TileForm(posted(request))
        if form.is_valid():
            code = form.cleaned_data["country"]
            key = self._keep(request, draft.in_country(code) if draft else Draft(code), key)
            return self._to("authorise", key)
        chosen = draft.country if draft else ""
        return self._step(
            request, "country", key, draft, gettext("Country of the seller account"),
            form=form, groups=tiles.groups(), chosen=chosen,
        )  # fmt: skip

    # -- step 2: how to authorise

    @step
    def authorise_view(self, request, key, draft):
        return self._step(
            request, "authorise", key, draft, gettext("Authorise OrderHub in Seller Central"),
            developer_name=settings.SPAPI_DEVELOPER_NAME, errors=words.consent_errors(),
            sign_in_available=authorizing.available(),
        )  # fmt: skip

    # -- step 3: the account, verified

    @method_decorator(sensitive_post_parameters("token"))
    @sensitive_variables()
    @step
    def account_view(self, request, key, draft):
        if request.method == "POST" and request.POST.get("how") == "sign_in":
            return self._leave_for_amazon(request, key, draft)
        form = self._account_form(request, draft)
        if form.is_valid():
            try:
                return self._verify(request, key, draft, form.cleaned_data)
            except verifying.WrongTile as problem:
                return self._account_page(request, key, draft, form, problem=problem)
            except verifying.TokenRefused as error:
                return self._without_token(request, key, error)
            except RuleViolation as error:
                form.add_error(None, str(error))
                return self._account_page(request, key, draft, form)
        return self._account_page(request, key, draft, form, problem=draft.wrong_tile)

    @staticmethod
    def _account_form(request, draft: Draft) -> forms.AccountForm:
        typed = {
            "merchant": draft.merchant_id, "new_merchant": draft.new_merchant, "seller_id": draft.seller_id,
        }  # fmt: skip
        return forms.AccountForm(
            posted(request), initial=typed,
            kept_for=draft.seller_id if draft.token else "",
        )  # fmt: skip

    @sensitive_variables()
    def _without_token(self, request, key: str, error: RuleViolation):
        """A token Amazon refused is not kept, and not offered again."""
        draft = replace(drafts.recall(request.session, key, now=clock.now()), token="", verified=None)
        self._keep(request, draft, key)
        form = self._account_form(request, draft)
        form.add_error("token", str(error))
        return self._account_page(request, key, draft, form)

    def _account_page(self, request, key, draft, form, problem=None):
        answer = self._step(
            request, "account", key, draft, gettext("Seller account"), form=form, problem=problem,
            other_tile=problem and tiles.label(problem.country), sign_in_available=authorizing.available(),
            errors=words.consent_errors(),
        )  # fmt: skip
        # the form's answer may be a redirect to Seller Central, which browsers count as its target
        return self._may_leave_for(answer, sellercentral.origin(draft.market))

    @sensitive_variables()
    def _verify(self, request, key: str, draft: Draft, typed: dict):
        merchant = typed["merchant"]
        draft = draft.for_merchant(merchant and merchant.pk, typed["new_merchant"])
        draft = draft.with_credentials(typed["seller_id"], typed["token"], AmazonAccount.CredentialKind.TOKEN)
        self._keep(request, draft, key)
        known = connecting.known_account(draft.market.region, draft.seller_id)
        if known is not None:
            drafts.drop(request.session, key)
            return self._to_known(request, known)
        if draft.verified is None:
            verified = verifying.verify(draft.market.region, draft.seller_id, draft.token)
            draft = replace(draft, verified=verified)
            self._keep(request, draft, key)
        verifying.check_tile(draft.verified, draft.country)
        return self._to("sources", key)

    def _to_known(self, request, known: AmazonAccount):
        messages.warning(request, connecting.already_connected(known))
        return self._to_account(known.pk)

    @step
    def other_tile_view(self, request, key, draft):
        """The remedy of a wrong tile in one click: the tile that fits, with the wanted source ticked (R8)."""
        problem = draft.wrong_tile
        if request.method != "POST" or problem is None:
            return self._to("account", key)
        chosen = (problem.source,) if problem.source else ()
        self._keep(request, replace(draft.in_country(problem.country), sources=chosen), key)
        return self._to("sources", key)

    # -- step 4: order sources

    @step
    def sources_view(self, request, key, draft):
        behind = self._left_behind(draft)
        if behind:
            return self._to(behind, key)
        codes = draft.verified.codes
        initial = {"professional": draft.declared} | ({"sources": list(draft.sources)} if draft.sources else {})
        declare = draft.verified.plan == AmazonAccount.Plan.DECLARED
        form = forms.ChosenSourcesForm(posted(request), codes=codes, initial=initial, declare_plan=declare)
        if of_another_seller(request, draft):
            return self._other_tab(request, key)
        if form.is_valid():
            chosen = tuple(code for code in form.cleaned_data["sources"] if code in codes)
            if len(chosen) == len(form.cleaned_data["sources"]):
                self._keep(request, replace(draft, sources=chosen, declared=declare), key)
                return self._to("products", key)
            form.add_error(None, self._not_sold(draft))
        return self._step(
            request, "sources", key, draft, gettext("Choose the order sources"), form=form,
            region=words.REGION_WORDS[draft.verified.region],
        )  # fmt: skip

    @staticmethod
    def _not_sold(draft: Draft) -> str:
        labels = ", ".join(words.source_words(code) for code in draft.verified.codes)
        return gettext("Choose among the order sources Amazon confirmed: %(choices)s.") % {"choices": labels}

    # -- step 5: product identifiers, and save

    @sensitive_variables()
    @step
    def products_view(self, request, key, draft):
        behind = self._left_behind(draft) or ("" if draft.sources and not draft.lacks_declaration else "sources")
        if behind:
            return self._to(behind, key)
        form = forms.IdentifiersForm(posted(request), codes=draft.sources, known=draft.identifiers)
        if of_another_seller(request, draft):
            return self._other_tab(request, key)
        if form.is_valid():
            draft = replace(draft, identifiers=form.cleaned_data)
            self._keep(request, draft, key)
            try:
                account = self._connect(request, draft)
            except RuleViolation as error:
                form.add_error(None, str(error))
            else:
                drafts.drop(request.session, key)
                return self._connected(request, account, draft)
        return self._step(
            request, "products", key, draft, gettext("Choose the product identifier"), form=form,
            merchant=self._merchant_name(draft), sources=", ".join(map(tiles.label, draft.sources)),
        )  # fmt: skip

    @staticmethod
    def _merchant_name(draft: Draft) -> str:
        known = Merchant.objects.filter(pk=draft.merchant_id).first() if draft.merchant_id else None
        return known.name if known else draft.new_merchant

    @sensitive_variables()
    @transaction.atomic
    def _connect(self, request, draft: Draft) -> AmazonAccount:
        """A new merchant comes into being with its account, or not at all."""
        known = connecting.known_account(draft.verified.region, draft.seller_id)
        if known is not None:  # the first thing to say, before anything of a merchant
            raise RuleViolation(connecting.already_connected(known))
        merchant = self._merchant(draft)
        account = connecting.connect(
            draft.verified, draft.token, merchant=merchant, sources=list(draft.sources), now=clock.now(),
            by=request.user, identifiers=draft.identifiers, country=draft.country, kind=draft.kind,
        )  # fmt: skip
        self.log_addition(request, account, [{"added": {}}])
        return account

    @staticmethod
    def _merchant(draft: Draft) -> Merchant:
        if draft.merchant_id is not None:
            known = Merchant.objects.filter(pk=draft.merchant_id).first()
            if known is None:
                raise RuleViolation(gettext("This merchant no longer exists. Choose another on the “Account” step."))
            return known
        try:
            with transaction.atomic():
                return Merchant.objects.create(name=draft.new_merchant)
        except IntegrityError:
            raise RuleViolation(
                gettext("Somebody added a merchant of this name meanwhile. Choose it on the “Account” step.")
            ) from None

    def _connected(self, request, account: AmazonAccount, draft: Draft):
        """R11: the settings of the store that was wanted, or of the first one."""
        stores = list(account.stores.order_by("pk"))
        text = ngettext(
            "The account is connected with %(count)d store. Orders come in within a few minutes.",
            "The account is connected with %(count)d stores. Orders come in within a few minutes.",
            len(stores),
        )
        messages.success(request, text % {"count": len(stores)})
        if len(stores) > 1:
            links = format_html_join(", ", '<a href="{}">{}</a>', ((_page_of(store), store.name) for store in stores))
            text = gettext("Each order source is a store with settings of its own: {stores}.")
            messages.info(request, format_html(text, stores=links))
        first: Store = next((store for store in stores if store.marketplace == draft.country), stores[0])
        return HttpResponseRedirect(_page_of(first))


def _page_of(store: Store) -> str:
    return reverse("admin:stores_store_change", args=[store.pk])
