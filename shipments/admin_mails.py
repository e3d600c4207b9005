"""The list of mails to buyers: what was asked for and what became of it, without any address."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from orderhub.lists import ChoiceFilter, ColumnFilter
from orderhub.wording import badge, stacked_utc
from shipments.admin import OrderRows, StoreFilter
from shipments.admin_returns import MailDoors
from shipments.mails import words
from shipments.models import OutgoingMail


class KindFilter(ColumnFilter):
    title, parameter_name, codes = _("kind"), "kind", OutgoingMail.Kind


class MailStateFilter(ChoiceFilter):
    title, parameter_name = _("state"), "state"
    TO_DO = "to_do"

    def lookups(self, request, model_admin):
        return [(self.TO_DO, _("not allowed or failed")), *OutgoingMail.State.choices]

    def narrow(self, rows, value, request):
        stuck = [OutgoingMail.State.REFUSED, OutgoingMail.State.FAILED]
        return rows.filter(state__in=stuck if value == self.TO_DO else [value])


@admin.register(OutgoingMail)
class OutgoingMailAdmin(MailDoors, OrderRows):
    change_list_template = "shipments/mail_list.html"
    list_display = ["asked", "number", "shop", "kind_words", "state_words", "meaning", "attempts", "who"]
    list_select_related = ["order__store", "created_by"]
    list_filter = [MailStateFilter, KindFilter, StoreFilter]
    search_fields = ["order__order_number__startswith"]
    search_help_text = _("Order number")
    ordering = ["-pk"]

    @admin.display(description=_("asked for at"), ordering="created_at")
    def asked(self, row):
        return stacked_utc(row.created_at)

    @admin.display(description=_("kind"), ordering="kind")
    def kind_words(self, row):
        return row.get_kind_display().capitalize()

    @admin.display(description=_("state"), ordering="state")
    def state_words(self, row):
        told = words.of(row)
        return badge(told.state, told.level)

    @admin.display(description=_("what it means"))
    def meaning(self, row):
        return words.of(row).meaning

    @admin.display(description=_("asked for by"))
    def who(self, row):
        return row.created_by.get_username() if row.created_by else "OrderHub"
