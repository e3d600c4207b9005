"""The two published clients for Node, each doing all it can to a running OrderHub."""

import base64

from orderhub import clock
from orderhub.webhooks.models import Endpoint
from orders.models import Order, OrderEvent
from shipments.models import Shipment, ShipmentNotification
from stores.models import AmazonAccount

Kind = OrderEvent.Kind


def test_shipstation_node_does_all_of_its_calls(shop):
    told = shop.drive("drive_shipstation_node.mjs")
    order = assert_orders_were_worked_on(shop, told)
    assert [row["success"] for row in told["create many"]["results"]] == [True, False]
    assert Order.objects.filter(client_key="node-2").exists()
    assert order.events.filter(kind=Kind.ASSIGNED).count() == 2 and order.assigned_to is None
    shop.product.refresh_from_db()
    assert shop.product.title == "Big mug"
    assert_parcels_were_sent(shop, told)
    assert_the_store_was_changed(shop, told)
    assert_webhooks_came_and_went(told)


def test_tolerance_8_node_shipstation_merges_its_changes_into_the_whole_order(shop):
    told = shop.drive("drive_node_shipstation.cjs")
    order = assert_orders_were_worked_on(shop, told)
    assert (order.person.street1, order.person.recipient_name) == ("5 rue des Lilas", "Zoé Martin")
    assert [row["customerId"] for row in told["customers"]["customers"]][0] == told["customer"]["customerId"]
    assert told["product"]["productId"] == shop.product.pk
    assert_parcels_were_sent(shop, told)
    assert_the_store_was_changed(shop, told)
    assert_webhooks_came_and_went(told)


def assert_orders_were_worked_on(shop, told) -> Order:
    """Listed, read, created, changed, tagged, held, released and cancelled; returns the one that was created."""
    order, item = Order.objects.get(client_key="web-0001"), Order.objects.get(client_key="web-0001").items.get()
    assert (order.store, told["create"]["orderId"], told["update"]["orderId"]) == (shop.manual, order.pk, order.pk)
    assert (item.quantity, item.sku, item.options) == (3, "MUG-1", [{"name": "Colour", "value": "Red"}])
    assert {row["orderId"] for row in told["list"]["orders"]} == {one.pk for one in shop.orders}
    assert told["get"]["shipTo"]["name"] == "Ada Example"
    assert [row["orderId"] for row in told["by tag"]["orders"]] == [shop.orders[0].pk]
    assert not shop.orders[0].tags.exists() and told["tags"][0]["tagId"] == shop.tag.pk
    assert told["held"]["orderStatus"] == "on_hold" and told["held"]["holdUntilDate"]
    assert order.status == Order.Status.CANCELLED
    assert order.events.filter(kind=Kind.RELEASED).exists()
    return order


def assert_parcels_were_sent(shop, told) -> None:
    """One marked as shipped, of which the marketplace is told; one with a label, which was voided again."""
    marked, labelled = (Shipment.objects.get(order=order) for order in shop.orders)
    assert (marked.tracking_number, marked.voided_at) == ("1Z999AA10123456784", None)
    assert ShipmentNotification.objects.filter(order=marked.order).count() == 1
    assert told["fulfillments"]["fulfillments"][0]["fulfillmentId"] == marked.pk
    assert base64.b64decode(told["label"]["labelData"]).startswith(b"%PDF")
    assert told["shipments"]["shipments"][0]["shipmentItems"][0]["sku"] == "SKU-1"
    assert told["void"]["approved"] is True and labelled.voided_at


def assert_the_store_was_changed(shop, told) -> None:
    shop.manual.refresh_from_db()
    assert (shop.manual.name, shop.manual.active) == ("Web shop", True)
    assert {row["storeId"] for row in told["stores"]} == {shop.manual.pk, shop.amazon.pk}
    assert told["refresh"]["success"] and told["refresh status"]["storeId"] == shop.amazon.pk
    assert AmazonAccount.objects.get().next_poll_at <= clock.now()


def assert_webhooks_came_and_went(told) -> None:
    assert [row["WebHookID"] for row in told["webhooks"]["webhooks"]] == [told["subscribe"]["id"]]
    assert not Endpoint.objects.filter(active=True).exists()
