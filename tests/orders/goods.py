"""Products and questions to the catalogue, as short as the rule they prove."""

from itertools import count

from orders.models import CatalogueItem, Order, OrderItem, Product
from tests.factories import make_order, make_store

_numbers = count(1)


def make_product(store=None, **given) -> Product:
    number = next(_numbers)
    defaults = {
        "key": f"SKU-{number}",
        "sku": f"SKU-{number}",
        "asin": f"B0GOODS{number:03d}",
        "title": f"Thing {number}",
    }
    return Product.objects.create(store=store or make_store(), **(defaults | given))


def counted(product: Product, units: int, *, at, sent: int = 0) -> Product:
    Product.objects.filter(pk=product.pk).update(stock_on_hand=units, stock_confirmed_at=at, sent_when_counted=sent)
    return Product.objects.get(pk=product.pk)


def order_of(*wanted: tuple[Product, int], **given) -> Order:
    """An order of so many units of each product, all of one store."""
    order = make_order(wanted[0][0].store, lines=len(wanted), **given)
    for item, (product, quantity) in zip(order.items.order_by("pk"), wanted, strict=True):
        known = {"product": product, "quantity": quantity, "sku": product.sku, "asin": product.asin}
        OrderItem.objects.filter(pk=item.pk).update(**known)
    return order


def question(asin: str, marketplace: str = "US", **given) -> CatalogueItem:
    return CatalogueItem.objects.create(marketplace=marketplace, asin=asin, **given)
