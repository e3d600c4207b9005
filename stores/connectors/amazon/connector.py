"""An Amazon seller account as a Connector: client for the wire, mapping for the words."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from orderhub.errors import CredentialsRejected, OutcomeUnknown, RequestRejected, Throttled, TryLater, UnexpectedAnswer
from stores import fetching
from stores.connectors.amazon import catalogue, feeds, mapping
from stores.connectors.amazon.client import SEARCH_ORDERS, AccessDenied, AmazonClient, utc
from stores.connectors.base import OrderPage, Parcel, Participation, RemoteOrder

PERSONAL = ("BUYER", "RECIPIENT", "PAYMENT")
PLAIN = ("FULFILLMENT", "PROCEEDS", "PROMOTION", "CANCELLATION", "PACKAGES")
RECONCILE = "FULFILLMENT,PACKAGES"
MAX_PAGES = 10_000
QUESTIONS = 4  # search calls the question of personal data may need, and one to spare


class AmazonConnector:
    """Every method may raise the errors of orderhub/errors.py; none sleeps or retries a write."""

    def __init__(self, client: AmazonClient, *, with_person: bool = True, ask_again: bool = False):
        self.client = client
        self.with_person = with_person  # turned off when Amazon refuses personal data to our application
        self.ask_again = ask_again  # at the next start of a window ask for people once more; False when asked

    @property
    def skew_s(self) -> int:
        return self.client.skew_s

    def sign_in(self) -> None:
        self.client.sign_in.access_token()

    def orders_changed(self, *, after: datetime, page_token: str = "") -> Iterator[OrderPage]:
        """Pages of orders changed since `after`, from `page_token` on if given.

        A page token Amazon no longer takes starts the window again, once. UnexpectedAnswer with the code PageUnreadable
        or PageLoop where a page behind a token cannot be had; its `restart` says whether the token is to blame.
        """
        token, restarted, seen, asked = page_token, False, set(), set()
        for _page in range(MAX_PAGES):
            asked.add(token)
            try:
                found = self._page({"lastUpdatedAfter": utc(after)}, token)
            except RequestRejected as error:
                if not token:
                    raise
                if restarted:
                    raise _page_trouble("the page token is refused", "PageUnreadable", error.request_id) from None
                token, restarted = "", True
                seen.clear()
                asked.clear()
                continue
            except UnexpectedAnswer as error:
                if not token:
                    raise
                raise _page_trouble(str(error), "PageUnreadable", error.request_id) from None
            ids = frozenset(order.number for order in (*found.orders, *found.unreadable))
            circle = found.next_token != "" and found.next_token in asked
            if ids in seen:  # a second empty page as well: the next run goes on behind the first
                raise _page_trouble("the same page again", "PageLoop", restart=bool(ids) or circle)
            seen.add(ids)
            yield found
            if circle:
                raise _page_trouble("the same page token again", "PageLoop")
            token = found.next_token
            if not token:
                return
        raise _page_trouble("no end of pages", "PageLoop")

    def orders_created(
        self, *, after: datetime, before: datetime, marketplaces: Sequence[str] = (), page_token: str = ""
    ) -> OrderPage:
        """One page of the orders made between two instants, of these marketplaces or of all.

        Amazon wants `before` to be two minutes old. A page token lives a day and goes with the same arguments only:
        UnexpectedAnswer with `restart` where Amazon no longer takes it.
        """
        window = {"createdAfter": utc(after), "createdBefore": utc(before)}
        if marketplaces:
            window["marketplaceIds"] = ",".join(marketplaces)
        try:
            return self._page(window, page_token)
        except RequestRejected as error:
            if not page_token:
                raise
            raise _page_trouble("the page token is refused", "PageUnreadable", error.request_id) from None

    def _page(self, window: dict[str, str], token: str) -> OrderPage:
        if self.ask_again and not self.with_person and not token:
            self.ask_again = False
            self.sign_in()
            with suppress(CredentialsRejected):  # still without the role: one call spent, and on as before
                found = self._search(window, token, with_person=True)
                self.with_person = True
                return found
        self.sign_in()  # what is refused here passes through: it says nothing about personal data
        try:
            return self._search(window, token, with_person=self.with_person)
        except CredentialsRejected:
            pass  # it may mean our access token only
        try:
            return self._after_refusal(window, token)
        except Throttled as error:  # else each run would spend what it has on the first of its questions
            error.wait_s = max(error.wait_s, QUESTIONS / SEARCH_ORDERS.rate)
            raise

    def _after_refusal(self, window: dict[str, str], token: str) -> OrderPage:
        """A refusal counts if a fresh token meets it too; then, if not of the token, the search is asked without people."""
        self.sign_in()
        try:
            return self._search(window, token, with_person=self.with_person)
        except AccessDenied:
            if not self.with_person:
                raise
        # Some sellers get 403 on the whole call when our application lacks the role for personal data
        found = self._search(window, token, with_person=False)
        self.with_person = False
        return found

    def _search(self, window: dict[str, str], token: str, *, with_person: bool) -> OrderPage:
        params = window | {"maxResultsPerPage": "100", "includedData": _included(with_person)}
        if token:
            params["paginationToken"] = token
        return mapping.page(self.client.search_orders(params))

    def order(self, number: str) -> RemoteOrder:
        """One order with its packages, and nothing personal: for reconciling what we sent."""
        body = self.client.get_order(number, RECONCILE)
        try:
            return mapping.order(body["order"])
        except (KeyError, TypeError, ValueError, AttributeError, mapping.Misread):
            raise UnexpectedAnswer("getOrder: not readable", code="UnreadableAnswer") from None

    def order_in_full(self, number: str) -> OrderPage:
        """One order with all a search brings, as a page of one. RequestRejected where the seller has no such order.

        Refused with people in it, it is asked for once more without them; what a search may have says nothing here.
        """
        self.sign_in()
        try:
            body = self.client.get_order(number, _included(self.with_person))
        except AccessDenied:
            if not self.with_person:
                raise
            self.sign_in()
            body = self.client.get_order(number, _included(False))
        if not isinstance(body.get("order"), dict):
            raise UnexpectedAnswer("getOrder: not readable", code="UnreadableAnswer")
        return mapping.page({"orders": [body["order"]]})

    def confirm(self, parcel: Parcel) -> None:
        """Tell Amazon of one parcel. Returns only if Amazon said yes."""
        self.client.confirm_shipment(parcel.order_number, mapping.confirmation(parcel))

    def feed_document(self, body: bytes) -> str:
        """Lay a submission's document at Amazon's door; returns its id, good for two days. Without any effect so far.

        TryLater also where an answer was not seen: a document nobody names is dropped.
        """
        try:
            made = self.client.create_feed_document(feeds.CONTENT_TYPE)
            document_id, url = made["feedDocumentId"], made["url"]
            if not isinstance(document_id, str) or not isinstance(url, str):
                raise TypeError
            fetching.store(url, body, content_type=feeds.CONTENT_TYPE, kind="feed")
        except (KeyError, TypeError):
            raise UnexpectedAnswer("createFeedDocument: not readable", code="UnreadableAnswer") from None
        except OutcomeUnknown as error:
            raise TryLater(str(error), wait_s=60, code=error.code, request_id=error.request_id) from None
        return document_id

    def create_feed(self, document_id: str, marketplace_ids: Sequence[str]) -> str:
        """Submit the document; returns the feed's id. From here on it has its effect, once."""
        try:
            feed_id = self.client.create_feed(feeds.FULFILMENT, document_id, marketplace_ids).get("feedId")
        except UnexpectedAnswer as error:  # a yes that cannot be read is one all the same
            raise OutcomeUnknown(str(error), code=error.code, request_id=error.request_id) from None
        if not isinstance(feed_id, str) or not 0 < len(feed_id) <= 60:
            raise OutcomeUnknown("createFeed: no feed id", code="UnreadableAnswer")
        return feed_id

    def feed(self, feed_id: str) -> feeds.RemoteFeed:
        return mapping.feed(self.client.get_feed(feed_id))

    def feeds_since(self, since: datetime) -> list[feeds.RemoteFeed]:
        """The account's fulfilment feeds made since then, whoever made them."""
        return mapping.feeds_of(self.client.get_feeds(feeds.FULFILMENT, since))

    def cancel_feed(self, feed_id: str) -> None:
        """RequestRejected where it is no longer in the queue."""
        self.client.cancel_feed(feed_id)

    def feed_report(self, document_id: str) -> feeds.FeedReport:
        """What became of a feed's messages. UnexpectedAnswer where the report cannot be read."""
        made = self.client.get_feed_document(document_id)
        url, compression = made.get("url"), made.get("compressionAlgorithm")
        if not isinstance(url, str):
            raise UnexpectedAnswer("getFeedDocument: not readable", code="UnreadableAnswer")
        body = fetching.fetch(url, kind="feed")
        return feeds.report(feeds.unpacked(body, gzipped=compression == "GZIP"))

    def participations(self) -> list[Participation]:
        return mapping.participations(self.client.marketplace_participations())

    def plan(self) -> str:
        """`PROFESSIONAL`, `INDIVIDUAL`, or '' where Amazon does not let us ask. An Amazon that is busy is no answer."""
        try:
            return mapping.plan(self.client.account())
        except (CredentialsRejected, RequestRejected):
            return ""

    def owns_seller_id(self, seller_id: str, marketplace_id: str) -> bool | None:
        """Whether the token belongs to this seller id; None where Amazon does not let us ask.

        An Amazon that is busy or unreadable is no answer: TryLater and UnexpectedAnswer pass.
        """
        try:
            self.client.search_listings(seller_id, marketplace_id)
        except RequestRejected as error:
            return False if error.code == "InvalidInput" else None
        except CredentialsRejected:
            return None
        return True

    def products(self, marketplace_id: str, asins: Sequence[str]) -> dict[str, catalogue.RemoteProduct]:
        """What the catalogue says of up to 20 ASINs; those it does not have are missing. None may hold a comma."""
        return catalogue.products(self.client.search_catalog(marketplace_id, asins), marketplace_id)

    def for_sale(self, seller_id: str, marketplace_id: str, skus: Sequence[str]) -> dict[str, int]:
        """Units that the listings of up to 20 SKUs still sell by the merchant. No SKU may hold a comma."""
        return catalogue.for_sale(self.client.search_listings(seller_id, marketplace_id, skus))

    def in_warehouses(self, marketplace_id: str, skus: Sequence[str]) -> dict[str, int]:
        """Units of up to 50 SKUs that Amazon's warehouses can send. No SKU may hold a comma."""
        return catalogue.in_warehouses(self.client.inventory(marketplace_id, skus))


def _included(with_person: bool) -> str:
    return ",".join((PERSONAL if with_person else ()) + PLAIN)


def _page_trouble(why: str, code: str, request_id: str = "", *, restart: bool = True) -> UnexpectedAnswer:
    error = UnexpectedAnswer(f"searchOrders: {why}", code=code, request_id=request_id)
    error.restart = restart
    return error
