"""Sign-in with Amazon: leaving for Seller Central, and coming back.

The way back is a GET that Amazon sends the browser to, with a code in its address. It always answers 303 to a clean
address, so that no code stays in the history, and no page below it can pass one on as a referrer.
"""

from dataclasses import replace

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.urls import path, reverse
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.middleware import CSP
from stores import authorizing, connecting, drafts, forms, marketplaces, sellercentral, verifying
from stores.authorizing import CameBack, Visitor
from stores.drafts import Draft
from stores.models import AmazonAccount

SEE_OTHER = 303
NO_REFERRER = "no-referrer"


def home_market(account: AmazonAccount) -> marketplaces.Marketplace:
    """The marketplace whose Seller Central the account belongs to: its tile, or where it has stores or sells."""
    sold_on = verifying.sources_of(account.participations, account.region)
    codes = [account.country, *account.stores.order_by("pk").values_list("marketplace", flat=True), *sold_on]
    known = [marketplaces.BY_CODE[code] for code in codes if code]
    return next(iter(known), None) or next(market for market in marketplaces.ALL if market.region == account.region)


class SignInViews:
    """Views that send a seller to Amazon and take them back, for the admin of accounts."""

    def sign_in_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("sign-in/callback/", self.callback_view, name="stores_amazonaccount_callback"),
            path("sign-in/from-amazon/", view(self.from_amazon_view), name="stores_amazonaccount_from_amazon"),
            path("<path:object_id>/sign-in/", view(self.renew_by_sign_in_view), name="stores_amazonaccount_sign_in"),
        ]

    # -- leaving

    def _leave_for_amazon(self, request, key: str, draft: Draft):
        """From the wizard: the merchant is known first, so that coming back leads straight to the order sources."""
        form = forms.MerchantForm(request.POST)
        if not authorizing.available():
            messages.error(request, _not_set_up())
            return self._to("account", key)
        if not form.is_valid():
            whole = self._account_form(request, draft)
            whole.is_valid()
            for name in ("seller_id", "token"):  # the sign-in brings them
                whole.errors.pop(name, None)
            return self._account_page(request, key, draft, whole)
        draft = self._typed(request, draft)
        self._keep(request, draft, key)
        state = authorizing.begin(_visitor(request), region=draft.market.region, now=clock.now(), draft_key=key)
        return self._away(
            sellercentral.consent_url(draft.market, state=state, redirect_uri=self._redirect_uri(request))
        )

    @post_only("admin:stores_amazonaccount_change")
    def renew_by_sign_in_view(self, request, object_id):
        account = self._account(request, object_id, "stores.change_amazonaccount")
        if not authorizing.available():
            messages.error(
                request, gettext("The operator has not set up the sign-in with Amazon: paste a token instead.")
            )
            return self._to_account(account.pk)
        state = authorizing.begin(_visitor(request), region=account.region, now=clock.now(), account=account)
        market = home_market(account)
        return self._away(sellercentral.consent_url(market, state=state, redirect_uri=self._redirect_uri(request)))

    def from_amazon_view(self, request):
        """Amazon's own start of the flow, from its Appstore: the address it names is followed only if it is Amazon's."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        asked = request.POST if request.method == "POST" else request.GET
        callback = sellercentral.trusted_callback(asked.get("amazon_callback_uri", ""))
        amazon_state = asked.get("amazon_state", "")
        if callback is None or not 0 < len(amazon_state) <= 1000:
            messages.error(
                request, gettext("This address did not come from Amazon. Start the connection here instead.")
            )
            return HttpResponseRedirect(reverse("admin:stores_amazonaccount_add"), status=SEE_OTHER)
        form = forms.TileForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._answer_amazon(request, form.cleaned_data["country"], callback, amazon_state)
        return self._from_amazon_page(request, form=form, callback=callback, amazon_state=amazon_state)

    def _from_amazon_page(self, request, **context):
        seller_id = (request.POST or request.GET).get("selling_partner_id", "")[:40]
        title = gettext("Amazon asks to connect a seller")
        return self._render(
            request, "stores/connect_from_amazon.html", title, seller_id=seller_id, choices=marketplaces.CODE_CHOICES,
            **context,
        )  # fmt: skip

    def _answer_amazon(self, request, country: str, callback: str, amazon_state: str):
        key = drafts.keep(request.session, Draft(country), now=clock.now())
        region = marketplaces.BY_CODE[country].region
        state = authorizing.begin(_visitor(request), region=region, now=clock.now(), draft_key=key)
        uri = self._redirect_uri(request)
        leave = sellercentral.callback_with(callback, amazon_state=amazon_state, state=state, redirect_uri=uri)
        # a link, not a redirect: browsers would count every host Amazon sends on to as the form's target
        return self._from_amazon_page(request, leave=leave)

    # -- coming back

    @sensitive_variables()
    def callback_view(self, request):
        """Not behind the log-in page of the admin: that would carry the code on in its own address."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if not self.admin_site.has_permission(request):
            messages.error(
                request, gettext("Your session has ended. Sign in, then start the sign-in with Amazon again.")
            )
            start = reverse("admin:stores_amazonaccount_changelist")
            return self._clean(f"{reverse('admin:login')}?next={start}")
        visitor, asked = _visitor(request), request.GET
        request.GET, request.META["QUERY_STRING"] = QueryDict(), ""  # error reports show both
        attempt = authorizing.draft_of(visitor, asked.get("state", ""))
        right = "stores.change_amazonaccount" if attempt and attempt.account_id else "stores.add_amazonaccount"
        if not request.user.has_perm(right):
            messages.error(request, gettext("Your role does not include connecting Amazon accounts."))
            return self._clean(reverse("admin:index"))
        try:
            found = authorizing.finish(
                visitor, state=asked.get("state", ""), seller_id=asked.get("selling_partner_id", ""),
                code=asked.get("spapi_oauth_code", ""), redirect_uri=self._redirect_uri(request), now=clock.now(),
            )  # fmt: skip
            return self._clean(self._taken_back(request, found))
        except RuleViolation as error:
            messages.error(request, str(error))
            return self._clean(self._place_of(attempt))

    @sensitive_variables()
    def _taken_back(self, request, found: CameBack) -> str:
        """Renew the account, or go on with the draft; returns where."""
        kind, account = AmazonAccount.CredentialKind.SIGN_IN, found.attempt.account
        if account is not None:
            connecting.renew(account, found.token, now=clock.now(), by=request.user, verified=found.verified, kind=kind)
            messages.success(
                request, gettext("The authorisation is renewed. Import and notices go on where they stopped.")
            )
            self.log_change(request, account, [{"changed": {"fields": ["authorisation"]}}])
            return self._place_of(found.attempt)
        key = found.attempt.draft_key
        known = connecting.known_account(found.attempt.region, found.verified.seller_id)
        if known is not None:
            drafts.drop(request.session, key)
            messages.warning(request, connecting.already_connected(known))
            return reverse("admin:stores_amazonaccount_change", args=[known.pk])
        draft = drafts.recall(request.session, key, now=clock.now())
        if draft is None or draft.market.region != found.attempt.region:
            raise RuleViolation(gettext("This connection was changed or has waited too long. Please start again."))
        if draft.seller_id and draft.seller_id != found.verified.seller_id:
            raise RuleViolation(
                gettext(
                    "You typed seller %(typed)s, but signed in as seller %(other)s. Sign in as the first, or empty the field “Seller ID”."
                )
                % {"typed": draft.seller_id, "other": found.verified.seller_id}
            )
        draft = draft.with_credentials(found.verified.seller_id, found.token, kind)
        draft = replace(draft, verified=found.verified)
        drafts.keep(request.session, draft, now=clock.now(), key=key)
        messages.success(request, gettext("Amazon confirmed seller %(seller)s.") % {"seller": draft.seller_id})
        step = "sources" if draft.is_confirmed else "account"
        return reverse(f"admin:stores_connect_{step}", args=[key])

    @staticmethod
    def _place_of(attempt) -> str:
        """Where an attempt began."""
        if attempt is None:
            return reverse("admin:stores_amazonaccount_add")
        if attempt.account_id:
            return reverse("admin:stores_amazonaccount_change", args=[attempt.account_id])
        return reverse("admin:stores_connect_account", args=[attempt.draft_key])

    # -- shared

    @staticmethod
    def _redirect_uri(request) -> str:
        """Exactly as registered at Amazon: from the settings, else this site's own address."""
        return settings.SPAPI_REDIRECT_URI or request.build_absolute_uri(reverse("admin:stores_amazonaccount_callback"))

    @staticmethod
    def _away(url: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(url, status=SEE_OTHER, headers={"Referrer-Policy": NO_REFERRER})

    @staticmethod
    def _clean(url: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(url, status=SEE_OTHER, headers={"Referrer-Policy": NO_REFERRER})

    @staticmethod
    def _may_leave_for(answer, origin: str):
        """Let this page's forms lead to Seller Central: browsers count the target of a redirect as the form's own.

        The page keeps the site's referrer policy: with `no-referrer` a browser posts `Origin: null`, and the form is refused.
        """
        answer.headers["Content-Security-Policy"] = CSP.replace("form-action 'self'", f"form-action 'self' {origin}")
        return answer


def _not_set_up() -> str:
    return gettext("The operator has not set up the sign-in with Amazon: paste a token instead.")


def _visitor(request) -> Visitor:
    return Visitor(request.user, request.session.session_key or "")
