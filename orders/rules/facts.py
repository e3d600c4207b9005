"""What a rule may ask of an order and its lines. No name, street, e-mail, phone, note or message is among them.

A fact is read when a criterion asks for it, and never before. Kinds: what it is compared with (rules/conditions.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

HOUR = timedelta(hours=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SOURCES = ("import", "file", "hand", "api")
COUNTRIES = {"UK": "GB"}  # Amazon's code of a marketplace where the country's is another one


@dataclass(frozen=True, slots=True)
class Fact:
    """`get`: takes a Case, and a line where `of_line`; None where the order does not say."""

    kind: str  # text, texts, choice, choices, number, money, flag
    get: Callable
    of_line: bool = False


def _column(name: str) -> Callable:
    return lambda case: getattr(case.order, name)


def _place(name: str) -> Callable:
    return lambda case: getattr(case.person, name) if case.person is not None else ""


def _line(name: str) -> Callable:
    return lambda case, item: getattr(item, name)


def _country(code: str) -> str:
    return COUNTRIES.get(code.strip().upper(), code.strip().upper())


def ship_from_country(store) -> str:
    """Where a store's parcels leave: its ship-from address, else the country of its marketplace."""
    return _country(store.ship_from.get("country") or store.marketplace)


def _international(case) -> bool | None:
    here, there = ship_from_country(case.store), _country(_place("country")(case))
    return here != there if here and there else None


def _hours_left(case) -> float | None:
    """Hours until the order must leave; negative once it is late."""
    return None if case.order.ship_by is None else (case.order.ship_by - case.now) / HOUR


def _ordered(case):
    return case.order.ordered_at.astimezone(case.store.zone)


def _product(case, item):
    """Without a query: from those handed in, else the one the line holds already."""
    if item.product_id is None and "product" not in item._state.fields_cache:
        return None
    return case.products.get(item.product_id) or item.product


def _of_product(name: str) -> Callable:
    """The line's own value, else its product's."""

    def get(case, item):
        product = _product(case, item)
        return getattr(item, name) or (getattr(product, name) if product else None)

    return get


def _line_total(case, item) -> Decimal | None:
    return None if item.unit_price is None else item.unit_price * item.quantity


def _options(case, item) -> list[str]:
    return [f"{option.get('name', '')}={option.get('value', '')}" for option in item.options]


def _is_short(case, item) -> bool | None:
    """Whether more is needed than was counted on the shelf, other open orders included; None if never counted."""
    left = case.knows.left.get(item.product_id)
    if left is None:
        return None
    return left < (item.quantity - item.quantity_shipped if case.order.pk is None else 0)


FACTS: dict[str, Fact] = {
    "store": Fact("choice", _column("store_id")),
    "marketplace": Fact("choice", lambda case: case.store.marketplace),
    "country": Fact("text", _place("country")),
    "state": Fact("text", _place("state")),
    "city": Fact("text", _place("city")),
    "postcode": Fact("text", _place("postal_code")),
    "international": Fact("flag", _international),
    "address_type": Fact("text", _column("address_type")),
    "not_roman": Fact("flag", lambda case: case.unreadable()),
    "order_total": Fact("money", _column("order_total")),
    "item_total": Fact("money", _column("item_total")),
    "shipping_paid": Fact("money", _column("shipping_total")),
    "currency": Fact("text", _column("currency")),
    "weight": Fact("number", lambda case: case.held("weight_g")),
    "units": Fact("number", lambda case: sum(item.quantity for item in case.items)),
    "lines": Fact("number", lambda case: len(case.items)),
    "service_level": Fact("choice", _column("service_level")),
    "requested_service": Fact("text", _column("requested_service")),
    "gift": Fact("flag", _column("is_gift")),
    "business": Fact("flag", _column("is_business")),
    "prime": Fact("flag", _column("is_prime")),
    "program": Fact("texts", _column("programs")),
    "payment_method": Fact("text", _column("payment_method")),
    "custom_1": Fact("text", lambda case: case.held("custom_field_1")),
    "custom_2": Fact("text", lambda case: case.held("custom_field_2")),
    "custom_3": Fact("text", lambda case: case.held("custom_field_3")),
    "tags": Fact("choices", lambda case: case.tags),
    "assigned": Fact("choice", lambda case: case.held("assigned_to_id")),
    "ship_by_hours": Fact("number", _hours_left),
    "weekday": Fact("choice", lambda case: WEEKDAYS[_ordered(case).weekday()]),
    "hour": Fact("number", lambda case: _ordered(case).hour),
    "replacement": Fact("flag", lambda case: bool(case.order.replaces)),
    "cancel_requested": Fact("flag", lambda case: case.order.cancel_requested_at is not None),
    "customised": Fact("flag", lambda case: case.customised),
    "source": Fact("choice", lambda case: case.source),
    "sku": Fact("text", _line("sku"), of_line=True),
    "asin": Fact("text", _line("asin"), of_line=True),
    "title": Fact("text", _line("title"), of_line=True),
    "quantity": Fact("number", _line("quantity"), of_line=True),
    "unit_price": Fact("money", _line("unit_price"), of_line=True),
    "line_total": Fact("money", _line_total, of_line=True),
    "condition": Fact("text", _line("condition"), of_line=True),
    "option": Fact("texts", _options, of_line=True),
    "promotion": Fact("texts", _line("promotions"), of_line=True),
    "location": Fact("text", _of_product("warehouse_location"), of_line=True),
    "product_weight": Fact("number", _of_product("weight_g"), of_line=True),
    "short": Fact("flag", _is_short, of_line=True),
}
