"""Merchants and stores: a door parses, calls one function, and puts the outcome in words."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orderhub import wording
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from privacy import access
from stores import admin_accounts, connecting, features, forms, marketplaces, words
from stores.models import FeatureGrant, Merchant, Store

__all__ = ["MerchantAdmin", "StoreAdmin", "admin_accounts"]


@admin.register(Merchant)
class MerchantAdmin(admin.ModelAdmin):
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
            field.widget.attrs |= {"maxlength": forms.MERCHANT_NAME_LENGTH, "autocomplete": "off"}
        return field


@admin.register(Store)
class StoreAdmin(admin.ModelAdmin):
    """Settings of a store. It is made by connecting an account; features are switched by their own panel."""

    form = forms.StoreForm
    change_form_template = "stores/store_page.html"
    list_display = ["name", "merchant", "source", "account", "state", "product_identifier", "import_afn"]
    list_select_related = ["merchant", "account"]
    list_filter = ["active", "merchant", "product_identifier"]
    search_fields = ["name", "merchant__name", "account__selling_partner_id"]
    show_full_result_count = False
    actions = None
    facts = ["merchant", "platform", "source", "account_link", "time_zone", "created"]
    settings = [("name", "brand_name"), "product_identifier", "active", "import_afn"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("merchant", "account")

    # -- words

    @admin.display(description=_("Order source"), ordering="marketplace")
    def source(self, store):
        return store.market.label if store.market else "–"

    def save_model(self, request, obj, form, change):
        """A store made active again also gets the orders it missed meanwhile."""
        super().save_model(request, obj, form, change)
        if change and "active" in form.changed_data and obj.active and obj.account:
            connecting.read_again(obj.account, [obj.market.id])

    @admin.display(description=_("Status"), ordering="active")
    def state(self, store):
        return words.store_badge(store)

    @admin.display(description=_("Amazon account"))
    def account_link(self, store):
        if store.account is None:
            return "–"
        address = reverse("admin:stores_amazonaccount_change", args=[store.account_id])
        return format_html('<a href="{}">{}</a>', address, store.account)

    @admin.display(description=_("Ship-from address"))
    def ship_from_text(self, store):
        return ", ".join(filter(None, (store.ship_from.get(part, "") for part in forms.SHIP_FROM))) or "–"

    @admin.display(description=_("Created"), ordering="created_at")
    def created(self, store):
        return wording.utc(store.created_at)

    # -- form

    def get_fieldsets(self, request, obj=None):
        address = [tuple(f"ship_from_{part}" for part in line) for line in forms.SHIP_FROM_LINES]
        if not self.has_change_permission(request, obj):
            address = ["ship_from_text"]
        return [
            (_("Settings"), {"fields": self.settings}),
            (_("Ship-from address"), {"fields": address}),
            (_("Facts"), {"fields": [tuple(self.facts[:3]), tuple(self.facts[3:])]}),
        ]

    def get_readonly_fields(self, request, obj=None):
        """`active` of an Amazon.co.jp store moves with its grant only."""
        only_by_grant = ["active"] if obj and obj.marketplace == marketplaces.JAPAN else []
        return [*self.facts, "ship_from_text", *only_by_grant]

    def has_add_permission(self, request):
        return False

    def get_urls(self):
        own = path("<path:object_id>/grant/", self.admin_site.admin_view(self.grant_view), name="stores_store_grant")
        return [own, *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        store = self.get_object(request, unquote(object_id))
        context = {} if store is None else {"features": self._features(store), **self._granting(request)}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def delete_view(self, request, object_id, extra_context=None):
        store = self.get_object(request, unquote(object_id))
        if store is not None and self.has_delete_permission(request, store) and store.orders.exists():
            text = gettext("%(store)s has orders and cannot be deleted. Make it inactive instead.")
            messages.error(request, text % {"store": store})
            return HttpResponseRedirect(reverse("admin:stores_store_change", args=[store.pk]))
        return super().delete_view(request, object_id, extra_context)

    # -- features

    @staticmethod
    def _granting(request) -> dict:
        return {"may_grant": access.has_role(request.user, access.SUCCESS)}

    @staticmethod
    def _features(store: Store) -> list[dict]:
        """Each feature this store can have: its state, its history, and a form that turns it round."""
        states = {FeatureGrant.Feature.CUSTOM_FIELDS: store.custom_fields_enabled}
        if store.marketplace == marketplaces.JAPAN:
            states[FeatureGrant.Feature.JAPAN] = store.japan_enabled
        grants = list(store.grants.select_related("granted_by").order_by("-granted_at", "-pk")[:20])
        return [
            {
                "label": feature.label,
                "enabled": enabled,
                "grants": [grant for grant in grants if grant.feature == feature],
                "form": forms.GrantForm(
                    initial={"feature": feature, "enabled": "off" if enabled else "on"},
                    auto_id=f"{feature}_%s",
                ),
            }
            for feature, enabled in states.items()
        ]

    @post_only("admin:stores_store_change")
    def grant_view(self, request, object_id):
        if not self.has_view_permission(request):
            raise PermissionDenied
        store = self.get_object(request, unquote(object_id))
        if store is None:
            raise Http404
        form = forms.GrantForm(request.POST)
        # an empty reason goes on: whether this user may change the feature at all is the first thing to say
        form.is_valid()
        if set(form.errors) - {"reason"} or len(request.POST.get("reason", "")) > 200:
            messages.error(request, gettext("Nothing was changed: the form was not complete."))
        else:
            self._grant(request, store, form.cleaned_data)
        return HttpResponseRedirect(reverse("admin:stores_store_change", args=[store.pk]))

    @staticmethod
    def _grant(request, store: Store, wish: dict) -> None:
        try:
            record = features.grant(
                store,
                wish["feature"],
                by=request.user,
                reason=wish.get("reason", ""),
                enabled=wish["enabled"],
            )
        except RuleViolation as error:
            messages.error(request, str(error))
            return
        text = gettext("%(feature)s: enabled.") if record.enabled else gettext("%(feature)s: disabled.")
        messages.success(request, text % {"feature": record.get_feature_display().capitalize()})
