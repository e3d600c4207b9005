"""What the buttons about products do, on a product's page and on an order's; and the one address of photos."""

import re

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.wording import about
from orders import asking, products, rekeying, stock
from orders.models import Order
from orders.models.product import photo_storage
from stores import historywords
from stores.models import Store

PAGE = "admin:orders_product_change"
PHOTO = re.compile(r"(?P<folder>[0-9a-f]{2})(?P<rest>[0-9a-f]{30})\.(?P<kind>png|jpg)")
TYPES = {"png": "image/png", "jpg": "image/jpeg"}
SHOWN = 50  # of each part of a preview


class ProductDoors:
    """Part of the products' admin: each asks for its rights itself, whatever the page showed."""

    def get_urls(self):
        def deed(name, view):
            return path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"orders_product_{name}")

        return [
            deed("count", self.count_view),
            deed("ask", self.ask_view),
            path("photo/<str:name>", self.admin_site.admin_view(self.photo_view), name="orders_product_photo"),
            path("rekey/<int:pk>/", self.admin_site.admin_view(self.rekey_view), name="orders_product_rekey"),
            *super().get_urls(),
        ]

    @post_only(PAGE)
    def count_view(self, request, pk):
        """Confirm the stock (R41). `units`: what is on the shelf. `order`: the order whose page it was typed on."""
        product = self._for_stock(request, pk)
        try:
            units = stock.confirm(product, request.POST.get("units", ""), by=request.user, now=clock.now())
            text, level = _("%(units)d on the shelf: confirmed.") % {"units": units}, messages.SUCCESS
        except RuleViolation as error:
            text, level = str(error), messages.ERROR
        self.message_user(request, about(product.key, text), level)
        return self._back(request, product)

    @post_only(PAGE)
    def ask_view(self, request, pk):
        product = self._for_stock(request, pk)
        try:
            asking.stock_now(product, now=clock.now())
            text, level = _("Amazon was asked for the stock."), messages.SUCCESS
        except RuleViolation as error:
            text, level = str(error), messages.ERROR
        self.message_user(request, about(product.key, text), level)
        return self._back(request, product)

    def _for_stock(self, request, pk):
        if not request.user.has_perm("orders.confirm_stock"):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk)

    @staticmethod
    def _back(request, product) -> HttpResponseRedirect:
        """The page the button was on."""
        order = request.POST.get("order", "")
        if order.isascii() and order.isdigit() and len(order) < 19:
            return HttpResponseRedirect(f"{reverse('admin:orders_order_change', args=[int(order)])}#lines")
        return HttpResponseRedirect(reverse(PAGE, args=[product.pk]))

    def photo_view(self, request, name):
        """A photo, drawn by us: nothing of an upload or of Amazon's is served as it came."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = PHOTO.fullmatch(name)
        try:
            with photo_storage().open(f"{found['folder']}/{name}", "rb") as file:
                drawn = file.read()
        except (TypeError, OSError):  # no name of ours, or gone
            raise Http404 from None
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f'inline; filename="photo.{found["kind"]}"',
        }
        return HttpResponse(drawn, content_type=TYPES[found["kind"]], headers=headers)

    # -- the other identifier

    def rekey_view(self, request, pk):
        """GET says what would become of the store's products, POST does it."""
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        if not all(map(request.user.has_perm, ("stores.change_store", "orders.change_product"))):
            raise PermissionDenied
        store = get_object_or_404(Store, pk=pk)
        if request.method == "POST" and request.POST.get("identifier") == rekeying.other_identifier(store):
            return self._rekey(request, store)
        plan = rekeying.preview(store)
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": _("Product identifier of %(store)s") % {"store": store},
            "store": store,
            "plan": plan,
            "now_by": store.get_product_identifier_display(),
            "then_by": Store.Identifier(plan.identifier).label,
            "parts": [
                {"title": title, "fates": fates[:SHOWN], "more": max(0, len(fates) - SHOWN)}
                for title, fates in (
                    (_("To be decided again afterwards"), plan.conflicts), (_("Joined"), plan.joined), (_("Split"), plan.split),
                )
                if fates
            ],
        }  # fmt: skip
        return TemplateResponse(request, "orders/product_rekey.html", context)

    def _rekey(self, request, store: Store) -> HttpResponseRedirect:
        try:
            done = rekeying.apply(store, now=clock.now())
        except RuleViolation as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:orders_product_rekey", args=[store.pk]))
        self.log_change(request, store, historywords.changed("product_identifier"))
        store.refresh_from_db()
        told = _(
            "%(store)s now calls its products by %(identifier)s: %(renamed)d renamed, %(joined)d joined, %(split)d split."
        )
        names = {"store": store, "identifier": store.get_product_identifier_display()}
        self.message_user(request, told % (names | done), messages.SUCCESS)
        return HttpResponseRedirect(f"{reverse('admin:stores_store_change', args=[store.pk])}#products")


class GoodsDoors:
    """Part of the orders' admin: the weight of an order, and the details of its products."""

    def get_urls(self):
        def deed(name, view):
            return path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"orders_order_{name}")

        return [deed("weight", self.weight_view), deed("details", self.details_view), *super().get_urls()]

    @post_only("admin:orders_order_change")
    def weight_view(self, request, pk):
        """`grams`: a whole number, or nothing for what its lines weigh."""
        self._allow(self.has_decide_permission(request))
        typed = request.POST.get("grams", "")
        told = _("The weight is kept.") if typed.strip() else _("The weight follows from the lines again.")
        return self._decide(request, pk, lambda order, **who: products.weigh_by_hand(order, typed, **who), told)

    @post_only("admin:orders_order_change")
    def details_view(self, request, pk):
        self._allow(request.user.has_perm("orders.fetch_order"))
        return self._decide(request, pk, _fetch_details, _("The product details are here."))


def _fetch_details(order: Order, *, by, now) -> None:
    asking.details_now(order, now=now)
