"""A shop worth a client's while: a manual store and one of Amazon's, orders with persons, and a key for both."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from orderhub import clock
from orderhub.models import ApiKey
from orders.models import Order, Product, Tag
from stores.models import Store
from tests.clients.driving import Told, drive
from tests.factories import make_key, make_order, make_store, make_user
from tests.orders.buyers import attached
from tests.orders.entries import make_manual_store
from tests.orders.goods import make_product
from tests.shipstation.bodies import an_order


@dataclass(frozen=True)
class Shop:
    url: str
    manual: Store
    amazon: Store
    orders: list[Order]
    product: Product
    tag: Tag
    key: ApiKey
    token: str

    def drive(self, script: str, **more) -> Told:
        """Run the script with all it may ask for. Every step must have gone well for the client."""
        first, second = self.orders
        today = clock.now().date()
        parcel = {"carrierCode": "ups", "trackingNumber": "1Z999AA10123456784", "shipDate": str(today)}
        label = {
            "carrierCode": "ups", "serviceCode": "ups_ground", "packageCode": "package", "confirmation": "none",
            "shipDate": str(today), "weight": {"value": 12, "units": "ounces"}, "trackingNumber": "1Z999AA10123456785",
            "testLabel": False,
        }  # fmt: skip
        given = {
            "manual": self.manual.pk, "amazon": self.amazon.pk, "order": first.pk, "number": first.order_number,
            "second": second.pk, "product": self.product.pk, "tag": self.tag.pk, "customer": first.customer_id,
            "hold_until": str(today + timedelta(days=9)), "parcel": parcel, "label": label, "body": an_order(),
            "webhook": {"target_url": "https://hooks.example/orders", "event": "ORDER_NOTIFY", "friendly_name": "Mine"},
        }  # fmt: skip
        told = drive(script, self.url, self.token, **(given | more))
        assert told.failed == {}
        return told


@pytest.fixture
def shop(live_server) -> Shop:
    manual, amazon = make_manual_store(), make_store()
    orders = [attached(amazon), make_order(amazon)]
    orders[0].refresh_from_db()
    tag, product = Tag.objects.create(name="Fragile"), make_product(amazon, sku="MUG-1", key="MUG-1")
    make_user("Support")
    key, token = make_key(manual, amazon)
    return Shop(f"{live_server.url}/shipstation", manual, amazon, orders, product, tag, key, token)
