"""Amazon Buy Shipping as a source of labels. Amazon confirms these orders itself: nothing may be told twice.

The buyer's address stays with Amazon: what is sent is the order's number, the parcel's weight and size, and our own
address.
"""

import re
from datetime import datetime, time, timedelta

from django.utils.translation import gettext as _

from orderhub.errors import RequestRejected, RuleViolation
from orders.models import Order
from shipments import carriers, labelling
from shipments.models.shipment import LabelProvider, TrackingStatus
from shipments.providers.base import Bought, ParcelFacts, Rate, Scan, VoidResult
from stores.connecting import connector_for
from stores.connectors.amazon.shipping import AmazonShipping
from stores.connectors.labels import LabelOffer, LabelWish
from stores.models import Store

VALID_FOR = timedelta(minutes=10)  # Amazon's, from the making of a rate
FORMATS = ("pdf", "png", "zpl")  # as we like them best
AMAZONS_OWN = "Amazon Shipping"
# No scan of these comes up to the door: addresses of unknown and of these services are kept for the shorter time (R79).
LETTERS = re.compile(r"\b(letters?|lettre|flats?|brief|postkarte|carta|stamp|postcard|mail piece)\b|定形|はがき", re.I)
ALREADY = re.compile(r"already.*(cancel|void)", re.I)
NOON = time(12)
STATUS_OF = {
    "ReadyForReceive": TrackingStatus.PRE_TRANSIT,
    "PickupDone": TrackingStatus.ACCEPTED,
    "Departed": TrackingStatus.IN_TRANSIT,
    "ArrivedAtCarrierFacility": TrackingStatus.IN_TRANSIT,
    "OutForDelivery": TrackingStatus.OUT_FOR_DELIVERY,
    "RecipientRequestedAlternateDeliveryTiming": TrackingStatus.OUT_FOR_DELIVERY,
    "AvailableForPickup": TrackingStatus.AVAILABLE_FOR_PICKUP,
    "DeliveryAttempted": TrackingStatus.FAILED,
    "Rejected": TrackingStatus.FAILED,
    "Undeliverable": TrackingStatus.FAILED,
    "ReturnInitiated": TrackingStatus.RETURNED,
    "Lost": TrackingStatus.LOST,
    "Delivered": TrackingStatus.DELIVERED,
}  # PickupCancelled says nothing about where the parcel is


class AmazonBuyShipping:
    """The labels of one store of Amazon's. Every method may raise the errors of orderhub/errors.py."""

    confirms_order = True

    def __init__(self, store: Store):
        self.connector = connector_for(store.account)
        self.shop = AmazonShipping(self.connector.client, store.marketplace)

    def quote(self, order: Order, parcel: ParcelFacts, *, now: datetime) -> list[Rate]:
        """What could carry it, cheapest first. RuleViolation where the sender's address is incomplete."""
        offers = self.shop.offers(_wish(order, parcel, now))
        rates = [_rate(offer, now + VALID_FOR) for offer in offers if offer.answerable and _formats(offer)]
        return sorted(rates, key=lambda rate: (rate.price, rate.carrier_name, rate.service))

    def buy(self, purchase) -> Bought:
        label = self.shop.buy(
            token=purchase.request_token, offer_id=purchase.rate_id, format=purchase.parcel["format"],
            key=purchase.idempotency_key,
        )  # fmt: skip
        return bought(purchase, label.shipment_id, label.tracking_number, label.format, label.document)

    def document(self, purchase) -> bytes:
        parcel = purchase.parcel
        return self.shop.document(purchase.provider_ref, reference=parcel["reference"], format=parcel["format"])

    def void(self, purchase) -> VoidResult:
        """Cancel the label. Amazon's words on a refusal may quote anything: only its code comes back."""
        try:
            self.shop.cancel(purchase.provider_ref)
        except RequestRejected as error:
            if ALREADY.search(error.detail):
                return VoidResult("accepted")
            return VoidResult("refused", error.code)
        return VoidResult("accepted")

    def track(self, purchase) -> list[Scan]:
        """Scans with a status we know, oldest first. What goes back to the sender never counts as delivered."""
        scans = self.shop.scans(purchase.tracking_number, purchase.parcel["carrier_id"])
        found = [(TrackingStatus.RETURNED if scan.backwards else STATUS_OF.get(scan.code), scan.at) for scan in scans]
        return [Scan(status, at) for status, at in found if status]

    def parcels_there(self, order: Order) -> set[str]:
        remote = self.connector.order(order.order_number)
        return {package.tracking_number or package.reference for package in remote.packages}


def bought(purchase, provider_ref: str, tracking_number: str, kind: str, document: bytes) -> Bought:
    """A label of Amazon's, with what the purchase knows of it."""
    return Bought(
        provider=LabelProvider.AMAZON_SHIPPING, provider_ref=provider_ref, tracking_number=tracking_number,
        carrier=purchase.carrier, service=purchase.service, tracked=purchase.tracked, confirms_order=True,
        format=kind, price=purchase.price, currency=purchase.currency, document=document,
    )  # fmt: skip


def _wish(order: Order, parcel: ParcelFacts, now: datetime) -> LabelWish:
    leaves = datetime.combine(parcel.ship_date, NOON, tzinfo=order.store.zone)
    return LabelWish(
        order_number=order.order_number, marketplace=order.store.marketplace, reference=parcel.reference,
        weight_g=parcel.weight_g, length_mm=parcel.length_mm, width_mm=parcel.width_mm, height_mm=parcel.height_mm,
        ship_at=max(leaves, now), currency=order.currency or order.store.market.currency, items=parcel.items,
        ship_from=_sender(order),
    )  # fmt: skip


def _sender(order: Order) -> dict[str, str]:
    store = order.store
    found = {"name": store.brand_name or store.merchant.name} | {
        key: str(value) for key, value in labelling.ship_from(order).items() if value
    }
    if not all(found.get(part) for part in ("street1", "city", "postal_code", "country")):
        told = _(
            "The ship-from address of %(store)s is incomplete: Amazon sells no label without it. Fill in street, city, postcode and country on the store's page."
        )
        raise RuleViolation(told % {"store": store.name})
    return found


def _formats(offer: LabelOffer) -> tuple[str, ...]:
    return tuple(kind for kind in FORMATS if kind in offer.formats)


def _rate(offer: LabelOffer, expires_at: datetime) -> Rate:
    code = carrier_code(offer.carrier_name)
    known = code in carriers.BY_CODE or offer.carrier_name.startswith(AMAZONS_OWN)
    return Rate(
        rate_id=offer.offer_id, carrier=code, carrier_name=offer.carrier_name[:40], service=offer.service_name[:80],
        price=offer.price.amount, currency=offer.price.currency,
        tracked=offer.scanned and known and not LETTERS.search(offer.service_name),
        formats=_formats(offer), deliver_by=offer.deliver_by, expires_at=expires_at, token=offer.token,
        carrier_id=offer.carrier_id, service_id=offer.service_id,
    )  # fmt: skip


def carrier_code(name: str) -> str:
    """Our code of a carrier that Amazon names, else the name itself."""
    plain = _plain(name)
    for carrier in carriers.BY_CODE.values():
        if plain in {_plain(carrier.name), _plain(carrier.amazon)} and carrier.amazon != "Other":
            return carrier.code
    return name[:40]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
