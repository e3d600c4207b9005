"""Parts of orders and several orders in one parcel, as a person sends them: through the pages, preview and all."""

import html
import re

from django.test import Client
from django.urls import reverse

from orders.models import Order, OrderItem
from privacy import access
from shipments.dispatching import ParcelWish
from stores.models import Store
from tests.conftest import NOON
from tests.factories import make_order, make_user

TODAY = NOON.date()
FIRST, SECOND, THIRD = "1Z999AA10123456784", "1Z999AA10123456785", "1Z999AA10123456786"


def order_of(units: int = 3, store: Store | None = None, **given) -> Order:
    """An order of one line with so many units."""
    order = make_order(store, **given)
    OrderItem.objects.filter(order=order).update(quantity=units)
    return order


def wish_for(tracking: str = FIRST, items: dict[int, int] | None = None, **given) -> ParcelWish:
    typed = {"carrier": "ups", "tracking_number": tracking, "ship_date": TODAY, "items": items}
    return ParcelWish(**(typed | given))


def part_of(order: Order, units: int, tracking: str = FIRST, **given) -> ParcelWish:
    """So many units of its first line."""
    return wish_for(tracking, {order.items.first().pk: units}, **given)


def support() -> Client:
    client = Client()
    client.force_login(make_user(access.SUPPORT))
    return client


def typed(prefix: str, tracking: str = FIRST, **given) -> dict[str, str]:
    row = {"carrier": "ups", "service": "UPS Ground", "tracking_number": tracking, "ship_date": TODAY.isoformat()}
    return {f"{prefix}-{name}": value for name, value in (row | given).items()}


def typed_part(order: Order, units: int, tracking: str = FIRST, **given) -> dict[str, str]:
    return typed("part", tracking, **given) | {f"part-units-{order.items.first().pk}": str(units)}


def text_of(answer) -> str:
    """What a reader reads: tags away, entities as signs, white space single."""
    shown = re.sub(r"<head.*?</head>|<[^>]+>", " ", answer.content.decode(), flags=re.S)
    return " ".join(html.unescape(shown).split())


def seal_of(answer) -> str:
    found = re.search(r'name="seal" value="([0-9a-f]{64})"', answer.content.decode())
    assert found, text_of(answer)
    return found[1]


def split_url(order: Order) -> str:
    return reverse("admin:shipments_split", args=[order.pk])


def combine_url(*orders: Order) -> str:
    return f"{reverse('admin:shipments_combine')}?ids={','.join(str(order.pk) for order in orders)}"


def confirmed(client: Client, url: str, data: dict[str, str]):
    """Preview, then confirm; the preview's answer and the last one."""
    preview = client.post(url, data)
    return preview, client.post(url, data | {"seal": seal_of(preview)}, follow=True)
