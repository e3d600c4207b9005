"""What a client of the API adds to an order that is there already: what a buyer chose for a line, and custom fields.

Of an order that counts as Amazon's the choices are customisation details (R20): personal, kept with the line's person,
gone with the erasure. Others have them among the line's own options. A re-import leaves both alone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders import entering, latch, strict_erasing
from orders.customization import content
from orders.entering import AMAZON
from orders.mapping import CUSTOM_FIELDS
from orders.models import ItemPersonalData, Order, OrderEvent, OrderItem
from privacy import markers

MOST_OPTIONS, MOST_NAME, MOST_VALUE, MOST_FIELD = 50, 200, 4000, 120
Option = Mapping[str, str]


def set_options(order: Order, options: Mapping[int, Sequence[Option]], *, by, client: str, now: datetime) -> bool:
    """The choices of these lines (by id), in place of what clients told of them; returns whether anything changed.

    Safe to repeat. Of an erased order nothing is written: what is no marker is recorded as an attempt of `client`. What
    the marketplace itself says of a line stays, and need not be told back. RuleViolation for a line of another order.
    """
    with transaction.atomic():
        here = Order.objects.select_for_update(of=("self",)).select_related("store").get(pk=order.pk)
        items = {item.pk: item for item in here.items.all()}
        if not set(options) <= set(items):
            raise RuleViolation(_("This order has no such line."))
        kept = ItemPersonalData.objects.filter(item__in=list(options)).in_bulk()
        fresh = {pk: _fresh(items[pk], kept.get(pk), told) for pk, told in options.items()}
        fresh = {pk: told for pk, told in fresh.items() if told is not None}
        if not fresh:
            return False
        if latch.is_shut(here):
            latch.guard(here, {"customization": _offered(fresh)}, client=client, by=by, now=now)
            return False
        for pk, told in fresh.items():
            _keep(here, items[pk], told, client=client)
        _note(here, OrderEvent.Kind.OPTIONS, by=by, now=now, client=client, count=len(fresh))
    return True


def shown_options(item: OrderItem, row: ItemPersonalData | None, *, names: bool, erased: bool) -> list[dict[str, str]]:
    """A line's own options and what is known of the buyer's choices, as clients see them.

    `names`: whether the reader may see what is personal. Erased choices are one entry with the marker.
    """
    found = [{"name": one.get("name", ""), "value": one.get("value", "")} for one in item.options]
    if row is None or not names or not (row.marker or row.customization):
        return found
    if erased or row.marker:
        return [*found, *strict_erasing.no_options(row.marker or markers.AMAZON)] if row.customization else found
    return found + [{"name": entry["label"], "value": entry["value"]} for entry in content.read(row) if entry["value"]]


def _fresh(item: OrderItem, row: ItemPersonalData | None, told: Sequence[Option]) -> list[dict[str, str]] | None:
    """What is to be kept of it, without what the line says already; None where that is kept already."""
    if len(told) > MOST_OPTIONS:
        raise RuleViolation(_("A line has at most %(most)d options.") % {"most": MOST_OPTIONS})
    given = [
        {"name": content.clean(one.get("name"), MOST_NAME), "value": content.clean(one.get("value"), MOST_VALUE)}
        for one in told
    ]
    if item.order.origin_marketplace != AMAZON:
        return None if given == item.options else given
    own = [one for one in given if one not in item.options]
    shown = shown_options(item, row, names=True, erased=False)[len(item.options) :]
    return None if own == shown else own


def _offered(fresh: Mapping[int, list[dict[str, str]]]) -> str:
    """The first value that is no marker; '' where all are, or nothing is told."""
    values = (one["value"] for told in fresh.values() for one in told)
    return next((value for value in values if value and value not in markers.MARKERS), "")


def _keep(order: Order, item: OrderItem, told: list[dict[str, str]], *, client: str) -> None:
    if order.origin_marketplace == AMAZON:
        content.keep(item, [{"label": one["name"], "value": one["value"]} for one in told], client=client)
    else:
        OrderItem.objects.filter(pk=item.pk).update(options=told)


def set_custom_fields(order: Order, values: Mapping[str, str], *, by, client: str, now: datetime) -> bool:
    """Custom fields 1 to 3, by column; returns whether anything changed. Safe to repeat.

    RuleViolation where the store's custom fields are not enabled, or the marketplace fills this one: the next import
    would write over it. By the strict profile an erased order takes none: recorded as an attempt of `client`.
    """
    with transaction.atomic():
        here = Order.objects.select_for_update(of=("self",)).select_related("store").get(pk=order.pk)
        wanted = {name: content.clean(value, MOST_FIELD) for name, value in values.items()}
        wanted = {name: value for name, value in wanted.items() if value != getattr(here, name)}
        for name in wanted:
            if refusal := why_no_field(here, name):
                raise RuleViolation(refusal)
        wanted = latch.guard(here, wanted, client=client, by=by, now=now) if wanted else {}
        if not wanted:
            return False
        Order.objects.filter(pk=here.pk).update(**wanted)
        _note(here, OrderEvent.Kind.CUSTOM_FIELDS, by=by, now=now, client=client, count=len(wanted))
    for name, value in wanted.items():
        setattr(order, name, value)
    return True


def why_no_field(order: Order, name: str) -> str:
    """Why a client cannot write this custom field, as a sentence that says who can help; or ''. Reads the store."""
    if not order.store.custom_fields_enabled and order.store.platform not in entering.PLATFORMS:
        return _("Custom fields are not enabled for this store. Ask customer success.")
    if order.store.mapping[CUSTOM_FIELDS.index(name)]:
        return _("The marketplace fills this custom field: its value cannot be written.")
    return ""


def _note(order: Order, kind: OrderEvent.Kind, *, by, now: datetime, **params) -> None:
    OrderEvent.objects.create(order=order, kind=kind, at=now, actor=by, params=params)
