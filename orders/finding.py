"""Finding an order by what stands on papers and parcels: order number, SKU, ASIN, tracking number. Never by name."""

import re

from django.db.models import Q

from orders.models import Order, OrderItem

LEAST = 3  # characters a prefix needs to be worth a search


def search(orders, text: str):
    """Orders whose number begins with `text`, or that hold exactly this SKU, ASIN or tracking number.

    Blank text finds everything; text shorter than three characters finds nothing.
    """
    text = text.strip()
    if not text:
        return orders
    if len(text) < LEAST:
        return orders.none()
    parcel = re.sub(r"[\s\-.]", "", text).upper()
    lines = OrderItem.objects.filter(Q(sku=text) | Q(asin=text.upper()))
    parcels = Order.objects.filter(shipments__tracking_number=parcel)
    return orders.filter(
        Q(order_number__startswith=text) | Q(pk__in=lines.values("order")) | Q(pk__in=parcels.values("pk"))
    )
