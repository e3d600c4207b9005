"""An Amazon seller account as a Connector: client for the wire, mapping for the words."""

from collections.abc import Iterator
from datetime import datetime

from orderhub.errors import CredentialsRejected, RequestRejected, TryLater, UnexpectedAnswer
from stores.connectors.amazon import mapping
from stores.connectors.amazon.client import AmazonClient, utc
from stores.connectors.base import OrderPage, Parcel, Participation, RemoteOrder

PERSONAL = ("BUYER", "RECIPIENT", "PAYMENT")
PLAIN = ("FULFILLMENT", "PROCEEDS", "PROMOTION", "CANCELLATION", "PACKAGES")
RECONCILE = "FULFILLMENT,PACKAGES"
MAX_PAGES = 10_000
NO_PII_ROLE_CODES = {"AccessDeniedException", "Unauthorized"}


class AmazonConnector:
    """Every method may raise the errors of orderhub/errors.py; none sleeps or retries a write."""

    def __init__(self, client: AmazonClient, *, with_person: bool = True):
        self.client = client
        self.with_person = with_person  # turned off when Amazon refuses personal data to our application

    @property
    def skew_s(self) -> int:
        return self.client.skew_s

    def sign_in(self) -> None:
        self.client.sign_in.access_token()

    @property
    def _included(self) -> str:
        return ",".join((PERSONAL if self.with_person else ()) + PLAIN)

    def orders_changed(self, *, after: datetime, page_token: str = "") -> Iterator[OrderPage]:
        """Pages of orders changed since `after`, from `page_token` on if given.

        A page token Amazon no longer takes starts the window again. UnexpectedAnswer where pages go round in circles.
        """
        token, seen, restarts = page_token, set(), 0
        for _page in range(MAX_PAGES):
            try:
                found = self._page(after, token)
            except RequestRejected:
                if not token or restarts:
                    raise
                token, restarts = "", restarts + 1
                seen.clear()
                continue
            ids = frozenset(order.number for order in (*found.orders, *found.unreadable))
            if ids in seen:  # a second empty page as well: the next run goes on behind the first
                raise UnexpectedAnswer("searchOrders: the same page again", code="PageLoop")
            seen.add(ids)
            yield found
            token = found.next_token
            if not token:
                return
        raise UnexpectedAnswer("searchOrders: no end of pages", code="PageLoop")

    def _page(self, after: datetime, token: str) -> OrderPage:
        params = {"lastUpdatedAfter": utc(after), "maxResultsPerPage": "100", "includedData": self._included}
        if token:
            params["paginationToken"] = token
        try:
            return mapping.page(self.client.search_orders(params))
        except CredentialsRejected:
            if not self.with_person:
                raise
        # Some sellers get 403 on the whole call when our application lacks the role for personal data
        params["includedData"] = ",".join(PLAIN)
        found = mapping.page(self.client.search_orders(params))
        self.with_person = False
        return found

    def order(self, number: str) -> RemoteOrder:
        """One order with its packages, and nothing personal: for reconciling what we sent."""
        body = self.client.get_order(number, RECONCILE)
        try:
            return mapping.order(body["order"])
        except (KeyError, TypeError, ValueError, AttributeError, mapping.Misread):
            raise UnexpectedAnswer("getOrder: not readable", code="UnreadableAnswer") from None

    def confirm(self, parcel: Parcel) -> None:
        """Tell Amazon of one parcel. Returns only if Amazon said yes."""
        self.client.confirm_shipment(parcel.order_number, mapping.confirmation(parcel))

    def participations(self) -> list[Participation]:
        return mapping.participations(self.client.marketplace_participations())

    def plan(self) -> str:
        """`PROFESSIONAL`, `INDIVIDUAL`, or '' where Amazon does not say."""
        try:
            return mapping.plan(self.client.account())
        except (CredentialsRejected, RequestRejected, UnexpectedAnswer, TryLater):
            return ""

    def owns_seller_id(self, seller_id: str, marketplace_id: str) -> bool | None:
        """Whether the token belongs to this seller id; None where Amazon does not let us ask."""
        try:
            self.client.search_listings(seller_id, marketplace_id)
        except RequestRejected as error:
            return False if error.code in {"InvalidInput", "400"} else None
        except (CredentialsRejected, UnexpectedAnswer, TryLater):
            return None
        return True
