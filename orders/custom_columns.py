"""Custom fields 1 to 3 where orders are shown: their own values, and those of the buyer for whoever may see them."""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import Exists
from django.utils.html import format_html
from django.utils.translation import pgettext_lazy

from orders import persons
from orders.models import Order
from stores.models import MAPPED_FIELDS, CustomFieldSource, Store

NUMBERS = (1, 2, 3)
MOST_STORES = 200


def offered_to(request) -> bool:
    """Whether any store has custom fields; asked once per request, together with the names of the stores."""
    return any(in_use for _pk, _name, in_use in _stores(request))


def stores_for(request) -> list[tuple[int, str]]:
    """Ids and names of the stores a list can be narrowed to, by name."""
    return [(pk, name) for pk, name, _in_use in _stores(request)]


def _stores(request) -> list[tuple[int, str, bool]]:
    if not hasattr(request, "stores_offered"):
        anywhere = Exists(Store.objects.filter(custom_fields_enabled=True))
        rows = Store.objects.order_by("name").annotate(in_use=anywhere).values_list("pk", "name", "in_use")
        request.stores_offered = list(rows[:MOST_STORES])
    return request.stores_offered


class Page:
    """The values of one page of orders, read and logged once, when the first cell is drawn."""

    def __init__(self, user, orders: Iterable[Order], *, what: str):
        self.user = user
        self.orders = orders
        self.what = what
        self._personal: dict[int, list[str]] | None = None

    def value(self, order: Order, number: int) -> str:
        """What the field holds for this order; '' for nothing."""
        own = getattr(order, f"custom_field_{number}")
        if own:
            return own
        if self._personal is None:
            self._personal = persons.custom_fields_of(self.user, list(self.orders), what=self.what)
        return self._personal.get(order.pk, ["", "", ""])[number - 1]


def attach(user, orders: Iterable[Order]) -> None:
    """Let each of these rows find the values of its page."""
    page = Page(user, orders, what="order list")
    for order in orders:
        order.custom_page = page


def on_page(user, order: Order) -> list[tuple[int, str, str]]:
    """(number, what feeds it, value) of the fields of one order that are fed or filled; '' for a source nobody chose."""
    page = Page(user, [order], what="")  # the panel of the person on the same page has logged this view
    shown = []
    for number, name in zip(NUMBERS, MAPPED_FIELDS, strict=True):
        source, value = getattr(order.store, name), page.value(order, number)
        if source or value:
            shown.append((number, str(CustomFieldSource(source).label) if source else "", value))
    return shown


class CustomColumns:
    """The three columns of the order list, as soon as any store has custom fields. They stand last, so that the order
    of rows in an address means the same columns with and without them."""

    def get_list_display(self, request):
        more = [f"field_{number}" for number in NUMBERS] if offered_to(request) else []
        return [*super().get_list_display(request), *more]

    @admin.display(description=pgettext_lazy("column", "custom field 1"), ordering="custom_field_1")
    def field_1(self, order):
        return _cell(order, 1)

    @admin.display(description=pgettext_lazy("column", "custom field 2"), ordering="custom_field_2")
    def field_2(self, order):
        return _cell(order, 2)

    @admin.display(description=pgettext_lazy("column", "custom field 3"), ordering="custom_field_3")
    def field_3(self, order):
        return _cell(order, 3)


def _cell(order: Order, number: int):
    value = order.custom_page.value(order, number)
    return format_html('<span class="oh-custom" dir="auto" translate="no">{}</span>', value) if value else "–"
