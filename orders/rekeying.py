"""Calling a store's products by the other identifier: what would become of them, and doing it, all at once.

By SKU, an ASIN sold under two SKUs is two products; by ASIN it is one. So products are joined or split. What people
said of them (place, weight, count) is kept where it is plain whose it is, and named where it is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Case, CharField, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orderhub.jobs import Busy, JobFailed, under_lease
from orders import products, stock
from orders.fetching import import_lease
from orders.models import Order, OrderItem, Product
from stores.models import Store

AT_ONCE = 500
AGREED = ("warehouse_location", "weight_g", "length_mm", "width_mm", "height_mm")
DESCRIBED = ("title", "photo", "is_physical", "asin")
CARRIED = (*AGREED, *DESCRIBED, "stock_on_hand", "stock_confirmed_at", "stock_confirmed_by")
ASKED_ANEW = ("stock_listed", "stock_fba", "stock_checked_at", "looked_up_at")
EMPTY = dict.fromkeys(("warehouse_location", "title", "photo", "asin"), "")  # None of the others
_FREE = "\u2060"  # before the keys of products that are being renamed: no identifier of Amazon's begins with it


@dataclass
class Fate:
    """One product afterwards. `kept`: the row it goes on as, None for a new one; `sources`: the products it comes from."""

    key: str
    sources: list[Product]
    kept: Product | None = None
    sku: str = ""
    whole: bool = True  # its sources go into it entirely: none is split

    @property
    def joins(self) -> bool:
        return len(self.sources) > 1

    @property
    def stays(self) -> bool:
        """The same product under the same key."""
        return self.whole and not self.joins and self.kept is not None and self.kept.key == self.key

    def values(self, name: str) -> list:
        """What its sources say of this, each value once, without empty ones."""
        found = (source.photo.name if name == "photo" else getattr(source, name) for source in self.sources)
        return list(dict.fromkeys(value for value in found if value not in (None, "")))

    @property
    def counted(self) -> list[Product]:
        return [source for source in self.sources if source.stock_on_hand is not None]

    @property
    def count_goes(self) -> bool:
        """Whether a count is lost: it was of a product that is split, or there are several."""
        return bool(self.counted) and not (self.whole and len(self.counted) == 1)

    @property
    def conflicts(self) -> list[str]:
        """In words: what cannot be carried over, because it is said twice and differently, or is of a split product."""
        told = []
        places, weights = self.values("warehouse_location"), self.values("weight_g")
        if len(places) > 1:
            told.append(_("different storage locations: %(all)s") % {"all": ", ".join(places)})
        if len(weights) > 1:
            told.append(_("different weights: %(all)s g") % {"all": ", ".join(map(str, weights))})
        if self.count_goes:
            counts = ", ".join(f"{source.key}: {stock.shelf(source).counted}" for source in self.counted)
            told.append(_("counts that must be taken again: %(all)s") % {"all": counts})
        return told


@dataclass
class Preview:
    """What calling the products by `identifier` comes to."""

    identifier: str
    fates: list[Fate] = field(default_factory=list)

    @property
    def renamed(self) -> list[Fate]:
        return [fate for fate in self.fates if fate.whole and not fate.joins and not fate.stays]

    @property
    def unchanged(self) -> int:
        return sum(fate.stays for fate in self.fates)

    @property
    def counts(self) -> dict[str, int]:
        """Products afterwards, by what becomes of them; one may be both joined and split."""
        found = {"unchanged": self.unchanged, "renamed": len(self.renamed)}
        return found | {"joined": len(self.joined), "split": len(self.split), "conflicts": len(self.conflicts)}

    @property
    def joined(self) -> list[Fate]:
        return [fate for fate in self.fates if fate.joins]

    @property
    def split(self) -> list[Fate]:
        return [fate for fate in self.fates if not fate.whole]

    @property
    def conflicts(self) -> list[Fate]:
        return [fate for fate in self.fates if fate.conflicts]


def other_identifier(store: Store) -> str:
    return Store.Identifier.SKU if store.product_identifier == Store.Identifier.ASIN else Store.Identifier.ASIN


def preview(store: Store) -> Preview:
    """What would become of each product under the other identifier. Reads only, two queries."""
    found = Preview(other_identifier(store))
    renamed = Store(product_identifier=found.identifier)
    rows = {row.pk: row for row in stock.with_shelf(store.products.order_by("pk"))}
    sold = OrderItem.objects.filter(product__store=store).order_by("product", "sku", "asin")
    goes: dict[int, dict[str, str]] = {}  # product to its new keys, each with the SKU it is sold by
    for pk, sku, asin in sold.values_list("product", "sku", "asin").distinct():
        key = products.key_of(renamed, sku, asin)
        if key:
            goes.setdefault(pk, {}).setdefault(key, sku)
    fates: dict[str, Fate] = {}
    for pk, row in rows.items():
        keys = goes.get(pk) or {products.key_of(renamed, row.sku, row.asin) or row.key: row.sku}
        for key, sku in keys.items():
            fate = fates.setdefault(key, Fate(key, [], sku=sku))
            fate.sources.append(row)
            fate.whole = fate.whole and len(keys) == 1
    _keep_rows(fates.values())
    found.fates = sorted(fates.values(), key=lambda fate: fate.key)
    return found


def _keep_rows(fates: Iterable[Fate]) -> None:
    """Each row goes on as one product at most: the one that has it alone, else the first that asks."""
    taken: set[int] = set()
    for fate in sorted(fates, key=lambda fate: (not fate.whole, fate.joins, fate.key)):
        fate.kept = next((source for source in fate.sources if source.pk not in taken), None)
        if fate.kept is not None:
            taken.add(fate.kept.pk)


def apply(store: Store, *, now: datetime) -> dict[str, int]:
    """Call the store's products by the other identifier: products, their lines and the setting, in one transaction.

    No import of the account runs meanwhile. RuleViolation where one does. Returns Preview.counts of what was done.
    """
    done: list[dict[str, int]] = []

    def work() -> str:
        with transaction.atomic():
            done.append(_rekey(Store.objects.select_for_update().get(pk=store.pk), now=now))
        return f"products of store {store.pk} are called otherwise: {done[0]}"

    try:
        under_lease(import_lease(store.account_id), work) if store.account_id else work()
    except Busy:
        raise RuleViolation(_("Orders of this account are being read just now. Try again in a minute.")) from None
    except JobFailed:
        raise RuleViolation(
            _("Nothing was changed. Tell your administrator: the error is among the job runs.")
        ) from None
    return done[0]


def _rekey(store: Store, *, now: datetime) -> dict[str, int]:
    list(store.products.select_for_update().order_by("pk").values_list("pk", flat=True))
    plan = preview(store)
    counts = plan.counts  # before the rows change
    moved = [fate for fate in plan.fates if not fate.stays]
    affected = {source.pk for fate in moved for source in fate.sources}
    carried = [(fate, _carried(fate)) for fate in moved]  # all of it before the first row changes
    store.products.filter(pk__in=affected).update(key=Concat(Value(_FREE), Cast("pk", CharField())))
    kept = [_row(fate, store, values) for fate, values in carried]
    old = [row for row in kept if row.pk]
    Product.objects.bulk_update(old, ["key", "sku", *CARRIED, *ASKED_ANEW], batch_size=AT_ONCE)
    Product.objects.bulk_create([row for row in kept if not row.pk], batch_size=AT_ONCE)
    Store.objects.filter(pk=store.pk).update(product_identifier=plan.identifier)
    _relink(store, sorted(affected), plan.identifier, now=now)
    store.products.filter(pk__in=affected - {row.pk for row in old}).delete()
    _recount([row for row in kept if row.stock_on_hand is not None])
    return counts


def _carried(fate: Fate) -> dict:
    """What is known of it afterwards. A count becomes what is on the shelf now; see _recount()."""
    values = {name: found[0] if len(found := fate.values(name)) == 1 else EMPTY.get(name) for name in AGREED}
    values |= {name: next(iter(fate.values(name)), EMPTY.get(name)) for name in DESCRIBED}
    counted = fate.counted[0] if fate.counted and not fate.count_goes else None
    values |= {name: getattr(counted, name, None) for name in ("stock_confirmed_at", "stock_confirmed_by")}
    return values | {"stock_on_hand": stock.shelf(counted).counted if counted else None}


def _row(fate: Fate, store: Store, values: dict) -> Product:
    """The row it goes on as, filled and not saved. One that is joined or split asks Amazon and its catalogue anew."""
    row = fate.kept or Product(store=store)
    row.key, row.sku = fate.key, fate.sku
    for name, value in values.items():
        setattr(row, name, value)
    if fate.joins or not fate.whole:
        for name in ASKED_ANEW:
            setattr(row, name, None)
    return row


def _relink(store: Store, affected: list[int], identifier: str, *, now: datetime) -> None:
    """Each line to the product of its new key. Orders with a line that gets another product by it are changed."""
    first, second = ("asin", "sku") if identifier == Store.Identifier.ASIN else ("sku", "asin")
    key = Case(When(**{first: ""}, then=F(second)), default=F(first))
    target = Product.objects.filter(store=store.pk, key=OuterRef("new_key")).values("pk")[:1]
    for start in range(0, len(affected), AT_ONCE):
        lines = OrderItem.objects.filter(product__in=affected[start : start + AT_ONCE])
        moving = list(lines.order_by("pk").values_list("pk", flat=True))
        for begin in range(0, len(moving), 20 * AT_ONCE):
            some = OrderItem.objects.filter(pk__in=moving[begin : begin + 20 * AT_ONCE])
            some = some.annotate(new_key=key).annotate(goes=Coalesce(Subquery(target), Value(0)))
            Order.objects.filter(pk__in=some.exclude(product_id=F("goes")).values("order")).move(now)
            some.update(product=Subquery(target))


def _recount(counted: list[Product]) -> None:
    """The count carried over is of this moment: what left before has been taken off it."""
    for start in range(0, len(counted), AT_ONCE):
        rows = list(
            stock.with_shelf(Product.objects.filter(pk__in=[row.pk for row in counted[start : start + AT_ONCE]]))
        )
        for row in rows:
            row.sent_when_counted = row.sent
        Product.objects.bulk_update(rows, ["sent_when_counted"])
