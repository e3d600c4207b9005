"""Orders, as version 1 lists, reads, writes and moves them."""

from orderhub.rest import scopes
from orderhub.shipstation.calls import Call
from orderhub.shipstation.dispatching import route


@route("GET", "/orders", scope=scopes.ORDERS_READ, aliases=("GET /orders/list",))
def listed(call: Call) -> dict:
    return {"orders": [], "total": 0, "page": 1, "pages": 0}
