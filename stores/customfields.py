"""Custom fields: what they may hold, who says so, and how it looks on real orders (R31 to R33)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from privacy import access, markers
from stores.models import MAPPED_FIELDS, CustomFieldSource, Store

PREVIEWED = 10
RIGHT = "stores.map_custom_fields"
SERVICE_LEVELS = {  # the words clients of the API know, in every language
    "EXPEDITED": "Expedited",
    "FREE_ECONOMY": "Free Economy",
    "NEXT_DAY": "Next Day",
    "PRIORITY": "Priority",
    "SAME_DAY": "Same Day",
    "SCHEDULED": "Scheduled",
    "SECOND_DAY": "Second Day",
    "STANDARD": "Standard",
}
PERSONAL = frozenset({CustomFieldSource.PURCHASE_ORDER_NUMBER})


def value(source: str, order, purchase_order_number: str) -> str:
    """What a custom field fed by `source` holds for this order; '' where the order has none. Pure.

    Dates are ISO days in the store's time zone, truth is `true` or `false`. `order`: an order with its store.
    """
    read = _READERS.get(source)
    return read(order, purchase_order_number) if read else ""


def _day(instant: datetime | None, order) -> str:
    return instant.astimezone(order.store.zone).date().isoformat() if instant else ""


_READERS: dict[str, Callable] = {
    CustomFieldSource.SELLER_ORDER_ID: lambda order, _number: order.seller_order_id,
    CustomFieldSource.ORDER_NUMBER: lambda order, _number: order.order_number,
    CustomFieldSource.PURCHASE_ORDER_NUMBER: lambda _order, number: number,
    CustomFieldSource.EARLIEST_SHIP_DATE: lambda order, _number: _day(order.earliest_ship_at, order),
    CustomFieldSource.LATEST_DELIVERY_DATE: lambda order, _number: _day(order.deliver_by, order),
    CustomFieldSource.BUSINESS_ORDER: lambda order, _number: "true" if order.is_business else "false",
    CustomFieldSource.SERVICE_LEVEL: lambda order, _number: SERVICE_LEVELS.get(order.service_level, ""),
}


def may_map(user) -> bool:
    """Whether one of the user's roles may map; being a superuser is no role."""
    return access.holds(user, RIGHT)


def map_fields(store: Store, sources: list[str], *, by) -> None:
    """Feed custom fields 1 to 3 from these sources, '' for none; two fields may share one. Safe to repeat.

    RuleViolation for whoever may not, before customer success enabled it, for a fourth field or an unknown source.
    """
    if not may_map(by):
        raise RuleViolation(_("Only support and customer success may choose what custom fields hold."))
    if len(sources) > len(MAPPED_FIELDS):
        raise RuleViolation(_("A store has three custom fields: 1, 2 and 3. A fourth cannot be mapped."))
    for source in filter(None, sources):
        if source not in CustomFieldSource.values:
            raise RuleViolation(
                _("A custom field can hold one of these seven only: %(choices)s.")
                % {"choices": ", ".join(str(label) for label in CustomFieldSource.labels)}
            )
    wanted = dict.fromkeys(MAPPED_FIELDS, "") | dict(zip(MAPPED_FIELDS, sources, strict=False))
    if not Store.objects.filter(pk=store.pk, custom_fields_enabled=True).update(**wanted):
        raise RuleViolation(
            _("Custom fields are not enabled for this store. Ask customer success, giving the store's name.")
        )
    for name, source in wanted.items():
        setattr(store, name, source)


@dataclass(frozen=True, repr=False)  # no repr: values would reach tracebacks
class Row:
    """One order of the preview: its number, and a cell for each field that is mapped, as texts."""

    order_id: int
    order_number: str
    cells: list[str] = field(default_factory=list)


def preview(store: Store, sources: tuple[str, ...], user) -> list[Row]:
    """What these sources give on the store's last orders, as far as this user may see it; a constant number of queries.

    A purchase order number belongs to a person: each order whose number is shown is written to the access log.
    """
    orders = list(store.orders.select_related("person").order_by("-ordered_at", "-pk")[:PREVIEWED])
    numbers = {order.pk: "" for order in orders}
    if PERSONAL & set(sources):
        numbers = _numbers(orders, user)
    return [
        Row(order.pk, order.order_number, [value(source, order, numbers[order.pk]) for source in sources])
        for order in orders
    ]  # fmt: skip


def _numbers(orders: list, user) -> dict[int, str]:
    """Purchase order numbers as they may be shown: plain, erased or hidden. Logs the plain ones before they are seen."""
    may = {is_open: access.may_see_person(user, order_open=is_open) for is_open in (True, False)}
    found, seen = {}, []
    for order in orders:
        person = getattr(order, "person", None)
        number = person.purchase_order_number if person else ""
        if order.masked or (person and person.marker):
            found[order.pk] = f"« {person.marker or markers.AMAZON} »" if number else ""
        elif not may[order.is_open]:
            found[order.pk] = _("hidden")
        else:
            found[order.pk] = number
            seen += [order.pk] if number else []
    access.log_views(user, seen, what="custom field preview")
    return found
