"""Several orders of one buyer in one parcel: who is told, who is left to somebody's hand, then all of it or nothing.

One parcel has one label and one number; each order has a shipment of its own, the riders' pointing to the lead's.
"""

import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import RuleViolation
from orders.models import Order, OrderEvent, OrderItem, OrderPersonalData, Product
from shipments import dispatching, foretelling, labelling, outbox
from shipments.dispatching import ParcelWish
from shipments.foretelling import Foretold
from shipments.models import Label, Shipment
from shipments.parting import ChangedMeanwhile
from stores.models import Store

LEAST, MOST = 2, 20
SALT = "shipments.combining"
STREETS = ("street1", "street2", "street3")
COMPARED = ("recipient_name", "recipient_company", "city", "district", "state", "country")


@dataclass(frozen=True)
class Part:
    """One order of the parcel: what is told of it, and until when its address is kept."""

    order: Order
    leads: bool
    foretold: Foretold
    erasure: str


@dataclass(frozen=True)
class Plan:
    """What the parcel would mean. The first part is the lead: its order has the label and, if any, the notice."""

    wish: ParcelWish
    parts: tuple[Part, ...]

    @property
    def lead(self) -> Order:
        return self.parts[0].order

    @property
    def seal(self) -> str:
        """Stands for what the preview said: other orders, another wish or another case have another one."""
        said = [
            (part.order.pk, part.foretold.case, part.foretold.code, sorted(foretelling.units_left(part.order).items()))
            for part in self.parts
        ]
        return salted_hmac(SALT, repr((self.wish, said)), algorithm="sha256").hexdigest()


def read(ids: Sequence[int]) -> list[Order]:
    """These orders with all that a plan needs, in the order in which one of them becomes the lead; constant queries."""
    lines = Prefetch("items", OrderItem.objects.order_by("pk"))
    orders = list(
        Order.objects.filter(pk__in=ids).select_related("store__merchant", "store__account").prefetch_related(lines)
    )
    foretelling.load(orders)
    return sorted(orders, key=_precedence)


def _precedence(order: Order) -> tuple:
    """The oldest that OrderHub tells Amazon of; without one the oldest of Amazon, then of any store (R50, A13)."""
    store = order.store
    amazon = store.platform == Store.Platform.AMAZON
    heard = any(row.is_first_word and row.state != row.State.WITHDRAWN for row in order.notifications.all())
    owes = amazon and store.amazon_told_by != Store.ToldBy.CONNECTOR and not (heard or _told_by_hand(order))
    return not owes, not amazon, order.ordered_at, order.pk


def _told_by_hand(order: Order) -> bool:
    update = getattr(order, "manual_update", None)
    return update is not None and update.done_how in {update.DoneHow.BY_HAND, update.DoneHow.SEEN}


def how_many() -> str:
    return _("Choose %(least)d to %(most)d orders for one parcel.") % {"least": LEAST, "most": MOST}


def why_not(orders: Sequence[Order]) -> list[str]:
    """Why these orders cannot go in one parcel, a sentence each that says what to do instead. One query.

    Addresses are compared in memory; a sentence says whether they are the same, and nothing of what they are.
    """
    if not LEAST <= len(orders) <= MOST:
        return [how_many()]
    told = [refusal for order in orders if (refusal := _refusal(order, orders[0]))]
    if not told:
        told = _other_addresses(orders)
    return told


def _refusal(order: Order, lead: Order) -> str:
    number = {"number": order.order_number, "lead": lead.order_number}
    if refusal := order.why_not_shippable():
        return refusal
    if order.store.merchant_id != lead.store.merchant_id:
        return _("Order %(number)s belongs to another merchant than order %(lead)s: send it by itself.") % number
    if any(item.quantity_shipped for item in order.items.all()):
        return _("A part of order %(number)s has left already: send the rest by itself.") % number
    if not any(foretelling.units_left(order).values()):
        return _("Nothing is left to send in order %(number)s.") % number
    if outbox.SHIP_PLUS in order.programs:
        return _("Order %(number)s needs a label of Amazon's own (FBM Ship+): send it by itself.") % number
    return ""


def _other_addresses(orders: Sequence[Order]) -> list[str]:
    persons = OrderPersonalData.objects.in_bulk([order.pk for order in orders])
    keys = [_address(persons.get(order.pk)) for order in orders]
    lead, told = orders[0].order_number, []
    for order, key in zip(orders, keys, strict=True):
        number = {"number": order.order_number, "lead": lead}
        if key is None:
            told.append(_("Order %(number)s has no complete address: send it by itself.") % number)
        elif keys[0] is not None and key != keys[0]:
            told.append(
                _("Order %(number)s goes to another recipient or address than order %(lead)s: send it by itself.")
                % number
            )
    return told


def _address(person: OrderPersonalData | None) -> tuple[str, ...] | None:
    """What makes two addresses one: the same words in any case, width and punctuation. None where it names no place."""
    if person is None or person.marker or not (person.recipient_name or person.recipient_company):
        return None
    streets = _words(" ".join(getattr(person, name) for name in STREETS))
    if not (streets and (person.city or person.postal_code)):
        return None
    return streets, _words(person.postal_code).replace(" ", ""), *(_words(getattr(person, name)) for name in COMPARED)


def _words(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(sign if sign.isalnum() or unicodedata.combining(sign) else " " for sign in plain).split())


def plan(ids: Sequence[int], wish: ParcelWish, *, now: datetime) -> Plan:
    """What one parcel for these orders would mean; changes nothing. RuleViolation, with what to do, where it cannot be."""
    orders = read(ids)
    if refusals := why_not(orders):
        raise RuleViolation(" ".join(refusals))
    lead = orders[0]
    fit = dispatching.clean(wish, lead.order_number)
    if wish.with_label:
        labelling.check_address(lead)
    parts = []
    for order in orders:
        foretold = foretelling.marketplaces(order, wish, fit, whole=True, now=now, rides=order is not lead)
        parts.append(Part(order, order is lead, foretold, foretelling.erasure(order, whole=True, now=now)))
    return Plan(wish, tuple(parts))


def combine(ids: Sequence[int], wish: ParcelWish, *, as_seen: str, by, now: datetime) -> Shipment:
    """Send these orders in one parcel, if it still means what was read: `as_seen` is the seal of that plan.

    Returns the lead's shipment. All or nothing: a kill anywhere leaves every order sent or none. Of two people at once
    one is refused. RuleViolation, with what to do, where it cannot be.
    """
    with transaction.atomic():
        _lock(ids)
        found = plan(ids, wish, now=now)
        if found.seal != as_seen:
            raise ChangedMeanwhile
        lead = dispatching.ship(_fresh(found.lead), replace(wish, with_label=False), now=now, by=by)
        riders = [
            dispatching.ship(_fresh(part.order), replace(wish, with_label=False), now=now, by=by, combined_with=lead)
            for part in found.parts[1:]
        ]
        label = _label(lead, riders) if wish.with_label else None
        _note([lead, *riders], by=by, now=now)
    failpoints.reach("ship.after_commit")
    if label is not None:
        with suppress(RuleViolation):  # an address that changed this very moment: opening the label says so
            labelling.write_label(label)
    return lead


def _lock(ids: Sequence[int]) -> None:
    """Orders, then persons, then products, each by number: as imports, erasures and single parcels do."""
    list(Order.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    list(OrderPersonalData.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    needed = OrderItem.objects.filter(order__in=ids, product__isnull=False).values("product")
    list(Product.objects.select_for_update().filter(pk__in=needed).order_by("pk").values_list("pk"))


def _fresh(order: Order) -> Order:
    """The order with nothing read ahead: what is written for it must be read back."""
    return Order.objects.select_related("store__merchant", "store__account").get(pk=order.pk)


def _label(lead: Shipment, riders: list[Shipment]) -> Label:
    """One label, and the address on it is each order's: it goes with the first of them that is due."""
    label = labelling.new_row(lead)
    dues = [rider.order for rider in riders if rider.order.redaction_due_at]
    first = min(dues, key=lambda order: order.redaction_due_at, default=None)
    if first is not None and first.redaction_due_at < label.due_at:
        label.due_at, label.due_rule = first.redaction_due_at, first.redaction_rule
        label.save(update_fields=["due_at", "due_rule"])
    return label


def _note(shipments: list[Shipment], *, by, now: datetime) -> None:
    numbers = {sent.order_id: sent.order.order_number for sent in shipments}
    OrderEvent.objects.bulk_create(
        OrderEvent(
            order_id=pk, kind=OrderEvent.Kind.COMBINED, at=now, actor=by,
            params={"orders": ", ".join(number for other, number in numbers.items() if other != pk)},
        )
        for pk in numbers
    )  # fmt: skip
