"""Connecting a seller account: verify with Amazon first, save only what is right."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from orderhub import clock
from orderhub.errors import RuleViolation
from stores import marketplaces
from stores.connectors.amazon.client import SEARCH_ORDERS
from stores.connectors.amazon.connector import AmazonConnector
from stores.models import AmazonAccount, Merchant, Store, UnconnectedOrder
from stores.throttle import AccountThrottle
from stores.verifying import UNIFIED_TILE, NotThisSeller, Verification, amazon, check_tile, sources_of, verify

ASK_AGAIN = timedelta(hours=6)
NAME_LENGTH = 120  # of a store


def connector_for(account: AmazonAccount) -> AmazonConnector:
    """The account's connector, its calls counted in the shared buckets.

    Where Amazon keeps personal data from our application, it is asked again every few hours: roles are granted quietly.
    """
    asked = account.last_poll_at
    return amazon(
        account.region,
        account.refresh_token,
        AccountThrottle(account),
        with_person=account.has_pii_role,
        ask_again=not account.has_pii_role
        and (asked is None or clock.now() - asked > ASK_AGAIN or _new_quarter(asked)),
    )


def seconds_to_spare(account: AmazonAccount, *, kept: int) -> float:
    """Seconds until a search for orders can be made and `kept` more are left; zero or less: now. Reads only."""
    plan = {"rate": SEARCH_ORDERS.rate, "burst": SEARCH_ORDERS.burst}
    return AccountThrottle(account).wait_for(SEARCH_ORDERS.name, ahead=kept, **plan)


def _new_quarter(before: datetime) -> bool:
    """Whether one of the day's four quarters began since."""
    return before.hour // 6 != clock.now().hour // 6


@sensitive_variables()
def connect(
    verified: Verification, token: str, *, merchant: Merchant, sources: list[str], now: datetime, by=None,
    product_identifier: str = Store.Identifier.SKU, identifiers: Mapping[str, str] | None = None,
    country: str = "", kind: str = AmazonAccount.CredentialKind.TOKEN,
) -> AmazonAccount:  # fmt: skip
    """Save the account and a store per order source, all or nothing. Amazon.co.jp stays inactive until granted.

    `identifiers`: SKU or ASIN by order source, where it is not `product_identifier`. `country`: the tile, else the
    first source. RuleViolation if the account is known already, a source was not verified, or there is none; WrongTile if
    the tile does not fit.
    """
    known = known_account(verified.region, verified.seller_id)
    if known is not None:
        raise RuleViolation(already_connected(known))
    if country:
        check_tile(verified, country)
    account = AmazonAccount(
        merchant=merchant, region=verified.region, selling_partner_id=verified.seller_id,
        account_type=verified.account_type, seller_plan=verified.plan, status=AmazonAccount.Status.ACTIVE,
        verified_at=now, verified_by=by, participations=verified.participations,
        imported_until=now - timedelta(days=settings.IMPORT_BACKFILL_DAYS), credential_kind=kind,
        country=country or _tile_of(verified),
    )  # fmt: skip
    account.authorise(token.strip(), now=now)
    try:
        with transaction.atomic():
            account.save()
            add_sources(account, sources, product_identifier=product_identifier, identifiers=identifiers)
    except IntegrityError:
        known = known_account(verified.region, verified.seller_id)
        if known is None:
            raise
        raise RuleViolation(already_connected(known)) from None
    return account


def _tile_of(verified: Verification) -> str:
    return UNIFIED_TILE if verified.account_type == AmazonAccount.Kind.UNIFIED else verified.codes[0]


def known_account(region: str, seller_id: str) -> AmazonAccount | None:
    """The account of this seller, if somebody connected it already."""
    found = AmazonAccount.objects.filter(region=region, selling_partner_id=seller_id)
    return found.select_related("merchant").first()


def already_connected(account: AmazonAccount) -> str:
    """Whose it is and which stores it has (R6)."""
    names = ", ".join(account.stores.order_by("pk").values_list("name", flat=True)) or "–"
    return _(
        "Seller %(seller)s is already connected, for %(merchant)s. Its stores: %(stores)s. Renew it or add order sources on its page."
    ) % {"seller": account.selling_partner_id, "merchant": account.merchant, "stores": names}


def add_sources(
    account: AmazonAccount, sources: list[str], *, product_identifier: str = Store.Identifier.SKU,
    identifiers: Mapping[str, str] | None = None,
) -> list[Store]:  # fmt: skip
    """Create the stores of these order sources; existing ones are left alone. Safe to repeat."""
    if not sources:
        raise RuleViolation(_("Tick at least one order source."))
    sold_on = sources_of(account.participations, account.region)
    markets = [marketplaces.BY_CODE.get(code.strip().upper()) for code in sources]
    for code, market in zip(sources, markets, strict=True):
        if market is None or market.code not in sold_on:
            raise RuleViolation(
                _("Seller %(seller)s does not sell on %(source)s. Choose among: %(choices)s.")
                % {
                    "seller": account.selling_partner_id,
                    "source": market.label if market else code,
                    "choices": ", ".join(sorted(marketplaces.BY_CODE[code].label for code in sold_on)),
                }
            )
    stores = [
        Store.objects.get_or_create(
            account=account,
            marketplace=market.code,
            defaults={
                "merchant": account.merchant,
                "name": f"{account.merchant} · {market.label}"[:NAME_LENGTH],
                "platform": Store.Platform.AMAZON,
                "time_zone": market.time_zone,
                "product_identifier": (identifiers or {}).get(market.code, product_identifier),
                "active": market.code != marketplaces.JAPAN,
            },
        )[0]
        for market in markets
    ]
    read_again(account, [market.id for market in markets])
    return stores


@transaction.atomic
def read_again(account: AmazonAccount, marketplace_ids: list[str]) -> None:
    """A source opened later gets its recent orders too: they are asked for by the date they were made; the cursor stays.

    None given: all sources. Nothing is asked for before the account's first import, which brings them anyway. Twice is
    once: a reading that is not finished takes the new sources in and begins again.
    """
    UnconnectedOrder.objects.filter(account=account, marketplace_id__in=marketplace_ids).delete()
    fresh = AmazonAccount.objects.select_for_update().get(pk=account.pk)  # a cursor in hand may be old
    if fresh.last_poll_at or fresh.window_after:
        _ask_for_past(fresh, marketplace_ids)
    _reopened(account, next_poll_at=None)


def _ask_for_past(account: AmazonAccount, marketplace_ids: list[str]) -> None:
    """Open the reading that orders carries out (orders/history.py). The row is reached from the account, as an outbox."""
    reads = account.history_reads
    kind, now = reads.model.Kind.BACKFILL, clock.now()
    begun = reads.filter(kind=kind, finished_at__isnull=True).first()
    if begun and marketplace_ids:
        marketplace_ids = sorted({*begun.marketplaces, *marketplace_ids}) if begun.marketplaces else []
    reads.update_or_create(
        kind=kind, finished_at=None,
        defaults={
            "marketplaces": marketplace_ids, "created_after": now - timedelta(days=settings.IMPORT_BACKFILL_DAYS),
            "created_before": None, "page_token": "", "started_at": now, "next_at": now, "pages": 0,
        },
    )  # fmt: skip


def _reopened(account: AmazonAccount, **changes) -> None:
    """Write these columns and count the re-opening, whoever else counts one: what runs with the old state ends."""
    AmazonAccount.objects.filter(pk=account.pk).update(epoch=F("epoch") + 1, **changes)
    account.refresh_from_db()


@sensitive_variables()
def resume(account: AmazonAccount, *, now: datetime, by=None) -> AmazonAccount:
    """Start a stopped account again with the token it has. The authorisation's year goes on; nothing else changes.

    RuleViolation, saying what to do, once that year is over, and while Amazon still refuses.
    """
    if now >= account.authorization_expires_at:
        raise RuleViolation(_("The yearly authorisation is over: only a renewed one helps. Renew it on this page."))
    verified = verify(account.region, account.selling_partner_id, account.refresh_token)
    return _reopen(account, verified, now=now, by=by)


@sensitive_variables()
def renew(
    account: AmazonAccount, token: str, *, now: datetime, by=None, verified: Verification | None = None,
    kind: str = AmazonAccount.CredentialKind.TOKEN,
) -> AmazonAccount:  # fmt: skip
    """Put a renewed token on a known account and resume it. Stores, orders, settings and cursor stay.

    `verified`: what Amazon said of this token a moment ago, so that it is not asked twice. RuleViolation for the token
    the account has already, which starts no new year, and for one that is not this seller's.
    """
    token = token.strip()
    if token == account.refresh_token:
        raise RuleViolation(
            _("This is the token the account has already. Authorise the application again and paste the new token.")
        )
    try:
        verified = verified or verify(account.region, account.selling_partner_id, token)
    except NotThisSeller:
        raise RuleViolation(
            _("This token is another seller's. Paste one of seller %(seller)s.")
            % {"seller": account.selling_partner_id}
        ) from None
    _check_same_seller(account, verified)
    account.authorise(token, now=now)
    renewed = ("refresh_token", "authorized_at", "authorization_expires_at", "warned_days")
    changes = {name: getattr(account, name) for name in renewed}
    return _reopen(account, verified, now=now, by=by, credential_kind=kind, **changes)


def _check_same_seller(account: AmazonAccount, verified: Verification) -> None:
    """Where Amazon did not let us compare seller id and token, the marketplaces must at least be those of the stores."""
    if verified.seller_confirmed:
        return
    lost = sorted(set(account.stores.values_list("marketplace", flat=True)) - set(verified.codes))
    if lost:
        raise RuleViolation(
            _(
                "The seller of this token does not sell on %(sources)s, where this account has stores: is it another seller's?"
            )
            % {"sources": ", ".join(marketplaces.BY_CODE[code].label for code in lost)}
        )


def _reopen(account: AmazonAccount, verified: Verification, *, now: datetime, by, **changes) -> AmazonAccount:
    """Active again, polled at once; what ran with the old state may not write over it."""
    _reopened(
        account, status=AmazonAccount.Status.ACTIVE, status_reason="", verified_at=now, verified_by=by,
        participations=verified.participations, account_type=verified.account_type, seller_plan=verified.plan,
        has_pii_role=True, next_poll_at=None, **changes,
    )  # fmt: skip
    return account
