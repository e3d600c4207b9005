"""What was erased and who looked: two lists to read, for the privacy officer and nobody else."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from privacy import access
from privacy.models import AccessLog, ErasureCertificate


class ForPrivacyOfficer(admin.ModelAdmin):
    """Read-only. Membership of the group decides; being a superuser does not."""

    actions = None
    show_full_result_count = False
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


@admin.register(ErasureCertificate)
class ErasureCertificateAdmin(ForPrivacyOfficer):
    list_display = ["order_number", "kind", "rule", "due_at", "done_at", "in_time", "documents", "marker"]
    list_filter = ["kind", "rule", "marker"]
    date_hierarchy = "done_at"
    search_fields = ["=order_number"]
    search_help_text = _("A whole order number")
    ordering = ["-done_at", "-pk"]

    @admin.display(description=_("in time"), boolean=True)
    def in_time(self, certificate):
        return certificate.done_at <= certificate.due_at or None


@admin.register(AccessLog)
class AccessLogAdmin(ForPrivacyOfficer):
    list_display = ["at", "user", "order_id", "what", "why"]
    list_select_related = ["user"]
    list_filter = ["what", "why", ("user", admin.RelatedOnlyFieldListFilter)]
    date_hierarchy = "at"
    search_fields = ["=order_id", "=user__username"]
    search_help_text = _("An order's id or a user name")
    ordering = ["-at", "-pk"]
