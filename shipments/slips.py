"""Packing slips: what the buyer finds in the parcel. Drawn when asked for and never stored; prices are not on it."""

from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orderhub.wording import day
from orders import roman
from orders.customization import panel
from orders.models import Order, OrderPersonalData
from privacy import access
from shipments.labels import packingslip
from shipments.labels.content import Address, lines_for
from shipments.picking import options_of

FRENCH = frozenset({"FR", "BE"})  # marketplaces whose buyers get the slip in French


def may_print(user, order: Order) -> bool:
    """Those who make labels or decide on holds, as far as they see this order's person."""
    works = user.has_perm("shipments.view_label") or user.has_perm("orders.hold_order")
    return works and access.may_see_person(user, order_open=order.is_open)


def why_not(order: Order, *, now: datetime) -> str:
    """A sentence saying why there is no packing slip, or ''."""
    number = {"number": order.order_number}
    if order.by_amazon:
        return _("Amazon ships order %(number)s and packs it: there is no packing slip.") % number
    if order.masked or (order.redaction_due_at and order.redaction_due_at <= now):
        return (
            _("The personal data of order %(number)s was erased on schedule: there is no packing slip any more.")
            % number
        )
    return ""


def draw(order: Order, *, by, now: datetime) -> bytes:
    """The slip as PDF, A4, in the buyer's language where we speak it. Writes one access-log row; ask `may_print` first.

    RuleViolation for an order whose personal data is erased, or that Amazon packs.
    """
    if refusal := why_not(order, now=now):
        raise RuleViolation(refusal)
    person = OrderPersonalData.objects.filter(pk=order.pk).first() or OrderPersonalData(order=order)
    access.log_view(by, order.pk, what="packing slip")
    with translation.override(language_of(order)):
        return packingslip.draw(_content(order, person))


def language_of(order: Order) -> str:
    """The marketplace's, French or English; the reader's own where an order came from no marketplace."""
    if not order.store.marketplace:
        return translation.get_language() or "en"
    return "fr" if order.store.marketplace in FRENCH else "en"


def _content(order: Order, person: OrderPersonalData) -> packingslip.Slip:
    store, wishes = order.store, panel.for_slip(order)
    home = str(store.ship_from.get("country", "")) or (store.market.code if store.market else "")
    return packingslip.Slip(
        brand=store.brand_name or store.name,
        contact=tuple(filter(None, [store.brand_phone, store.brand_site])),
        number=order.order_number,
        ordered=day(order.ordered_at.astimezone(store.zone)),
        to_lines=tuple(lines_for(Address(**roman.ship_to(person)), sending_country=home)),
        gift_message=person.gift_message if order.is_gift else "",
        lines=tuple(
            packingslip.Line(
                quantity=item.quantity, sku=item.sku or item.asin, title=item.title, options=options_of(item),
                wishes=tuple(wishes.get(item.pk, ())),
            )
            for item in order.items.filter(is_physical=True).order_by("pk")
        ),
        captions=_captions(),
    )  # fmt: skip


def _captions() -> dict[str, str]:
    return {
        "slip": _("Packing slip"), "order": _("Order"), "date": _("Ordered on"), "to": _("Ship to"),
        "quantity": _("Quantity"), "product": _("Product"), "gift": _("Gift message"),
    }  # fmt: skip
