"""The security log to read, for the privacy officer and administrators, and the emergency stop beside it."""

from datetime import timedelta

from django.contrib import admin, messages
from django.contrib.auth import get_user_model, logout
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orderhub import clock, killswitch
from orderhub.lists import ChoiceFilter, ColumnFilter, ReadOnlyAdmin
from orderhub.wording import badge, stacked_utc, utc
from privacy import access, audit_words, emergency, masks
from privacy.models import SecurityEvent
from privacy.models.event import EventCode, Outcome
from privacy.models.request import RequestReason, RequestState

LEVELS = {Outcome.OK: "ok", Outcome.REFUSED: "warn", Outcome.FAILED: "bad"}
DAYS = {"1": _("last 24 hours"), "7": _("last 7 days"), "30": _("last 30 days"), "90": _("last 90 days")}
IDS_SHOWN = 5
KINDS = {  # what events are about, in words; a kind that is missing here is shown as it is
    "label": _("label"), "store": _("store"), "order": _("order"), "notice": _("notice"), "count": _("orders in the file"),
    "orders, files": _("orders, files"), "settings": _("days, months"), "amazonaccount": _("account"),
    "carriersetting": _("carrier"), "sessions": _("sessions"), "session": _("session"), "position": _("position"),
    "user": _("user"), "erasure_request": _("erasure request"), "access review": _("access review"),
    "certificate": _("certificates"), "customer": _("customer"), "webhook": _("webhook"),
}  # fmt: skip
REASONS = dict(masks.Reason.choices) | dict(RequestReason.choices) | {  # codes in words; any other is shown as it is
    "approved": _("agreed"), "second": RequestState.SECOND.label, "refused": RequestState.REFUSED.label, "own": _("by themselves"),
    "administrator": _("by an administrator"), "idle": _("not used for too long"),
    "made": _("made"), "changed": _("changed"), "deleted": _("deleted"), "on": _("switched on"), "off": _("switched off"),
}  # fmt: skip


class CodeFilter(ChoiceFilter):
    title, parameter_name = _("event"), "code"

    def lookups(self, request, model_admin):
        return sorted(((code.value, code.label) for code in EventCode), key=lambda choice: str(choice[1]).casefold())

    def narrow(self, rows, value, request):
        return rows.filter(code=value)


class UserFilter(ChoiceFilter):
    """By number in the address: names of staff stay out of it."""

    title, parameter_name = _("user"), "user"

    def lookups(self, request, model_admin):
        staff = get_user_model().objects.order_by("username").values_list("pk", "username")
        return [(str(pk), name) for pk, name in staff] + [("none", _("nobody: jobs and commands"))]

    def narrow(self, rows, value, request):
        return rows.filter(user=None) if value == "none" else rows.filter(user=value)


class OutcomeFilter(ColumnFilter):
    title, parameter_name, codes = _("outcome"), "outcome", Outcome


class PeriodFilter(ChoiceFilter):
    title, parameter_name = _("period"), "days"

    def lookups(self, request, model_admin):
        return list(DAYS.items())

    def narrow(self, rows, value, request):
        return rows.filter(at__gte=clock.now() - timedelta(days=int(value)))


def _stacked(above, below):
    return format_html('{}<br><span class="oh-quiet">{}</span>', above, below) if below else above


def _may(user, right: str) -> bool:
    """By role alone: being a superuser is none. Asked on every page, so it asks the database only where it must."""
    return user.is_active and user.has_perm(right) and (not user.is_superuser or access.holds(user, right))


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    change_list_template = "privacy/log_list.html"
    change_form_template = "privacy/log_event.html"
    actions = None
    empty_value_display = "–"
    list_display = ["when", "event", "result", "who_as", "about", "why", "origin"]
    list_select_related = ["user"]
    list_filter = [CodeFilter, OutcomeFilter, UserFilter, PeriodFilter]
    search_fields = ["request_id"]
    search_help_text = _("Number of an event, or id of a request")
    sortable_by = []
    fields = ["number", "written_at", "event", "result", "who", "roles_words", "kind_words", "all_ids", "why", "address",
              "request_id", "position", "checksum"]  # fmt: skip
    readonly_fields = fields

    def has_view_permission(self, request, obj=None):
        return _may(request.user, "privacy.view_securityevent")

    def has_module_permission(self, request):
        return self.has_view_permission(request)

    def get_search_results(self, request, queryset, search_term):
        """A whole number or a whole id: nothing can be guessed letter by letter."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.isascii() and term.isdigit() and len(term) < 16:
            return queryset.filter(pk=term), False
        return queryset.filter(request_id=term[:32].replace("\0", "")), False

    def changelist_view(self, request, extra_context=None):
        more = {
            "chain": audit_words.state(now=clock.now()),
            "may_stop": _may(request.user, "privacy.use_killswitch"),
        }
        return super().changelist_view(request, (extra_context or {}) | more)

    def get_urls(self):
        own = path("killswitch/", self.admin_site.admin_view(self.killswitch_view), name="privacy_killswitch")
        return [own, *super().get_urls()]

    def killswitch_view(self, request):
        """What the emergency stop does, and its button; or, where it is on, the button that lifts it."""
        if not _may(request.user, "privacy.use_killswitch"):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        here = reverse("admin:privacy_killswitch")
        if request.method == "POST" and request.POST.get("deed") == "lift":
            lifted = emergency.lift(request=request)
            text = gettext("The emergency stop is lifted: jobs and sending go on within a few seconds.")
            messages.success(request, text if lifted else gettext("The emergency stop was not on."))
            return HttpResponseRedirect(here)
        if request.method == "POST" and request.POST.get("deed") == "stop" and request.POST.get("sure"):
            ended = emergency.stop(request=request)
            logout(request)  # its session is gone: what is kept of it must not be written again
            return self._stopped(request, ended)
        return self._killswitch_page(request, missing=request.method == "POST")

    def _killswitch_page(self, request, *, missing: bool):
        request.current_app = self.admin_site.name
        killswitch.forget()  # this page says what is, not what was two seconds ago
        context = self.admin_site.each_context(request) | {
            "opts": self.opts, "title": gettext("Emergency stop"), "is_on": killswitch.is_set(), "missing": missing,
        }  # fmt: skip
        return TemplateResponse(request, "privacy/killswitch.html", context)

    def _stopped(self, request, ended: int):
        context = self.admin_site.each_context(request) | {"title": gettext("Emergency stop"), "ended": ended}
        return TemplateResponse(request, "privacy/killswitch_done.html", context)

    @admin.display(description=_("at"))
    def when(self, event):
        return stacked_utc(event.at)

    @admin.display(description=_("at"))
    def written_at(self, event):
        return utc(event.at)

    @admin.display(description=_("number"))
    def number(self, event):
        return event.pk

    @admin.display(description=_("event"))
    def event(self, event):
        return event.get_code_display().capitalize()

    @admin.display(description=_("outcome"))
    def result(self, event):
        return badge(event.get_outcome_display(), LEVELS.get(event.outcome, "muted"))

    @admin.display(description=_("who"))
    def who(self, event):
        return event.user or event.actor or "–"

    @admin.display(description=_("who"))
    def who_as(self, event):
        """The roles below the name: with a column of their own the list is wider than a tablet."""
        return _stacked(self.who(event), self.roles_words(event) if event.roles else "")

    @admin.display(description=_("roles"))
    def roles_words(self, event):
        return ", ".join(str(access.LABELS.get(name, name)) for name in event.roles.split(",") if name) or "–"

    @admin.display(description=_("about"))
    def about(self, event):
        shown = ", ".join(map(str, event.ids[:IDS_SHOWN])) + (" …" if len(event.ids) > IDS_SHOWN else "")
        return f"{KINDS.get(event.kind, event.kind)} {shown}".strip() or "–"

    @admin.display(description=_("about"))
    def kind_words(self, event):
        return KINDS.get(event.kind, event.kind) or "–"

    @admin.display(description=_("reason"))
    def why(self, event):
        return REASONS.get(event.reason, event.reason) or "–"

    @admin.display(description=_("address and request"))
    def origin(self, event):
        return _stacked(event.address or "–", event.request_id)

    @admin.display(description=_("checksum"))
    def checksum(self, event):
        return event.digest or "–"

    @admin.display(description=_("ids"))
    def all_ids(self, event):
        return ", ".join(map(str, event.ids)) or "–"
