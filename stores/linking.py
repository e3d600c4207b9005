"""BigCommerce stores: connecting one by hash and token, and linking it to the Amazon store whose orders it mirrors.

The Amazon store stays the source of orders; BigCommerce is only told of parcels. OrderHub never changes a setting there.
"""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from orderhub.errors import ConnectorError, CredentialsRejected, RequestRejected, RuleViolation, TryLater
from stores import outbound
from stores.connectors.bigcommerce.client import STORE_HASH, BigCommerceClient
from stores.connectors.bigcommerce.connector import BigCommerceConnector, ShopFacts
from stores.connectors.bigcommerce.telling import MirrorConnector
from stores.models import BigCommerceCredentials, Merchant, Store

MOST_TOKEN = 200
RESERVE = 10  # calls of a store's quota left to its other programs
NAME_LENGTH = 120  # of a store


class Refused(RuleViolation):
    """BigCommerce said no. `code`: its status."""

    def __init__(self, code: str):
        super().__init__(refusal(code))
        self.code = code


def connector_for(store_hash: str, token: str) -> BigCommerceConnector:
    """The connector of one BigCommerce store. The host is fixed: only the hash is anybody's to choose."""
    return BigCommerceConnector(BigCommerceClient(_http(), store_hash, token))


def mirror_connector_for(shop: Store) -> MirrorConnector:
    """What tells a connected BigCommerce store of parcels. One at a time: make it under the store's lease."""
    credentials = shop.bigcommerce
    client = BigCommerceClient(_http(), credentials.store_hash, credentials.access_token, reserve=RESERVE)
    return MirrorConnector(client)


def _http():
    return outbound.client(settings.BIGCOMMERCE_BASE_URL or outbound.BIGCOMMERCE_URL)


@sensitive_variables()
def verify(store_hash: str, token: str) -> ShopFacts:
    """Ask BigCommerce whether hash and token belong together and may read orders. Saves nothing.

    RuleViolation, a sentence saying what to do, for every way it can fail.
    """
    if not STORE_HASH.fullmatch(store_hash):
        raise RuleViolation(
            _("A store hash is 4 to 24 small letters and digits: the part after “stores/” in the API path.")
        )
    if not token or not token.isascii() or not token.isprintable() or " " in token or len(token) > MOST_TOKEN:
        raise RuleViolation(_("Paste the access token as BigCommerce showed it, without blanks or line breaks."))
    try:
        return connector_for(store_hash, token).verify()
    except (CredentialsRejected, RequestRejected) as error:
        raise Refused(error.code) from None
    except TryLater:
        raise RuleViolation(
            _("BigCommerce does not answer at the moment. Nothing was saved: try again in a minute.")
        ) from None
    except ConnectorError:
        raise RuleViolation(
            _("BigCommerce gave an answer that OrderHub does not understand. Nothing was saved.")
        ) from None


def refusal(code: str) -> str:
    """What a refusal of BigCommerce means, and what to do."""
    match code:
        case "401":
            return _("BigCommerce refuses this access token. Create a new store-level API account and paste its token.")
        case "403":
            return _(
                "The API account lacks the scope “Orders: modify”. Scopes cannot be changed: create a new store-level API account with it."
            )
        case "404":
            return _("BigCommerce knows no store of this hash. Copy it from the API path, after “stores/”.")
    return _("BigCommerce refused the question. Check the store hash and the access token.")


@sensitive_variables()
def connect_shop(merchant: Merchant, *, name: str, store_hash: str, token: str, now: datetime, by=None) -> Store:
    """Verify and save a BigCommerce store, all or nothing. RuleViolation if it is connected already."""
    store_hash, token = store_hash.strip(), token.strip()
    known = BigCommerceCredentials.objects.filter(store_hash=store_hash).select_related("store").first()
    if known is not None:
        raise RuleViolation(_already(known.store))
    facts = verify(store_hash, token)
    try:
        with transaction.atomic():
            store = Store.objects.create(
                merchant=merchant, name=(name.strip() or facts.name or f"{merchant} · BigCommerce")[:NAME_LENGTH],
                platform=Store.Platform.BIGCOMMERCE,
            )  # fmt: skip
            credentials = BigCommerceCredentials(store=store, store_hash=store_hash)
            _take(credentials, token, facts, now=now, by=by)
    except IntegrityError:
        known = BigCommerceCredentials.objects.filter(store_hash=store_hash).select_related("store").first()
        if known is None:
            raise
        raise RuleViolation(_already(known.store)) from None
    return store


def _already(store: Store) -> str:
    return _("This BigCommerce store is connected already, as %(store)s.") % {"store": store}


@sensitive_variables()
def renew_shop(store: Store, token: str, *, now: datetime, by=None) -> ShopFacts:
    """Verify a BigCommerce store again, with another token or with the one it has (''). Links stay.

    RuleViolation where BigCommerce refuses; if that was the token it has, the store is marked as refused.
    """
    credentials, token = store.bigcommerce, token.strip()
    try:
        facts = verify(credentials.store_hash, token or credentials.access_token)
    except Refused as error:
        if not token:
            stop_shop(credentials, error.code)
        raise
    _take(credentials, token or credentials.access_token, facts, now=now, by=by)
    return facts


def stop_shop(credentials: BigCommerceCredentials, code: str) -> None:
    """BigCommerce refuses the token: nothing is asked of this store until somebody verifies it again. Loses nothing."""
    _same(credentials).update(status=BigCommerceCredentials.Status.REFUSED, status_reason=code)


def refused_shops():
    """Linked stores whose token BigCommerce refuses. Without their tokens."""
    refused = BigCommerceCredentials.objects.filter(status=BigCommerceCredentials.Status.REFUSED)
    linked = refused.filter(store__in=Store.objects.filter(linked_store__isnull=False).values("linked_store"))
    return linked.select_related("store").defer("access_token").order_by("store__name", "pk")


def _same(credentials: BigCommerceCredentials):
    """The row, unless somebody gave it another token since it was read."""
    return BigCommerceCredentials.objects.filter(pk=credentials.pk, verified_at=credentials.verified_at)


def _take(credentials: BigCommerceCredentials, token: str, facts: ShopFacts, *, now: datetime, by) -> None:
    credentials.access_token = token
    credentials.status, credentials.status_reason = BigCommerceCredentials.Status.ACTIVE, ""
    credentials.verified_at, credentials.verified_by = now, by
    credentials.shop_name = facts.name[:NAME_LENGTH]
    credentials.amazon_channel_id = facts.amazon_channel_id
    credentials.mailing_statuses = None if facts.mailing_statuses is None else list(facts.mailing_statuses)
    credentials.save()


def link(store: Store, shop: Store, *, mails_off: bool, told_by: str, now: datetime, by=None) -> None:
    """Mirror the parcels of an Amazon store to a BigCommerce store. Keeps both answers, who gave them and when.

    `mails_off`: somebody says BigCommerce mails no buyer of Amazon orders (R59). `told_by`: who tells Amazon of parcels,
    OrderHub or the connector between BigCommerce and Amazon; never both. Safe to repeat: the last answers count.
    """
    if store.platform != Store.Platform.AMAZON or shop.platform != Store.Platform.BIGCOMMERCE:
        raise RuleViolation(_("A link goes from an Amazon store to a BigCommerce store."))
    if shop.merchant_id != store.merchant_id:
        raise RuleViolation(_("%(shop)s belongs to another merchant.") % {"shop": shop})
    if told_by not in Store.ToldBy.values:
        raise RuleViolation(_("Say who tells Amazon of parcels: OrderHub or the connector, never both."))
    if not mails_off:
        raise RuleViolation(
            _(
                "Turn off the status mails for Amazon orders in BigCommerce first, then tick the box: Amazon forbids such mails."
            )
        )
    Store.objects.filter(pk=store.pk).update(
        linked_store=shop, linked_mails_off_at=now, linked_mails_off_by=by, amazon_told_by=told_by
    )
    store.refresh_from_db()


def unlink(store: Store) -> None:
    """Mirror nothing any more; OrderHub tells Amazon again. Safe to repeat."""
    Store.objects.filter(pk=store.pk).update(
        linked_store=None, linked_mails_off_at=None, linked_mails_off_by=None, amazon_told_by=Store.ToldBy.ORDERHUB
    )
    store.refresh_from_db()
