"""PyPI `shipstation` 0.1.3. Where OrderHub is: the attribute `url`, after the client is made.

Its `get` and `post` return nothing; with `debug` they print the answer, which is how its users see one.
"""

import ast
import contextlib
import io
import json
from decimal import Decimal

from shipstation.api import ShipStation, ShipStationAddress, ShipStationContainer, ShipStationItem, ShipStationOrder
from shipstation.api import ShipStationWeight as Weight
from steps import API_KEY, API_SECRET, BASE_URL, GIVEN, step

client = ShipStation(key=API_KEY, secret=API_SECRET, debug=True)
client.url = BASE_URL


def printed(do, *arguments, **named):
    """What the client printed, read back."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        do(*arguments, **named)
    return ast.literal_eval(out.getvalue())


def post(endpoint, body):
    return printed(client.post, endpoint=endpoint, data=json.dumps(body))


def order(quantity):
    made = ShipStationOrder(order_key="py-1", order_number="PY-1")
    made.set_customer_details(username="zoe", email="zoe@example.com")
    address = ShipStationAddress(
        name="Zoé Martin", company="", street1="3 rue des Lilas", city="Lyon", postal_code="69003", country="FR",
        phone="+33 4 00 00 00 00", residential=True,
    )  # fmt: skip
    made.set_shipping_address(address)
    made.set_billing_address(address)
    box = ShipStationContainer(units="inches", length=5, width=5, height=5)
    box.set_weight(Weight(units="ounces", value=10))
    made.set_dimensions(box)
    item = ShipStationItem(key="l-1", sku="MUG-1", name="Mug", quantity=quantity, unit_price=Decimal("9.99"))
    item.set_weight(Weight(units="ounces", value=12))
    made.add_item(item)
    made.set_status("awaiting_shipment")
    return made


def submit(made):
    client.orders = []
    client.add_order(made)
    return printed(client.submit_orders)


created = step("create", lambda: submit(order(2)))
step("update", lambda: submit(order(3)))
step("list", lambda: printed(client.fetch_orders, parameters={"order_status": "awaiting_shipment", "page_size": "50"}))
step("number", lambda: printed(client.fetch_orders, parameters={"order_number": "PY-1", "sort_by": "ModifyDate"}))
number = created["orderId"] if created else 0
step("get", lambda: printed(client.get, endpoint=f"/orders/{number}"))
step("hold", lambda: post("/orders/holduntil", {"orderId": number, "holdUntilDate": GIVEN["hold_until"]}))
step("restore", lambda: post("/orders/restorefromhold", {"orderId": number}))
step("tag", lambda: post("/orders/addtag", {"orderId": number, "tagId": GIVEN["tag"]}))
step("ship", lambda: post("/orders/markasshipped", GIVEN["parcel"] | {"orderId": GIVEN["order"]}))
step("stores", lambda: printed(client.get, endpoint="/stores"))
step("shipments", lambda: printed(client.get, endpoint="/shipments", payload={"orderId": GIVEN["order"]}))
step("fulfillments", lambda: printed(client.get, endpoint="/fulfillments", payload={"orderId": GIVEN["order"]}))
step("subscribe", lambda: post("/webhooks/subscribe", GIVEN["webhook"]))
step("webhooks", lambda: printed(client.get, endpoint="/webhooks"))
