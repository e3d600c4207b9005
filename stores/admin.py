"""Merchants. The screens of accounts and stores are in modules of their own."""

from django.contrib import admin
from django.core.validators import MaxLengthValidator
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from orderhub import wording
from orderhub.lists import ShortSearch
from orderhub.validators import one_line
from stores import admin_accounts, admin_store, forms
from stores.models import Merchant

__all__ = ["MerchantAdmin", "admin_accounts", "admin_store"]


@admin.register(Merchant)
class MerchantAdmin(ShortSearch, admin.ModelAdmin):
    """Client companies. Who may connect accounts may name them."""

    list_display = ["name", "accounts_count", "stores_count", "created"]
    search_fields = ["name"]
    fields = ["name"]
    add_words = _("New merchant")
    show_full_result_count = False
    actions = None

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .annotate(
                accounts_total=Count("accounts", distinct=True),
                stores_total=Count("stores", distinct=True),
            )
        )

    @admin.display(description=_("Amazon accounts"))
    def accounts_count(self, merchant):
        return merchant.accounts_total

    @admin.display(description=_("Stores"))
    def stores_count(self, merchant):
        return merchant.stores_total

    @admin.display(description=_("Created"), ordering="created_at")
    def created(self, merchant):
        return wording.utc(merchant.created_at)

    def add_view(self, request, form_url="", extra_context=None):
        return super().add_view(request, form_url, {"title": self.add_words} | (extra_context or {}))

    def has_add_permission(self, request):
        return request.user.has_perm("stores.add_amazonaccount")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("stores.add_amazonaccount")

    def has_delete_permission(self, request, obj=None):
        return False

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "name":
            field.max_length = forms.MERCHANT_NAME_LENGTH
            field.validators += [MaxLengthValidator(forms.MERCHANT_NAME_LENGTH), one_line]
            field.widget.attrs |= {"maxlength": forms.MERCHANT_NAME_LENGTH, "autocomplete": "off"}
        return field
