"""Connecting a seller account: verify with Amazon first, save only what is right."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from orderhub import clock
from orderhub.errors import (
    ConnectorError,
    CredentialsRejected,
    OperatorMistake,
    RequestRejected,
    RuleViolation,
    TryLater,
)
from orderhub.http import HttpClient
from stores import marketplaces
from stores.connectors.amazon.client import AmazonClient, NoThrottle
from stores.connectors.amazon.connector import AmazonConnector
from stores.connectors.amazon.signin import SignIn
from stores.connectors.base import Participation
from stores.models import AmazonAccount, Merchant, Store, UnconnectedOrder
from stores.throttle import AccountThrottle

ASK_AGAIN = timedelta(hours=6)
LWA_TOKEN_URL = "https://api.amazon.com/auth/o2/token"  # noqa: S105  an address, the same for every region


@lru_cache(maxsize=8)
def _http(url: str) -> HttpClient:
    return HttpClient(url, allowed_hosts=frozenset({urlsplit(url).hostname or ""}))


os.register_at_fork(after_in_child=_http.cache_clear)  # two processes must not read one socket


def _amazon(region: str, token: str, throttle, **given) -> AmazonConnector:
    base_url = settings.SPAPI_BASE_URL or f"https://{marketplaces.REGION_HOSTS[region]}"
    sign_in = SignIn(
        _http(settings.LWA_TOKEN_URL or LWA_TOKEN_URL),
        settings.LWA_CLIENT_ID,
        settings.LWA_CLIENT_SECRET,
        token,
    )
    return AmazonConnector(AmazonClient(_http(base_url), sign_in, throttle), **given)


def connector_for(account: AmazonAccount) -> AmazonConnector:
    """The account's connector, its calls counted in the shared buckets.

    Where Amazon keeps personal data from our application, it is asked again every few hours: roles are granted quietly.
    """
    asked = account.last_poll_at
    return _amazon(
        account.region,
        account.refresh_token,
        AccountThrottle(account),
        with_person=account.has_pii_role,
        ask_again=not account.has_pii_role
        and (asked is None or clock.now() - asked > ASK_AGAIN or _new_quarter(asked)),
    )


def _new_quarter(before: datetime) -> bool:
    """Whether one of the day's four quarters began since."""
    return before.hour // 6 != clock.now().hour // 6


@dataclass(frozen=True)
class Verification:
    """What Amazon said of a seller id and token. `codes`: order sources that may be ticked."""

    region: str
    seller_id: str
    plan: str
    codes: tuple[str, ...]
    participations: list[dict] = field(default_factory=list)

    @property
    def account_type(self) -> str:
        unified = marketplaces.UNIFIED_NORTH_AMERICA & set(self.codes)
        return AmazonAccount.Kind.UNIFIED if len(unified) > 1 else AmazonAccount.Kind.STANDALONE


def verify(region: str, seller_id: str, token: str) -> Verification:
    """Ask Amazon whether this seller id and token belong together and what may be connected. Saves nothing.

    RuleViolation, a sentence saying what to do, for every way it can fail.
    """
    seller_id, token = seller_id.strip(), token.strip()
    _check_texts(region, seller_id, token)
    if not (settings.LWA_CLIENT_ID and settings.LWA_CLIENT_SECRET):
        raise RuleViolation(
            _(
                "LWA_CLIENT_ID and LWA_CLIENT_SECRET are not set: the operator must add them before accounts can be connected."
            )
        )
    connector = _amazon(region, token, NoThrottle())
    rows = _participations(connector)
    known = [row for row in rows if row.active and row.marketplace_id in marketplaces.BY_ID]
    codes = tuple(
        marketplaces.BY_ID[row.marketplace_id].code
        for row in known
        if marketplaces.BY_ID[row.marketplace_id].region == region
    )
    if not codes:
        raise RuleViolation(
            _("This account sells on no marketplace of the chosen region. Choose the region of the seller's country.")
        )
    if connector.owns_seller_id(seller_id, marketplaces.BY_CODE[codes[0]].id) is False:
        raise RuleViolation(
            _("The seller id %(seller)s does not belong to this token. Copy both from the same Seller Central account.")
            % {"seller": seller_id}
        )
    plan = {"PROFESSIONAL": AmazonAccount.Plan.PROFESSIONAL, "INDIVIDUAL": AmazonAccount.Plan.INDIVIDUAL}.get(
        connector.plan(), AmazonAccount.Plan.DECLARED
    )
    if plan == AmazonAccount.Plan.INDIVIDUAL:
        raise RuleViolation(
            _(
                "This is an Individual selling plan. Amazon gives access to Professional accounts only: the seller must upgrade first."
            )
        )
    found = [
        {"marketplace": row.marketplace_id, "store_name": row.store_name, "active": row.active}
        for row in rows
        if row.marketplace_id in marketplaces.BY_ID
    ]
    return Verification(region, seller_id, plan, codes, found)


def _participations(connector: AmazonConnector) -> list[Participation]:
    """What the account sells on; each way Amazon can refuse as a sentence."""
    try:
        return connector.participations()
    except OperatorMistake:
        raise RuleViolation(
            _(
                "Amazon refuses OrderHub's own client id or secret. Ask the operator to check LWA_CLIENT_ID and LWA_CLIENT_SECRET."
            )
        ) from None
    except CredentialsRejected:
        raise RuleViolation(
            _(
                "Amazon refuses this authorisation token. In Seller Central, authorise the application again and paste the new token."
            )
        ) from None
    except TryLater:
        raise RuleViolation(
            _("Amazon does not answer at the moment. Nothing was saved: try again in a minute.")
        ) from None
    except (RequestRejected, ConnectorError):
        raise RuleViolation(
            _("Amazon did not confirm this account. Check the region, the seller id and the token, then try again.")
        ) from None


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


def connect(
    verified: Verification, token: str, *, merchant: Merchant, sources: list[str], now: datetime, by=None,
    product_identifier: str = Store.Identifier.SKU,
) -> AmazonAccount:  # fmt: skip
    """Save the account and a store per order source, all or nothing. Amazon.co.jp stays inactive until granted.

    RuleViolation if the account is known already, a source was not verified, or there is none.
    """
    known = AmazonAccount.objects.filter(region=verified.region, selling_partner_id=verified.seller_id).first()
    if known is not None:
        raise RuleViolation(
            _(
                "Seller %(seller)s is already connected, for %(merchant)s. Open that account to renew it or to add order sources."
            )
            % {"seller": verified.seller_id, "merchant": known.merchant}
        )
    account = AmazonAccount(
        merchant=merchant, region=verified.region, selling_partner_id=verified.seller_id,
        account_type=verified.account_type, seller_plan=verified.plan, status=AmazonAccount.Status.ACTIVE,
        verified_at=now, verified_by=by, participations=verified.participations,
        imported_until=now - timedelta(days=settings.IMPORT_BACKFILL_DAYS),
    )  # fmt: skip
    account.authorise(token.strip(), now=now)
    try:
        with transaction.atomic():
            account.save()
            add_sources(account, sources, product_identifier=product_identifier)
    except IntegrityError:
        raise RuleViolation(_("This account was connected by somebody else a moment ago. Open it to go on.")) from None
    return account


def add_sources(
    account: AmazonAccount, sources: list[str], *, product_identifier: str = Store.Identifier.SKU
) -> list[Store]:
    """Create the stores of these order sources; existing ones are left alone. Safe to repeat."""
    if not sources:
        raise RuleViolation(_("Tick at least one order source."))
    sold_on = {row["marketplace"] for row in account.participations if row["active"]}
    markets = [marketplaces.BY_CODE.get(code.strip().upper()) for code in sources]
    for code, market in zip(sources, markets, strict=True):
        if market is None or market.id not in sold_on or market.region != account.region:
            raise RuleViolation(
                _("Seller %(seller)s does not sell on %(source)s. Choose among: %(choices)s.")
                % {
                    "seller": account.selling_partner_id,
                    "source": market.label if market else code,
                    "choices": ", ".join(sorted(marketplaces.BY_ID[id_].label for id_ in sold_on)),
                }
            )
    stores = [
        Store.objects.get_or_create(
            account=account,
            marketplace=market.code,
            defaults={
                "merchant": account.merchant,
                "name": f"{account.merchant} · {market.label}",
                "platform": Store.Platform.AMAZON,
                "time_zone": market.time_zone,
                "product_identifier": product_identifier,
                "active": market.code != marketplaces.JAPAN,
            },
        )[0]
        for market in markets
    ]
    read_again(account, [market.id for market in markets])
    return stores


def read_again(account: AmazonAccount, marketplace_ids: list[str]) -> None:
    """A source opened later gets its recent orders too: the cursor goes back, and reading twice changes nothing."""
    UnconnectedOrder.objects.filter(account=account, marketplace_id__in=marketplace_ids).delete()
    account.refresh_from_db()  # a cursor in hand may be old
    account.imported_until = min(account.imported_until, clock.now() - timedelta(days=settings.IMPORT_BACKFILL_DAYS))
    account.window_after = account.window_bound = account.next_poll_at = None
    account.page_token = ""
    account.epoch += 1  # an import that runs now must not write its cursor over this
    account.save(
        update_fields=["imported_until", "window_after", "window_bound", "next_poll_at", "page_token", "epoch"]
    )


def resume(account: AmazonAccount, *, now: datetime, by=None) -> AmazonAccount:
    """Start a stopped account again with the token it has. The authorisation's year goes on; nothing else changes.

    RuleViolation, saying what to do, while Amazon still refuses.
    """
    verified = verify(account.region, account.selling_partner_id, account.refresh_token)
    return _reopen(account, verified, now=now, by=by)


def renew(account: AmazonAccount, token: str, *, now: datetime, by=None) -> AmazonAccount:
    """Put a renewed token on a known account and resume it. Stores, orders, settings and cursor stay."""
    verified = verify(account.region, account.selling_partner_id, token)
    account.authorise(token.strip(), now=now)
    return _reopen(
        account, verified, now=now, by=by, also=["refresh_token", "authorized_at", "authorization_expires_at"]
    )  # fmt: skip


def _reopen(account: AmazonAccount, verified: Verification, *, now: datetime, by, also: Iterable[str] = ()):
    """Active again, polled at once; what ran with the old state may not write over it."""
    account.status, account.status_reason = AmazonAccount.Status.ACTIVE, ""
    account.verified_at, account.verified_by, account.participations = now, by, verified.participations
    account.seller_plan, account.has_pii_role, account.next_poll_at = verified.plan, True, None
    account.epoch += 1
    account.save(
        update_fields=[
            "status", "status_reason", "verified_at", "verified_by", "participations", "seller_plan", "has_pii_role",
            "next_poll_at", "epoch", *also,
        ]
    )  # fmt: skip
    return account
