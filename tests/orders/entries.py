"""Orders as people type them, and stores to type them into; for tests of entering and of files."""

from decimal import Decimal

from orderhub import clock
from orders import entering
from orders.entering import Entry
from orders.models import Order, OrderEvent
from stores.models import Store
from tests.factories import make_merchant

ADDRESS = {
    "recipient_name": "Zoé Martin", "street1": "3 rue des Lilas", "postal_code": "69003", "city": "Lyon",
    "country": "FR", "phone": "+33 4 00 00 00 00",
}  # fmt: skip
LINE = {
    "sku": "MUG-1", "asin": "", "title": "Mug", "quantity": 2, "unit_price": Decimal("9.95"), "tax": Decimal("1.50"),
    "discount": Decimal("2"), "weight_g": 300, "warehouse_location": "A2",
    "options": [{"name": "Colour", "value": "Red"}],
}  # fmt: skip


def make_manual_store(platform: str = "manual", **given) -> Store:
    defaults = {"name": f"{platform} store", "time_zone": "Europe/Paris", "platform": platform}
    return Store.objects.create(merchant=given.pop("merchant", None) or make_merchant(), **(defaults | given))


def an_entry(number: str = "A-1", *, person: dict | None = None, lines: list[dict] | None = None, **given) -> Entry:
    status = given.pop("status", "awaiting_shipment")
    tags = given.pop("tags", {})
    order = {"currency": "EUR", "ordered_at": clock.now(), "shipping_total": Decimal("4.90")} | given
    return Entry(number, order, ADDRESS | (person or {}), lines or [dict(LINE)], status, tags)


def enter(store: Store | None = None, *entries: Entry, kind: str = OrderEvent.Kind.ENTERED, by=None) -> list[Order]:
    wanted = list(entries) or [an_entry()]
    return entering.enter(store or make_manual_store(), wanted, kind=kind, by=by, now=clock.now())
