"""Customers, as version 1 lists them. Who they are needs orders:read_pii, and every view is logged."""

from django.db.models import Exists, OuterRef, QuerySet

from orderhub.rest import scopes
from orderhub.shipstation import instants, lists, parcels, stores
from orderhub.shipstation.calls import Call, Refused
from orderhub.shipstation.dispatching import route
from orders import customers_showing
from orders.api import reading
from orders.models import Customer, Order
from privacy import markers
from stores.models import Store

SORTS = {"createdate": "created_at", "modifydate": "last_order_at"}


def rows(call: Call) -> QuerySet[Customer]:
    """Customers with an order in one of the key's stores."""
    return Customer.objects.filter(Exists(_orders(call).filter(customer=OuterRef("pk"))))


def _orders(call: Call) -> QuerySet[Order]:
    return Order.objects.filter(store__in=call.stores)


@route("GET", "/customers", scope=scopes.CUSTOMERS_READ)
def listed(call: Call) -> dict:
    """`sortBy` Name does nothing more than the usual order: names are encrypted."""
    found, query = rows(call), call.query
    for name, column in (("statecode", "state"), ("countrycode", "country")):
        if query.get(name):
            place = _orders(call).filter(customer=OuterRef("pk"), **{f"person__{column}__iexact": query[name]})
            found = found.filter(Exists(place))
    sorts = SORTS | {"name": "created_at"}
    found = lists.sorted_by(call, found, sorts, usual="createdate")
    return lists.page_of(call, found, "customers", lambda page: page, lambda page: _shapes(call, page))


@route("GET", "/customers/{id}", scope=scopes.CUSTOMERS_READ)
def shown(call: Call) -> dict:
    found = list(rows(call).filter(pk=call.path_id))
    if not found:
        raise Refused("There is no customer of this number.", status=404)
    return _shapes(call, found)[0]


def _shapes(call: Call, found: list[Customer]) -> list[dict]:
    """Without the scope nothing of them is read."""
    named = parcels.may_name(call)
    cards = customers_showing.cards(call.key.user, found, what=reading.WHAT) if named else {}
    return [_shape(call, row, cards.get(row.pk)) for row in found]


def _shape(call: Call, row: Customer, card: customers_showing.Card | None) -> dict:
    """Streets are kept with orders only."""
    told = {name: _value(row, card, name) for name in ("name", "email", "phone", "user_name")}
    made, last = (instants.written(at, call.key) for at in (row.created_at, row.last_order_at or row.created_at))
    number, market = stores.MARKETPLACES[Store.Platform.AMAZON if row.account_id else Store.Platform.MANUAL]
    known = {
        "customerUserId": None, "customerId": row.pk, "createDate": made, "modifyDate": last, "marketplaceId": number,
        "marketplace": market, "username": told["user_name"],
    }  # fmt: skip
    return {
        "customerId": row.pk, "createDate": made, "modifyDate": last, "name": told["name"], "company": "",
        "street1": "", "street2": "", "city": "", "state": "", "postalCode": "", "countryCode": "",
        "phone": told["phone"], "email": told["email"], "addressVerified": "Unverified",
        "marketplaceUsernames": [known] if told["user_name"] else [], "tags": None,
    }  # fmt: skip


def _value(row: Customer, card: customers_showing.Card | None, name: str) -> str:
    """As a program reads it: the bare marker where it is erased."""
    value = getattr(card, name) if card else ""
    if card and card.erased and value and not (name == "email" and card.relay):
        return row.marker or markers.AMAZON
    return value
