"""Whether a mail to a buyer may leave, and to which address. The one place that knows what Amazon forbids (R59–R62).

Decided by where an order comes from and by the domain of its address; never by how it was paid.
"""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.encoding import punycode

from orders.models import Order, OrderPersonalData
from privacy import markers
from shipments.models import Label, OutgoingMail, Shipment
from stores.models import Store

Kind = OutgoingMail.Kind
AMAZON = "amazon"  # Order.origin_marketplace
OF_AMAZON = (Store.Platform.AMAZON, Store.Platform.HANDMADE)
LONGEST_ADDRESS = 254  # characters, RFC 5321

AMAZON_FORBIDS = "AmazonForbids"
SENDER_NOT_APPROVED = "SenderNotApproved"
NO_ADDRESS = "NoAddress"
BAD_ADDRESS = "BadAddress"
ERASED = "Erased"
VOIDED = "Voided"
NO_LABEL = "NoLabel"


@dataclass(frozen=True, repr=False)  # no repr: an address must not reach a traceback
class Decision:
    """`reason`: why it may not leave, a code of orders/mailwords.py, or ''. `address`: where it goes, or ''."""

    reason: str = ""
    address: str = ""


def decide(shipment: Shipment, kind: str, *, now: datetime) -> Decision:
    """May this mail leave now? Two or three queries; the order's person is read anew each time."""
    order = shipment.order
    held = OrderPersonalData.objects.filter(pk=order.pk, marker="").values_list("buyer_email", flat=True).first() or ""
    address = canonical(held)
    if kind != Kind.RETURN_LABEL and amazon_mails_itself(order, address):
        return Decision(AMAZON_FORBIDS)
    if order.is_erased(now=now):
        return Decision(ERASED)
    if shipment.voided_at is not None:
        return Decision(VOIDED)
    if kind == Kind.RETURN_LABEL and return_label(shipment, now=now) is None:
        return Decision(NO_LABEL)
    if not address:
        return Decision(BAD_ADDRESS if held.strip() else NO_ADDRESS)
    if is_relay(address) and not order.store.sender_approved:
        return Decision(SENDER_NOT_APPROVED)
    return Decision(address=address)


def amazon_mails_itself(order: Order, address: str) -> bool:
    """Whether Amazon tells this buyer of shipping and delivery, and nobody else may. `address`: as `canonical` gives it."""
    return order.origin_marketplace == AMAZON or order.store.platform in OF_AMAZON or is_relay(address)


def is_relay(address: str) -> bool:
    """Whether a plain address is one of Amazon's: by its domain alone, whatever stands before it."""
    return bool(address) and markers.is_relay(f"x@{address.rpartition('@')[2]}")


def canonical(text: str) -> str:
    """One plain address as it goes over the wire, or '' for anything else: names, lists, quoted parts, line breaks.

    A domain in other letters becomes the ASCII one that mail servers see, so that no way of writing hides Amazon's.
    """
    local, _at, domain = text.strip().rpartition("@")
    try:
        address = f"{local}@{punycode(domain)}"
        validate_email(address)
    except (UnicodeError, ValidationError):
        return ""
    return address if address.isascii() and '"' not in address and len(address) <= LONGEST_ADDRESS else ""


def return_label(shipment: Shipment, *, now: datetime) -> Label | None:
    """The label of a return, as long as it may be shown."""
    if not shipment.is_return:
        return None
    live = Label.objects.filter(shipment=shipment, kind=Label.Kind.RETURN, redacted_at__isnull=True, due_at__gt=now)
    return live.first()
