"""Stores: the list, and the page of one store with its settings. What a button does is in stores/admin_store_deeds.py."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.lists import ChoiceFilter, ShortSearch
from privacy.audited import Audited
from privacy.models.event import EventCode
from stores import (
    checklist,
    forms_store,
    historywords,
    logos,
    marketplaces,
    panels,
    samples,
    saving,
    statusmap,
    words,
)
from stores.admin_bigcommerce import BigCommerceViews
from stores.admin_manual import ManualViews
from stores.admin_retention import RetentionDoor
from stores.admin_store_deeds import StoreDeeds
from stores.models import MarketplaceStatus, Merchant, Store

MOST_MERCHANTS = 100  # offered as a filter; others are found by the search


class StatusInline(admin.TabularInline):
    """The status map, with rows ready for what waits here and has no meaning yet. Its rights are those of the store."""

    model = MarketplaceStatus
    form = forms_store.StatusForm
    formset = forms_store.StatusFormSet
    verbose_name = _("marketplace status")

    def get_extra(self, request, obj=None, **kwargs):
        return len(offered(obj)) + 1

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("stores.view_store")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("stores.change_store")

    has_add_permission = has_delete_permission = has_change_permission


def offered(store: Store) -> list[dict]:
    """Rows for statuses without a meaning; read once for each store in hand."""
    if not hasattr(store, "offered_statuses"):
        store.offered_statuses = [{"name": name, "waiting": count} for name, count in statusmap.unmapped(store)]
    return store.offered_statuses


class MerchantFilter(ChoiceFilter):
    title, parameter_name = _("merchant"), "merchant"

    def lookups(self, request, model_admin):
        rows = Merchant.objects.order_by("name").values_list("pk", "name")[:MOST_MERCHANTS]
        return [(str(pk), name) for pk, name in rows]

    def narrow(self, rows, value, request):
        return rows.filter(merchant=value)


@admin.register(Store)
class StoreAdmin(BigCommerceViews, ManualViews, RetentionDoor, StoreDeeds, Audited, ShortSearch, admin.ModelAdmin):
    """Settings of a store. It is made by connecting an account."""

    added, changed = EventCode.STORE_CONNECTED, EventCode.STORE_CHANGED
    form = forms_store.StoreForm
    inlines = [StatusInline]
    change_form_template = "stores/store_page.html"
    change_list_template = "stores/store_list.html"
    list_display = ["name", "merchant", "source", "account", "state", "product_identifier", "import_afn"]
    list_select_related = ["merchant", "account"]
    list_filter = ["active", MerchantFilter, "product_identifier"]
    search_fields = ["name", "merchant__name", "account__selling_partner_id"]
    show_full_result_count = False
    actions = None

    # -- list

    @admin.display(description=_("Order source"), ordering="marketplace")
    def source(self, store):
        return store.market.label if store.market else "–"

    @admin.display(description=_("Status"), ordering="active")
    def state(self, store):
        return words.store_badge(store)

    # -- rights and columns

    def has_add_permission(self, request):
        return False

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.select_related("merchant", "account", "approved_sender_confirmed_by", "linked_store__bigcommerce")

    def get_inlines(self, request, obj):
        return self.inlines if obj is not None and obj.account_id else []

    def get_fieldsets(self, request, obj=None):
        """One for each section of the page, in the same order."""
        lines = self._lines if self.has_change_permission(request, obj) else self._lines_to_read
        return [(panel.title, {"fields": lines(panel)}) for panel in panels.of_form(obj)]

    @staticmethod
    def _lines(panel: panels.Panel) -> list[tuple[str, ...]]:
        return list(panel.lines)

    @staticmethod
    def _lines_to_read(panel: panels.Panel) -> list[tuple[str, ...]]:
        if panel.key == "ship-from":
            return [("ship_from_text",)]
        return [tuple(name for name in line if name != "logo") for line in panel.lines]

    def get_readonly_fields(self, request, obj=None):
        """`active` of an Amazon.co.jp store moves with its grant only; what products are called by, after a preview."""
        only_by_grant = ["active"] if obj and obj.marketplace == marketplaces.JAPAN else []
        only_with_preview = ["product_identifier"] if obj and panels.has_products(obj) else []
        return ["ship_from_text", *only_by_grant, *only_with_preview]

    @admin.display(description=_("Ship-from address"))
    def ship_from_text(self, store):
        return ", ".join(samples.address_lines(store.ship_from or {})) or "–"

    def get_formset_kwargs(self, request, obj, inline, prefix):
        given = super().get_formset_kwargs(request, obj, inline, prefix)
        return given | {"initial": offered(obj)} if isinstance(inline, StatusInline) else given

    # -- the page

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        """The store as it is kept feeds what is no field: after a mistake `obj` holds what was typed."""
        now = clock.now()
        kept = self.get_object(request, str(obj.pk)) if request.method == "POST" else obj
        inline = next((found.formset for found in context["inline_admin_formsets"]), None)
        todo = checklist.items(kept, now=now)
        link_form = context.get("link_form")
        context |= {
            "store": kept,
            "panels": panels.filled(kept, list(context["adminform"]), inline, now=now),
            "below": panels.below(request, kept, link_form),
            "checklist": todo,
            "left_to_do": sum(item.open for item in todo),
            "state": words.store_badge(kept),
            "may_change": self.has_change_permission(request, obj),
            "link_refused": link_form is not None,
        }
        return super().render_change_form(request, context, add=add, change=change, form_url=form_url, obj=obj)

    def save_model(self, request, obj, form, change):
        """Only what was changed in the form is written: whoever switches a feature meanwhile is not overruled."""
        saving.write(obj, form.changed_data)
        if form.cleaned_data.get("logo"):
            logos.keep(obj, form.cleaned_data["logo"])

    def save_related(self, request, form, formsets, change):
        remapped = any(formset.has_changed() for formset in formsets)
        if remapped:
            saving.remap(form.instance, now=clock.now())
        super().save_related(request, form, formsets, change)
        saving.follow(form.instance, form.changed_data, remapped=remapped)

    def construct_change_message(self, request, form, formsets, add=False):
        """Fields by the words our catalogue knows, with their section: two sections have a name."""
        told = super().construct_change_message(request, form, formsets, add)
        rows = [entry for entry in told if "name" in entry.get("changed", {}) or "changed" not in entry]
        return [*(historywords.changed(*form.changed_data) if form.changed_data else []), *rows]

    def log_change(self, request, obj, message):
        """A button of the form may be pressed where nothing else changed: that is no entry of its own."""
        return super().log_change(request, obj, message) if message else None

    def response_change(self, request, obj):
        """The settings are kept; the button that saved them may ask for more."""
        messages.success(request, gettext("The settings are saved."))
        self.do_more(request, obj)
        return HttpResponseRedirect(reverse("admin:stores_store_change", args=[obj.pk]))

    # -- deleting

    def delete_view(self, request, object_id, extra_context=None):
        store = self.get_object(request, unquote(object_id))
        if store is not None and self.has_delete_permission(request, store) and store.orders.exists():
            text = gettext("%(store)s has orders and cannot be deleted. Make it inactive instead.")
            messages.error(request, text % {"store": store})
            return HttpResponseRedirect(reverse("admin:stores_store_change", args=[store.pk]))
        return super().delete_view(request, object_id, extra_context)

    def delete_model(self, request, obj):
        logos.remove(obj)
        super().delete_model(request, obj)
