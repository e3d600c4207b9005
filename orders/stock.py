"""How many there are: what a person counted, what open orders still need, and what Amazon has for sale.

Amazon takes the units of an order off its listing at once, so only a count on the shelf can tell of a shortage.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as _

from orderhub.errors import ConnectorError, RuleViolation
from orders.models import Order, OrderItem, Product
from stores import marketplaces
from stores.connecting import connector_for
from stores.models import AmazonAccount, Store
from stores.models.settings import ShortStock

Status = Order.Status
OPEN = (Status.AWAITING_PAYMENT, Status.AWAITING_SHIPMENT, Status.PENDING_FULFILLMENT, Status.ON_HOLD)
ASK_AGAIN = timedelta(minutes=50)
RECENT_AFN = timedelta(days=30)
SKUS_A_CALL, FBA_SKUS_A_CALL = 20, 50
MOST_UNITS = 1_000_000

MERCHANT = Q(order__fulfilled_by=Order.FulfilledBy.MERCHANT)
_LEFT = Case(When(MERCHANT & Q(order__status__in=OPEN), then=F("quantity") - F("quantity_shipped")), default=0)
# Units that left the shelf: in our parcels, or in whatever parcel of an order that Amazon says is shipped
_SENT = Case(
    When(MERCHANT & Q(order__status=Status.SHIPPED), then=F("quantity")),
    When(MERCHANT, then=F("quantity_shipped")),
    default=0,
)


@dataclass(frozen=True)
class Shelf:
    """Units of one product. `counted`: on the shelf now, by the last count and what left since; None if never counted."""

    counted: int | None
    to_send: int

    @property
    def available(self) -> int | None:
        return None if self.counted is None else self.counted - self.to_send

    @property
    def short(self) -> bool:
        """More is ordered than is there. What was never counted is never short."""
        return self.counted is not None and self.to_send > self.counted


def with_shelf(rows: QuerySet) -> QuerySet:
    """Products with `to_send`, `sent` and `on_shelf` (units), for lists and filters; no further query."""
    lines = OrderItem.objects.filter(product=OuterRef("pk")).order_by().values("product")
    left, sent = (Subquery(lines.annotate(units=Sum(units)).values("units")) for units in (_LEFT, _SENT))
    told = rows.annotate(to_send=Coalesce(left, 0), sent=Coalesce(sent, 0))
    gone = Greatest(F("sent") - F("sent_when_counted"), 0)
    return told.annotate(on_shelf=Case(When(stock_on_hand__isnull=False, then=Greatest(F("stock_on_hand") - gone, 0))))


def short_products(rows: QuerySet) -> QuerySet:
    """Those of which more is ordered than is on the shelf."""
    return with_shelf(rows.filter(stock_on_hand__isnull=False)).filter(to_send__gt=F("on_shelf"))


def shelf(product: Product) -> Shelf:
    """Of a product read by with_shelf(), or with one query."""
    if not hasattr(product, "on_shelf"):
        product = with_shelf(Product.objects.filter(pk=product.pk)).get()
    return Shelf(product.on_shelf, product.to_send)


def short_orders(order_ids: list[int]) -> set[int]:
    """Of these orders, the open ones with a product that is short, where the store wants to know. One query."""
    lines = OrderItem.objects.filter(
        MERCHANT, order__in=order_ids, order__status__in=OPEN, quantity__gt=F("quantity_shipped")
    ).exclude(order__store__short_stock=ShortStock.ALLOW)
    wanted = Product.objects.filter(pk__in=lines.values("product"))
    short = lines.filter(product__in=short_products(wanted).values("pk"))
    return set(short.values_list("order", flat=True)) if order_ids else set()


def mark_short(orders: Iterable[Order]) -> None:
    """Say of each order in hand whether it `is_short`; one query."""
    short = short_orders([order.pk for order in orders])
    for order in orders:
        order.is_short = order.pk in short


def refuse_short(order: Order, items: Mapping[int, int] | None = None) -> None:
    """RuleViolation where the store refuses shipping more than was counted, and this order needs more than is there.

    `items`: units by the id of the order's line, where a part of it is shipped; None: all that is left.
    Call inside the transaction that ships it, before anything is written: the products stay locked until it ends, so that
    two orders cannot both take the last unit.
    """
    if order.store.short_stock != ShortStock.BLOCK:
        return
    lines = order.items.filter(product__stock_on_hand__isnull=False).order_by()
    needed: Counter[int] = Counter()
    for pk, product_id, left in lines.values_list("pk", "product", F("quantity") - F("quantity_shipped")):
        needed[product_id] += left if items is None else items.get(pk, 0)
    products = list(Product.objects.select_for_update().filter(pk__in=needed).order_by("pk"))
    for product in with_shelf(Product.objects.filter(pk__in=[product.pk for product in products])):
        if needed[product.pk] > product.on_shelf:
            raise RuleViolation(_too_few(order.order_number, product, needed[product.pk]))


def _too_few(number: str, product: Product, needed: int) -> str:
    told = _(
        "Order %(number)s needs %(needed)d × %(product)s, and %(counted)d are on the shelf by the last count. Count them and confirm the stock on the order's page, then ship."
    )
    return told % {"number": number, "needed": needed, "product": product.key, "counted": product.on_shelf}


def confirm(product: Product, typed: str, *, by, now: datetime) -> int:
    """Keep a person's count of what is on the shelf, orders not sent yet included. RuleViolation for no whole number.

    Everything sent from now on is taken off it.
    """
    typed = typed.strip()
    if not (typed.isascii() and typed.isdigit() and len(typed) <= len(str(MOST_UNITS)) and int(typed) <= MOST_UNITS):
        raise RuleViolation(_("Type how many are on the shelf, as a whole number from 0 to 1,000,000."))
    with transaction.atomic():
        kept = Product.objects.select_for_update().get(pk=product.pk)
        sent = with_shelf(Product.objects.filter(pk=product.pk)).values_list("sent", flat=True).get()
        kept.counted(int(typed), sent=sent, by=by, at=now)
        kept.save(update_fields=["stock_on_hand", "sent_when_counted", "stock_confirmed_by", "stock_confirmed_at"])
    return int(typed)


def forget_sent(order_ids: list[int]) -> None:
    """Orders are about to be deleted: the counts of the shelf stay what they are. One statement, in that transaction.

    Units sent before a count are taken off what had been sent by then; those sent since, off the count itself.
    """
    lines = OrderItem.objects.filter(order__among=order_ids)
    sent = lines.filter(product=OuterRef("pk")).order_by().values("product").annotate(units=Sum(_SENT)).values("units")
    counted = Product.objects.filter(
        stock_on_hand__isnull=False, pk__in=lines.exclude(product=None).values("product")
    ).annotate(gone=Coalesce(Subquery(sent), 0))
    since = Greatest(F("gone") - F("sent_when_counted"), 0)
    counted.update(
        stock_on_hand=Greatest(F("stock_on_hand") - since, 0),
        sent_when_counted=Greatest(F("sent_when_counted") - F("gone"), 0),
    )


# -- what Amazon has


@dataclass
class Report:
    """What one run asked. `left`: products that wait for a token or for an account that works again."""

    asked: int = 0
    failed: int = 0
    left: int = 0

    def sentence(self) -> str:
        return f"{self.asked} products asked, {self.failed} failed, {self.left} left"


def refresh_due(*, now: datetime, budget_s: float) -> Report:
    """Ask for the products of open orders, those longest not asked first. Safe to repeat and to kill."""
    report, until = Report(), time.monotonic() + budget_s
    for store in Store.objects.filter(account__in=AmazonAccount.objects.working(), active=True).select_related(
        "account"
    ):
        due = _due(store, now)
        for batch in _batches(due.order_by(F("stock_checked_at").asc(nulls_first=True), "pk"), FBA_SKUS_A_CALL):
            if time.monotonic() > until:
                break
            try:
                report.asked += ask(store, batch, now=now)
            except ConnectorError:
                report.failed += len(batch)
                break
        report.left += due.count()
    return report


def _due(store: Store, now: datetime) -> QuerySet:
    """Products of open merchant orders; of Amazon's orders, those of the last month."""
    afn = Q(order__fulfilled_by=Order.FulfilledBy.AMAZON, order__first_imported_at__gte=now - RECENT_AFN)
    lines = OrderItem.objects.filter((MERCHANT & Q(order__status__in=OPEN)) | afn, order__store=store)
    fresh = Q(stock_checked_at__gt=now - ASK_AGAIN)
    return (
        store.products.filter(pk__in=lines.values("product")).exclude(fresh).exclude(sku="").exclude(sku__contains=",")
    )


def ask(store: Store, products: list[Product], *, now: datetime) -> int:
    """Ask Amazon for up to 50 products of one store and keep its answer; returns how many. A SKU with a comma cannot be
    asked for: Amazon separates by it. The errors of orderhub/errors.py pass; what was answered before is kept."""
    connector, market = connector_for(store.account), marketplaces.BY_CODE[store.marketplace].id
    seller = store.account.selling_partner_id
    askable = [product for product in products if product.sku and "," not in product.sku]
    for part in _batches(askable, SKUS_A_CALL):
        listed = connector.for_sale(seller, market, [product.sku for product in part])
        for product in part:
            product.stock_listed, product.stock_checked_at = listed.get(product.sku), now
        Product.objects.bulk_update(part, ["stock_listed", "stock_checked_at"])
    if store.import_afn and askable:
        stored = connector.in_warehouses(market, [product.sku for product in askable])
        for product in askable:
            product.stock_fba = stored.get(product.sku)
        Product.objects.bulk_update(askable, ["stock_fba"])
    return len(askable)


def _batches(rows: Iterable[Product], size: int) -> Iterator[list[Product]]:
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch
