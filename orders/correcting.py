"""Correcting an order that was entered by hand or read from a file: as long as nothing of it was sent or erased."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders import customers, entering, latch, mapping, people, roman, ruling
from orders.entering import Entry
from orders.forms_entering import LINE, OWN
from orders.forms_entering import PERSON as FORM_PERSON
from orders.models import Order, OrderEvent, OrderItem, OrderPersonalData
from orders.pagesaving import Plan
from orders.retention import facts_of, periods_for
from privacy import access, retention
from privacy.fields import sealed_values
from stores.connectors.base import PERSON_FIELDS as PERSON
from stores.models import Store

Kind = OrderEvent.Kind
Status = Order.Status
CORRECTED = {"code": "Corrected"}  # of the event, beside the status
LINE_COLUMNS = [
    "sku", "asin", "title", "quantity", "unit_price", "tax", "discount", "weight_g", "warehouse_location", "options",
    "product",
]  # fmt: skip


def why_not(order: Order) -> str:
    """Why this order cannot be corrected, as a sentence that says what to do instead; or ''."""
    number = {"number": order.order_number}
    if order.store.platform not in entering.PLATFORMS:
        return _("Order %(number)s comes from its marketplace: correct it there.") % number
    if order.masked:
        return _erased(order)
    if order.status == Status.SHIPPED:
        return _("Order %(number)s is already shipped: it cannot be changed any more.") % number
    return ""


def _erased(order: Order) -> str:
    told = _("The personal data of order %(number)s was erased: it cannot be changed any more.")
    return told % {"number": order.order_number}


def why_no_label(order: Order) -> str:
    """Why an order entered here cannot have a label yet, and what to do; or ''. A file may come without addresses."""
    if order.store.platform not in entering.PLATFORMS:
        return ""
    if OrderPersonalData.objects.filter(pk=order.pk).exclude(recipient_name="", recipient_company="").exists():
        return ""
    return no_recipient(order)


def without_recipient(order_ids: Collection[int]) -> set[int]:
    """Which of these orders were entered here without a recipient; one query."""
    entered = OrderPersonalData.objects.filter(pk__in=order_ids, order__store__platform__in=entering.PLATFORMS)
    return set(entered.filter(recipient_name="", recipient_company="").values_list("pk", flat=True))


def no_recipient(order: Order) -> str:
    told = _("Order %(number)s has no recipient. Correct the order, on its page, then make the label.")
    return told % {"number": order.order_number}


def may(user, order: Order) -> bool:
    """Whether this user may correct it: who changes a person's data must see it."""
    return user.has_perm("orders.change_order") and access.may_see_person(user, order_open=order.is_open)


@dataclass(frozen=True)
class Panel:
    """What the order page says of an order entered here. `tell_by_hand`: its parcel left, and Amazon is not told."""

    handmade: bool
    tell_by_hand: bool
    refusal: str
    may_correct: bool


def panel_for(user, order: Order) -> Panel | None:
    """None for an order that came from a marketplace. No query of its own."""
    if order.store.platform not in entering.PLATFORMS:
        return None
    handmade = order.store.platform == Store.Platform.HANDMADE
    sent_here = order.status == Status.SHIPPED and order.shipped_at is not None
    return Panel(handmade, handmade and sent_here, why_not(order), may(user, order))


def statuses(order: Order) -> list[str]:
    """What the order may be said to be: as it is, or one of those a person decides."""
    return list(dict.fromkeys([order.status, Status.AWAITING_SHIPMENT, Status.AWAITING_PAYMENT, Status.CANCELLED]))


def seen(order: Order) -> int:
    """How far the order's timeline has come: a form filled in before somebody else changed the order is refused."""
    return order.events.aggregate(last=Max("pk"))["last"] or 0


def correct(order: Order, entry: Entry, *, as_seen: int, by, now: datetime) -> None:
    """Make the order what was typed: its lines too. All or nothing; RuleViolation, saying what to do, otherwise.

    `as_seen`: what seen() said when the form was opened. The erasure clock goes on from the first import.
    """
    with latch.watching(order, by=by, now=now), transaction.atomic():
        here = Order.objects.select_for_update(of=("self",)).select_related("store__merchant").get(pk=order.pk)
        person = OrderPersonalData.objects.select_for_update().get_or_create(order=here)[0]
        if refusal := why_not(here) or (_erased(here) if person.marker else ""):
            offers = latch.is_shut(here, person) and any(entry.person.values())
            raise latch.Erased(refusal) if offers else RuleViolation(refusal)
        if seen(here) != as_seen:
            raise RuleViolation(_("Somebody changed this order meanwhile. Open it anew, then correct it."))
        _check_number(here, entry)
        before, customer_id = here.status, here.customer_id
        here.status = entry.status if entry.status in statuses(here) else here.status
        _change_person(here, person, entry, now=now)
        plan = Plan()
        plan.changed.append(here)
        plan.keep(here, person, items=_lines(here, entry))
        plan.events.append(_event(here, Kind.ENTERED, {"status": here.status} | CORRECTED, by=by, now=now))
        if here.status != before:
            plan.events.append(_event(here, Kind.STATUS, {"before": before, "after": here.status}, by=by, now=now))
        names = {here.order_number: set(here.tags.values_list("name", flat=True))}
        entering.Deciding(here.store, source="hand", now=now).complete(plan, names)
        _save(plan, here, person)
        if customer_id and customer_id != here.customer_id:
            customers.forget_unused(customer_id)
    order.refresh_from_db()


def as_it_is(order: Order) -> Entry:
    """The order as an entry: what is changed of it is a correction, the rest stays. Five statements at most.

    Its person is in it: whoever shows it logs the view.
    """
    person = getattr(order, "person", None) or OrderPersonalData(order=order)
    lines = [{"item": item.pk} | {name: getattr(item, name) for name in LINE} for item in order.items.order_by("pk")]
    return Entry(
        order.order_number,
        {name: getattr(order, name) for name in OWN},
        {name: getattr(person, name) for name in FORM_PERSON},
        lines,
        order.status,
    )


def cancel(order: Order, *, by, now: datetime) -> None:
    """Cancel an order that was entered here. RuleViolation as for any correction."""
    correct(order, replace(as_it_is(order), status=Status.CANCELLED), as_seen=seen(order), by=by, now=now)


def _check_number(order: Order, entry: Entry) -> None:
    number = entry.number or order.order_number
    if number != order.order_number and entering.existing(order.store, [number]):
        raise entering.NumberTaken(number)
    order.order_number = number


def _change_person(order: Order, person: OrderPersonalData, entry: Entry, *, now: datetime) -> None:
    moved = any(getattr(person, name) != entry.person.get(name, "") for name in roman.SHIP_TO)
    if person.buyer_email != entry.person.get("buyer_email", ""):
        order.customer = None  # found anew by the new address
    entering.fill(order, person, entry, now=now)
    if moved:
        roman.forget(person)
    entering.set_origin(order, person, retention.order_due(facts_of(order), periods_for(order.store)))


def _lines(order: Order, entry: Entry) -> list[OrderItem]:
    """The rows as typed: those named are kept and changed, those no longer there go, the others are new."""
    kept = {item.pk: item for item in order.items.select_for_update().order_by("pk")}
    taken, fresh, found = [item.amazon_item_id for item in kept.values()], [], []
    for given in entry.lines:
        item = kept.pop(given.get("item"), None)
        if item is None:
            item = OrderItem(order=order)
            fresh.append((item, given))
        if (item.sku, item.asin) != (given["sku"], given["asin"]):
            item.product = None
        for name, value in given.items():
            if name not in entering.NO_COLUMNS:
                setattr(item, name, value)
        found.append(item)
    for (item, _given), key in zip(
        fresh, entering.line_keys([given for _item, given in fresh], taken=taken), strict=True
    ):
        item.amazon_item_id = key
    OrderItem.objects.filter(pk__in=kept).delete()
    return found


def _save(plan: Plan, order: Order, person: OrderPersonalData) -> None:
    order.save()
    names = [*PERSON, *roman.TWINS.values(), *mapping.CUSTOM_FIELDS]
    typed = sealed_values(person, **{name: getattr(person, name) for name in names})
    OrderPersonalData.objects.filter(pk=order.pk, marker="").update(**typed)
    people.forget([order.pk])
    people.index([person])
    items = plan.items_of(order)
    OrderItem.objects.bulk_create([item for item in items if item.pk is None])
    OrderItem.objects.bulk_update([item for item in items if item.pk], LINE_COLUMNS)
    OrderEvent.objects.bulk_create(plan.events)
    ruling.save(replace(plan.ruled, events=[]))  # its events are among the plan's


def _event(order: Order, kind: str, params: dict, *, by, now: datetime) -> OrderEvent:
    return OrderEvent(order=order, kind=kind, params=params, at=now, actor=by)
