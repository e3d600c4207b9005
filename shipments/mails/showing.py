"""What the order page says of return labels and mails to the buyer; a query where there are mails, one more for an order
that did not come from Amazon."""

from dataclasses import dataclass, field

from orders.models import Order, OrderPersonalData
from shipments.mails import deciding, words
from shipments.mails.words import MailWords
from shipments.models import OutgoingMail, Shipment

Kind = OutgoingMail.Kind


@dataclass(frozen=True)
class Row:
    """One kind of mail about one parcel: the mail and its words, or the offer to send it."""

    shipment: Shipment
    kind: str
    mail: OutgoingMail | None = None
    words: MailWords | None = None


@dataclass(frozen=True)
class Panel:
    """`sent`: anything left already. `by_amazon`: Amazon tells the buyer itself. `returns`: newest first."""

    sent: bool = False
    by_amazon: bool = False
    may_return: bool = False
    returns: list[Row] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def panel_for(order: Order, parcels: list[Shipment], returns: list[Shipment]) -> Panel:
    """`parcels`, `returns`: the order's shipments with their labels, each with how many mails it has as `mailed`."""
    live = [parcel for parcel in parcels if parcel.voided_at is None]
    sent = bool(live) or order.status == Order.Status.SHIPPED
    if not (sent or returns):
        return Panel()
    mails = _mails_of(order) if any(shipment.mailed for shipment in (*parcels, *returns)) else {}
    by_amazon = _amazon_mails_itself(order)
    return Panel(
        sent=sent,
        by_amazon=by_amazon,
        may_return=sent and not (order.by_amazon or order.masked),
        returns=[_row(shipment, Kind.RETURN_LABEL, mails) for shipment in returns],
        rows=_rows(parcels, mails, offered=not (by_amazon or order.masked)),
    )


def _mails_of(order: Order) -> dict[tuple[int, str], OutgoingMail]:
    found = {(mail.shipment_id, mail.kind): mail for mail in order.mails.all()}
    for mail in found.values():
        mail.order = order  # with its store, which the page has at hand
    return found


def _rows(parcels: list[Shipment], mails: dict, *, offered: bool) -> list[Row]:
    """What was asked for, and what may be: a mail about a parcel that left, and one about a parcel that arrived."""
    found = []
    for parcel in parcels:
        for kind, happened in ((Kind.SHIPPED, True), (Kind.DELIVERED, parcel.delivered_at is not None)):
            if (parcel.pk, kind) in mails or (offered and happened and parcel.voided_at is None):
                found.append(_row(parcel, kind, mails))
    return found


def _row(shipment: Shipment, kind: str, mails: dict) -> Row:
    mail = mails.get((shipment.pk, kind))
    return Row(shipment, kind, mail, words.of(mail) if mail else None)


def _amazon_mails_itself(order: Order) -> bool:
    if deciding.amazon_mails_itself(order, ""):
        return True
    held = OrderPersonalData.objects.filter(pk=order.pk).values_list("buyer_email", flat=True).first()
    return deciding.amazon_mails_itself(order, deciding.canonical(held or ""))
