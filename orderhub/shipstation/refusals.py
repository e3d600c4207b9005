"""What version 1 offers and this installation does not: refused in its own form, with what to do instead."""

from orderhub.shipstation.calls import Call, Refused
from orderhub.shipstation.dispatching import route

NOT_OFFERED = {
    ("POST", "/accounts/registeraccount"): "Accounts are opened by an administrator, in OrderHub.",
    ("POST", "/carriers/addfunds"): "OrderHub holds no balances: labels are paid where they are bought.",
    ("POST", "/Integratedapp/Register"): "Clients are registered with an API key, which an administrator makes.",
    ("POST", "/orders/updatewarehouselocation"): "A product has one storage location: PUT /products/{productId} with warehouseLocation.",
}  # fmt: skip


def _refusing(told: str):
    def handler(call: Call) -> dict:
        raise Refused(told, status=501)

    return handler


for (_method, _name), _told in NOT_OFFERED.items():
    route(_method, _name, scope="")(_refusing(_told))
