"""Parcels in version 1's form. A parcel with a label of ours is a shipment there; one whose number was only typed or sent
to us is a fulfillment. Both say whether the marketplace knows."""

from collections.abc import Iterable

from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from orderhub.rest import scopes
from orderhub.shipstation import addresses, carriercodes, instants, measures, people, shapes
from orderhub.shipstation.calls import Call
from orders import persons
from orders.api import reading
from orders.models import Order, OrderItem
from shipments import noticewords
from shipments.models import Label, Shipment, ShipmentItem, ShipmentNotification

NOT_OURS = (ShipmentNotification.STORE_POLICY, ShipmentNotification.BY_RULE, ShipmentNotification.TOLD_BY_CONNECTOR)


def rows(call: Call) -> QuerySet:
    """The parcels of the key's stores."""
    return Shipment.objects.filter(order__store__in=call.stores)


def with_label(found: QuerySet, *, wanted: bool = True) -> QuerySet:
    """Those with a label, or those without. What travels in another's parcel has that one's.

    One set of ids, made once: a question for each row takes PostgreSQL seconds where there are a hundred thousand.
    """
    found = found.annotate(lead=Coalesce("combined_with", "pk"))
    labelled = Q(lead__in=Label.objects.order_by().values("shipment"))
    return found.filter(labelled if wanted else ~labelled)


def whole(found: QuerySet, *, with_items: bool) -> QuerySet:
    """With everything a parcel shows: the same few statements for one and for five hundred."""
    told = ShipmentNotification.objects.filter(
        channel=ShipmentNotification.Channel.AMAZON, correction_of__isnull=True
    ).select_related("order__store__account")
    lines = Prefetch("order__items", OrderItem.objects.select_related("product", "person").order_by("pk"))
    related = [Prefetch("notifications", told, to_attr="first_words"), lines]
    if with_items:
        related.append(Prefetch("items", ShipmentItem.objects.order_by("pk")))
    return found.select_related(
        "order__store", "order__person", "created_by", "batch_row"
    ).prefetch_related(*related)  # fmt: skip


def persons_of(call: Call, found: Iterable[Shipment]) -> dict[int, dict[str, str]]:
    """What the key may see of whom these parcels are for, by order; the views are logged, once an order.

    Without the right it is the place, which is no secret.
    """
    orders: dict[int, Order] = {parcel.order_id: parcel.order for parcel in found}
    if may_name(call):
        return reading.persons_of(call.key, orders.values(), now=call.now)
    return {pk: persons.record_for(call.key.user, order, now=call.now) for pk, order in orders.items()}


def shipments(call: Call, found: list[Shipment], *, with_items: bool) -> list[dict]:
    named = persons_of(call, found)
    return [_shipment(call, parcel, named.get(parcel.order_id), with_items=with_items) for parcel in found]


def fulfillments(call: Call, found: list[Shipment]) -> list[dict]:
    named = persons_of(call, found)
    return [_fulfillment(call, parcel, named.get(parcel.order_id)) for parcel in found]


def _shipment(call: Call, parcel: Shipment, person: dict | None, *, with_items: bool) -> dict:
    store = parcel.order.store
    row = getattr(parcel, "batch_row", None)
    return {
        "shipmentId": parcel.pk, **_common(call, parcel, person), "orderKey": shapes.key_of(parcel.order),
        "shipmentCost": float(parcel.cost or 0), "insuranceCost": 0, "isReturnLabel": parcel.is_return,
        "batchNumber": str(row.batch_id) if row else None,
        "serviceCode": carriercodes.of_service(parcel.carrier, parcel.service), "packageCode": "package",
        "confirmation": "none", "warehouseId": store.pk, "weight": measures.weight(parcel.weight_g),
        "dimensions": measures.dimensions(parcel),
        "insuranceOptions": {"provider": None, "insureShipment": False, "insuredValue": 0},
        "advancedOptions": {
            "billToParty": None, "billToAccount": None, "billToPostalCode": None, "billToCountryCode": None,
            "storeId": store.pk,
        },
        "shipmentItems": _lines(call, parcel, person) if with_items else None,
        "labelData": None, "formData": None,
    }  # fmt: skip


def _fulfillment(call: Call, parcel: Shipment, person: dict | None) -> dict:
    return {
        "fulfillmentId": parcel.pk, **_common(call, parcel, person),
        "deliveryDate": instants.written(parcel.delivered_at, call.key), "sellerFillProviderId": None,
        "sellerFillProviderName": None, "fulfillmentProviderCode": None,
        "fulfillmentServiceCode": carriercodes.of_service(parcel.carrier, parcel.service), "fulfillmentFee": 0,
        "voidRequested": parcel.voided_at is not None,
    }  # fmt: skip


def _common(call: Call, parcel: Shipment, person: dict | None) -> dict:
    notified, why_not = _told(call, parcel)
    return {
        "orderId": parcel.order_id, "orderNumber": parcel.order.order_number,
        "userId": people.user_id(parcel.created_by), "customerEmail": (person or {}).get("buyer_email", ""),
        "createDate": instants.written(parcel.created_at, call.key), "shipDate": f"{parcel.ship_date:%Y-%m-%d}",
        "trackingNumber": parcel.tracking_number, "carrierCode": carriercodes.of_carrier(parcel.carrier),
        "voided": parcel.voided_at is not None, "voidDate": instants.written(parcel.voided_at, call.key),
        "marketplaceNotified": notified, "notifyErrorMessage": why_not,
        "shipTo": addresses.ship_to(parcel.order, person),
    }  # fmt: skip


def _told(call: Call, parcel: Shipment) -> tuple[bool, str | None]:
    """Whether the marketplace knows of this parcel, and what stands in the way. An order's first parcel is told only."""
    notice = next(iter(parcel.first_words), None)
    if notice is None:
        return False, None
    if notice.is_final:
        return notice.error_code not in NOT_OURS, None
    words = noticewords.of(notice, now=call.now)
    if notice.state not in noticewords.TROUBLED:
        return False, None
    return False, " ".join(filter(None, [words.code, words.reason or words.meaning]))


def _lines(call: Call, parcel: Shipment, person: dict | None) -> list[dict]:
    """The order's lines, with the units that are in this parcel."""
    lines = {item.pk: item for item in parcel.order.items.all()}
    shown = person if may_name(call) else None
    return [
        shapes.line(call, parcel.order, lines[packed.item_id], shown) | {"quantity": packed.quantity}
        for packed in parcel.items.all()
    ]


def may_name(call: Call) -> bool:
    return call.key.may(scopes.ORDERS_READ_PII)
