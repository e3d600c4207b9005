"""Webhooks for administrators: where clients are told, whether it works, and the log of what was sent. No secrets."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.lists import ChoiceFilter, ColumnFilter, ReadOnlyAdmin
from orderhub.webhooks import sending, subscribing, words
from orderhub.webhooks.models import Delivery, Endpoint, State, Surface
from orderhub.wording import badge, stacked_utc, utc
from stores.models import Store

PAGE = "admin:webhooks_endpoint_change"
SHOWN = 50  # deliveries on an endpoint's page


class OnFilter(ChoiceFilter):
    title, parameter_name = _("state"), "state"

    def lookups(self, request, model_admin):
        return [("on", _("on")), ("off", _("off")), ("failing", _("failing"))]

    def narrow(self, rows, value, request):
        wanted = {"on": Q(active=True), "off": Q(active=False), "failing": Q(active=True, failures__gt=0)}
        return rows.filter(wanted[value])


class SurfaceFilter(ColumnFilter):
    title, parameter_name, codes = _("API"), "surface", Surface


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    change_form_template = "webhooks/endpoint_page.html"
    change_list_template = "webhooks/endpoint_list.html"
    list_display = ["number", "url_shown", "client", "told_of", "waiting", "state_words", "made"]
    list_filter = [OnFilter, SurfaceFilter]
    list_select_related = ["key"]
    ordering = ["-pk"]
    fields = ["client", "surface", "url_shown", "told_of", "of_stores", "state_words", "off_since", "made"]
    readonly_fields = fields

    def get_queryset(self, request):
        waiting = Count("deliveries", filter=Q(deliveries__state__in=[State.WAITING, State.IN_FLIGHT]))
        return super().get_queryset(request).defer("url", "secret").annotate(waiting_count=waiting)

    @admin.display(description=_("webhook"), ordering="pk")
    def number(self, endpoint):
        return endpoint.name or f"#{endpoint.pk}"

    @admin.display(description=_("client"), ordering="key__name")
    def client(self, endpoint):
        return endpoint.key.name if endpoint.key else "–"

    @admin.display(description=_("events"))
    def told_of(self, endpoint):
        return ", ".join(endpoint.events)

    @admin.display(description=_("stores"))
    def of_stores(self, endpoint):
        if not endpoint.store_ids:
            return _now("all that its key sees")
        return ", ".join(map(str, Store.objects.filter(pk__among=endpoint.store_ids).order_by("name")))

    @admin.display(description=_("waiting"))
    def waiting(self, endpoint):
        return endpoint.waiting_count

    @admin.display(description=_("state"), ordering="active")
    def state_words(self, endpoint):
        return badge(*words.state(endpoint, now=clock.now()))

    @admin.display(description=_("off since"))
    def off_since(self, endpoint):
        return utc(endpoint.disabled_at)

    @admin.display(description=_("created at"), ordering="created_at")
    def made(self, endpoint):
        return stacked_utc(endpoint.created_at)

    # -- one endpoint

    def change_view(self, request, object_id, form_url="", extra_context=None):
        endpoint = Endpoint.objects.filter(pk=object_id).only("name").first() if object_id.isdigit() else None
        rows = Delivery.objects.filter(endpoint=endpoint)[:SHOWN] if endpoint else []
        log = [(row, badge(row.get_state_display(), words.LEVELS[row.state]), words.answer(row)) for row in rows]
        title = self.number(endpoint) if endpoint else None
        more = {"log": log, "may_work": self._may_work(request), "title": title, "subtitle": None}
        return super().change_view(request, object_id, form_url, more | (extra_context or {}))

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("<int:pk>/test/", view(self.test_view), name="webhooks_endpoint_test"),
            path("<int:pk>/switch/", view(self.switch_view), name="webhooks_endpoint_switch"),
        ]
        return ours + super().get_urls()

    @post_only(PAGE)
    def test_view(self, request, pk):
        endpoint = self._endpoint(request, pk)
        try:
            delivery = sending.ping(endpoint, now=clock.now())
        except RuleViolation as error:
            self.message_user(request, str(error), messages.ERROR)
            return self._back(pk)
        if delivery.state == State.DELIVERED:
            told, level = _now("The receiver took the test message (%(answer)s)."), messages.SUCCESS
        else:
            told, level = _now("The receiver did not take the test message: %(answer)s."), messages.ERROR
        self.message_user(request, told % {"answer": words.answer(delivery)}, level)
        return self._back(pk)

    @post_only(PAGE)
    def switch_view(self, request, pk):
        endpoint, on = self._endpoint(request, pk), request.POST.get("active") == "on"
        if subscribing.switch(endpoint, on=on, by=request.user, now=clock.now()):
            told = _now("Switched on.") if on else _now("Switched off. What waits is kept.")
            self.message_user(request, told, messages.SUCCESS)
        return self._back(pk)

    def _endpoint(self, request, pk: int) -> Endpoint:
        if not self._may_work(request):
            raise PermissionDenied
        return get_object_or_404(Endpoint, pk=pk)

    @staticmethod
    def _may_work(request) -> bool:
        return request.user.has_perm("webhooks.change_endpoint")

    @staticmethod
    def _back(pk: int):
        return HttpResponseRedirect(reverse(PAGE, args=[pk]))
