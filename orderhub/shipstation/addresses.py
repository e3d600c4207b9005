"""Addresses in version 1's form: text everywhere, never null, and a country of two letters whatever is erased. Pure."""

from collections.abc import Mapping

from orders.models import Order

NAMES = {
    "name": "name", "company": "company", "street1": "street1", "street2": "street2", "street3": "street3",
    "city": "city", "state": "state", "postalCode": "postal_code", "country": "country", "phone": "phone",
}  # fmt: skip
OF_RECIPIENT = NAMES | {"name": "recipient_name", "company": "recipient_company"}
NOWHERE = "ZZ"  # as ISO 3166 leaves it to users: no country is known


def ship_to(order: Order, person: Mapping[str, str] | None) -> dict:
    """`person`: the columns the client may see, by our names."""
    told = person or {}
    found = {name: told.get(ours, "") for name, ours in OF_RECIPIENT.items()}
    kind = order.address_type.lower()
    return found | {
        "country": country(found["country"], order), "residential": None if not kind else kind == "residential",
        "addressVerified": "Address not yet validated",
    }  # fmt: skip


def ship_from(kept: Mapping | None) -> dict:
    """A shop's own address."""
    found = {name: str((kept or {}).get(ours) or "") for name, ours in NAMES.items()}
    return found | {"residential": False, "addressVerified": None}


def country(code: str, order: Order) -> str:
    """Two letters: the address's, else those of the marketplace."""
    code = code if len(code) == 2 else order.store.marketplace
    return {"UK": "GB", "": NOWHERE}.get(code, code)
