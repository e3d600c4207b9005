"""What a marketplace tells us and what we tell it, in our own words: plain dataclasses, no models, no HTTP."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Protocol

from orderhub.money import Money


@dataclass
class RemotePerson:
    """Everything about a buyer or recipient. The names are the columns that keep them."""

    buyer_name: str = ""
    buyer_username: str = ""
    buyer_email: str = ""
    buyer_company: str = ""
    purchase_order_number: str = ""
    recipient_name: str = ""
    recipient_company: str = ""
    street1: str = ""
    street2: str = ""
    street3: str = ""
    phone: str = ""
    gift_message: str = ""
    buyer_notes: str = ""
    delivery_instructions: str = ""
    city: str = ""
    district: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""

    KEPT = ("city", "district", "state", "postal_code", "country")

    def without_names(self) -> "RemotePerson":
        """Only what may always be kept: the place, no person."""
        return RemotePerson(**{name: getattr(self, name) for name in self.KEPT})


PERSON_FIELDS = tuple(found.name for found in fields(RemotePerson))


@dataclass(frozen=True)
class RemoteItem:
    item_id: str
    sku: str
    asin: str
    title: str
    quantity: int
    quantity_fulfilled: int = 0
    unit_price: Money | None = None
    tax: Money | None = None
    discount: Money | None = None
    shipping: Money | None = None
    gift_wrap: Money | None = None
    cod_fee: Money | None = None
    is_physical: bool = True
    condition: str = ""
    is_gift: bool = False
    gift_wrap_level: str = ""
    is_business_price: bool = False
    promotions: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()  # of the delivery: signatureConfirmation, ...
    scheduled_from: datetime | None = None
    scheduled_until: datetime | None = None
    ioss_number: str = ""
    cancel_reason: str | None = None  # set where the buyer asks to cancel this line


@dataclass(frozen=True)
class RemotePackage:
    """A parcel the marketplace knows of. `reference`: ours where we confirmed it, any text otherwise."""

    reference: str
    tracking_number: str
    carrier: str
    status: str = ""


@dataclass(frozen=True)
class RemoteOrder:
    """One order as the marketplace sees it. Instants aware UTC; money as sent."""

    number: str
    marketplace_id: str
    status: str  # the marketplace's own word
    fulfilled_by: str  # "MFN" or "AFN"
    created_at: datetime
    updated_at: datetime
    items: tuple[RemoteItem, ...]
    person: RemotePerson = field(default_factory=RemotePerson)
    seller_order_id: str = ""
    programs: tuple[str, ...] = ()
    currency: str = ""
    totals: dict[str, Money] = field(default_factory=dict)  # as the columns of an order are called, without _total
    ship_by: datetime | None = None
    earliest_ship_at: datetime | None = None
    deliver_from: datetime | None = None
    deliver_by: datetime | None = None
    service_level: str = ""
    payment_method: str = ""
    is_gift: bool = False
    replaces: str = ""
    replaces_as: str = ""  # "replacement" or "exchange"
    address_type: str = ""
    customized: dict[str, str] = field(default_factory=dict, repr=False)  # item id to where the buyer's wishes are kept
    packages: tuple[RemotePackage, ...] = ()


@dataclass(frozen=True)
class Unreadable:
    """An order we could not read: its id, an error code and where in the answer; never its content."""

    number: str
    code: str
    path: str


@dataclass(frozen=True)
class OrderPage:
    """One page. `bound`: up to when the marketplace says this window is complete; `next_token` empty on the last."""

    orders: tuple[RemoteOrder, ...]
    unreadable: tuple[Unreadable, ...]
    bound: datetime | None
    next_token: str = ""


@dataclass(frozen=True)
class Participation:
    """A marketplace the account sells on."""

    marketplace_id: str
    store_name: str
    active: bool


@dataclass(frozen=True)
class Parcel:
    """What the marketplace is told of a shipment. `reference`: a positive number as text, fixed for ever."""

    order_number: str
    marketplace_id: str
    reference: str
    carrier_code: str
    carrier_name: str
    service: str
    tracking_number: str
    shipped_at: datetime
    items: tuple[tuple[str, int], ...]  # (item id, quantity)
    cash_on_delivery: bool = False


class Connector(Protocol):
    """One marketplace account. Every method may raise the errors of orderhub/errors.py."""

    skew_s: int

    def sign_in(self) -> None:
        """Make sure a valid access token is at hand, before anything is claimed."""

    def orders_changed(self, *, after: datetime, page_token: str = "") -> Iterator[OrderPage]:
        """Pages from `page_token` on. UnexpectedAnswer with `restart`: drop the token kept, begin the window again."""

    def orders_created(
        self, *, after: datetime, before: datetime, marketplaces: Sequence[str] = (), page_token: str = ""
    ) -> OrderPage:
        """One page of orders made in a window, of all marketplaces where none is named."""

    def order(self, number: str) -> RemoteOrder: ...

    def order_in_full(self, number: str) -> OrderPage:
        """One order as the searches give it, as a page of one; unreadable ones are in it as such."""

    def confirm(self, parcel: Parcel) -> None: ...

    def feed_document(self, body: bytes) -> str: ...

    def create_feed(self, document_id: str, marketplace_ids: Sequence[str]) -> str: ...

    def feed(self, feed_id: str): ...

    def feeds_since(self, since: datetime) -> list: ...

    def cancel_feed(self, feed_id: str) -> None: ...

    def feed_report(self, document_id: str): ...

    def participations(self) -> list[Participation]: ...
