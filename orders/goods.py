"""The lines of an order as its page shows them: with photo, place, weight and stock of their products."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from orderhub.wording import amount, utc
from orders import stock
from orders.models import Order, OrderItem, Product
from orders.photos import photo_url

CONDITIONS = {"NEW": ""}  # what need not be said


@dataclass(frozen=True)
class Goods:
    """What is known of a line's product. Grams; '' and None where nothing is known. `facts`: (name, text)."""

    product: Product | None
    photo: str  # where the browser gets it, or ''
    place: str
    grams: int | None
    shelf: stock.Shelf | None
    facts: tuple[tuple[str, str], ...]
    discount: str  # the amount taken off, as a negative one, or ''
    promotions: str


def lines_of(order: Order) -> list[OrderItem]:
    """The lines, each with its `goods`; two queries."""
    items = list(order.items.select_related("product"))
    wanted = {item.product_id for item in items if item.product_id}
    shelves = (
        {row.pk: stock.shelf(row) for row in stock.with_shelf(Product.objects.filter(pk__in=wanted))} if wanted else {}
    )
    for item in items:
        item.goods = _goods(item, order, shelves.get(item.product_id))
    return items


def context(user, order: Order, lines: list[OrderItem]) -> dict:
    """What the page offers about products."""
    unknown = [line for line in lines if line.asin and (line.product is None or line.product.looked_up_at is None)]
    return {
        "may_see_products": user.has_perm("orders.view_product"),
        "may_count": user.has_perm("orders.confirm_stock"),
        "may_weigh": user.has_perm("orders.change_order") and order.is_open,
        "may_fetch_details": bool(unknown and order.store.account_id) and user.has_perm("orders.fetch_order"),
    }


def _goods(item: OrderItem, order: Order, shelf: stock.Shelf | None) -> Goods:
    product = item.product
    return Goods(
        product=product,
        photo=photo_url(product.photo.name) if product else "",
        place=item.warehouse_location or (product.warehouse_location if product else ""),
        grams=item.weight_g if item.weight_g is not None else (product.weight_g if product else None),
        shelf=None if order.by_amazon else shelf,
        facts=tuple(_facts(item)),
        discount=amount(-abs(item.discount), order.currency) if item.discount else "",
        promotions=", ".join(str(promotion) for promotion in item.promotions),
    )


def _facts(item: OrderItem) -> list[tuple[str, str]]:
    """What is special about a line, for those who pack it."""
    told = [
        (_("Condition"), CONDITIONS.get(item.condition, item.condition)),
        (_("Gift wrap"), item.gift_wrap_level),
        (_("Gift"), _("yes") if item.is_gift and not item.gift_wrap_level else ""),
        (_("Price"), _("business price") if item.is_business_price else ""),
        (_("Required"), ", ".join(str(word) for word in item.requirements)),
        (_("Delivery wanted"), _window(item)),
        ("IOSS", item.ioss_number),
        (_("Kind"), "" if item.is_physical else _("not a physical product")),
    ]
    told += [
        (str(option.get("name", "")), str(option.get("value", "")))
        for option in item.options
        if isinstance(option, dict)
    ]
    return [(name, text) for name, text in told if text]


def _window(item: OrderItem) -> str:
    if not (item.scheduled_from and item.scheduled_until):
        return utc(item.scheduled_from or item.scheduled_until) if item.scheduled_from or item.scheduled_until else ""
    return _("%(start)s to %(end)s") % {"start": utc(item.scheduled_from), "end": utc(item.scheduled_until)}
