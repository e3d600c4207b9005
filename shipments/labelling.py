"""The label of a shipment: may there be one, its row with its own erasure clock, its file."""

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders import correcting, roman
from orders.models import Order, OrderPersonalData
from orders.retention import facts_of, parcel_of, periods_for
from privacy import retention
from shipments.labels import content, pdf
from shipments.models import Label, Shipment
from stores.models import Store


def check_address(order: Order) -> None:
    """R17. RuleViolation where a label could not be read, or would name nobody."""
    if nobody := correcting.why_no_label(order):
        raise RuleViolation(nobody)
    if roman.unreadable([order.pk]):
        raise RuleViolation(unreadable_address(order))


def unreadable_address(order: Order) -> str:
    """Why no label can be made for an address in other characters, and what to do."""
    told = _(
        "The address of order %(number)s is not in Roman characters, which carriers cannot read. Open the order, fill in the address in Roman characters, then make the label."
    )
    return told % {"number": order.order_number}


def new_row(shipment: Shipment, *, format: str = Label.Format.PDF) -> Label:
    """The row first, its file after the commit: a file without a row would never be erased."""
    order = shipment.order
    periods = periods_for(order.store)
    parcel = parcel_of(shipment, label_created_at=shipment.created_at)
    due = retention.label_due(parcel, retention.order_due(facts_of(order), periods), periods)
    label = Label(
        shipment=shipment, kind=Label.Kind.RETURN if shipment.is_return else Label.Kind.SHIPPING, format=format,
        created_at=shipment.created_at, due_at=due.at, due_rule=due.rule,
    )  # fmt: skip
    label.save()
    label.file.name = f"{shipment.pk // 1000}/{label.pk}.{format}"
    label.save(update_fields=["file"])
    return label


def follow_order(order: Order) -> None:
    """Labels of returns and of voided parcels go with the order, never later (R85). Call whenever its due date moved."""
    if order.redaction_due_at is None:
        return
    tied = Q(shipment__is_return=True) | Q(shipment__voided_at__isnull=False)
    later = Label.objects.filter(
        tied, shipment__order=order, redacted_at__isnull=True, due_at__gt=order.redaction_due_at
    )
    later.update(due_at=order.redaction_due_at, due_rule=order.redaction_rule)


def write_label(label: Label) -> None:
    """Draw the label's file. Safe to repeat; an erased label stays erased, whoever comes first.

    RuleViolation where the address is not in Roman characters (any more), or the label is not one of ours.
    """
    if label.shipment.provider != Shipment.Provider.MANUAL:
        raise RuleViolation(
            _("The file of the label bought for order %(number)s is missing. Open the label again in some minutes.")
            % {"number": label.shipment.order.order_number}
        )
    keep_file(label, pdf.draw(_drawable(label)))


def content_of(label: Label) -> content.LabelContent:
    """What a label of ours says, to be drawn in another format. Holds a person.

    RuleViolation where the address is erased, though its label is not due yet, or cannot be read on a label.
    """
    if label.shipment.order.masked:
        raise RuleViolation(
            _("The address of order %(number)s is erased: its label exists only as it was drawn. Open it as PDF.")
            % {"number": label.shipment.order.order_number}
        )
    return _drawable(label)


def _drawable(label: Label) -> content.LabelContent:
    if roman.unreadable([label.shipment.order_id]):
        raise RuleViolation(
            _(
                "The label of order %(number)s is gone and cannot be drawn again: its address is not in Roman characters."
            )
            % {"number": label.shipment.order.order_number}
        )
    return content.shipping_label(label_data(label.shipment))


def keep_file(label: Label, drawn: bytes) -> None:
    """Store a label's bytes. Safe to repeat; an erased label stays erased, whoever comes first."""
    storage, name = label.file.storage, label.file.name
    with transaction.atomic():
        if not Label.objects.select_for_update().filter(pk=label.pk, redacted_at__isnull=True):
            return
        if storage.exists(name):
            storage.delete(name)
        storage.save(name, ContentFile(drawn))


def label_data(shipment: Shipment) -> content.LabelData:
    """What the label of a parcel says, the address as it is now: the row in hand may be older. Holds a person."""
    order, store = shipment.order, shipment.order.store
    person = OrderPersonalData.objects.get(pk=order.pk)
    sender = {key: str(value) for key, value in ship_from(order).items() if key in content.Address.__dataclass_fields__}
    buyer = content.Address(**roman.ship_to(person))
    shop = content.Address(**({"name": store.brand_name or store.merchant.name} | sender))
    there, here = (shop, buyer) if shipment.is_return else (buyer, shop)
    return content.LabelData(
        order_number=order.order_number,
        shipment_id=shipment.pk,
        carrier=shipment.carrier_name,
        service=shipment.service,
        tracking_number=shipment.tracking_number,
        ship_date=shipment.ship_date,
        ship_to=there,
        ship_from=here,
        weight_g=shipment.weight_g,
        references=_riding(shipment),
    )


def _riding(shipment: Shipment) -> tuple[str, ...]:
    """The other orders in the parcel, as many as a label has room for, then how many more."""
    riders = shipment.riders.filter(voided_at__isnull=True).order_by("pk")
    numbers = list(riders.values_list("order__order_number", flat=True))
    if len(numbers) <= content.MOST_REFERENCES:
        return tuple(numbers)
    most = content.MOST_REFERENCES - 1
    return (*numbers[:most], f"+{len(numbers) - most}")


def ship_from(order: Order) -> dict:
    """The address it leaves from: its store's, or that of the merchant's store a rule wished for, while it has one."""
    wished = order.wishes.get("ship_from")
    if wished is None:
        return order.store.ship_from
    other = Store.objects.filter(pk=wished, merchant=order.store.merchant_id).values_list("ship_from", flat=True)
    return other.first() or order.store.ship_from
