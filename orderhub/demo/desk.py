"""What the demo shop's people did at their desks: custom fields, a Handmade store, a note, a view of their own."""

from datetime import datetime, timedelta
from decimal import Decimal

from orderhub.models import User
from orders import entering, notes, saved_views
from orders.models import Order, OrderEvent, Tag
from stores import customfields, features
from stores.models import FeatureGrant, Merchant, Store

FIELDS = ["purchase_order_number", "business_order", "service_level"]


def open_custom_fields(*, support: User, success: User) -> None:
    """Customer success enables custom fields where most companies buy, and support maps them."""
    store = Store.objects.get(marketplace="US")
    features.grant(store, FeatureGrant.Feature.CUSTOM_FIELDS, by=success, reason="Demonstration")
    customfields.map_fields(store, FIELDS, by=support)


def work(*, by: User, now: datetime) -> None:
    """A day of support."""
    _enter_handmade(by=by, now=now)
    order = (
        Order.objects.filter(is_business=True, status=Order.Status.AWAITING_SHIPMENT)
        .exclude(pii_state="redacted")
        .first()
    )
    if order:
        notes.add(order, "Société : facture demandée avant l'envoi, voir avec la comptabilité.", by=by, now=now)
    urgent = Tag.objects.get(name="Urgent")
    view = {"tab": "to_ship", "tag": str(urgent.pk)}
    saved_views.save(by, "À expédier, urgentes", view, known=view, shared=True)


def _enter_handmade(*, by: User, now: datetime) -> None:
    store = Store.objects.create(
        merchant=Merchant.objects.get(), name="Atelier du Lac · Handmade", platform=Store.Platform.HANDMADE,
        time_zone="Europe/Paris",
    )  # fmt: skip
    line = {
        "sku": "GRAVURE-1", "title": "Médaillon gravé à la main", "quantity": 1, "unit_price": Decimal("38.00"),
        "options": [{"name": "Bois", "value": "Noyer"}],
    }  # fmt: skip
    person = {
        "recipient_name": "Solène Aubrac-Exemple", "street1": "14 rue des Essais", "postal_code": "74000",
        "city": "Annecy", "country": "FR", "buyer_email": "f00dcafe@marketplace.amazon.fr",
    }  # fmt: skip
    given = {"ordered_at": now - timedelta(hours=3), "ship_by": now + timedelta(days=2), "currency": "EUR"}
    entry = entering.Entry(number="", order=given, person=person, lines=[line])
    entering.enter(store, [entry], kind=OrderEvent.Kind.ENTERED, by=by, now=now)
