"""Orders, as version 1 lists, reads and moves them. What it writes of them: orderwriting.py."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from orderhub.rest import scopes
from orderhub.shipstation import carriercodes, instants, lists, people, shapes, values
from orderhub.shipstation.calls import Call, Refused, Wrong
from orderhub.shipstation.dispatching import route
from orderhub.webhooks import batches
from orders import assigning, correcting, deciding, tagging
from orders import people as buyers
from orders.models import Order, OrderItem, Tag
from privacy import audit
from privacy.models.event import EventCode
from shipments import dispatching as sending

Status = Order.Status
SORTS = {"orderdate": "ordered_at", "modifydate": "modified_at", "createdate": "first_imported_at"}
SPANS = {
    "createdate": "first_imported_at",
    "modifydate": "modified_at",
    "orderdate": "ordered_at",
    "paymentdate": "paid_at",
}
NOBODY_SENDS = "rejected_fulfillment"  # a status of version 1 no order has here
COLOURS = {"muted": "#808080", "info": "#1B4B8C", "ok": "#175C2B", "warn": "#C99700", "bad": "#941710"}
HOLD = "check"  # one of deciding.HOLD_REASONS: version 1 tells no reason
MOST_AT_ONCE = 500


@route("GET", "/orders", scope=scopes.ORDERS_READ, aliases=("GET /orders/list",))
def listed(call: Call) -> dict:
    """Every filter of version 1. Start and end of a span are both included."""
    found = _filtered(call, rows(call))
    found = lists.sorted_by(call, found, SORTS, usual="orderdate")
    return page(call, found)


def rows(call: Call) -> QuerySet:
    """The orders this key sees."""
    return Order.objects.filter(store__in=call.stores)


def page(call: Call, found: QuerySet) -> dict:
    return lists.page_of(call, found, "orders", shapes.whole, lambda orders: shapes.orders(call, orders))


def one(call: Call, told) -> Order:
    """The order of this number. Refused (404) for what the key does not see."""
    number = values.integer(told)
    found = (
        rows(call).select_related("store__merchant", "store__account", "person").filter(pk=number).first()
        if number
        else None
    )
    if found is None:
        raise Refused("There is no order of this number.", status=404)
    return found


def shown(call: Call, order: Order) -> dict:
    """The order as it is by now."""
    return shapes.orders(call, list(shapes.whole(rows(call)).filter(pk=order.pk)))[0]


def _filtered(call: Call, found: QuerySet) -> QuerySet:
    query = call.query
    for name, column in SPANS.items():
        start, end = instants.of_query(call, f"{name}start"), instants.of_query(call, f"{name}end", end=True)
        found = found.filter(**{f"{column}__gte": start}) if start else found
        found = found.filter(**{f"{column}__lte": end}) if end else found
    if number := query.get("ordernumber"):
        found = found.filter(order_number__startswith=number[:60])
    if status := query.get("orderstatus", "").lower():
        found = found.filter(status=_status(status)) if status != NOBODY_SENDS else found.none()
    if not values.absent(query.get("storeid")):
        found = found.filter(store=values.integer(query["storeid"]) or 0)
    if word := query.get("itemkeyword"):
        named = Q(sku__icontains=word[:100]) | Q(title__icontains=word[:100]) | Q(asin__iexact=word[:100])
        found = found.filter(Exists(OrderItem.objects.filter(named, order=OuterRef("pk"))))
    if batch := query.get("importbatch"):
        found = found.filter(pk__in=batches.order_ids(batch, call.key))
    return of_person(call, found, query["customername"]) if query.get("customername") else found


def _status(word: str) -> str:
    if word not in Status.values:
        raise Wrong({"orderStatus": ["orderStatus is one of: " + ", ".join([*Status.values, NOBODY_SENDS]) + "."]})
    return word


def of_person(call: Call, found: QuerySet, name: str) -> QuerySet:
    """Whole words of a name, the newest fifty. The search is recorded, without the name."""
    if not call.key.may(scopes.ORDERS_READ_PII):
        raise Refused(f"Orders are found by name with the scope {scopes.ORDERS_READ_PII} only.", status=403)
    ids = [order.pk for order in buyers.find(name[:200], among=found).only("pk")]
    audit.record(
        EventCode.PERSON_SEARCHED, request=call.request, user=call.key.user, kind="order", ids=ids,
        reason=buyers.search_digest(name[:200], now=call.now),
    )  # fmt: skip
    return Order.objects.filter(pk__in=ids)


@route("GET", "/orders/{id}", scope=scopes.ORDERS_READ)
def read(call: Call) -> dict:
    return shown(call, one(call, call.path_id))


@route("DELETE", "/orders/{id}", scope=scopes.ORDERS_WRITE)
def deleted(call: Call) -> dict:
    """An order is cancelled, never deleted; one of a marketplace is cancelled there."""
    order = one(call, call.path_id)
    if order.status == Status.CANCELLED:
        return _done("The order is cancelled already.")
    if refusal := correcting.why_not(order):
        raise Refused(refusal, status=400)
    correcting.cancel(order, by=call.key.user, now=call.now)
    return _done("The order was cancelled.")


@route("POST", "/orders/markasshipped", scope=scopes.SHIPMENTS_WRITE, aliases=("POST /orders/markshipped",))
def marked_as_shipped(call: Call) -> dict:
    """The parcel left with the client's own label. Whether its marketplace is told says the store, not the call."""
    order = one(call, values.field(call.body, "orderId"))
    carrier = values.word(values.field(call.body, "carrierCode"))
    number = values.word(values.field(call.body, "trackingNumber"))
    missing = {
        name: [f"{name} is required."]
        for name, told in (("carrierCode", carrier), ("trackingNumber", number))
        if not told
    }
    if missing:
        raise Wrong(missing)
    day = instants.day("shipDate", values.field(call.body, "shipDate")) or call.now.astimezone(order.store.zone).date()
    wish = sending.ParcelWish(
        carrier=carriercodes.for_number(carrier, number), tracking_number=number, ship_date=day, with_label=False
    )
    fit = sending.clean(wish, order.order_number)
    told = order.shipments.filter(tracking_number=fit.tracking_number, voided_at__isnull=True, is_return=False)
    if not told.exists():  # sent again after a lost answer
        sending.ship(order, wish, now=call.now, by=call.key.user)
    return {"orderId": order.pk, "orderNumber": order.order_number}


@route("POST", "/orders/holduntil", scope=scopes.ORDERS_WRITE)
def held(call: Call) -> dict:
    order = one(call, values.field(call.body, "orderId"))
    until = instants.read(call, "holdUntilDate", values.field(call.body, "holdUntilDate"))
    if until is None:
        raise Wrong({"holdUntilDate": ["holdUntilDate is required."]})
    hold(call, order, until)
    return _done("The order is on hold.")


def hold(call: Call, order: Order, until) -> None:
    """On hold until then (None: until somebody releases it), also where it is on hold already."""
    with transaction.atomic():
        if order.status == Status.ON_HOLD:
            deciding.release(order, by=call.key.user, now=call.now)
        deciding.hold(order, HOLD, until=until, by=call.key.user, now=call.now)


@route("POST", "/orders/restorefromhold", scope=scopes.ORDERS_WRITE)
def released(call: Call) -> dict:
    deciding.release(one(call, values.field(call.body, "orderId")), by=call.key.user, now=call.now)
    return _done("The order is released.")


@route("POST", "/orders/addtag", scope=scopes.ORDERS_WRITE)
def tagged(call: Call) -> dict:
    order, tag = one(call, values.field(call.body, "orderId")), _tag(values.field(call.body, "tagId"))
    tagging.put_on([order.pk], [tag], by=call.key.user, now=call.now)
    return _done("Tag added successfully.")


@route("POST", "/orders/removetag", scope=scopes.ORDERS_WRITE)
def untagged(call: Call) -> dict:
    order, tag = one(call, values.field(call.body, "orderId")), _tag(values.field(call.body, "tagId"))
    tagging.take_off([order.pk], [tag], by=call.key.user, now=call.now)
    return _done("Tag removed successfully.")


def _tag(told) -> Tag:
    number = values.integer(told)
    found = Tag.objects.filter(pk=number).first() if number else None
    if found is None:
        raise Refused("There is no tag of this number.", status=404)
    return found


@route("GET", "/orders/listbytag", scope=scopes.ORDERS_READ)
def listed_by_tag(call: Call) -> dict:
    found = rows(call).filter(tags=_tag(call.query.get("tagid")))
    if status := call.query.get("orderstatus", "").lower():
        found = found.filter(status=_status(status))
    return page(call, found.order_by("ordered_at", "pk"))


@route("GET", "/accounts/listtags", scope=scopes.ORDERS_READ)
def tags(call: Call) -> list[dict]:
    return [
        {"tagId": tag.pk, "name": tag.name, "color": COLOURS.get(tag.level, "#808080")} for tag in Tag.objects.all()
    ]


@route("POST", "/orders/assignuser", scope=scopes.ORDERS_WRITE)
def assigned(call: Call) -> dict:
    ids = order_ids(call)
    assigning.assign(ids, worker(values.word(values.field(call.body, "userId"))), by=call.key.user, now=call.now)
    return _done("The orders were assigned.")


@route("POST", "/orders/unassignuser", scope=scopes.ORDERS_WRITE)
def unassigned(call: Call) -> dict:
    assigning.assign(order_ids(call), None, by=call.key.user, now=call.now)
    return _done("The orders are nobody's now.")


def worker(told: str):
    """The member of staff behind a GUID of GET /users."""
    found = next((user for user in assigning.assignable() if people.user_id(user) == told.lower()), None)
    if found is None:
        raise Wrong({"userId": ["There is no such user. GET /users lists them."]})
    return found


def order_ids(call: Call) -> list[int]:
    """`orderIds`, a list; one client sends `orderId`, a text such as "[1, 2]". Refused unless the key sees all of them."""
    told = values.field(call.body, "orderIds")
    told = values.field(call.body, "orderId") if told is None else told
    parts = told if isinstance(told, list) else values.text(told).strip("[]").split(",")
    ids = [values.integer(part) for part in parts]
    if not ids or None in ids or len(ids) > MOST_AT_ONCE:
        raise Wrong({"orderIds": [f"orderIds is a list of 1 to {MOST_AT_ONCE} numbers."]})
    if rows(call).filter(pk__in=ids).count() != len(set(ids)):
        raise Refused("There is no order of one of these numbers.", status=404)
    return ids


def _done(message: str) -> dict:
    return {"success": True, "message": message}
