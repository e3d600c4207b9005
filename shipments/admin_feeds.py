"""The submissions of many orders to Amazon: read only; each row leads to its notices."""

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from orderhub.lists import ChoiceFilter, ReadOnlyAdmin
from orderhub.wording import badge, stacked_utc
from shipments import errorcatalogue
from shipments.models import Feed

LEVELS = {
    Feed.State.BUILDING: "info", Feed.State.SUBMITTING: "info", Feed.State.UNKNOWN: "warn", Feed.State.SUBMITTED: "info",
    Feed.State.DONE: "ok", Feed.State.FAILED: "warn",
}  # fmt: skip
OPEN = "open"


class FeedStateFilter(ChoiceFilter):
    title, parameter_name = _("state"), "state"

    def lookups(self, request, model_admin):
        return [(OPEN, _("under way")), *Feed.State.choices]

    def narrow(self, rows, value, request):
        return rows.open() if value == OPEN else rows.filter(state=value)


@admin.register(Feed)
class FeedAdmin(ReadOnlyAdmin):
    list_display = [
        "number",
        "seller",
        "state_words",
        "orders",
        "accepted",
        "refused",
        "made",
        "handed_over",
        "ended",
        "why",
    ]
    list_display_links = None
    list_select_related = ["account"]
    list_filter = [FeedStateFilter]
    search_fields = ["feed_id__startswith", "account__selling_partner_id__startswith"]
    search_help_text = _("Amazon's feed ID or the seller ID")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Its notices are all there is to see of a submission."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return HttpResponseRedirect(_notices(row))

    @admin.display(description=_("submission"), ordering="pk")
    def number(self, row):
        feed_id = format_html('<br><span class="oh-quiet oh-number">{}</span>', row.feed_id) if row.feed_id else ""
        return format_html('<a href="{}" class="oh-number">#{}</a>{}', _notices(row), row.pk, feed_id)

    @admin.display(description=_("account"), ordering="account")
    def seller(self, row):
        return str(row.account)

    @admin.display(description=_("state"), ordering="state")
    def state_words(self, row):
        return badge(row.get_state_display(), LEVELS[row.state])

    @admin.display(description=_("orders"), ordering="messages")
    def orders(self, row):
        return row.messages

    @admin.display(description=_("created at"), ordering="created_at")
    def made(self, row):
        return stacked_utc(row.created_at)

    @admin.display(description=_("handed over at"), ordering="submitted_at")
    def handed_over(self, row):
        return stacked_utc(row.submitted_at)

    @admin.display(description=_("finished at"), ordering="finished_at")
    def ended(self, row):
        return stacked_utc(row.finished_at)

    @admin.display(description=_("reason"))
    def why(self, row):
        if not row.error_code:
            return "–"
        entry = errorcatalogue.find(row.error_code)
        page = f"{reverse('admin:shipments_errors')}#{entry.key}"
        return format_html('{} <a class="oh-quiet" href="{}">{}</a>', entry.meaning, page, row.error_code)


def _notices(row: Feed) -> str:
    return f"{reverse('admin:shipments_shipmentnotification_changelist')}?submission={row.pk}"
