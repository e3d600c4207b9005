"""What was erased and who looked: two lists to read, for the privacy officer and nobody else."""

from django.apps import apps
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub.lists import ShortSearch
from orderhub.wording import utc
from privacy import access, admin_reviewing, masks, registry
from privacy.admin_log import SecurityEventAdmin  # noqa: F401  registers the security log
from privacy.models import AccessLog, ErasureCertificate
from privacy.rulewords import RULE_WORDS

__all__ = ["RULE_WORDS", "admin_reviewing"]  # the latter registered by being imported

WHAT_WORDS = {
    "order page": _("page of the order"),
    "label": _("label"),
    "customer list": _("list of customers"),
    "customer page": _("page of a customer"),
    "customer search": _("customers by address"),
    "packing slip": _("packing slip"),
    "custom field preview": _("preview of custom fields"),
    "correction form": _("form to correct an order"),
    "return label mail": _("mail with a return label"),
    "customisation picture": _("picture of a customisation"),
    "export": _("export of personal data"),
    "api": _("API"),
}


def field_words() -> dict[str, str]:
    """What the columns that erasures name are called on screens, whichever app holds them."""
    personal = set(registry.personal_columns())
    found = {"label": WHAT_WORDS["label"]}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if (model._meta.db_table, field.column) in personal:
                found[field.column] = field.verbose_name
                found[f"{model._meta.model_name}.{field.column}"] = f"{model._meta.verbose_name} ({field.verbose_name})"
    return found


class ForPrivacyOfficer(ShortSearch, admin.ModelAdmin):
    """Read-only. Membership of the group decides; being a superuser does not."""

    actions = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def has_view_permission(self, request, obj=None):
        return super().has_view_permission(request, obj) and access.has_role(request.user, access.PRIVACY)

    def has_module_permission(self, request):
        return self.has_view_permission(request)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class RuleFilter(admin.SimpleListFilter):
    title = _("rule")
    parameter_name = "rule"

    def lookups(self, request, model_admin):
        return list(RULE_WORDS.items())

    def queryset(self, request, queryset):
        return queryset.filter(rule=self.value()) if self.value() in RULE_WORDS else queryset


@admin.register(ErasureCertificate)
class ErasureCertificateAdmin(ForPrivacyOfficer):
    change_list_template = "privacy/certificates.html"
    list_display = ["order_number", "kind", "rule_words", "due", "done", "delay", "documents", "marker", "sheet"]
    list_filter = ["kind", RuleFilter, "marker"]
    date_hierarchy = "done_at"
    search_fields = ["=order_number"]
    search_help_text = _("A whole order number")
    ordering = ["-done_at", "-pk"]
    fields = [
        "order_number", "order_id", "kind", "subject_id", "rule_words", "due", "done", "delay", "erased_fields",
        "documents", "marker", "version",
    ]  # fmt: skip

    @admin.display(description=_("rule"), ordering="rule")
    def rule_words(self, certificate):
        return RULE_WORDS.get(certificate.rule, certificate.rule)

    @admin.display(description=_("due at"), ordering="due_at")
    def due(self, certificate):
        return utc(certificate.due_at)

    @admin.display(description=_("done at"), ordering="done_at")
    def done(self, certificate):
        return utc(certificate.done_at)

    @admin.display(description=_("done after"))
    def delay(self, certificate):
        return timesince(certificate.due_at, now=certificate.done_at, depth=1)

    @admin.display(description=_("to print"))
    def sheet(self, certificate):
        return format_html(
            '<a href="{}">{}<span class="visually-hidden"> {}</span></a>',
            reverse("admin:privacy_certificate", args=[certificate.pk]), _now("Certificate"), certificate.order_number,
        )  # fmt: skip

    @admin.display(description=_("fields"))
    def erased_fields(self, certificate):
        known = field_words()
        return ", ".join(str(known.get(name, name)) for name in certificate.fields) or "–"


class WhatFilter(admin.SimpleListFilter):
    title = _("what")
    parameter_name = "what"

    def lookups(self, request, model_admin):
        return list(WHAT_WORDS.items())

    def queryset(self, request, queryset):
        return queryset.filter(what=self.value()) if self.value() in WHAT_WORDS else queryset


class WhyFilter(admin.SimpleListFilter):
    title = _("why")
    parameter_name = "why"

    def lookups(self, request, model_admin):
        return list(masks.WORDS.items())

    def queryset(self, request, queryset):
        return queryset.filter(why=self.value()) if self.value() in masks.WORDS else queryset


@admin.register(AccessLog)
class AccessLogAdmin(ForPrivacyOfficer):
    list_display = ["seen", "user", "order_id", "what_words", "why_words"]
    list_select_related = ["user"]
    list_filter = [WhatFilter, WhyFilter, ("user", admin.RelatedOnlyFieldListFilter)]
    date_hierarchy = "at"
    search_fields = ["=order_id", "=user__username"]
    search_help_text = _("An order's id or a user name")
    ordering = ["-at", "-pk"]
    fields = ["seen", "user", "order_id", "what_words", "why_words"]

    @admin.display(description=_("at"), ordering="at")
    def seen(self, entry):
        return utc(entry.at)

    @admin.display(description=_("what"), ordering="what")
    def what_words(self, entry):
        return WHAT_WORDS.get(entry.what, entry.what)

    @admin.display(description=_("why"), ordering="why")
    def why_words(self, entry):
        return masks.WORDS.get(entry.why, entry.why) or "–"
