"""Orders with all that rules may ask of them, read in a constant number of queries."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import QuerySet

from orders import roman
from orders.models import ItemPersonalData, Order, OrderEvent, OrderItem, OrderPersonalData, Product

Kind = OrderEvent.Kind


@dataclass(slots=True)
class Subject:
    """An order that enters, with what belongs to it. `tags`: their names. `products`: by id, those of the lines.

    `source`: how it came here, one of rules.facts.SOURCES. `customised`: whether a line holds a buyer's design.
    """

    order: Order
    person: OrderPersonalData | None
    items: list[OrderItem]
    tags: set[str] = field(default_factory=set)
    products: Mapping[int, Product] = field(default_factory=dict)
    source: str = "import"
    customised: bool = False

    def unreadable(self) -> bool:
        """Whether the address must be written in Roman characters before a label can be made."""
        return self.person is not None and bool(roman.missing(self.person))


def subjects(rows: QuerySet[Order], *, orders: list[Order] | None = None) -> list[Subject]:
    """These orders with all that rules may ask of them; six queries however many. `orders`: the rows, if at hand."""
    found = list(rows) if orders is None else orders
    ids = rows.values("pk")
    persons = {person.pk: person for person in OrderPersonalData.objects.filter(order__in=ids)}
    lines: dict[int, list[OrderItem]] = {}
    products: dict[int, dict[int, Product]] = {}
    for item in OrderItem.objects.filter(order__in=ids).select_related("product").order_by("pk"):
        lines.setdefault(item.order_id, []).append(item)
        if item.product is not None:
            products.setdefault(item.order_id, {})[item.product_id] = item.product
    tags: dict[int, set[str]] = {}
    for order_id, name in Order.tags.through.objects.filter(order__in=ids).values_list("order", "tag__name"):
        tags.setdefault(order_id, set()).add(name)
    designs = ItemPersonalData.objects.filter(item__order__in=ids).values_list("item__order", flat=True)
    customised, sources = set(designs), _sources(ids)
    return [
        Subject(
            order, persons.get(order.pk), lines.get(order.pk, []), tags.get(order.pk, set()),
            products.get(order.pk, {}), sources.get(order.pk, "import"), order.pk in customised,
        )
        for order in found
    ]  # fmt: skip


def _sources(ids: QuerySet) -> dict[int, str]:
    """How orders came here that were not imported from their marketplace."""
    words = {Kind.ENTERED: "hand", Kind.FROM_FILE: "file", Kind.FROM_CLIENT: "api"}
    rows = OrderEvent.objects.filter(order__in=ids, kind__in=list(words)).values_list("order", "kind")
    return {order_id: words[kind] for order_id, kind in rows}
