"""Customers: who ordered, one record an address. Nothing is typed in; two records can be joined."""

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.lists import ChoiceFilter, ReadOnlyAdmin
from orderhub.wording import badge, stacked_utc
from orders import customers, customers_joining, customers_showing, revealing
from orders.admin_erasure import ErasureOfCustomer
from orders.filters import MOST_STORES
from orders.models import Customer
from orders.showing import LEVELS
from privacy import masks, requests
from stores.models import AmazonAccount, Merchant

MOST_ORDERS = 100  # on a customer's page
MOST_FOUND = 50


class MerchantFilter(ChoiceFilter):
    title, parameter_name = _("merchant"), "merchant"

    def lookups(self, request, model_admin):
        return [
            (str(pk), name) for pk, name in Merchant.objects.order_by("name").values_list("pk", "name")[:MOST_STORES]
        ]

    def narrow(self, rows, value, request):
        return rows.filter(merchant=value)


class AccountFilter(ChoiceFilter):
    title, parameter_name = _("Amazon account"), "account"

    def lookups(self, request, model_admin):
        found = AmazonAccount.objects.order_by("selling_partner_id", "region")[:MOST_STORES]
        return [("none", _now("none")), *((str(account.pk), str(account)) for account in found)]

    def narrow(self, rows, value, request):
        return rows.filter(account=None if value == "none" else value)


class StateFilter(ChoiceFilter):
    title, parameter_name = _("personal data"), "state"

    def lookups(self, request, model_admin):
        return [("kept", _now("kept")), ("erased", _now("erased"))]

    def narrow(self, rows, value, request):
        return rows.filter(marker="") if value == "kept" else rows.exclude(marker="")


class CustomerList(ChangeList):
    """The page's rows with their cards: names are read, and logged, for these rows only."""

    def get_results(self, request):
        super().get_results(request)
        self.result_list = list(self.result_list)
        found = customers_showing.cards(request.user, self.result_list, what="customer list")
        for row in self.result_list:
            row.card = found[row.pk]
        self.may_find = customers_showing.may_find(request.user)


@admin.register(Customer)
class CustomerAdmin(ErasureOfCustomer, ReadOnlyAdmin):
    change_list_template = "orders/customer_list.html"
    list_display = ["who", "email_words", "orders_count", "last_order", "account_words", "state"]
    list_display_links = None  # the number has its own link
    list_select_related = ["merchant", "account"]
    list_filter = [MerchantFilter, AccountFilter, StateFilter]
    ordering = ["-pk"]
    actions = None

    # -- the list

    def get_changelist(self, request, **kwargs):
        return CustomerList

    @admin.display(description=_("customer"))
    def who(self, row):
        url, name = reverse("admin:orders_customer_change", args=[row.pk]), row.card.name
        return format_html(
            '<a href="{}" class="oh-number">#{}</a> {}', url, row.pk,
            _quiet(_now("hidden")) if row.card.hidden else format_html('<span dir="auto" translate="no">{}</span>', name),
        )  # fmt: skip

    @admin.display(description=_("e-mail"))
    def email_words(self, row):
        if row.card.hidden:
            return _quiet(_now("hidden"))
        if not row.card.email:
            return "–"
        return format_html('<span translate="no">{}</span> {}', row.card.email, _relay_badge(row.card))

    @admin.display(description=_("orders"))
    def orders_count(self, row):
        return format_html('<span class="oh-number">{}</span>', row.card.orders)

    @admin.display(description=_("last order"), ordering="last_order_at")
    def last_order(self, row):
        return stacked_utc(row.last_order_at)

    @admin.display(description=_("merchant and account"))
    def account_words(self, row):
        return format_html("{}<br>{}", row.merchant, _quiet(row.account or _now("no Amazon account")))

    @admin.display(description=_("personal data"))
    def state(self, row):
        return badge(_now("erased")) if row.card.erased else _quiet(_now("kept"))

    # -- addresses

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("find/", view(self.find_view), name="orders_customer_find"),
            path("<int:pk>/join/", view(self.join_view), name="orders_customer_join"),
            path("<int:pk>/reveal/", view(self.reveal_view), name="orders_customer_reveal"),
        ]
        return ours + super().get_urls()

    @method_decorator(sensitive_post_parameters())
    @method_decorator(sensitive_variables())
    @post_only("admin:orders_customer_changelist")
    def find_view(self, request):
        """By the exact address only, from the body of the request: it is in no address, log or message."""
        if not (self.has_view_permission(request) and customers_showing.may_find(request.user)):
            raise PermissionDenied
        rows = list(
            customers.with_address(request.POST.get("email", ""))
            .select_related("merchant", "account")
            .order_by("-pk")[:MOST_FOUND]
        )
        if not rows:
            text = _now("No customer has exactly this address. One whose personal data was erased is not found by it.")
            self.message_user(request, text, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:orders_customer_changelist"))
        cards = customers_showing.cards(request.user, rows, what="customer search")
        if len(rows) == 1:
            return HttpResponseRedirect(reverse("admin:orders_customer_change", args=[rows[0].pk]))
        return self._answer(request, "orders/customer_found.html", title=_now("Customers found"), cards=cards.values())

    # -- the page of one customer

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return self._page(request, row)

    @post_only("admin:orders_customer_change")
    def reveal_view(self, request, pk):
        """The customer's page with what is masked, once, for a reason. A reload asks for it again."""
        if not (self.has_view_permission(request) and revealing.may(request.user)):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        try:
            reason = revealing.allow_customer(row, request.POST.get("reason", ""), request=request, now=clock.now())
        except RuleViolation as error:
            return self._back(request, row, str(error))
        return self._page(request, row, reason=reason)

    def _page(self, request, row, *, reason: str = ""):
        card = customers_showing.cards(request.user, [row], what="customer page", reason=reason)[row.pk]
        found = row.orders.select_related("store").order_by("-ordered_at", "-pk")[:MOST_ORDERS]
        return self._answer(
            request, "orders/customer_page.html", title=card.title, card=card,
            orders=[(order, badge(order.get_status_display(), LEVELS.get(order.status, "muted"))) for order in found],
            more=max(0, card.orders - MOST_ORDERS), may_join=self._may_join(request) and not card.erased,
            may_ask_erasure=requests.may_ask(request.user) and not card.erased, reveal_reasons=masks.Reason.choices,
            revealed_for=str(masks.Reason(reason).label) if reason else "",
        )  # fmt: skip

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("merchant", "account")

    def _answer(self, request, template, **context):
        return TemplateResponse(
            request, template, self.admin_site.each_context(request) | {"opts": self.opts} | context
        )

    # -- joining two records

    @staticmethod
    def _may_join(request) -> bool:
        return request.user.has_perm("orders.merge_customer")

    def join_view(self, request, pk):
        """GET shows what would happen, POST does it. `with`: the number of the record that is given up."""
        if not self._may_join(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        kept = get_object_or_404(self.get_queryset(request), pk=pk)
        given = request.POST if request.method == "POST" else request.GET
        other = self.get_queryset(request).filter(pk=_number(given.get("with", ""))).first()
        if other is None:
            return self._back(request, kept, _now("There is no customer with this number: it stands after the “#”."))
        if request.method == "POST":
            return self._join(request, kept, other)
        if refusal := customers_joining.why_not(kept, other):
            return self._back(request, kept, refusal)
        cards = customers_showing.cards(request.user, [kept, other], what="customer page")
        return self._answer(
            request, "orders/customer_join.html", title=_now("Join customer records"),
            kept=cards[kept.pk], other=cards[other.pk],
        )  # fmt: skip

    def _join(self, request, kept, other):
        number = other.pk
        try:
            moved = customers_joining.join(kept, other, by=request.user, now=clock.now())
        except RuleViolation as error:
            return self._back(request, kept, str(error))
        text = _now("Customer #%(other)d was joined to this record; orders moved: %(count)d.")
        return self._back(request, kept, text % {"other": number, "count": moved}, messages.SUCCESS)

    def _back(self, request, kept, text: str, level: int = messages.ERROR):
        self.message_user(request, text, level)
        return HttpResponseRedirect(reverse("admin:orders_customer_change", args=[kept.pk]))


def _quiet(word):
    return format_html('<span class="oh-quiet">{}</span>', word)


def _relay_badge(card):
    return badge(_now("relay")) if card.relay else ""


def _number(text: str) -> int:
    """`12` or `#12` as a number; 0, which no record has, for anything else."""
    digits = text.strip().removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0
