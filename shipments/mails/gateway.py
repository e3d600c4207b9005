"""The one way to a mail to a buyer: it decides, writes the row and a line on the timeline, and wakes the sender."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orderhub.jobs import enqueue
from orders.models import Order, OrderEvent
from privacy import access
from shipments.mails import deciding
from shipments.mails.jobs import send_mails
from shipments.models import OutgoingMail, Shipment

Kind, State = OutgoingMail.Kind, OutgoingMail.State
UNDER_WAY = (State.PENDING, State.SENDING, State.SENT, State.CANCELLED)
MAY_GO_AGAIN = (State.REFUSED, State.FAILED)


def request(shipment: Shipment, kind: str, *, by, now: datetime) -> OutgoingMail:
    """Ask for one mail about one parcel. The row says what was decided; one that waits, left or is cancelled stays.

    Safe to repeat and to press twice: a parcel has one mail of each kind. `by`: None where OrderHub asks itself.
    """
    with transaction.atomic():
        here = _locked(shipment)
        row, is_new = OutgoingMail.objects.select_for_update().get_or_create(
            shipment=here, kind=kind, defaults={"order": here.order, "created_at": now, "created_by": by}
        )
        if not is_new and row.state in UNDER_WAY:
            return row
        _set(row, here, by=by, now=now)
    return row


def send_again(mail: OutgoingMail, *, seen: int, by, now: datetime) -> OutgoingMail:
    """Send what was refused or failed once more; a return label also where it was sent, should the buyer have lost it.

    `seen`: the row's fence when the page was opened, so that pressing twice sends once. RuleViolation otherwise.
    """
    with transaction.atomic():
        here = _locked(mail.shipment)
        row = OutgoingMail.objects.select_for_update().get(pk=mail.pk)
        if not may_go_again(row) or row.fence != seen:
            raise RuleViolation(_("This mail changed meanwhile. Look at it again before you send it once more."))
        _set(row, here, by=by, now=now)
    return row


def may_go_again(row: OutgoingMail) -> bool:
    """Whether a person may have it sent once more."""
    return row.state in MAY_GO_AGAIN or (row.state == State.SENT and row.kind == Kind.RETURN_LABEL)


def after_shipping(shipment: Shipment, *, by, now: datetime) -> None:
    """Mail the buyer that a parcel left, where the store wants it. Call in the parcel's transaction, with the order locked."""
    if shipment.order.store.mail_shipped and not shipment.is_return:
        request(shipment, Kind.SHIPPED, by=by, now=now)


def after_delivery(shipment: Shipment, *, now: datetime) -> None:
    """Mail the buyer that a parcel was delivered, where the store wants it. Safe to repeat."""
    if shipment.order.store.mail_delivered and not shipment.is_return:
        request(shipment, Kind.DELIVERED, by=None, now=now)


def note(row: OutgoingMail, *, by, now: datetime) -> None:
    """A line on the order's timeline: what became of the mail."""
    OrderEvent.objects.create(
        order_id=row.order_id, kind=OrderEvent.Kind.MAIL, at=now, actor=by,
        params={"mail": str(row.kind), "outcome": str(row.reason or row.state)},
    )  # fmt: skip


def _locked(shipment: Shipment) -> Shipment:
    """The parcel as it is now, its order locked: no erasure comes in between."""
    order = Order.objects.select_for_update(of=("self",)).select_related("store__merchant").get(pk=shipment.order_id)
    here = Shipment.objects.get(pk=shipment.pk)
    here.order = order
    return here


def _set(row: OutgoingMail, shipment: Shipment, *, by, now: datetime) -> None:
    """What was decided goes to the row, held by the caller; what may leave is sent soon."""
    decision = deciding.decide(shipment, row.kind, now=now)
    row.state, row.reason = (State.REFUSED, decision.reason) if decision.reason else (State.PENDING, "")
    row.fence += 1  # whoever saw the row as it was is too late
    row.next_attempt_at, row.failing_since, row.attempts, row.sent_at = now, None, 0, None
    row.save(update_fields=["state", "reason", "fence", "next_attempt_at", "failing_since", "attempts", "sent_at"])
    note(row, by=by, now=now)
    if row.state == State.PENDING:
        if by is not None and row.kind == Kind.RETURN_LABEL:
            access.log_view(by, row.order_id, what="return label mail")  # its label names the buyer
        enqueue(send_mails)
