"""Telling a BigCommerce store of parcels: finding the order that mirrors one of Amazon's, and adding shipments to it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from orderhub.errors import RequestRejected
from stores.connectors.bigcommerce import mirrors
from stores.connectors.bigcommerce.client import PAGE, BigCommerceClient
from stores.connectors.bigcommerce.mirrors import Mirror, Part, Standing, Told

FEW = 5  # orders of one number: two are too many already
BEFORE, AFTER = timedelta(days=2), timedelta(days=7)  # of the purchase: when its copy was made
MOST_PAGES = 12  # of the orders made then, the oldest first: 3,000


class MirrorConnector:
    """Every method may raise the errors of orderhub/errors.py; none sleeps or retries. One call at a time."""

    def __init__(self, client: BigCommerceClient):
        self.client = client

    def find(self, number: str, *, channel_id: int | None, bought_at: datetime) -> list[Mirror]:
        """The orders that mirror this order of Amazon: by its number, else among all that were made about then.

        Whatever a filter lets through is compared, as one that BigCommerce does not know lets everything through. Copies
        in the archive do not count.
        """
        asked = self.client.orders({"external_order_id": number, "limit": str(FEW)})
        return _copies(asked, number) or self._among_all(number, channel_id, bought_at)

    def _among_all(self, number: str, channel_id: int | None, bought_at: datetime) -> list[Mirror]:
        wanted = {
            "min_date_created": (bought_at - BEFORE).isoformat(timespec="seconds"),
            "max_date_created": (bought_at + AFTER).isoformat(timespec="seconds"),
            "sort": "date_created:asc",
        } | ({} if channel_id is None else {"channel_id": str(channel_id)})  # fmt: skip
        rows = _all_pages(lambda page: self.client.orders(wanted | {"limit": str(PAGE), "page": str(page)}))
        return _copies(rows, number)

    def order(self, order_id: int) -> Mirror | None:
        """None where BigCommerce has no such order (any more)."""
        try:
            return mirrors.mirror(self.client.order(order_id))
        except RequestRejected as error:
            if error.code != "404":
                raise
            return None

    def standing(self, order_id: int) -> Standing:
        """What is left to send and what is sent. Where lines name no address, the order's only one counts."""
        lines = mirrors.lines(_all_pages(lambda page: self.client.products(order_id, page)))
        if not all(line.address_id for line in lines):
            rows = _all_pages(lambda page: self.client.shipping_addresses(order_id, page))
            ids = mirrors.address_ids(rows)
            if len(ids) != 1:
                raise mirrors.Misread("products.order_address_id")
            lines = tuple(replace(line, address_id=line.address_id or ids[0]) for line in lines)
        rows = _all_pages(lambda page: self.client.shipments(order_id, page))
        return Standing(lines, mirrors.shipments(rows))

    def ship(self, order_id: int, part: Part, told: Told) -> None:
        """Add a shipment. BigCommerce would add a second one too: read `standing` before, and after no answer."""
        self.client.create_shipment(order_id, mirrors.shipment_body(part, told))

    def set_shipped(self, order_id: int) -> None:
        self.client.set_status(order_id, mirrors.SHIPPED)


def _copies(rows: Sequence[object], number: str) -> list[Mirror]:
    """Only what has our number is read any further: another order's oddities are its own."""
    found = {copy.order_id: copy for copy in (mirrors.mirror(row) for row in rows if mirrors.has_number(row, number))}
    return [copy for copy in found.values() if not copy.archived]


def _all_pages(ask: Callable[[int], list]) -> list:
    rows: list = []
    for page in range(1, MOST_PAGES + 1):
        more = ask(page)
        rows += more
        if len(more) < PAGE:
            break
    return rows
