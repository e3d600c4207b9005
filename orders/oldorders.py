"""Which orders of Amazon have reached the end of what may be kept of them, and what becomes of each: deleted, reduced to
what a law holds, or left alone because its personal data is not erased yet. Nothing here changes anything."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from orders.models import Order
from privacy import holds
from stores.models import Store

AMAZON = Q(origin_marketplace="amazon")
# Said the safe way round: Amazon's own parcels never had a person, all others are erased and proven so
ERASED = Q(pii_state=Order.PiiState.REDACTED) | Q(fulfilled_by=Order.FulfilledBy.AMAZON, pii_state=Order.PiiState.NONE)
NEWEST = ("-ordered_at", "-pk")


def hold_of(store: Store) -> str:
    """The law that counts for a store: its own before the installation's; '' where none does."""
    return store.legal_hold or holds.of_installation()


def old(now: datetime) -> QuerySet[Order]:
    """Past the months that count, whatever became of them."""
    return Order.objects.filter(AMAZON, ordered_at__lte=holds.limit(now))


def to_delete(store: Store, now: datetime) -> QuerySet[Order]:
    """Old ones of a store that nobody holds, or whose law ended."""
    rows = old(now).filter(ERASED, store=store).order_by(*NEWEST)
    return rows.filter(ordered_at__lt=holds.ended_before(now, store.zone)) if hold_of(store) else rows


def to_reduce(store: Store, now: datetime) -> QuerySet[Order]:
    """Old ones of a store that a law holds and that are not reduced yet."""
    if not hold_of(store):
        return Order.objects.none()
    return old(now).filter(ERASED, store=store, reduced_at=None).order_by(*NEWEST)


@dataclass(frozen=True)
class Standing:
    """Old orders that share a law ('' for none). `waiting`: for the next night; `unerased`: left alone until they are."""

    hold: str
    kept: int
    waiting: int
    unerased: int

    @property
    def name(self) -> str:
        return str(holds.LegalHold(self.hold).label) if self.hold else ""


def standing(now: datetime) -> list[Standing]:
    """How many old orders there are, by the law that holds them; one query."""
    reduced, usual = Q(reduced_at__isnull=False), holds.of_installation()
    rows = old(now).order_by().values_list("store__legal_hold").annotate(
        kept=Count("pk", filter=reduced), waiting=Count("pk", filter=ERASED & ~reduced),
        unerased=Count("pk", filter=~ERASED),
    )  # fmt: skip
    sums: dict[str, Counter] = {}
    for own, kept, waiting, unerased in rows:
        hold = own or usual
        if not hold:  # reduced under a law that was taken away
            kept, waiting = 0, waiting + kept
        sums.setdefault(hold, Counter()).update(kept=kept, waiting=waiting, unerased=unerased)
    return [Standing(hold, row["kept"], row["waiting"], row["unerased"]) for hold, row in sorted(sums.items())]
