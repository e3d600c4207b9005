"""Orders in version 1's form: the same keys for every order, whatever is known, hidden or erased.

Texts of addresses are never null, countries have two letters, amounts are numbers, weights ounces.
"""

from collections.abc import Mapping
from decimal import Decimal

from django.db.models import Prefetch, QuerySet

from orderhub.rest import scopes
from orderhub.shipstation import addresses, carriercodes, instants, measures, people
from orderhub.shipstation.calls import Call
from orders import annotating, notes
from orders.api import reading
from orders.models import Order, OrderItem, OrderNote
from stores.customfields import SERVICE_LEVELS
from stores.models import Store

SOURCES = {Store.Platform.AMAZON: "Amazon", Store.Platform.HANDMADE: "Amazon Handmade", Store.Platform.MANUAL: "Manual"}


def whole(orders: QuerySet) -> QuerySet:
    """With everything a row shows: the same few queries for one order and for five hundred."""
    items = Prefetch("items", OrderItem.objects.select_related("person", "product").order_by("pk"))
    written = Prefetch("notes", OrderNote.objects.select_related("author").order_by("-at", "-pk"))
    return orders.select_related("store__merchant", "person", "assigned_to").prefetch_related(
        items, "tags", written, "shipments"
    )


def orders(call: Call, rows: list[Order]) -> list[dict]:
    """The JSON of these orders, loaded as `whole` does. Views of persons are logged once for all."""
    seen = reading.persons_of(call.key, rows, now=call.now)
    return [_order(call, row, seen.get(row.pk)) for row in rows]


def key_of(order: Order) -> str:
    """What clients call orderKey: their own word for an order they made, else its number."""
    return order.client_key or order.order_number


def _order(call: Call, order: Order, person: Mapping[str, str] | None) -> dict:
    told = person or {}
    at = lambda instant: instants.written(instant, call.key)  # noqa: E731
    parcel = next((one for one in order.shipments.all() if not one.voided_at and not one.is_return), None)
    shipped_by_amazon = order.by_amazon
    return {
        "orderId": order.pk, "orderNumber": order.order_number, "orderKey": key_of(order), "orderDate": at(order.ordered_at),
        "createDate": at(order.first_imported_at), "modifyDate": at(order.modified_at), "paymentDate": at(order.paid_at),
        "shipByDate": at(order.ship_by), "orderStatus": order.status, "customerId": order.customer_id,
        "customerUsername": told.get("buyer_username") or told.get("buyer_email") or "",
        "customerEmail": told.get("buyer_email", ""), "billTo": _bill_to(order, told),
        "shipTo": addresses.ship_to(order, person), "items": [line(call, order, item, person) for item in order.items.all()],
        "orderTotal": amount(order.order_total), "amountPaid": amount(order.order_total if order.paid_at else None),
        "taxAmount": amount(order.tax_total), "shippingAmount": amount(order.shipping_total),
        "customerNotes": told.get("buyer_notes") or None,
        "internalNotes": notes.joined(order, sees_person=call.key.may(scopes.ORDERS_READ_PII)) or None,
        "gift": order.is_gift, "giftMessage": told.get("gift_message") or None, "paymentMethod": order.payment_method or None,
        "requestedShippingService": order.requested_service or SERVICE_LEVELS.get(order.service_level, order.service_level) or None,
        "carrierCode": carriercodes.of_carrier(parcel.carrier) if parcel else None,
        "serviceCode": carriercodes.of_service(parcel.carrier, parcel.service) if parcel else None,
        "packageCode": None, "confirmation": "none", "shipDate": parcel.ship_date.isoformat() if parcel else None,
        "holdUntilDate": at(order.hold_until), "weight": measures.weight(order.weight_g), "dimensions": None,
        "insuranceOptions": {"provider": None, "insureShipment": False, "insuredValue": 0},
        "internationalOptions": {"contents": None, "customsItems": None, "nonDelivery": None},
        "advancedOptions": _advanced(order, told), "tagIds": [tag.pk for tag in order.tags.all()] or None,
        "userId": people.user_id(order.assigned_to), "externallyFulfilled": shipped_by_amazon,
        "externallyFulfilledBy": "Amazon" if shipped_by_amazon else None, "externallyFulfilledById": None,
        "externallyFulfilledByName": None, "labelMessages": None,
    }  # fmt: skip


def _bill_to(order: Order, told: Mapping[str, str]) -> dict:
    """Amazon tells the buyer's name at most; the place is the recipient's country."""
    found = dict.fromkeys(addresses.OF_RECIPIENT, "")
    found |= {"name": told.get("buyer_name", ""), "company": told.get("buyer_company", "")}
    found["country"] = addresses.country(told.get("country", ""), order)
    return found | {"residential": None, "addressVerified": None}


def line(call: Call, order: Order, item: OrderItem, person: Mapping[str, str] | None) -> dict:
    erased = order.is_erased(now=call.now)
    options = annotating.shown_options(item, getattr(item, "person", None), names=person is not None, erased=erased)
    grams = item.weight_g or (item.product.weight_g if item.product else None)
    place = item.warehouse_location or (item.product.warehouse_location if item.product else "")
    return {
        "orderItemId": item.pk, "lineItemKey": item.amazon_item_id, "sku": item.sku or item.asin, "name": item.title or item.sku,
        "imageUrl": None, "weight": measures.weight(grams), "quantity": item.quantity, "unitPrice": amount(item.unit_price),
        "taxAmount": amount(item.tax), "shippingAmount": amount(item.shipping), "warehouseLocation": place or None,
        "options": options, "productId": item.product_id, "fulfillmentSku": None, "adjustment": False, "upc": None,
        "createDate": instants.written(order.first_imported_at, call.key),
        "modifyDate": instants.written(order.modified_at, call.key),
    }  # fmt: skip


def _advanced(order: Order, told: Mapping[str, str]) -> dict:
    fields = {
        f"customField{number}": getattr(order, f"custom_field_{number}") or told.get(f"custom_field_{number}") or None
        for number in (1, 2, 3)
    }
    return {
        "warehouseId": order.store_id, "nonMachinable": False, "saturdayDelivery": False, "containsAlcohol": False,
        "mergedOrSplit": False, "mergedIds": [], "parentId": None, "storeId": order.store_id, **fields,
        "source": SOURCES.get(order.store.platform, order.store.get_platform_display()), "billToParty": None,
        "billToAccount": None, "billToPostalCode": None, "billToCountryCode": None, "billToMyOtherAccount": None,
    }  # fmt: skip


def amount(value: Decimal | None) -> float:
    """A number, 0 where nothing is known: clients add these up."""
    return float(value or 0)
