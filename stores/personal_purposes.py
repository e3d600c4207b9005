"""What files this app keeps, for docs/privacy.md and for scans; see privacy.purposes."""

from privacy.purposes import Shelf, named_in
from stores.models import Store

SHELVES = (
    Shelf(
        alias="brand",
        what="logos of stores, drawn again from what was sent in",
        why="to print them on packing slips",
        term="as long as a store names them",
        how="deleted when another takes their place",
        known=named_in((Store, "brand_logo")),
        personal=False,
    ),
)
