"""The doors to “Where is order X?” and to fetching one order from Amazon now. Mixed into the admin of orders."""

import time
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.wording import about
from orders import fetching
from orders.tracing import is_amazons, tidy, trace
from stores.models import AmazonAccount

MOST_ASKED = 10  # accounts that one press of the button asks Amazon for
PATIENCE_S = 12  # after that no further account is asked


class WhereDoors:
    """`where/`: the question and its answer. `where/fetch/`, `<order>/fetch/`: ask Amazon."""

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("where/", view(self.where_view), name="orders_where"),
            path("where/fetch/", view(self.where_fetch_view), name="orders_where_fetch"),
            path("<int:pk>/fetch/", view(self.fetch_view), name="orders_order_fetch"),
        ]
        return ours + super().get_urls()

    def where_view(self, request):
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        number = tidy(request.GET.get("number", ""))
        found = trace(number, request.user, now=clock.now()) if number else None
        action = found.verdict.action if found else None
        context = self.admin_site.each_context(request) | {
            "title": _("Where is order…?"), "opts": self.opts, "number": number, "trace": found,
            "accounts": _askable() if found and found.can_be_asked else [], "most_asked": MOST_ASKED,
            "asks_all": action is not None and action.fetches and action.account is None,
        }  # fmt: skip
        return TemplateResponse(request, "orders/where.html", context)

    def where_fetch_view(self, request):
        """Ask Amazon for a number nobody here knows: one account, or each that may have it."""
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        number = tidy(request.POST.get("number", "") if request.method == "POST" else request.GET.get("number", ""))
        if request.method == "POST":
            self._allow(request.user.has_perm("orders.fetch_order"))
            self._ask_amazon(request, number, request.POST.get("account", ""))
        return HttpResponseRedirect(f"{reverse('admin:orders_where')}?{urlencode({'number': number})}")

    def _ask_amazon(self, request, number: str, account: str) -> None:
        if not is_amazons(number):
            self.message_user(request, _("Amazon's order numbers have 3, 7 and 7 digits."), messages.ERROR)
            return
        chosen = fetching.candidates(number)
        if account.isascii() and account.isdigit() and len(account) < 19:
            chosen = list(AmazonAccount.objects.filter(pk=int(account)))
        started, asked = time.monotonic(), []
        for candidate in chosen[:MOST_ASKED]:
            if asked and time.monotonic() - started > PATIENCE_S:
                break
            asked.append(candidate)
            if self._fetch_one(request, candidate, number):
                return
        self._not_given(request, number, asked, more=len(chosen) > len(asked))

    def _fetch_one(self, request, account: AmazonAccount, number: str, *, alone: bool = False) -> bool:
        """Whether Amazon gave it for this account; what came of it, or stood in the way, is said.

        That Amazon does not know it is said here only where no other account is asked.
        """
        try:
            outcome = fetching.fetch(account, number, now=clock.now(), by=request.user)
        except RuleViolation as error:
            self.message_user(request, about(number, str(error)), messages.ERROR)
            return False
        if outcome == fetching.UNKNOWN:
            if alone:
                self._not_given(request, number, [account], more=False)
            return False
        level = messages.SUCCESS if outcome in fetching.TAKEN_IN else messages.WARNING
        self.message_user(request, about(number, fetching.words(outcome)), level)
        return True

    def _not_given(self, request, number: str, asked: list[AmazonAccount], *, more: bool) -> None:
        if not asked:
            text = _("No account can be asked: connect one, or renew those that have stopped.")
        else:
            text = _("Amazon was asked for %(accounts)s and did not give this order.") % {
                "accounts": ", ".join(map(str, asked))
            }
        if more:
            text += " " + _("There are more accounts: choose the one it was made with.")
        self.message_user(request, about(number, text), messages.WARNING)

    @post_only("admin:orders_order_change")
    def fetch_view(self, request, pk):
        self._allow(request.user.has_perm("orders.fetch_order"))
        order = get_object_or_404(self.get_queryset(request), pk=pk)
        account = order.store.account
        if account is None:
            self.message_user(request, _("This order did not come from Amazon."), messages.ERROR)
        else:
            self._fetch_one(request, account, order.order_number, alone=True)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))


def _askable() -> list[AmazonAccount]:
    return list(AmazonAccount.objects.working().select_related("merchant").order_by("merchant__name", "pk"))
