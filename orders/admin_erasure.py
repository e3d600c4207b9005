"""Doors to erasure requests: asking, from an order or a customer, and the officer's list and decision."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.lists import ColumnFilter
from orderhub.wording import badge, utc
from orders import erasure_requests
from privacy import request_jobs, requests
from privacy.admin import ForPrivacyOfficer
from privacy.models import PersonalDataRequest
from privacy.models.request import RequestReason, RequestState

LEVELS = {
    RequestState.ASKED: "warn",
    RequestState.SECOND: "warn",
    RequestState.APPROVED: "info",
    RequestState.DONE: "ok",
    RequestState.REFUSED: "muted",
}
PAGE = "admin:privacy_personaldatarequest_change"


class _Asking:
    """What both doors share: GET shows what would be asked for, POST asks."""

    def _ask_erasure(self, request, subject, scope, *, back: str, title: str, crumbs: list[tuple[str, str]]):
        if not requests.may_ask(request.user):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        error = ""
        if request.method == "POST":
            try:
                asked = erasure_requests.ask(
                    scope, request.POST.get("reason", ""), by=request.user, now=clock.now(), request=request
                )
            except RuleViolation as refusal:
                error = str(refusal)
            else:
                text = _now("Request #%(request)d is with the privacy officer. Nothing is erased before it is decided.")
                messages.success(request, text % {"request": asked.pk})
                return HttpResponseRedirect(reverse(back, args=[subject.pk]))
        request.current_app = self.admin_site.name
        context = self.admin_site.each_context(request) | {
            "opts": self.opts, "title": title, "scope": scope, "reasons": RequestReason.choices, "error": error,
            "crumbs": crumbs, "back": reverse(back, args=[subject.pk]),
        }  # fmt: skip
        return TemplateResponse(request, "orders/erasure_ask.html", context)


class ErasureOfOrder(_Asking):
    """Part of the admin of orders."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.erasure_view)
        return [path("<int:pk>/erasure/", view, name="orders_order_erasure"), *super().get_urls()]

    def erasure_view(self, request, pk):
        if not self.has_view_permission(request):
            raise PermissionDenied
        order = get_object_or_404(self.get_queryset(request), pk=pk)
        page = "admin:orders_order_change"
        crumbs = [
            (_now("Orders"), reverse("admin:orders_order_changelist")),
            (order.order_number, reverse(page, args=[pk])),
        ]
        title = _now("Ask for the erasure of order %(number)s") % {"number": order.order_number}
        return self._ask_erasure(
            request, order, erasure_requests.of_order(order), back=page, title=title, crumbs=crumbs
        )


class ErasureOfCustomer(_Asking):
    """Part of the admin of customers: all orders of one."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.erasure_view)
        return [path("<int:pk>/erasure/", view, name="orders_customer_erasure"), *super().get_urls()]

    def erasure_view(self, request, pk):
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        page = "admin:orders_customer_change"
        name = _now("Customer #%(pk)d") % {"pk": pk}
        crumbs = [
            (_now("Customers"), reverse("admin:orders_customer_changelist")),
            (name, reverse(page, args=[pk])),
        ]
        title = _now("Ask for the erasure of customer #%(pk)d and all its orders") % {"pk": pk}
        return self._ask_erasure(request, row, erasure_requests.of_customer(row), back=page, title=title, crumbs=crumbs)


class StateFilter(ColumnFilter):
    title, parameter_name, codes = _("state"), "state", RequestState


class ReasonFilter(ColumnFilter):
    title, parameter_name, codes = _("reason"), "reason", RequestReason


@admin.register(PersonalDataRequest)
class PersonalDataRequestAdmin(ForPrivacyOfficer):
    """The officer's list, and the page on which a request is decided. Nothing of a person is on either."""

    change_list_template = "orders/erasure_requests.html"
    list_display = ["number", "state_words", "reason_words", "orders", "asked", "asked_by", "decided", "done"]
    list_display_links = None
    list_filter = [StateFilter, ReasonFilter]
    ordering = ["-asked_at"]  # Django adds the id

    @admin.display(description=pgettext_lazy("of a person", "request"), ordering="pk")
    def number(self, row):
        return format_html('<a href="{}" class="oh-number">#{}</a>', reverse(PAGE, args=[row.pk]), row.pk)

    @admin.display(description=_("state"), ordering="state")
    def state_words(self, row):
        return badge(row.get_state_display(), LEVELS[row.state])

    @admin.display(description=_("reason"), ordering="reason")
    def reason_words(self, row):
        return row.get_reason_display()

    @admin.display(description=_("orders"))
    def orders(self, row):
        return format_html('<span class="oh-number">{}</span>', len(row.order_ids))

    @admin.display(description=_("asked at"), ordering="asked_at")
    def asked(self, row):
        return utc(row.asked_at)

    @admin.display(description=_("decided by"))
    def decided(self, row):
        return row.decided_by or "–"

    @admin.display(description=_("done at"), ordering="done_at")
    def done(self, row):
        return utc(row.done_at)

    def get_urls(self):
        def deed(name, view):
            address = f"<int:pk>/{name}/"
            return path(address, self.admin_site.admin_view(view), name=f"privacy_personaldatarequest_{name}")

        return [deed("approve", self.approve_view), deed("refuse", self.refuse_view), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        request.current_app = self.admin_site.name
        mine_already = row.state == RequestState.SECOND and row.decided_by_id == request.user.pk
        context = self.admin_site.each_context(request) | {
            "opts": self.opts, "title": _now("Erasure request #%(request)d") % {"request": row.pk}, "row": row,
            "state": badge(row.get_state_display(), LEVELS[row.state]), "scope": erasure_requests.of_request(row),
            "undecided": row.state in requests.UNDECIDED, "mine_already": mine_already,
            "needs_second": len(row.order_ids) > requests.ONE_PERSON, "one_person": requests.ONE_PERSON,
            "total": len(row.order_ids),
        }  # fmt: skip
        return TemplateResponse(request, "orders/erasure_request.html", context)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("asked_by", "decided_by", "second_by")

    @post_only(PAGE)
    def approve_view(self, request, pk):
        return self._decide(request, pk, requests.approve)

    @post_only(PAGE)
    def refuse_view(self, request, pk):
        return self._decide(request, pk, requests.refuse)

    def _decide(self, request, pk: int, deed):
        if not (self.has_view_permission(request) and requests.may_decide(request.user)):
            raise PermissionDenied
        row = get_object_or_404(PersonalDataRequest, pk=pk)
        try:
            row = deed(row, by=request.user, now=clock.now(), request=request)
        except RuleViolation as error:
            messages.error(request, str(error))
        else:
            if row.state == RequestState.APPROVED:
                request_jobs.soon()
            messages.success(request, _told(row))
        return HttpResponseRedirect(reverse(PAGE, args=[pk]))


def _told(row: PersonalDataRequest) -> str:
    count = len(row.order_ids)
    if row.state == RequestState.APPROVED:
        text = ngettext(
            "Agreed: %(count)d order is being erased.", "Agreed: %(count)d orders are being erased.", count
        )  # fmt: skip
        return text % {"count": count}
    if row.state == RequestState.SECOND:
        return _now("Agreed. A second privacy officer must agree as well before anything is erased.")
    return _now("Refused. The orders keep their own dates.")
