"""Staff and ship-from addresses, as version 1 lists them. No buyer is here."""

import uuid

from orderhub.rest import scopes
from orderhub.shipstation import addresses, instants, stores
from orderhub.shipstation.calls import Call, Refused
from orderhub.shipstation.dispatching import route
from orders import assigning

PEOPLE = uuid.UUID("6f3c1c5e-8d0b-4a35-9a52-0d5b3f0c7e41")  # made for this


def user_id(user) -> str | None:
    """A member of staff as the GUID clients expect, the same for ever; None for nobody."""
    return None if user is None else str(uuid.uuid5(PEOPLE, str(user.pk)))


@route("GET", "/users", scope=scopes.ORDERS_READ)
def users(call: Call) -> list[dict]:
    """Whom orders can be assigned to."""
    return [
        {"userId": user_id(user), "userName": user.get_username(), "name": user.get_full_name() or user.get_username()}
        for user in assigning.assignable()
    ]  # fmt: skip


@route("GET", "/warehouses", scope=scopes.STORES_READ)
def warehouses(call: Call) -> list[dict]:
    """The address each store sends from."""
    return [_warehouse(call, store, first=index == 0) for index, store in enumerate(stores.rows(call))]


@route("GET", "/warehouses/{id}", scope=scopes.STORES_READ)
def warehouse(call: Call) -> dict:
    found = stores.one(call, call.path_id)
    return _warehouse(call, found, first=found.pk == min(call.stores))


def _warehouse(call: Call, store, *, first: bool) -> dict:
    address = addresses.ship_from(store.ship_from)
    return {
        "warehouseId": store.pk, "warehouseName": store.name, "originAddress": address, "returnAddress": address,
        "createDate": instants.written(store.created_at, call.key), "isDefault": first,
    }  # fmt: skip


@route("POST", "/warehouses/createwarehouse", scope=scopes.STORES_READ)
def created(call: Call) -> dict:
    raise _refused()


@route("PUT", "/warehouses/{id}", scope=scopes.STORES_READ)
def changed(call: Call) -> dict:
    raise _refused()


@route("DELETE", "/warehouses/{id}", scope=scopes.STORES_READ)
def deleted(call: Call) -> dict:
    raise _refused()


def _refused() -> Refused:
    told = "A ship-from address belongs to its store here: change it on the store's page in OrderHub."
    return Refused(told, status=501)
