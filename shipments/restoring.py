"""A label file that is missing: drawn again where it is our own, fetched again where a provider sold it."""

from django.utils.translation import gettext as _

from orderhub.errors import ConnectorError, RuleViolation
from shipments import labelling
from shipments.models import Label, LabelPurchase
from shipments.models.shipment import LabelProvider
from shipments.providers.registry import provider_for


def restore(label: Label) -> None:
    """Put the file in its place again. Safe to repeat. RuleViolation, with what to do, where it cannot be had."""
    shipment = label.shipment
    if shipment.provider == LabelProvider.MANUAL:
        labelling.write_label(label)
        return
    purchase = LabelPurchase.objects.select_related("order__store__account").filter(shipment=shipment).first()
    try:
        content = provider_for(purchase, shipment.order.store).document(purchase) if purchase else b""
    except ConnectorError:
        content = b""
    if not content:
        raise RuleViolation(
            _("Amazon does not give this label's file now. Try again in a minute, or print it in Seller Central.")
        )
    labelling.keep_file(label, content)
