"""Which product a line is of, and what the catalogue knows of its ASIN: looked up for a whole page at once."""

from collections.abc import Iterable

from orders import products
from orders.models import CatalogueItem, Order, OrderItem, Product
from stores import marketplaces
from stores.connectors.base import RemoteOrder
from stores.models import Store

_READ = ("store_id", "key", "sku", "asin", "weight_g", "warehouse_location", "stock_on_hand", "sent_when_counted")


class ProductLinks:
    """Products of some stores, each read once while this lives. Call inside the page's transaction.

    A product is made for a line only where Amazon's catalogue may be asked about it (R28, R29); what exists is linked
    in any case.
    """

    def __init__(self):
        self._known: dict[tuple[int, str], Product] = {}
        self._asked: set[tuple[str, str]] = set()

    def link(self, lines: Iterable[tuple[Order, OrderItem]], *, make: set[str]) -> None:
        """Give every line without one its product, where there is one. `make`: orders, by number, that may make them.

        Three statements at most, none where all are known.
        """
        keyed = [(order, item, _key(order.store, item)) for order, item in lines if item.product_id is None]
        self._read({key for _order, _item, key in keyed} - self._known.keys())
        fresh = {
            key: Product(store=order.store, key=key[1], sku=item.sku, asin=item.asin, title=item.title)
            for order, item, key in keyed
            if key[1] and key not in self._known and order.order_number in make
        }
        if fresh:
            self._make(list(fresh.values()))
        for _order, item, key in keyed:
            if key in self._known:
                item.product = self._known[key]

    def _read(self, keys: set[tuple[int, str]]) -> None:
        if not keys:
            return
        stores, names = {store for store, _name in keys}, {name for _store, name in keys}
        found = Product.objects.filter(store__in=stores, key__in=names).only(*_READ)
        self._known |= {(product.store_id, product.key): product for product in found}

    def _make(self, fresh: list[Product]) -> None:
        Product.objects.bulk_create(
            fresh, update_conflicts=True, unique_fields=["store", "key"], update_fields=["asin"]
        )
        self._known |= {(product.store_id, product.key): product for product in fresh}
        wanted = {(product.store.marketplace, product.asin) for product in fresh if product.asin}
        questions = [CatalogueItem(marketplace=code, asin=asin) for code, asin in sorted(wanted - self._asked) if code]
        if questions:
            CatalogueItem.objects.bulk_create(questions, ignore_conflicts=True)
            self._asked |= wanted


def _key(store: Store, item: OrderItem) -> tuple[int, str]:
    return store.pk, products.key_of(store, item.sku, item.asin)


def not_physical(remotes: Iterable[RemoteOrder]) -> set[tuple[str, str]]:
    """Of these orders' ASINs, those of which the catalogue says that nothing is sent; (marketplace id, ASIN). One query."""
    asins = {item.asin for remote in remotes for item in remote.items if item.asin}
    found = CatalogueItem.objects.filter(asin__in=asins, is_physical=False).values_list("marketplace", "asin")
    return {(marketplaces.BY_CODE[code].id, asin) for code, asin in found} if asins else set()
