"""PyPI `pyshipstation` 0.0.10. Where OrderHub is: the class attribute `BASE_URL`. It reads answers strictly."""

import base64

from pyshipstation.v1.models.address import ShipStationAddressCreate
from pyshipstation.v1.models.advanced_options import AdvancedOptionsCreate
from pyshipstation.v1.models.order import ShipStationOrderCreate
from pyshipstation.v1.models.order_item import ShipStationOrderItemCreate
from pyshipstation.v1.sync.client import ShipStationClient
from steps import API_KEY, API_SECRET, BASE_URL, GIVEN, step

ShipStationClient.BASE_URL = BASE_URL
client = ShipStationClient("Basic " + base64.b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode())


def order(number, quantity, address):
    home = {
        "name": "Zoé Martin", "company": "", "street1": "3 rue des Lilas", "street2": "", "street3": "", "city": "Lyon",
        "state": "", "postalCode": "69003", "country": "FR", "phone": "", "residential": None,
    }  # fmt: skip
    return ShipStationOrderCreate(
        orderNumber=number, orderDate="2026-11-20T08:46:27.0000000", orderStatus="awaiting_shipment",
        customerEmail="zoe@example.com", billTo=ShipStationAddressCreate(**home),
        shipTo=ShipStationAddressCreate(**(home | address)), internalNotes="From the web shop",
        items=[ShipStationOrderItemCreate(sku="MUG-1", quantity=quantity, name="Mug").model_dump()],
        advancedOptions=AdvancedOptionsCreate(customField1="Shelf 3"),
    )  # fmt: skip


for name, *wish in GIVEN["orders"]:
    step(name, lambda wish=wish: client.create_order(order(*wish)).model_dump(by_alias=True))
