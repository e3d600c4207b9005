"""Which provider a label comes from, and which ones a store can buy from."""

from orders.models import Order
from shipments.models.shipment import LabelProvider
from shipments.providers.amazon_shipping import AmazonBuyShipping
from shipments.providers.base import Provider
from shipments.providers.manual import Manual
from stores.models import AmazonAccount, Store


def provider_for(what, store: Store) -> Provider:
    """The provider of a shipment, of a purchase, or of a code, for one store."""
    code = getattr(what, "provider", what)
    if code == LabelProvider.AMAZON_SHIPPING:
        return AmazonBuyShipping(store)
    return Manual()


def sells(store: Store) -> list[str]:
    """Codes of the providers a store can buy labels from now."""
    account = store.account
    if store.platform != Store.Platform.AMAZON or account is None or account.status != AmazonAccount.Status.ACTIVE:
        return []
    return [LabelProvider.AMAZON_SHIPPING]


def sells_for(order: Order) -> bool:
    """Whether a label for this order may be bought at all: never for what Amazon sends itself (R51)."""
    return bool(sells(order.store)) and not order.by_amazon
