"""Products: what is kept of them, where they lie, how many there are, and of which more is ordered than is there."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.lists import ChoiceFilter, ReadOnlyAdmin
from orderhub.validators import one_line
from orderhub.wording import badge
from orders import products, stock
from orders.filters import StoreFilter
from orders.forms_products import LocationActionForm, ProductForm
from orders.models import OrderItem, Product
from orders.photos import photo_url
from orders.product_doors import ProductDoors
from stores.models import Store

MOST_ORDERS = 20  # shown on a product's page


class LackFilter(ChoiceFilter):
    title, parameter_name = _("to do"), "lack"

    def lookups(self, request, model_admin):
        return [
            ("short", _("more ordered than there")),
            ("weight", _("no weight")),
            ("location", _("no storage location")),
        ]

    def narrow(self, rows, value, request):
        if value == "short":
            return rows.filter(pk__in=stock.short_products(Product.objects.all()).values("pk"))
        return rows.filter(Q(weight_g__isnull=True) if value == "weight" else Q(warehouse_location=""))


@admin.register(Product)
class ProductAdmin(ProductDoors, ReadOnlyAdmin):
    list_display = [
        "photo_", "product", "identifiers", "store", "weight", "warehouse_location", "counted_", "to_send_", "available",
        "stock_listed", "stock_fba",
    ]  # fmt: skip
    list_display_links = None
    list_select_related = ["store"]
    list_filter = [StoreFilter, LackFilter]
    search_fields = ["key"]  # shows the search box; get_search_results decides
    search_help_text = _("SKU, ASIN or words of the title")
    actions = ["set_location"]
    action_form = LocationActionForm

    def get_queryset(self, request):
        return stock.with_shelf(super().get_queryset(request))

    def get_search_results(self, request, queryset, search_term):
        term = search_term.strip()
        if not term:
            return queryset, False
        known = Q(sku__istartswith=term) | Q(asin__istartswith=term) | Q(key__istartswith=term)
        return queryset.filter(known | Q(title__icontains=term)), False

    # -- the list

    @admin.display(description=_("photo"))
    def photo_(self, product):
        url = photo_url(product.photo.name)
        if not url:
            return format_html('<span class="oh-thumb oh-thumb--none" aria-hidden="{}"></span>', "true")
        return format_html('<img class="oh-thumb" src="{}" alt="" width="40" height="40" loading="lazy">', url)

    @admin.display(description=_("product"), ordering="key")
    def product(self, product):
        return format_html(
            '<a href="{}" class="oh-number">{}</a><br><span class="oh-quiet">{}</span>',
            reverse("admin:orders_product_change", args=[product.pk]), product.key, product.title or "–",
        )  # fmt: skip

    @admin.display(description="SKU, ASIN", ordering="sku")
    def identifiers(self, product):
        return format_html(
            '<span class="oh-number">{}</span><br><span class="oh-quiet oh-number">{}</span>',
            product.sku or "–",
            product.asin or "–",
        )

    @admin.display(description=_("weight"), ordering="weight_g")
    def weight(self, product):
        return "–" if product.weight_g is None else _now("%(grams)d g") % {"grams": product.weight_g}

    @admin.display(description=_("counted"), ordering="on_shelf")
    def counted_(self, product):
        return product.on_shelf

    @admin.display(description=_("to send"), ordering="to_send")
    def to_send_(self, product):
        return product.to_send

    @admin.display(description=_("available"))
    def available(self, product):
        shelf = stock.shelf(product)
        return badge(str(shelf.available), "bad") if shelf.short else shelf.available

    def has_change_location_permission(self, request):
        return request.user.has_perm("orders.change_product")

    @admin.action(description=_("Set the storage location"), permissions=["change_location"])
    def set_location(self, request, rows):
        try:
            place = Product._meta.get_field("warehouse_location").clean(request.POST.get("location", "").strip(), None)
            one_line(place)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return
        count = Product.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(warehouse_location=place)
        told = _now("Storage location of %(count)d products: %(place)s.") % {"count": count, "place": place or "–"}
        self.message_user(request, told, messages.SUCCESS)

    # -- the page of one product

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        product = self.get_object(request, object_id)
        if product is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        may_change = request.user.has_perm("orders.change_product")
        if not self.has_view_permission(request, product) or (request.method == "POST" and not may_change):
            raise PermissionDenied
        form = ProductForm(request.POST if request.method == "POST" else None, instance=product)
        if request.method == "POST" and form.is_valid():
            return self._save(request, form)
        kept = self.get_object(request, object_id)  # `product` may hold what was typed and refused
        return TemplateResponse(
            request, "orders/product_page.html", self._page(request, kept, form, may_change=may_change)
        )

    def _save(self, request, form: ProductForm) -> HttpResponseRedirect:
        """Only what was changed is written."""
        product, changed = form.instance, form.changed_data
        if changed:
            products.keep_details(product, changed, now=clock.now())
            labels = [str(Product._meta.get_field(name).verbose_name) for name in changed]
            self.log_change(request, product, [{"changed": {"fields": labels}}])
        self.message_user(request, _now("%(product)s is saved.") % {"product": product.key}, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:orders_product_change", args=[product.pk]))

    def _page(self, request, product: Product, form: ProductForm, *, may_change: bool) -> dict:
        lines = OrderItem.objects.filter(stock.MERCHANT, product=product, order__status__in=stock.OPEN)
        return self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": product.key,
            "product": product,
            "photo": photo_url(product.photo.name),
            "shelf": stock.shelf(product),
            "form": form,
            "may_change": may_change,
            "may_count": request.user.has_perm("orders.confirm_stock"),
            "lines": lines.select_related("order").order_by("order__ship_by", "pk")[:MOST_ORDERS],
            "is_amazon": product.store.account_id is not None,
            "taken_over": _taken_over(product.store),
        }


def _taken_over(store: Store) -> list[tuple[str, str]]:
    """What Amazon's catalogue does to each detail, in this store: (detail, when)."""
    names = ("product_title_policy", "product_image_policy", "product_weight_policy", "product_dimensions_policy")
    return [(Store._meta.get_field(name).verbose_name, getattr(store, f"get_{name}_display")()) for name in names]
