"""A mail to a buyer, put together the moment it is sent: text from the store's letters, the return label attached.

One recipient, plain text, no line break in any header. Nothing of it is kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from email.headerregistry import Address
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import translation

from orderhub.validators import in_one_line
from orders.models import Order, OrderPersonalData
from shipments import labelling, slips
from shipments.models import Label, OutgoingMail
from stores import letters
from stores.models import Store

Kind = OutgoingMail.Kind
LONGEST_NAME = 120  # characters: a name in a greeting is shorter, only a text meant to do harm is cut


def message(mail: OutgoingMail, *, address: str, label: Label | None, connection=None) -> EmailMessage:
    """The mail, ready to be sent to this one address. `label`: of a return, attached as PDF; its file is drawn anew if
    it is missing. RuleViolation where that cannot be; ValueError for a header that mail programs would misread."""
    with _language_of(mail.order):
        letter = _letter(mail)
    composed = EmailMessage(
        in_one_line(letter.subject),
        letter.body,
        from_email=sender(mail.order.store),
        to=[address],
        headers={"Auto-Submitted": "auto-generated"},
        connection=connection,
    )
    if label is not None:
        composed.attach(f"return-label-{mail.shipment_id}.pdf", document(label), "application/pdf")
    return composed


def sender(store: Store) -> str:
    """The brand's name and the store's address, as one header."""
    address = parseaddr(store.sender)[1]
    return str(Address(in_one_line(letters.shown_name(store)), addr_spec=address))


def document(label: Label) -> bytes:
    """The label's bytes. RuleViolation where its file is gone and cannot be drawn again."""
    storage, name = label.file.storage, label.file.name
    if not name or not storage.exists(name):
        labelling.write_label(label)
    with storage.open(name) as file:
        return file.read()


@contextmanager
def _language_of(order: Order) -> Iterator[None]:
    """The marketplace's, as on the packing slip; the installation's where an order came from no marketplace."""
    language = slips.language_of(order) if order.store.marketplace else settings.LANGUAGE_CODE
    with translation.override(language):
        yield


def _letter(mail: OutgoingMail) -> letters.Letter:
    order, parcel = mail.order, mail.shipment
    about = letters.About(order.store, order.order_number, _name_of(order))
    match mail.kind:
        case Kind.RETURN_LABEL:
            return letters.return_label(about)
        case Kind.SHIPPED:
            way = letters.Way(parcel.carrier_name, parcel.tracking_number, parcel.tracking_url)
            return letters.shipped(about, way, note=parcel.note_to_buyer)
        case _:
            return letters.delivered(about, parcel.carrier_name)


def _name_of(order: Order) -> str:
    """The buyer's name, else the recipient's, in one line; '' where neither is known."""
    names = OrderPersonalData.objects.filter(pk=order.pk, marker="").values_list("buyer_name", "recipient_name").first()
    return in_one_line(next(filter(None, names or ()), ""))[:LONGEST_NAME]
