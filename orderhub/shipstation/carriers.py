"""Carriers, their services and packages, as version 1 lists them. Facts of ours, of no client: open to every key."""

from orderhub.shipstation import carriercodes
from orderhub.shipstation.calls import Call, Wrong
from orderhub.shipstation.dispatching import route
from shipments import carriers


def offered() -> dict[str, list[carriers.Carrier]]:
    """What can be chosen here, by version 1's code; several carriers of ours may share one, the usual one first."""
    chosen = {code for code, _title in carriers.choices()}
    found: dict[str, list[carriers.Carrier]] = {}
    for carrier in carriers.ALL:
        if carrier.code in chosen:
            found.setdefault(carriercodes.of_carrier(carrier.code), []).append(carrier)
    return found


def _one(call: Call) -> tuple[str, list[carriers.Carrier]]:
    code = call.query.get("carriercode", "").lower()
    found = offered().get(code)
    if found is None:
        raise Wrong({"carrierCode": ["There is no carrier of this code. GET /carriers lists them."]})
    return code, found


def _shape(code: str, found: list[carriers.Carrier]) -> dict:
    return {
        "name": found[0].name, "code": code, "accountNumber": "", "requiresFundedAccount": False, "balance": 0,
        "nickname": None, "shippingProviderId": carriercodes.number_of(code), "primary": False,
    }  # fmt: skip


@route("GET", "/carriers", scope="")
def listed(call: Call) -> list[dict] | dict:
    """All of them; the one by itself where a client asks here with its code."""
    if call.query.get("carriercode"):
        return shown(call)
    return [_shape(code, found) for code, found in offered().items()]


@route("GET", "/carriers/getcarrier", scope="")
def shown(call: Call) -> dict:
    return _shape(*_one(call))


@route("GET", "/carriers/listservices", scope="")
def services(call: Call) -> list[dict]:
    code, found = _one(call)
    named = {
        service.code or carriercodes.in_code(service.name): service.name
        for carrier in found
        for service in carrier.known_services
    }
    return [
        {"carrierCode": code, "code": service, "name": name, "domestic": True, "international": True}
        for service, name in named.items()
    ]


@route("GET", "/carriers/listpackages", scope="")
def packages(call: Call) -> list[dict]:
    """One kind of package: whoever sends with a carrier of its own chooses it there."""
    code, _found = _one(call)
    return [{"carrierCode": code, "code": "package", "name": "Package", "domestic": True, "international": True}]
