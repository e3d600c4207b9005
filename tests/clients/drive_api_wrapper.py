"""PyPI `shipstation-api-wrapper` 0.1.2. Where OrderHub is: `base_url`, given to the client."""

import base64

from shipstation_api_wrapper.api import ShipStationClient
from shipstation_api_wrapper.filter import ShipStationOrderFilter
from shipstation_api_wrapper.models.order import CustomsItem
from steps import API_KEY, API_SECRET, BASE_URL, GIVEN, step

client = ShipStationClient(base64.b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode(), base_url=BASE_URL)


def answered(response):
    response.raise_for_status()
    return response.json()


def narrowed():
    wish = ShipStationOrderFilter()
    wish.add_order_status_filter("awaiting_shipment")
    wish.add_date_filter(start_date="2026-01-01", date_type="order")
    wish.add_item_keyword_filter("Sample")
    return client.orders.list_with_filter(wish)


def read():
    return answered(client.orders.get_by_id(GIVEN["order"]))


step("tags", lambda: answered(client.tags.list()))
step("list all", lambda: answered(client.orders.list()))
step("list", lambda: answered(narrowed()))
step("number", lambda: answered(client.orders.get_by_number(GIVEN["number"])))
step("get", read)
step("tag", lambda: answered(client.orders.tag(GIVEN["order"], GIVEN["tag"])))
step("update", lambda: answered(client.orders.add_note("Wrap it twice", read())))
step("saturday", lambda: answered(client.orders.activate_saturday_delivery(read(), True)))
customs = [CustomsItem(description="Mug", value=9.95)]
step("customs", lambda: answered(client.orders.update_customs_declaration(read(), customs)))
step("hold", lambda: answered(client.orders.hold(GIVEN["order"], GIVEN["hold_until"])))
step("shipments that are orders", lambda: answered(client.shipments.list()))
step("customers", lambda: answered(client.customers.list(countryCode="US", sortBy="Name", page=1, pageSize=50)))
step("customer", lambda: answered(client.customers.get_by_id(GIVEN["customer"])))
step("products", lambda: answered(client.products.list_products()))
step("product", lambda: answered(client.products.get_product_by_sku("MUG-1")))
step("update product", lambda: answered(client.products.update_tag("MUG-1", [])))
