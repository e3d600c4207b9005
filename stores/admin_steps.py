"""What all steps of connecting share: who may take one, moving between them without losing input, and their pages."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from orderhub import clock
from orderhub.validators import in_one_line
from stores import drafts, forms, sellercentral
from stores.drafts import Draft
from stores.models import AmazonAccount, Merchant, Store

STEPS = [
    ("country", _("Country")),
    ("authorise", _("Authorisation")),
    ("account", _("Account")),
    ("sources", _("Order sources")),
    ("products", _("Products")),
]


def step(view: Callable) -> Callable:
    """A step of the wizard: for those who may connect, with the draft its key stands for."""

    @wraps(view)
    def guarded(self, request, key):
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        draft = drafts.recall(request.session, key, now=clock.now())
        if draft is None:
            text = gettext(
                "This connection was finished already or has waited for over 30 minutes. Please start again."
            )
            messages.warning(request, text)
            return HttpResponseRedirect(reverse("admin:stores_amazonaccount_add"))
        if request.method == "POST" and request.POST.get("go") in dict(STEPS):
            return self._go(request, key, draft, view.__name__)
        return view(self, request, key, draft)

    return guarded


def of_another_seller(request, draft: Draft) -> bool:
    """Whether the page this form comes from showed another seller: two tabs may work on one draft."""
    return request.method == "POST" and request.POST.get("seller", draft.seller_id) != draft.seller_id


def posted(request):
    """The form's data, however empty; None where nothing was posted."""
    return request.POST if request.method == "POST" else None


class Steps:
    """Part of the admin of accounts."""

    @sensitive_variables()
    def _go(self, request, key: str, draft: Draft, page: str):
        """To another step by its number or by "Back": what this page holds is kept as it is, right or wrong."""
        if of_another_seller(request, draft):
            return self._other_tab(request, key)
        if page == "account_view":
            draft = self._typed(request, draft)
        elif page == "sources_view" and draft.verified is not None:
            ticked = request.POST.getlist("sources")
            chosen = tuple(code for code in draft.verified.codes if code in ticked)
            draft = replace(draft, sources=chosen, declared="professional" in request.POST)
        elif page == "products_view":
            chosen = {code: request.POST.get(code, "") for code in draft.sources}
            known = {code: kind for code, kind in chosen.items() if kind in Store.Identifier.values}
            draft = replace(draft, identifiers=draft.identifiers | known)
        self._keep(request, draft, key)
        return self._to(request.POST["go"], key)

    @staticmethod
    @sensitive_variables()
    def _typed(request, draft: Draft) -> Draft:
        """The draft with what was typed of merchant and account, before anybody checked it."""
        wanted = request.POST.get("merchant", "")
        is_id = wanted.isascii() and wanted.isdigit() and len(wanted) < 19
        known = Merchant.objects.filter(pk=wanted).first() if is_id else None
        name = in_one_line(request.POST.get("new_merchant", ""))[: forms.MERCHANT_NAME_LENGTH]
        draft = draft.for_merchant(known and known.pk, "" if known else name)
        seller_id, token = request.POST.get("seller_id", "")[:40], request.POST.get("token", "")[:2048]
        return draft.with_credentials(seller_id, token, AmazonAccount.CredentialKind.TOKEN)

    def _other_tab(self, request, key: str):
        text = gettext(
            "Another seller was verified meanwhile, in another tab. Look at this page again before you go on."
        )
        messages.warning(request, text)
        return self._to("sources", key)

    @staticmethod
    def _left_behind(draft: Draft) -> str:
        """The step that has to be done first, or ''."""
        return "" if draft.is_confirmed else "account"

    @staticmethod
    def _keep(request, draft: Draft, key: str = "") -> str:
        return drafts.keep(request.session, draft, now=clock.now(), key=key)

    @staticmethod
    def _to(name: str, key: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse(f"admin:stores_connect_{name}", args=[key]))

    def _step(self, request, name: str, key: str, draft: Draft | None, title: str, **context):
        """A page of the wizard, with the way to every step that was reached: by buttons, so that nothing typed is lost."""
        market = draft.market if draft else None
        return self._render(
            request, f"stores/connect_{name}.html", title, key=key, draft=draft, market=market,
            steps=self._rail(name, key, draft), hosts=[market.host] if market else [],
            seller_central=sellercentral.origin(market) if market else "", **context,
        )  # fmt: skip

    @staticmethod
    def _rail(current: str, key: str, draft: Draft | None) -> list[dict]:
        reached = 0
        if draft is not None:
            reached = 2 if not draft.is_confirmed else 4 if draft.sources else 3
        return [
            {
                "number": number + 1, "name": name, "label": label, "current": name == current,
                "reached": bool(key) and number <= reached,
            }
            for number, (name, label) in enumerate(STEPS)
        ]  # fmt: skip
