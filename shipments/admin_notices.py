"""Doors on notices that do not go through: the checklist, done by hand, and a number to correct at Amazon."""

from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.jobs import enqueue
from orderhub.lists import ChoiceFilter, TextFilter
from orderhub.wording import about, badge, stacked_utc
from shipments import byhand, correcting, errorcatalogue, noticewords, remedies
from shipments.jobs import mirror_shop, notify_account
from shipments.models import ShipmentNotification

State = ShipmentNotification.State
MOST = 200
PAGE = "admin:shipments_shipmentnotification_change"


class StateFilter(ChoiceFilter):
    title, parameter_name = _("state"), "state"
    groups = {"stuck": State.STUCK, "waiting": (State.RETRY_AT, State.UNKNOWN)}
    BY_HAND, THROTTLED = "by_hand", "throttled"

    def lookups(self, request, model_admin):
        grouped = [
            ("stuck", _("not being retried: refused or needs attention")),
            ("waiting", _("throttled or being checked")),
            (self.THROTTLED, _("throttled")),
            (self.BY_HAND, _("to be done by hand")),
        ]  # fmt: skip
        return [*grouped, *State.choices]

    def narrow(self, rows, value, request):
        if value == self.BY_HAND:
            return rows.to_do_by_hand()
        if value == self.THROTTLED:
            codes = errorcatalogue.codes_of(errorcatalogue.Kind.THROTTLING)
            return rows.filter(state=State.RETRY_AT, error_code__in=codes)
        return rows.filter(state__in=self.groups.get(value, [value]))


class ChannelFilter(ChoiceFilter):
    title, parameter_name = _("marketplace"), "channel"

    def lookups(self, request, model_admin):
        return [*ShipmentNotification.Channel.choices, ("correction", _("corrections of a tracking number"))]

    def narrow(self, rows, value, request):
        wanted = Q(correction_of__isnull=False) if value == "correction" else Q(channel=value)
        return rows.filter(wanted)


class SubmissionFilter(TextFilter):
    """The notices of one submission: a link of the list of submissions, nothing to type."""

    title, parameter_name, in_bar = _("submission"), "submission", False

    def narrow(self, rows, value, request):
        known = value.isascii() and value.isdecimal() and len(value) < 16
        return rows.filter(feed=int(value)) if known else rows.none()


class MarkForm(forms.Form):
    """Why a notice is done, and whether it is known that a submission may still go through."""

    reason = forms.ChoiceField(
        label=_("Reason"), choices=ShipmentNotification.DoneReason.choices, widget=forms.RadioSelect,
        error_messages={"required": _("Choose why the notice is done.")},
    )  # fmt: skip
    warned = forms.BooleanField(
        label=_("I know that a notice which Amazon has in a submission may still go through."), required=False
    )


class NoticeDoors:
    """Mixed into the list of notices. Each door takes one notice, or at most MOST chosen ones, and calls one function."""

    def has_mark_permission(self, request):
        return request.user.has_perm("shipments.mark_notification")

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("<int:pk>/remedy/", view(self.remedy_view), name="shipments_remedy"),
            path("<int:pk>/done/", view(self.mark_view), name="shipments_done"),
            path("<int:pk>/undone/", view(self.take_back_view), name="shipments_undone"),
            path("<int:pk>/correct/", view(self.correct_view), name="shipments_correct"),
        ]
        return ours + super().get_urls()

    # -- one notice

    @post_only(PAGE)
    def remedy_view(self, request, pk):
        undone = request.POST.get("undo", "")
        step = (undone or request.POST.get("step", "")).replace("\0", "")
        return self._one(
            request, pk, "shipments.mark_notification", "",
            lambda row, **who: remedies.tick(row, step, done=not undone, **who),
        )  # fmt: skip

    @post_only(PAGE)
    def mark_view(self, request, pk):
        reason, warned = request.POST.get("reason", ""), "warned" in request.POST
        told = _now("The notice is marked as done by hand.")
        return self._one(
            request, pk, "shipments.mark_notification", told,
            lambda row, **who: byhand.mark(row, reason, warned=warned, **who),
        )  # fmt: skip

    @post_only(PAGE)
    def take_back_view(self, request, pk):
        told = _now("The notice is taken up again: the order is read first, then told if need be.")
        return self._one(request, pk, "shipments.mark_notification", told, byhand.take_back, wake=True)

    @post_only(PAGE)
    def correct_view(self, request, pk):
        told = _now("Amazon is given the new tracking number within a minute.")
        return self._one(request, pk, "shipments.correct_tracking", told, correcting.correct, wake=True)

    def _one(self, request, pk, right: str, told: str, deed: Callable, *, wake: bool = False):
        """Do it to one notice and go back to its place on the order's page."""
        if not request.user.has_perm(right):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request).select_related("order__store__account", "shipment"), pk=pk)
        try:
            deed(row, by=request.user, now=clock.now())
        except RuleViolation as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            if told:
                self.message_user(request, told, messages.SUCCESS)
            if wake:
                _wake(row)
        page = reverse("admin:orders_order_change", args=[row.order_id])
        return HttpResponseRedirect(f"{page}#notice-title-{row.pk}")

    # -- many

    @admin.action(description=_("Mark as done by hand…"), permissions=["mark"])
    def mark_done(self, request, rows):
        """Asks why, then marks each for itself; what is refused says so and stops no other."""
        chosen = list(rows.select_related("order")[:MOST])
        form = MarkForm(request.POST if "answered" in request.POST else None)
        if form.is_valid():
            return self._mark_each(request, chosen, form.cleaned_data)
        context = self.admin_site.each_context(request) | {
            "title": _now("Mark as done by hand"), "opts": self.opts, "notices": chosen, "form": form,
            "in_feed": any(row.state == State.IN_FEED for row in chosen), "selected_name": ACTION_CHECKBOX_NAME,
            "back": request.get_full_path(),
        }  # fmt: skip
        return TemplateResponse(request, "shipments/notices_mark.html", context)

    def _mark_each(self, request, rows: list[ShipmentNotification], answer: dict) -> None:
        done = []
        for row in rows:
            try:
                byhand.mark(row, by=request.user, now=clock.now(), **answer)
            except RuleViolation as error:
                self.message_user(request, about(row.order.order_number, str(error)), messages.ERROR)
                continue
            done.append(row.order.order_number)
        if done:
            told = _now("Marked as done by hand: %(numbers)s") % {"numbers": ", ".join(done)}
            self.message_user(request, told, messages.SUCCESS)

    # -- columns

    @admin.display(description=_("state"), ordering="state")
    def state_words(self, row):
        if row.correction_of_id:
            return format_html(
                '{}<br><span class="oh-quiet">{}</span>',
                badge(row.state_word, row.level),
                _now("correction of a number"),
            )
        return badge(row.state_word, row.level)

    @admin.display(description=_("since"), ordering="created_at")
    def since(self, row):
        """Since when it fails; of one that does not, since when there is a notice."""
        return stacked_utc(row.failing_since or row.created_at)

    @admin.display(description=_("reason"))
    def error(self, row):
        """What the code means; Amazon's own words may name a person and stay on the order's page."""
        words = noticewords.of(row, now=clock.now())
        if not words.code:
            return "–"
        if words.entry is None:
            return words.code
        page = f"{reverse('admin:shipments_errors')}#{words.entry.key}"
        return format_html('{} <a class="oh-quiet" href="{}">{}</a>', words.reason, page, words.code)


def _wake(row: ShipmentNotification) -> None:
    store, of_mirror = row.order.store, row.channel == row.Channel.BIGCOMMERCE
    job, pk = (mirror_shop, store.linked_store_id) if of_mirror else (notify_account, store.account_id)
    if pk:
        enqueue(job, pk)
