"""Packing slips: what the buyer finds in the parcel. Drawn when asked for and never stored; prices are not on it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache

from django.db.models import Prefetch
from django.utils import translation
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orderhub.wording import day
from orders import roman
from orders.customization import panel
from orders.models import Order, OrderItem, OrderPersonalData
from privacy import access, markers
from shipments.labels import packingslip
from shipments.labels.content import Address, lines_for
from shipments.models import Shipment
from shipments.picking import options_of
from stores.models import Store

FRENCH = frozenset({"FR", "BE"})  # marketplaces whose buyers get the slip in French


def may_print(user, order: Order) -> bool:
    """Those who make labels or decide on holds, as far as they see this order's person."""
    return _works(user) and access.may_see_person(user, order_open=order.is_open)


def may_print_some(user) -> bool:
    """Whether this user may print the slip of any order at all."""
    return _works(user) and access.may_see_person(user, order_open=True)


def _works(user) -> bool:
    return user.has_perm("shipments.view_label") or user.has_perm("orders.hold_order")


def why_not(order: Order, *, now: datetime) -> str:
    """A sentence saying why there is no packing slip, or ''."""
    number = {"number": order.order_number}
    if order.by_amazon:
        return _("Amazon ships order %(number)s and packs it: there is no packing slip.") % number
    if order.is_erased(now=now):
        return (
            _("The personal data of order %(number)s was erased on schedule: there is no packing slip any more.")
            % number
        )
    return ""


def draw(order: Order, *, by, now: datetime, shipment: Shipment | None = None) -> bytes:
    """The slip as PDF, A4, in the buyer's language where we speak it. Writes one access-log row; ask `may_print` first.

    `shipment`: one parcel of the order; only what is in it stands on the slip. RuleViolation for an order whose personal
    data is erased, or that Amazon packs.
    """
    if refusal := why_not(order, now=now):
        raise RuleViolation(refusal)
    access.log_view(by, order.pk, what="packing slip")
    (fresh,) = _orders([order.pk])
    slip = _content(fresh, panel.for_slips([fresh]), logo=_logo(fresh.store), shipment=shipment)
    return packingslip.draw([slip], title=order.order_number)


def draw_many(order_ids: Sequence[int], *, by, now: datetime) -> bytes:
    """The slips of these orders in this order, one document. Writes an access-log row for each that is drawn.

    An order without a slip, or one that `by` may not print, leaves a page that says so. The same few queries whatever
    their number.
    """
    found = {order.pk: order for order in _orders(order_ids)}
    orders = [found[pk] for pk in dict.fromkeys(order_ids) if pk in found]
    refusals = _refusals(orders, by, now=now)
    shown = [order for order in orders if not refusals[order.pk]]
    access.log_views(by, [order.pk for order in shown], what="packing slip")
    wishes, logo = panel.for_slips(shown), cache(_logo)
    slips = [
        packingslip.Absent(order.order_number, refusals[order.pk])
        if refusals[order.pk]
        else _content(order, wishes, logo=logo(order.store))
        for order in orders
    ]
    return packingslip.draw(slips or [packingslip.Absent("–", _("There is no order here."))], title="packing-slips")


def _refusals(orders: list[Order], by, *, now: datetime) -> dict[int, str]:
    """Why each order has no slip for this user, or ''."""
    works = _works(by)
    sees = {is_open: works and access.may_see_person(by, order_open=is_open) for is_open in (True, False)}
    not_yours = _("Your role does not include the packing slip of this order.")
    return {order.pk: why_not(order, now=now) or ("" if sees[order.is_open] else not_yours) for order in orders}


def _orders(order_ids: Sequence[int]) -> list[Order]:
    """The orders as they are now with all that slips say of them, in four queries."""
    physical = OrderItem.objects.filter(is_physical=True).order_by("pk")
    parcels = Shipment.objects.filter(voided_at__isnull=True, is_return=False).order_by("pk")
    return list(
        Order.objects.filter(pk__in=order_ids)
        .select_related("store__merchant", "person")
        .prefetch_related(
            Prefetch("items", physical, to_attr="slip_lines"),
            Prefetch("shipments", parcels, to_attr="slip_parcels"),
        )
    )


def language_of(order: Order) -> str:
    """The marketplace's, French or English; the reader's own where an order came from no marketplace."""
    if not order.store.marketplace:
        return translation.get_language() or "en"
    return "fr" if order.store.marketplace in FRENCH else "en"


def _content(
    order: Order, wishes: Mapping, *, logo: bytes | None, shipment: Shipment | None = None
) -> packingslip.Slip:
    """What the slip says, in the buyer's language. `wishes`: of buyers, by line."""
    store, person = order.store, getattr(order, "person", None) or OrderPersonalData(order=order)
    home = str(store.ship_from.get("country", "")) or (store.market.code if store.market else "")
    parcels = order.slip_parcels if shipment is None else [shipment]
    with translation.override(language_of(order)):
        return packingslip.Slip(
            brand=store.brand_name or store.name,
            contact=tuple(filter(None, [store.brand_phone, store.brand_site])),
            logo=logo,
            number=order.order_number,
            ordered=day(order.ordered_at.astimezone(store.zone)),
            to_lines=tuple(lines_for(Address(**roman.ship_to(person)), sending_country=home)),
            gift_message=person.gift_message if order.is_gift else "",
            notes=tuple(dict.fromkeys(note for parcel in parcels if (note := _note(parcel)))),
            message=store.slip_message,
            lines=tuple(_lines(order, wishes, shipment)),
            captions=_captions(),
        )


def _lines(order: Order, wishes: Mapping, shipment: Shipment | None) -> list[packingslip.Line]:
    """The lines of the whole order, or the units of it that are in one parcel."""
    packed = dict(shipment.items.values_list("item", "quantity")) if shipment else {}
    found = []
    for item in order.slip_lines:
        count = packed.get(item.pk, 0) if shipment else item.quantity
        if not count:
            continue
        sku = item.sku or item.asin
        found.append(
            packingslip.Line(
                units=_units(count, item.quantity),
                sku=sku if item.title and order.store.slip_shows_sku else "",
                title=item.title or sku,  # something must tell what it is
                options=options_of(item),
                wishes=tuple(wishes.get(item.pk, ())),
            )
        )
    return found


def _units(count: int, of: int) -> str:
    return f"{count} ×" if count >= of else _("%(count)d of %(all)d") % {"count": count, "all": of}


def _note(shipment: Shipment) -> str:
    return "" if shipment.note_to_buyer in markers.MARKERS else shipment.note_to_buyer


def _logo(store: Store) -> bytes | None:
    """The shop's logo, drawn by ourselves when it was taken in; None where there is none, or not any more."""
    if not store.brand_logo:
        return None
    with suppress(OSError), store.brand_logo.open("rb") as file:
        return file.read()
    return None


def _captions() -> dict[str, str]:
    return {
        "slip": _("Packing slip"), "order": _("Order"), "date": _("Ordered on"), "to": _("Ship to"),
        "quantity": _("Quantity"), "product": _("Product"), "gift": _("Gift message"),
        "note": _("Message from the shop"),
    }  # fmt: skip
