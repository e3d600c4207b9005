"""Asking Amazon about products because a person wants to know now, and saying in words why that did not work."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from orderhub.errors import ConnectorError, CredentialsRejected, RuleViolation, TryLater
from orders import catalogue, linking, products, stock
from orders.models import CatalogueItem, Order, OrderItem, Product
from stores.models import AmazonAccount, Store

MOST_LINES = 100  # asked for at once


def stock_now(product: Product, *, now: datetime) -> None:
    """Ask what Amazon still has for sale. RuleViolation, saying what to do, where it cannot be asked."""
    account = _working(product.store)
    if not product.sku or "," in product.sku:
        raise RuleViolation(
            _("Amazon can be asked only for a product with a SKU without a comma. Look in Seller Central.")
        )
    try:
        stock.ask(product.store, [product], now=now)
    except ConnectorError as error:
        raise RuleViolation(_trouble(account, error)) from None


def details_now(order: Order, *, now: datetime) -> int:
    """Give the lines of an order their products, and ask the catalogue for those never looked up (R28, F20).

    Returns how many lines have a product then. RuleViolation, saying what to do, where Amazon cannot be asked; the lines
    have their products then, and the catalogue is asked later. Safe to repeat.
    """
    account = _working(order.store)
    linked = _link(order, now=now)
    asins = {item.product.asin for item in linked if item.product and item.product.asin}
    waiting = CatalogueItem.objects.filter(
        marketplace=order.store.marketplace, asin__in=asins, state=CatalogueItem.State.WAITING
    )
    todo = list(waiting.order_by("asin")[:MOST_LINES])
    try:
        for start in range(0, len(todo), catalogue.BATCH):
            catalogue.ask(account, order.store.marketplace, todo[start : start + catalogue.BATCH], now=now)
    except ConnectorError as error:
        raise RuleViolation(_trouble(account, error)) from None
    products.apply_found(now=now)
    products.weigh(Order.objects.filter(pk=order.pk), now=now)
    return sum(item.product is not None for item in linked)


def _link(order: Order, *, now: datetime) -> list[OrderItem]:
    """What an order sent before its products were known took off the shelf, a count since then has seen."""
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=order.pk)
        items = list(order.items.select_related("product"))
        bare = [item for item in items if item.product_id is None]
        linking.ProductLinks().link([(order, item) for item in bare], make={order.order_number})
        found = [item for item in bare if item.product_id]
        OrderItem.objects.bulk_update(found, ["product"])
        Order.objects.touch({item.order_id for item in found}, now)
        if order.status == Order.Status.SHIPPED and not order.by_amazon:
            for item in bare:
                Product.objects.filter(pk=item.product_id, stock_on_hand__isnull=False).update(
                    sent_when_counted=F("sent_when_counted") + item.quantity
                )
    return items


def _working(store: Store) -> AmazonAccount:
    account = store.account
    if account is None:
        raise RuleViolation(_("This store has no Amazon account: there is nobody to ask."))
    if account.status != AmazonAccount.Status.ACTIVE:
        raise RuleViolation(_("The Amazon account of this store does not work at present. Its page says what to do."))
    return account


def _trouble(account: AmazonAccount, error: ConnectorError) -> str:
    if isinstance(error, TryLater):
        return _("Amazon is busy for account %(account)s. Try again in %(seconds)d s.") % {
            "account": account, "seconds": max(1, round(error.wait_s)),
        }  # fmt: skip
    if isinstance(error, CredentialsRejected):
        return _("Amazon does not let account %(account)s see this. Look in Seller Central.") % {"account": account}
    return _("Amazon's answer makes no sense (%(code)s). Try again later, or look in Seller Central.") % {
        "code": error.code or type(error).__name__
    }
