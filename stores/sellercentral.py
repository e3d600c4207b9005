"""Seller Central, where sellers authorise applications and see their orders. Its hosts are facts: nothing typed or sent chooses one.

Source: SP-API website and Appstore authorisation workflows, read 2026-11-23.
"""

import re
from urllib.parse import quote, urlencode

from django.conf import settings

from stores import marketplaces
from stores.marketplaces import Marketplace

CONSENT_PATH = "/apps/authorize/consent"
CONFIRM_PATH = "/apps/authorize/confirm/"
ORDER_PATH = "/orders-v3/order/"
HOSTS = frozenset(market.host for market in marketplaces.ALL)
CONFIRM_HOSTS = HOSTS | {f"{www}amazon.{market.domain}" for market in marketplaces.ALL for www in ("", "www.")}
_CALLBACK = re.compile(r"https://([a-z0-9.-]+)(/apps/authorize/confirm/[A-Za-z0-9._-]+)", re.ASCII)


def origin(market: Marketplace) -> str:
    """Scheme and host where sellers of this marketplace authorise; a stand-in on this machine where one is set."""
    return settings.SELLER_CENTRAL_BASE_URL.rstrip("/") or f"https://{market.host}"


def order_url(market: Marketplace, number: str) -> str:
    """Where sellers of this marketplace find one order, and confirm its parcel by hand."""
    return f"{origin(market)}{ORDER_PATH}{quote(number, safe='')}"


def application_id() -> str:
    """What a seller looks for in Seller Central: the application's own id, else the client id of its sign-in."""
    return settings.SPAPI_APPLICATION_ID or settings.LWA_CLIENT_ID


def consent_url(market: Marketplace, *, state: str, redirect_uri: str) -> str:
    """The page on which the seller confirms our application. `state` and the code come back to `redirect_uri`."""
    asked = {"application_id": settings.SPAPI_APPLICATION_ID, "state": state, "redirect_uri": redirect_uri}
    if settings.SPAPI_APPLICATION_DRAFT:
        asked["version"] = "beta"
    return f"{origin(market)}{CONSENT_PATH}?{urlencode(asked)}"


def trusted_callback(url: str) -> str | None:
    """The address, if it is Amazon's own page that confirms exactly our application; None for any other.

    Matched as a whole against what may be, so that no reading of it by a browser can lead elsewhere: no port, no user
    name, no query, no fragment, no backslash, plain ASCII, one of Amazon's hosts letter by letter.
    """
    found = _CALLBACK.fullmatch(url) if len(url) <= 300 else None
    if found is None or found[1] not in CONFIRM_HOSTS or not settings.SPAPI_APPLICATION_ID:
        return None
    return url if found[2] == CONFIRM_PATH + settings.SPAPI_APPLICATION_ID else None


def callback_with(url: str, *, amazon_state: str, state: str, redirect_uri: str) -> str:
    """A trusted callback with what Amazon asks for in answer to its own start of the flow."""
    asked = {"amazon_state": amazon_state, "state": state, "redirect_uri": redirect_uri}
    if settings.SPAPI_APPLICATION_DRAFT:
        asked["version"] = "beta"
    return f"{url}?{urlencode(asked)}"
