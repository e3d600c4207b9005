"""Asking Amazon about a seller id and token before anything is saved: whose they are, and what may be connected."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from django.conf import settings
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from orderhub.errors import ConnectorError, CredentialsRejected, OperatorMistake, RuleViolation, TryLater
from orderhub.http import HttpClient
from stores import marketplaces, outbound
from stores.connectors.amazon.authorization import refresh_token_for
from stores.connectors.amazon.client import AmazonClient, NoThrottle
from stores.connectors.amazon.connector import AmazonConnector
from stores.connectors.amazon.signin import SignIn
from stores.models import AmazonAccount

T = TypeVar("T")
UNIFIED_TILE = "US"


def amazon(region: str, token: str, throttle, **given) -> AmazonConnector:
    """The connector of one refresh token; its calls count in `throttle`."""
    base_url = settings.SPAPI_BASE_URL or f"https://{marketplaces.REGION_HOSTS[region]}"
    secret, previous = _secrets()
    sign_in = SignIn(_token_http(), settings.LWA_CLIENT_ID, secret, token, previous)
    return AmazonConnector(AmazonClient(outbound.client(base_url), sign_in, throttle), **given)


def _token_http() -> HttpClient:
    return outbound.client(settings.LWA_TOKEN_URL or outbound.LWA_TOKEN_URL)


def _secrets() -> tuple[str, str]:
    return settings.LWA_CLIENT_SECRET, settings.LWA_CLIENT_SECRET_PREVIOUS


@sensitive_variables()
def token_for_code(code: str, redirect_uri: str) -> str:
    """The refresh token of a seller who signed in with Amazon. Errors: those of refresh_token_for()."""
    return refresh_token_for(
        _token_http(), client_id=settings.LWA_CLIENT_ID, secrets=_secrets(), code=code, redirect_uri=redirect_uri
    )


@dataclass(frozen=True)
class Verification:
    """What Amazon said of a seller id and token. `codes`: order sources that may be ticked.

    `seller_confirmed` False: Amazon did not let us compare seller id and token.
    """

    region: str
    seller_id: str
    plan: str
    codes: tuple[str, ...]
    participations: list[dict] = field(default_factory=list)
    seller_confirmed: bool = True

    @property
    def account_type(self) -> str:
        return AmazonAccount.Kind.UNIFIED if _is_unified(self.codes) else AmazonAccount.Kind.STANDALONE


def _is_unified(codes: Iterable[str]) -> bool:
    return len(marketplaces.UNIFIED_NORTH_AMERICA.intersection(codes)) > 1


def sources_of(participations: Iterable[dict], region: str) -> tuple[str, ...]:
    """Codes of the order sources an account may have: of a unified one, the three of R5 and no other."""
    active = [marketplaces.BY_ID[row["marketplace"]] for row in participations if row["active"]]
    codes = [market.code for market in active if market.region == region]
    unified = _is_unified(codes)
    return tuple(code for code in codes if not unified or code in marketplaces.UNIFIED_NORTH_AMERICA)


class TokenRefused(RuleViolation):
    """Amazon does not take this token: another one is needed."""


class NotThisSeller(RuleViolation):
    """The token is another seller's."""


class WrongTile(RuleViolation):
    """The tile does not fit the account. `country`: the one that does; `source`: what to tick there, or ''."""

    def __init__(self, text: str, *, country: str, source: str = ""):
        super().__init__(text)
        self.country, self.source = country, source


def check_tile(verified: Verification, country: str) -> None:
    """WrongTile, with the remedy, where the country tile does not fit what Amazon confirmed (R4, R8, R9).

    A unified North American account goes through Amazon.com, whichever of its sources is wanted; any other account
    through a country it sells in.
    """
    chosen = marketplaces.BY_CODE[country]
    if verified.account_type == AmazonAccount.Kind.UNIFIED:
        if country != UNIFIED_TILE:
            raise WrongTile(
                _(
                    "This seller has a unified North American account: %(source)s is one of its order sources, and the account is connected through the Amazon.com tile. The direct %(source)s tile only works for a stand-alone account."
                )
                % {"source": chosen.label},
                country=UNIFIED_TILE,
                source=country if country in verified.codes else "",
            )
    elif country not in verified.codes:
        raise WrongTile(
            _("This seller does not sell on %(source)s. Amazon confirmed: %(choices)s.")
            % {
                "source": chosen.label,
                "choices": ", ".join(marketplaces.BY_CODE[code].label for code in verified.codes),
            },
            country=verified.codes[0],
        )


@sensitive_variables()
def verify(region: str, seller_id: str, token: str) -> Verification:
    """Ask Amazon whether this seller id and token belong together and what may be connected. Saves nothing.

    RuleViolation, a sentence saying what to do, for every way it can fail. An Amazon that is busy confirms nothing.
    """
    seller_id, token = seller_id.strip(), token.strip()
    _check_texts(region, seller_id, token)
    if not (settings.LWA_CLIENT_ID and settings.LWA_CLIENT_SECRET):
        raise RuleViolation(
            _(
                "LWA_CLIENT_ID and LWA_CLIENT_SECRET are not set: the operator must add them before accounts can be connected."
            )
        )
    connector = amazon(region, token, NoThrottle())
    found = [
        {"marketplace": row.marketplace_id, "store_name": row.store_name, "active": row.active}
        for row in _asked(connector.participations)
        if row.marketplace_id in marketplaces.BY_ID
    ]
    codes = sources_of(found, region)
    if not codes:
        raise RuleViolation(
            _("This account sells on no marketplace of the chosen region. Choose the region of the seller's country.")
        )
    confirmed = _asked(lambda: connector.owns_seller_id(seller_id, marketplaces.BY_CODE[codes[0]].id))
    if confirmed is False:
        raise NotThisSeller(
            _("The seller id %(seller)s does not belong to this token. Copy both from the same Seller Central account.")
            % {"seller": seller_id}
        )
    return Verification(region, seller_id, _plan(connector), codes, found, seller_confirmed=bool(confirmed))


def _plan(connector: AmazonConnector) -> str:
    plans = {"PROFESSIONAL": AmazonAccount.Plan.PROFESSIONAL, "INDIVIDUAL": AmazonAccount.Plan.INDIVIDUAL}
    plan = plans.get(_asked(connector.plan), AmazonAccount.Plan.DECLARED)
    if plan == AmazonAccount.Plan.INDIVIDUAL:
        raise RuleViolation(
            _(
                "This is an Individual selling plan. Amazon gives access to Professional accounts only: the seller must upgrade first."
            )
        )
    return plan


def _asked(question: Callable[[], T]) -> T:
    """Amazon's answer; each way it can refuse as a sentence."""
    try:
        return question()
    except OperatorMistake:
        raise RuleViolation(operator_mistake()) from None
    except CredentialsRejected:
        raise TokenRefused(
            _(
                "Amazon refuses this authorisation token. In Seller Central, authorise the application again and paste the new token."
            )
        ) from None
    except TryLater:
        raise RuleViolation(
            _("Amazon does not answer at the moment. Nothing was saved: try again in a minute.")
        ) from None
    except ConnectorError:
        raise RuleViolation(
            _("Amazon did not confirm this account. Check the region, the seller id and the token, then try again.")
        ) from None


def operator_mistake() -> str:
    """What to say where Amazon refuses our own application."""
    return _(
        "Amazon refuses OrderHub's own client id or secret. Ask the operator to check LWA_CLIENT_ID and LWA_CLIENT_SECRET."
    )


def _check_texts(region: str, seller_id: str, token: str) -> None:
    if region not in marketplaces.REGIONS:
        raise RuleViolation(_("Choose the region: North America, Europe or Far East."))
    if not seller_id or not seller_id.isalnum() or not seller_id.isascii() or len(seller_id) > 40:
        raise RuleViolation(
            _("A seller id has only letters and digits, such as A1EXAMPLE2SELLER. Copy it from Seller Central.")
        )
    if not token:
        raise RuleViolation(_("Paste the authorisation token that Seller Central showed."))
    if token.lower().startswith("amzn.mws."):
        raise RuleViolation(
            _(
                "This is an MWS token; Amazon closed MWS in 2024. Authorise the application in Seller Central and paste the new token, which begins with Atzr|."
            )
        )
    if not token.isprintable() or not token.isascii() or " " in token or len(token) > 2048:
        raise RuleViolation(_("This is not an authorisation token: copy it again, without blanks or line breaks."))
