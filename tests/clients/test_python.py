"""The three published clients for Python, each doing all it can to a running OrderHub."""

from datetime import timedelta
from decimal import Decimal

from orderhub import clock
from orders.models import Order, OrderEvent
from privacy import sweeping
from privacy.markers import AMAZON
from shipments.models import Shipment, ShipmentNotification
from tests.factories import PERSON


def test_shipstation_sends_everything_as_text_and_its_order_is_the_same_order_twice(shop):
    told = shop.drive("drive_shipstation.py")
    order = Order.objects.get(client_key="py-1")
    item = order.items.get()
    assert (order.store, order.order_number, item.quantity, item.unit_price, item.weight_g) == (
        shop.manual, "PY-1", 3, Decimal("9.99"), 340,
    )  # fmt: skip
    assert (order.person.recipient_name, order.person.street1) == ("Zoé Martin", "3 rue des Lilas")
    assert (told["create"]["orderId"], told["update"]["orderId"]) == (order.pk, order.pk)
    assert [row["orderNumber"] for row in told["number"]["orders"]] == ["PY-1"] and told["list"]["total"] == 3
    assert [(row["sku"], row["quantity"]) for row in told["get"]["items"]] == [("MUG-1", 3)]
    assert order.events.filter(kind=OrderEvent.Kind.HELD).exists() and order.status == Order.Status.AWAITING_SHIPMENT
    assert list(order.tags.all()) == [shop.tag]
    assert_marked_as_shipped(shop, told)
    assert {row["storeId"] for row in told["stores"]} == {shop.manual.pk, shop.amazon.pk}
    assert told["webhooks"]["webhooks"][0]["WebHookID"] == told["subscribe"]["id"]


def assert_marked_as_shipped(shop, told) -> None:
    """One parcel without a label, of which the marketplace is told once."""
    parcel, order = Shipment.objects.get(), shop.orders[0]
    assert (parcel.order, parcel.carrier, parcel.tracking_number) == (order, "ups", "1Z999AA10123456784")
    assert ShipmentNotification.objects.count() == 1
    assert told["ship"] == {"orderId": order.pk, "orderNumber": order.order_number}
    assert (told["shipments"]["total"], told["fulfillments"]["fulfillments"][0]["fulfillmentId"]) == (0, parcel.pk)


def test_tolerance_4_pyshipstation_reads_answers_strictly_and_also_those_of_erased_orders(shop):
    moved, erased = {"street1": "5 rue des Lilas", "company": "Lilas SARL"}, shop.orders[0]
    Order.objects.filter(pk=erased.pk).update(redaction_due_at=clock.now() - timedelta(minutes=5))
    sweeping.sweep()
    wishes = [
        ("create", "PS-1", 2, {}), ("update", "PS-1", 3, moved), ("same", "PS-1", 3, moved),
        ("erased", erased.order_number, 1, moved),
    ]  # fmt: skip
    told = shop.drive("drive_pyshipstation.py", orders=wishes)
    order = Order.objects.get(order_number="PS-1")
    assert {told[name]["orderId"] for name in ("create", "update", "same")} == {order.pk}
    assert (order.items.get().quantity, order.person.street1, order.custom_field_1) == (3, "5 rue des Lilas", "Shelf 3")
    assert told["update"]["shipTo"] | moved == told["update"]["shipTo"]
    assert told["update"]["internalNotes"] == "From the web shop" and order.notes.count() == 1
    answer = told["erased"]["shipTo"]
    assert (told["erased"]["orderId"], answer["name"], answer["street1"]) == (erased.pk, AMAZON, AMAZON)
    assert (answer["country"], answer["city"]) == (PERSON["country"], PERSON["city"])
    assert erased.events.filter(kind="blocked_write").exists()


def test_api_wrapper_changes_one_field_and_sends_the_whole_order_back(shop):
    order = shop.orders[0]
    before = order.person.street1, list(order.items.values_list("quantity", "unit_price"))
    told = shop.drive("drive_api_wrapper.py")
    order.refresh_from_db()
    assert (order.person.street1, list(order.items.values_list("quantity", "unit_price"))) == before
    assert order.status == Order.Status.ON_HOLD and list(order.tags.all()) == [shop.tag]
    assert [note.text for note in order.notes.all()] == ["Wrap it twice None"]  # it writes out the null it has read
    assert told["list"]["total"] == told["list all"]["total"] == 2
    assert [row["orderId"] for row in told["number"]["orders"]] == [order.pk] == [told["get"]["orderId"]]
    assert told["tags"] == [{"tagId": shop.tag.pk, "name": "Fragile", "color": "#808080"}]
    assert [row["customerId"] for row in told["customers"]["customers"]] == [told["customer"]["customerId"]]
    assert [row["productId"] for row in told["product"]["products"]] == [shop.product.pk]
    assert told["shipments that are orders"]["orders"]  # what it asks for is not what it says
    assert (
        told["saturday"]["advancedOptions"]["saturdayDelivery"] is False
    )  # taken, and not kept: docs/shipstation-clients.md
    assert told["customs"]["internationalOptions"]["customsItems"] is None
