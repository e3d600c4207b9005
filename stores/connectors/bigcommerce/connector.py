"""A BigCommerce store as the mirror of an Amazon store: client for the wire, mapping for the words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from orderhub.errors import CredentialsRejected, RequestRejected
from stores.connectors.bigcommerce import mapping
from stores.connectors.bigcommerce.client import BigCommerceClient

T = TypeVar("T")


@dataclass(frozen=True)
class ShopFacts:
    """What a store's token lets us see. Whatever needs a scope the token lacks is '' or None.

    `amazon_channel_id`: None also where the store has no Amazon channel, or several, of which none is guessed.
    `mailing_statuses`: ids of the order statuses that may mail the buyers of Amazon orders. BigCommerce shows one
    switch for all of them: so it is every status or none, and the ticks of its control panel may spare some.
    `can_write`: None, as BigCommerce tells the scopes of a token to nobody and only a write would show it.
    """

    name: str = ""
    amazon_channel_id: int | None = None
    mailing_statuses: tuple[int, ...] | None = None
    can_write: bool | None = None


class BigCommerceConnector:
    """Every method may raise the errors of orderhub/errors.py; none sleeps or retries. Changes nothing at the store."""

    def __init__(self, client: BigCommerceClient):
        self.client = client

    def verify(self) -> ShopFacts:
        """Ask whether hash and token belong together and may read orders, in six calls at most. Safe to repeat.

        CredentialsRejected with code 401 (token) or 403 (scope), RequestRejected with 404 (hash), and the rest of the
        client's errors. The scopes that are optional may be missing.
        """
        statuses = mapping.status_ids(self.client.order_statuses())
        self.client.orders({"limit": "1"})
        name = _if_allowed(lambda: mapping.shop_name(self.client.store())) or ""
        channels = _if_allowed(lambda: mapping.amazon_channels(self.client.channels()))
        mails = _if_allowed(lambda: self._status_mail(channels))
        return ShopFacts(
            name=name,
            amazon_channel_id=channels[0] if channels and len(channels) == 1 else None,
            mailing_statuses=None if mails is None else statuses if mails else (),
        )

    def _status_mail(self, channels: tuple[int, ...] | None) -> bool | None:
        """Whether BigCommerce mails the buyers of Amazon orders: the channel's own setting, else the store's.

        Where it isn't known which channel is Amazon's, the store's yes counts, and its no is None: a channel may differ.
        """
        if channels and len(channels) == 1:
            own = mapping.status_mail(self.client.email_statuses(channels[0]))
            if own is not None:
                return own
        switch = mapping.status_mail(self.client.email_statuses())
        is_known = channels is not None and len(channels) <= 1
        return switch if switch or is_known else None


def _if_allowed(ask: Callable[[], T]) -> T | None:
    """The answer; None where the token's scopes or the store's plan do not give it."""
    try:
        return ask()
    except CredentialsRejected as error:
        if error.code != "403":
            raise
    except RequestRejected:
        pass
    return None
