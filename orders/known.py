"""What rules may name, as it is when they run: users, tags, stores and their own statuses, units on the shelf."""

from collections.abc import Iterable, Mapping

from django.contrib.auth import get_user_model

from orders import stock
from orders.deciding import HOLD_REASONS
from orders.models import OrderItem, Product, Tag
from stores import statusmap
from stores.models import MarketplaceStatus, Store


class Known:
    """What rules may name: users, tags, stores and their statuses, as they are now. Four queries.

    `left`: units on the shelf that no open order needs, by product; read only where a rule asks for it.
    """

    hold_reasons = HOLD_REASONS

    def __init__(self, stores: Mapping[int, Store], *, shelf: bool = False):
        merchants = {store.merchant_id for store in stores.values()}
        self.merchants = dict(Store.objects.filter(merchant__in=merchants).values_list("pk", "merchant_id"))
        self.users = dict(
            get_user_model().objects.filter(is_active=True, is_client=False).values_list("pk", "username")
        )
        self.tags = dict(Tag.objects.values_list("pk", "name"))
        self.tag_ids = {name.casefold(): pk for pk, name in self.tags.items()}
        rows = MarketplaceStatus.objects.filter(store__in=list(stores))
        self.statuses = {(row.store_id, statusmap.key(row.name)): row for row in rows}
        self.left = _left(list(stores)) if shelf else {}

    def ids_of(self, names: Iterable[str]) -> set[int]:
        """Ids of these tags; one nobody knows any more is left out."""
        return {self.tag_ids[name.casefold()] for name in names if name.casefold() in self.tag_ids}

    def take(self, items: Iterable[OrderItem]) -> None:
        """These lines are open from now on: the next order finds fewer units."""
        for item in items:
            if item.product_id in self.left:
                self.left[item.product_id] -= item.quantity - item.quantity_shipped

    def has_status(self, store: Store, name: str) -> bool:
        return (store.pk, statusmap.key(name)) in self.statuses

    def status(self, store: Store, name: str) -> MarketplaceStatus | None:
        return self.statuses.get((store.pk, statusmap.key(name)))

    def may_ship_from(self, store: Store, other: int) -> bool:
        """Whether a parcel of one store may leave from another's address: only where both are one merchant's."""
        return self.merchants.get(other) == store.merchant_id


def _left(store_ids: list[int]) -> dict[int, int]:
    counted = Product.objects.filter(store__in=store_ids, stock_on_hand__isnull=False)
    rows = stock.with_shelf(counted).values_list("pk", "on_shelf", "to_send")
    return {pk: on_shelf - to_send for pk, on_shelf, to_send in rows}
