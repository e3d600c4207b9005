"""Products of a store: what they are called by, and what follows for their lines and orders from what is known of them.

Weights in grams.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest, NullIf
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from orderhub.errors import RuleViolation
from orders.models import CatalogueItem, Order, OrderEvent, OrderItem, Product
from stores.models import Store
from stores.policies import accepted

MOST_AT_ONCE = 500
KEY = 120  # characters
HEAVIEST = 1_000_000  # grams: what a person may type
NOT_PHYSICAL_HOLD = gettext_noop("Amazon's catalogue says that nothing in this order is a physical product")
APPLIED = [
    "title", "photo", "weight_g", "length_mm", "width_mm", "height_mm", "is_physical", "looked_up_at",
]  # fmt: skip
CLOSED = (Order.Status.SHIPPED, Order.Status.CANCELLED)
_NONE = Value(-1)  # for no weight where weights are compared: NULL is equal to nothing


def key_of(store: Store, sku: str, asin: str) -> str:
    """What this store calls the product of a line; the other identifier where it has none, '' where it has neither."""
    first, second = (asin, sku) if store.product_identifier == Store.Identifier.ASIN else (sku, asin)
    return (first or second)[:KEY]


def apply_found(*, now: datetime) -> int:
    """Give products what the catalogue found since it was last applied to them; returns how many. Safe to repeat.

    A constant number of statements for up to 500 products; call again while it returns as many.
    """
    found = CatalogueItem.objects.filter(
        marketplace=OuterRef("store__marketplace"), asin=OuterRef("asin"), state=CatalogueItem.State.FOUND
    )
    behind = Q(looked_up_at__isnull=True) | Q(looked_up_at__lt=F("found_at"))
    late = Product.objects.exclude(asin="").annotate(found_at=Subquery(found.values("looked_up_at")[:1]))
    ids = list(late.filter(behind, found_at__isnull=False).order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    if ids:
        _apply(ids, now=now)
    return len(ids)


def _apply(ids: list[int], *, now: datetime) -> None:
    with transaction.atomic():
        rows = Product.objects.select_for_update(of=("self",)).select_related("store")
        products = list(rows.filter(pk__in=ids).order_by("pk"))
        asins = {product.asin for product in products}
        items = {(item.marketplace, item.asin): item for item in CatalogueItem.objects.filter(asin__in=asins)}
        for product in products:
            item = items.get((product.store.marketplace, product.asin))
            if item is not None:
                _take_over(product, item)
        Product.objects.bulk_update(products, APPLIED)
        settle(ids, now=now)


def _take_over(product: Product, item: CatalogueItem) -> None:
    """Field by field, as the store wants it. Not saved here."""
    store = product.store
    product.title = accepted(store.product_title_policy, product.title, item.title)
    product.photo = accepted(store.product_image_policy, product.photo.name or "", item.image.name or "")
    product.weight_g = accepted(store.product_weight_policy, product.weight_g, item.weight_g)
    kept, offered = (sides if any(sides) else () for sides in (product.sides, item.sides))
    sides = accepted(store.product_dimensions_policy, kept, offered) or (None, None, None)
    product.length_mm, product.width_mm, product.height_mm = sides
    product.is_physical = item.is_physical
    product.looked_up_at = item.looked_up_at


def keep_details(product: Product, changed: Iterable[str], *, now: datetime) -> None:
    """Write what a person said of a product: these columns of the row in hand. Open orders follow its weight."""
    names = list(changed)
    if not names:
        return
    with transaction.atomic():
        product.save(update_fields=names)
        if "weight_g" in names:
            settle([product.pk], now=now)


def settle(product_ids: Iterable[int], *, now: datetime) -> None:
    """Let the open orders of these products follow: what is physical among their lines, and their weights.

    Call inside a transaction. The orders are locked first and by id, as an import locks them.
    """
    of_these = OrderItem.objects.filter(product__in=list(product_ids))
    touched = Order.objects.filter(pk__in=of_these.values("order")).exclude(status__in=CLOSED)
    order_ids = list(touched.select_for_update().order_by("pk").values_list("pk", flat=True))
    if order_ids:
        mark_not_physical(OrderItem.objects.filter(order__in=order_ids), now=now)
        weigh(Order.objects.filter(pk__in=order_ids), now=now)


def mark_not_physical(lines: QuerySet, *, now: datetime) -> int:
    """Lines whose product is known to be a file or a gift card. Never the other way: unknown goods count as physical."""
    found = lines.filter(is_physical=True, product__is_physical=False)
    Order.objects.filter(pk__in=found.values("order")).move(now)
    return found.update(is_physical=False)


def weigh(orders: QuerySet, *, now: datetime) -> int:
    """Set the weights of these orders from their lines; returns how many are another by that. One statement.

    A line weighs its own weight or its product's, times its quantity; a line that is not physical weighs nothing. An
    order with a line of unknown weight has none, and a weight that was typed in stays.
    """
    by_lines = orders.filter(weight_is_typed=False).annotate(
        grams=Coalesce(Subquery(_weight_of(OuterRef("pk"))), _NONE), had=Coalesce("weight_g", _NONE)
    )
    return by_lines.exclude(had=F("grams")).update(
        weight_g=NullIf("grams", _NONE), modified_at=Greatest("modified_at", Value(now))
    )


def _weight_of(order) -> QuerySet:
    lines = OrderItem.objects.filter(order=order, is_physical=True, quantity__gt=0).order_by().values("order")
    one = Coalesce("weight_g", "product__weight_g")
    known = lines.annotate(
        unknown=Count("pk", filter=Q(weight_g__isnull=True, product__weight_g__isnull=True)),
        sum=Sum(F("quantity") * one),
    )
    return known.annotate(grams=Case(When(unknown=0, sum__lte=2**31 - 1, then=F("sum")))).values("grams")


def weigh_by_hand(order: Order, typed: str, *, by, now: datetime) -> None:
    """Keep the weight a person typed, in whole grams; with nothing typed the lines decide again. RuleViolation for what is
    no weight, or an order that is closed."""
    typed = typed.strip()
    if typed and not (typed.isascii() and typed.isdigit() and 0 < int(typed[:10]) <= HEAVIEST and len(typed) <= 10):
        raise RuleViolation(_("Type the weight in whole grams, from 1 to 1,000,000, or leave it empty."))
    with transaction.atomic():
        open_orders = Order.objects.filter(pk=order.pk).exclude(status__in=CLOSED)
        if not open_orders.update(weight_is_typed=bool(typed), weight_g=int(typed) if typed else F("weight_g")):
            raise RuleViolation(_("This order is closed: its weight no longer counts."))
        if not typed:
            weigh(open_orders, now=now)
        order.refresh_from_db(fields=["weight_g", "weight_is_typed"])
        told = {} if order.weight_g is None else {"weight": order.weight_g}
        OrderEvent.objects.create(order=order, kind=OrderEvent.Kind.WEIGHED, params=told, at=now, actor=by)


def settle_new(*, now: datetime) -> int:
    """The same for open orders that came after their products were looked up; returns how many got a weight.

    A constant number of statements.
    """
    unweighed = Order.objects.exclude(status__in=CLOSED).filter(weight_g__isnull=True, weight_is_typed=False)
    with transaction.atomic():
        digital = OrderItem.objects.filter(is_physical=True, product__is_physical=False)
        affected = Order.objects.exclude(status__in=CLOSED).filter(Exists(digital.filter(order=OuterRef("pk"))))
        ready = unweighed.annotate(grams=Subquery(_weight_of(OuterRef("pk")))).filter(grams__isnull=False)
        files = list(_locked(affected))
        mark_not_physical(OrderItem.objects.filter(order__in=files), now=now)
        heavy = _locked(ready)
        return weigh(Order.objects.filter(pk__in=heavy), now=now) if heavy else 0


def _locked(orders: QuerySet) -> list[int]:
    return list(orders.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])


def hold_not_physical(*, now: datetime) -> int:
    """Orders awaiting shipment in which nothing turned out to be physical wait on hold, once; returns how many.

    They are never deleted. Whoever releases one has decided: it is not held for this again.
    """
    counted = OrderItem.objects.filter(order=OuterRef("pk"), quantity__gt=0)
    told = OrderEvent.objects.filter(order=OuterRef("pk"), kind=OrderEvent.Kind.NOT_PHYSICAL)
    waiting = Order.objects.filter(status=Order.Status.AWAITING_SHIPMENT)
    found = waiting.filter(Exists(counted.filter(is_physical=False)), ~Exists(counted.filter(is_physical=True)))
    with transaction.atomic():
        ids = _locked(found.filter(~Exists(told)))
        if ids:
            waiting.filter(pk__in=ids).update(status=Order.Status.ON_HOLD, hold_reason=NOT_PHYSICAL_HOLD)
            kind = OrderEvent.Kind.NOT_PHYSICAL
            OrderEvent.objects.bulk_create(OrderEvent(order_id=pk, kind=kind, at=now) for pk in ids)
    return len(ids)
