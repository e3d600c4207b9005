"""Parcels, as version 1 lists them: those with a label under /shipments, those marked as shipped under /fulfillments."""

from django.db.models import QuerySet

from orderhub.rest import scopes
from orderhub.shipstation import carriercodes, instants, lists, orders, parcels, values
from orderhub.shipstation.calls import Call, Wrong
from orderhub.shipstation.dispatching import route
from orderhub.webhooks import batches

INSTANTS = {  # of version 1, and ours: from, to
    "createdatestart": "created_at__gte", "createdateend": "created_at__lt",
    "voiddatestart": "voided_at__gte", "voiddateend": "voided_at__lt",
}  # fmt: skip
NUMBERS = {"orderid": "order", "storeid": "order__store"}
TEXTS = {"ordernumber": "order__order_number", "trackingnumber": "tracking_number"}  # both by their index
SORTS = {"createdate": "created_at", "shipdate": "ship_date"}


@route("GET", "/shipments", scope=scopes.SHIPMENTS_READ, aliases=("GET /shipments/list",))
def listed(call: Call) -> dict:
    with_items = values.boolean(call.query.get("includeshipmentitems"))
    found = _narrowed(call, NUMBERS, with_label=True)
    if code := call.query.get("servicecode"):
        found = found.filter(service__in=carriercodes.names_of_service(code))
    return lists.page_of(
        call, lists.sorted_by(call, found, SORTS, usual="createdate"), "shipments",
        lambda rows: parcels.whole(rows, with_items=with_items),
        lambda page: parcels.shipments(call, page, with_items=with_items),
    )  # fmt: skip


@route("GET", "/fulfillments", scope=scopes.SHIPMENTS_READ)
def fulfilled(call: Call) -> dict:
    found = _narrowed(call, NUMBERS | {"fulfillmentid": "pk"}, with_label=False)
    return lists.page_of(
        call, lists.sorted_by(call, found, SORTS, usual="createdate"), "fulfillments",
        lambda rows: parcels.whole(rows, with_items=False), lambda page: parcels.fulfillments(call, page),
    )  # fmt: skip


def _narrowed(call: Call, numbers: dict[str, str], *, with_label: bool) -> QuerySet:
    """The key's parcels by everything the address says. A batch is what a webhook told of, whichever list it named."""
    found, query = parcels.rows(call), call.query
    if batch := query.get("batchid"):
        found = _of_batch(call, found, batch)
    else:
        found = parcels.with_label(found, wanted=with_label)
    for name, lookup in numbers.items():
        if name in query and not values.absent(query[name]):
            found = found.filter(**{lookup: _number(name, query[name])})
    for name, lookup in TEXTS.items():
        if query.get(name):
            found = found.filter(**{lookup: query[name].upper() if name == "trackingnumber" else query[name]})
    if query.get("carriercode"):
        found = found.filter(carrier__in=carriercodes.ours(query["carriercode"]))
    if query.get("recipientcountrycode"):
        found = found.filter(order__person__country=query["recipientcountrycode"].upper())
    if query.get("recipientname"):
        found = found.filter(order__in=orders.of_person(call, orders.rows(call), query["recipientname"]))
    return _by_date(call, found)


def _number(name: str, text: str) -> int:
    number = values.integer(text)
    if number is None or not 0 <= number < 2**63:
        raise Wrong({name: ["This is a number."]})
    return number


def _of_batch(call: Call, found: QuerySet, batch: str) -> QuerySet:
    if ids := batches.shipment_ids(batch, call.key):
        return found.filter(pk__in=ids)
    return found.filter(order__in=batches.order_ids(batch, call.key))


def _by_date(call: Call, found: QuerySet) -> QuerySet:
    """A day at the end is meant with all of it. A ship date is a day of its store."""
    for name, lookup in INSTANTS.items():
        at = instants.of_query(call, name, end=name.endswith("end"))
        if at is not None:
            found = found.filter(**{lookup: at})
    for name, lookup in (("shipdatestart", "ship_date__gte"), ("shipdateend", "ship_date__lte")):
        day = instants.day(name, call.query.get(name))
        if day is not None:
            found = found.filter(**{lookup: day})
    return found
