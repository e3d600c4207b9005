"""What files this app keeps, for docs/privacy.md and for scans; see privacy.purposes."""

from collections.abc import Iterable

from privacy.purposes import Shelf
from stores.models import Store


def _logos_known(names: Iterable[str]) -> set[str]:
    return set(Store.objects.filter(brand_logo__in=list(names)).values_list("brand_logo", flat=True))


SHELVES = (
    Shelf(
        alias="brand",
        what="logos of stores, drawn again from what was sent in",
        why="to print them on packing slips",
        term="as long as a store names them",
        how="deleted when another takes their place",
        known=_logos_known,
        personal=False,
    ),
)
