"""The strict profile of erasure (R111): the postal code, custom fields, item options and every note go as well.

It is on for the whole installation (REDACTION_PROFILE) or for one store. What a store's switch says when an order is
erased counts for that order.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet

from orders.models import Order, OrderItem, OrderNote, OrderPersonalData
from privacy import datakeys, markers

CUSTOM_FIELDS = ("custom_field_1", "custom_field_2", "custom_field_3")
POSTCODE = "postal_code"


def everywhere() -> bool:
    """Whether the installation erases by the strict profile in every store."""
    return settings.REDACTION_PROFILE == "strict"


def applies_to(order: Order) -> bool:
    """Whether this order is erased by the strict profile. Reads its store."""
    return everywhere() or order.store.redaction_strict


def postcode_goes(order: Order) -> bool:
    """Whether the postal code is erased with the order."""
    return settings.REDACT_POSTCODE == "full" or applies_to(order)


class _Holder:
    """What only the strict profile erases; see privacy.registry.Holder.

    Stands first: it locks orders, which an import locks before their persons.
    """

    def destroy_files(self, order_ids: list[int], *, now: datetime) -> dict[int, int]:
        return {}

    def redact_due_files(self, *, now: datetime, marker: str) -> Iterator[tuple[int, str]]:
        return iter(())

    def overwrite(self, order_ids: list[int], *, marker: str, now: datetime) -> dict[int, list[str]]:
        """One statement where no order of the batch is strict, a constant number else. A second run changes nothing."""
        strict = _strict(order_ids, lock=True)
        held: dict[int, list[str]] = {}
        for place in _places(strict):
            found = list(place.rows.values_list("pk", place.order))
            place.rows.model.objects.filter(pk__in=[pk for pk, _order_id in found]).update(**place.erased(marker))
            for order_id in dict.fromkeys(order_id for _pk, order_id in found):
                held.setdefault(order_id, []).append(place.name)
        if held:
            datakeys.destroy(f"notes:{order_id}" for order_id in held)  # every note of a strict order is gone
        return held

    def leftovers(self, order_ids: list[int], *, now: datetime) -> set[int]:
        places = _places(_strict(order_ids))
        return {order_id for place in places for order_id in place.rows.values_list(place.order, flat=True)}


class _Place(NamedTuple):
    """Rows that still hold something. `order`: the way to their order; `erased`: their columns, by the marker."""

    name: str  # as certificates call it
    rows: QuerySet
    order: str
    erased: Callable[[str], dict]


def _places(strict: list[int]) -> list[_Place]:
    if not strict:
        return []
    orders, items = Order.objects.filter(pk__in=strict), OrderItem.objects.filter(order__in=strict)
    persons = OrderPersonalData.objects.filter(pk__in=strict)
    notes = OrderNote.objects.filter(order__in=strict, marker="")
    return [
        *(_Place(f"order.{name}", _holding(orders, name), "pk", _in_place(name)) for name in CUSTOM_FIELDS),
        _Place("options", items.exclude(options__in=[[], *map(no_options, markers.MARKERS)]), "order",
               lambda marker: {"options": no_options(marker)}),
        _Place("notes", notes, "order", lambda marker: {"text": marker, "marker": marker}),
        _Place(POSTCODE, _holding(persons, POSTCODE), "pk", _in_place(POSTCODE)),
    ]  # fmt: skip


def _holding(rows: QuerySet, name: str) -> QuerySet:
    return rows.exclude(**{f"{name}__in": ["", *markers.MARKERS]})


def _in_place(name: str) -> Callable[[str], dict]:
    return lambda marker: {name: marker}


def no_options(marker: str) -> list[dict[str, str]]:
    """What stands in for a line's options, in their shape."""
    return [{"name": "–", "value": marker}]


def _strict(order_ids: list[int], *, lock: bool = False) -> list[int]:
    rows = Order.objects.filter(pk__among=order_ids).order_by("pk")
    if not everywhere():
        rows = rows.filter(store__redaction_strict=True)
    if lock:
        rows = rows.select_for_update(of=("self",))
    return list(rows.values_list("pk", flat=True))


STRICT = _Holder()
