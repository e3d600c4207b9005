"""Why this app holds personal data, for docs/privacy.md and for scans; see privacy.purposes."""

from collections.abc import Iterable
from datetime import timedelta

from orders.models import CatalogueItem, ItemPersonalData, Product
from privacy.purposes import WITH_ORDER, Purpose, Shelf, named_in
from privacy.retention import LABEL_DAYS

PURPOSES = {
    "orders_orderpersonaldata": Purpose(
        what="the buyer and the recipient of an order: names, company, street, phone, e-mail, messages, "
        "delivery instructions, purchase order number, the same in Roman letters",
        why="to make the label and the packing slip, and to answer a question about the delivery",
        how="overwritten with the marker; an empty column stays empty; a relay e-mail address of Amazon's stays",
        order="order",
    ),
    "orders_buyerword": Purpose(
        what="keyed hashes of the words by which support may look for a buyer",
        why="to find an order by name, e-mail or phone without keeping these readable",
        how="deleted",
        order="order",
        readable=False,
    ),
    "orders_itempersonaldata": Purpose(
        what="what the buyer wrote and drew for one line (Amazon Custom), and where Amazon keeps it",
        why="to make the product as it was ordered; only for stores that switched it on",
        how="pictures destroyed, then overwritten with the marker; pictures' names emptied",
        order="item__order",
    ),
    "orders_customer": Purpose(
        what="a customer over several orders: name, e-mail, phone, user name, and the key by which they are joined",
        why="to see that two orders are of one person, and to answer that person",
        term="until the last of the customer's Amazon orders is erased; one with an order from elsewhere loses the "
        "relay address and phone that came from Amazon, and stays",
        how="overwritten with the marker; the key is emptied; a new order makes a new customer",
    ),
    "orders_ordernote": Purpose(
        what="notes of staff on an order",
        why="to tell each other what was agreed about a parcel; the form asks not to write names",
        term="one that names its buyer: until the order is erased; any other: as long as the order",
        how="a note with a name, street, phone or real e-mail of its order is overwritten whole with the marker",
    ),
}  # fmt: skip


def _pictures_known(names: Iterable[str]) -> set[str]:
    """The names are in JSON lists, so all are read; few rows have any."""
    kept = ItemPersonalData.objects.exclude(images=[]).values_list("images", flat=True)
    return set(names) & {name for found in kept.iterator() for name in found}


SHELVES = (
    Shelf(
        alias="customization",
        what="pictures that buyers sent for Amazon Custom",
        why="to make the product as it was ordered",
        term=WITH_ORDER,
        how="destroyed before the row that names them is overwritten",
        known=_pictures_known,
        personal=True,
        stray_after=timedelta(days=LABEL_DAYS),
    ),
    Shelf(
        alias="photos",
        what="photos of products, drawn again from Amazon's",
        why="to show what is to be packed",
        term="as long as a product or catalogue entry names them",
        how="deleted when nothing names them any more",
        known=named_in((Product, "photo"), (CatalogueItem, "image")),
        personal=False,
    ),
)
