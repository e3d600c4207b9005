"""The demo shop's shelves: where its products lie, and how many the packer counted."""

from datetime import datetime

from orderhub.models import User
from orders import stock
from orders.models import Product

UNCOUNTED_EVERY, SCARCE_EVERY = 5, 7  # some were never counted, and of some there are too few


def fill(*, by: User, now: datetime) -> None:
    """A place for every product, a count for most."""
    products = list(stock.with_shelf(Product.objects.order_by("key", "pk")))
    for number, product in enumerate(products):
        product.warehouse_location = f"{'ABCD'[number % 4]}-{number // 4 + 1:02d}"
        product.save(update_fields=["warehouse_location"])
        if number % UNCOUNTED_EVERY:
            units = product.to_send // 2 if number % SCARCE_EVERY == 0 else product.to_send + 3 + number % 9
            stock.confirm(product, str(units), by=by, now=now)
