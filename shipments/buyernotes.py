"""The note to the buyer of a parcel: a text on its packing slip. Personal: it goes with the order's address."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import Order
from privacy import access, markers
from privacy.fields import sealed_values
from shipments.models import Shipment

MOST_SIGNS = 500


def tidy(text: str) -> str:
    """As it is kept: line breaks of one kind, no control signs, no blanks around it."""
    lines = text.replace("\0", "").splitlines()
    visible = ("".join(sign for sign in line if sign == "\t" or sign.isprintable()) for line in lines)
    return "\n".join(line.rstrip() for line in visible).strip()


def write(shipment: Shipment, text: str, *, now: datetime) -> None:
    """Put this note on the parcel's slip, or take it off with an empty one. RuleViolation where it cannot be.

    The order is locked first: an erasure that begins meanwhile either sees this note, or this sees the erasure.
    """
    note = tidy(text)
    if len(note) > MOST_SIGNS:
        raise RuleViolation(_("The note may hold at most %(most)d signs: shorten it.") % {"most": MOST_SIGNS})
    if note in markers.MARKERS:
        raise RuleViolation(_("This text stands for erased data: write another note."))
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).get(pk=shipment.order_id)
        if refusal := why_not(shipment, order, now=now):
            raise RuleViolation(refusal)
        Shipment.objects.filter(pk=shipment.pk).update(**sealed_values(shipment, note_to_buyer=note))


def why_not(shipment: Shipment, order: Order, *, now: datetime) -> str:
    """Why nothing can be written to this buyer any more, or ''."""
    if order.is_erased(now=now):
        return _("The personal data of order %(number)s was erased on schedule: it takes no note any more.") % {
            "number": order.order_number
        }
    if shipment.voided_at is not None:
        return _("This shipment is void: write the note on another one.")
    return ""


def may_write(user, order: Order) -> bool:
    """Those who ship, as far as they see this order's person: else they would overwrite what they cannot read."""
    return user.has_perm("shipments.add_shipment") and access.may_see_person(user, order_open=order.is_open)


def panel_for(user, order: Order, shipments: list[Shipment], *, now: datetime) -> dict[int, dict]:
    """What the order's page shows of notes, by shipment: `text` for those who see the person, `editable`.

    An access-log row where a note is shown that no other panel of the page has logged.
    """
    if not shipments:
        return {}
    sees = not order.masked and access.may_see_person(user, order_open=order.is_open)
    edits = sees and user.has_perm("shipments.add_shipment")
    person = getattr(order, "person", None)
    if sees and any(shipment.note_to_buyer for shipment in shipments) and not (person and person.holds_anything):
        access.log_view(user, order.pk, what="order page")
    return {
        shipment.pk: {
            "text": shipment.note_to_buyer if sees else "",
            "hidden": bool(shipment.note_to_buyer) and not sees,
            "editable": edits and not shipment.is_return and not why_not(shipment, order, now=now),
        }
        for shipment in shipments
    }
