"""The page of Amazon's limits and the queue, and the button that tells Amazon now."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.jobs import enqueue
from orderhub.lists import TextFilter
from shipments import cockpit, cockpitwords
from shipments.jobs import notify_account
from shipments.models import ShipmentNotification
from stores.models import AmazonAccount
from stores.throttle import AccountThrottle

State = ShipmentNotification.State


class AccountFilter(TextFilter):
    """The notices of one Amazon account: a link of the cockpit, nothing to type."""

    title, parameter_name, in_bar = _("Amazon account"), "account", False

    def narrow(self, rows, value, request):
        known = value.isascii() and value.isdecimal() and len(value) < 16
        return rows.filter(channel="amazon", order__store__account=int(value)) if known else rows.none()


class CockpitDoors:
    """Mixed into the list of notices, whose rights it asks for."""

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("cockpit/", view(self.cockpit_view), name="shipments_cockpit"),
            path("cockpit/<int:pk>/now/", view(self.tell_now_view), name="shipments_tellnow"),
        ]
        return ours + super().get_urls()

    def cockpit_view(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        now = clock.now()
        context = self.admin_site.each_context(request) | {
            "title": _now("Amazon’s limits and the queue"), "opts": self.opts,
            "as_of": cockpitwords.at(now, now=now), "most": cockpit.ACCOUNTS,
            "may_push": self.has_retry_permission(request),
            "consoles": [_shown(console, now) for console in cockpit.consoles(now=now)],
        }  # fmt: skip
        return TemplateResponse(request, "shipments/cockpit.html", context)

    def tell_now_view(self, request, pk):
        """Wakes the account's run and nothing else; refused while that could not help."""
        page = HttpResponseRedirect(reverse("admin:shipments_cockpit"))
        if request.method in {"GET", "HEAD"}:
            return page
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_retry_permission(request):
            raise PermissionDenied
        account, now = get_object_or_404(AmazonAccount, pk=pk), clock.now()
        waiting = cockpit.waiting_of(account).count()
        if refusal := cockpitwords.why_not_now(account, AccountThrottle(account), waiting, now=now):
            self.message_user(request, refusal, messages.ERROR)
            return page
        enqueue(notify_account, account.pk)
        told = _now("OrderHub tells Amazon now of what is due. An order with a later time keeps it.")
        self.message_user(request, told, messages.SUCCESS)
        return page


def _shown(console: cockpit.Console, now) -> dict:
    """An account as the page shows it."""
    forecast, under_way = console.forecast, console.submission
    return {
        "console": console,
        "account": console.account,
        "bars": [cockpitwords.bar(one, level, now=now) for one, level in console.levels.items()],
        "rows": _rows(console),
        "feed": under_way and {
            "row": under_way.feed, "since": cockpitwords.at(under_way.feed.submitted_at or under_way.feed.created_at, now=now),
            "next": cockpitwords.at(max(under_way.feed.next_check_at, now), now=now),
            "ends": cockpitwords.at(under_way.ends, now=now),
        },
        "first": console.first_at and cockpitwords.at(console.first_at, now=now),
        "last": console.last_at and cockpitwords.at(console.last_at, now=now),
        "takes": cockpitwords.takes(forecast.takes),
        "lines": [(row, cockpitwords.expected(found.at, found.together, now=now)) for row, found in console.lines],
        "more": max(0, console.waiting - len(console.lines)),
        "advice": cockpitwords.advice(console, now=now),
        "refusal": cockpitwords.why_not_now(console.account, forecast.throttle, console.waiting, now=now),
    }  # fmt: skip


def _rows(console: cockpit.Console) -> list[dict]:
    """The counts of the queue, each with the filter of the list that shows the same notices."""
    counts = console.counts
    found = [
        (_now("Waiting to be sent"), counts[State.PENDING], State.PENDING),
        (_now("To be tried again"), counts[State.RETRY_AT], State.RETRY_AT),
        (_now("of these throttled"), counts[cockpit.THROTTLED], "throttled"),
        (_now("Being sent"), counts[State.IN_FLIGHT], State.IN_FLIGHT),
        (_now("In a submission"), counts[State.IN_FEED], State.IN_FEED),
        (_now("Outcome being checked"), counts[State.UNKNOWN], State.UNKNOWN),
        (_now("Need a hand"), console.stuck, "stuck"),
    ]
    page = reverse("admin:shipments_shipmentnotification_changelist")
    return [
        {"name": name, "count": count, "url": f"{page}?state={state}&account={console.account.pk}"}
        for name, count, state in found
    ]
