"""Rows for tests, as short as the rule they prove."""

from datetime import date, timedelta
from itertools import count

from django.contrib.auth.models import Group

from orderhub import apikeys, clock
from orderhub.models import ApiKey, User
from orderhub.rest.scopes import SCOPES
from orders.models import Order, OrderItem, OrderPersonalData
from privacy.fields import sealed_values
from shipments.dispatching import ParcelWish, ship
from stores import connecting, features
from stores.marketplaces import BY_CODE
from stores.models import AmazonAccount, FeatureGrant, Merchant, Store
from stores.simulator import scenarios

_numbers = count(1)
PERSON = {
    "buyer_name": "Ada Example",
    "buyer_email": "abc123@marketplace.amazon.com",
    "recipient_name": "Ada Example",
    "street1": "1 Sample Street",
    "phone": "+1 555 0100",
    "city": "Austin",
    "state": "TX",
    "postal_code": "78701",
    "country": "US",
}


def make_user(*roles: str, **given) -> User:
    """A member of staff in these roles (names of groups)."""
    user = User.objects.create_user(
        given.pop("username", f"user{next(_numbers)}"), password=given.pop("password", "correct horse battery"),
        is_staff=True, language=given.pop("language", "en"), **given,
    )  # fmt: skip
    user.groups.set(Group.objects.filter(name__in=roles))
    assert user.groups.count() == len(roles)
    return user


def make_merchant(name: str = "") -> Merchant:
    return Merchant.objects.create(name=name or f"Merchant {next(_numbers)}")


def make_account(seller=scenarios.NA, *, merchant: Merchant | None = None, **given) -> AmazonAccount:
    """An active account without stores; nothing is asked of Amazon."""
    now = clock.now()
    defaults = {
        "region": seller.region,
        "selling_partner_id": seller.seller_id,
        "status": AmazonAccount.Status.ACTIVE,
        "verified_at": now,
        "imported_until": now - timedelta(days=30),
        "participations": [
            {"marketplace": BY_CODE[code].id, "store_name": "Shop", "active": True} for code in seller.marketplaces
        ],
    }
    account = AmazonAccount(merchant=merchant or make_merchant(), **(defaults | given))
    account.authorise(seller.refresh_token, now=now)
    account.save()
    return account


def make_store(marketplace: str = "US", *, account: AmazonAccount | None = None, **given) -> Store:
    account = account or make_account()
    defaults = {
        "merchant": account.merchant,
        "name": f"{account.merchant} {marketplace}",
        "time_zone": BY_CODE[marketplace].time_zone,
        "active": marketplace != "JP",
    }
    return Store.objects.create(account=account, marketplace=marketplace, **(defaults | given))


def connect(seller=scenarios.NA, *, sources: tuple[str, ...] | None = None) -> AmazonAccount:
    """Connect a simulated seller as the product does, over HTTP; Amazon.co.jp through its grant."""
    verified = connecting.verify(seller.region, seller.seller_id, seller.refresh_token)
    account = connecting.connect(
        verified,
        seller.refresh_token,
        merchant=make_merchant(),
        sources=list(sources or seller.marketplaces),
        now=clock.now(),
    )
    for store in account.stores.filter(marketplace="JP"):
        features.grant(store, FeatureGrant.Feature.JAPAN, by=make_user("Customer success"), reason="test")
    return account


def make_order(store: Store | None = None, *, lines: int = 1, person: dict | None = None, **given) -> Order:
    """An order awaiting shipment, with personal data and one unit a line."""
    now, number = clock.now(), next(_numbers)
    afn = given.get("fulfilled_by") == Order.FulfilledBy.AMAZON
    defaults = {
        "order_number": f"111-{number:07d}-0000000",
        "status": Order.Status.SHIPPED if afn else Order.Status.AWAITING_SHIPMENT,
        "fulfilled_by": Order.FulfilledBy.MERCHANT,
        "ordered_at": now - timedelta(hours=2),
        "ship_by": now + timedelta(days=2),
        "currency": "USD",
        "order_total": "19.90",
        "first_imported_at": now,
        "amazon_updated_at": now - timedelta(hours=1),
        "pii_state": Order.PiiState.NONE if afn else Order.PiiState.PRESENT,
        "redaction_due_at": None if afn else now + timedelta(days=14),
        "redaction_rule": "" if afn else "import",
    }
    order = Order.objects.create(store=store or make_store(), **(defaults | given))
    OrderPersonalData.objects.create(order=order, **({} if afn else PERSON | (person or {})))
    OrderItem.objects.bulk_create(
        OrderItem(
            order=order, amazon_item_id=f"{number:07d}{line:07d}", sku=f"SKU-{line}", asin=f"B00000000{line}"[:10],
            title=f"Sample product {line}", quantity=1, unit_price="9.95",
        )
        for line in range(1, lines + 1)
    )  # fmt: skip
    return order


def make_shipment(order: Order | None = None, **given):
    """Ship an order as a person would."""
    wish = {"carrier": "ups", "tracking_number": "1Z999AA10123456784", "ship_date": date(2026, 11, 20)} | given
    return ship(order or make_order(), ParcelWish(**wish), now=clock.now())


def rewrite(rows, **values: str) -> int:
    """Set personal columns of these rows past everything that guards them; encrypted, as they always are."""
    return sum(type(row).objects.filter(pk=row.pk).update(**sealed_values(row, **values)) for row in rows.all())


def make_key(*stores: Store, scopes=tuple(SCOPES), now=None, **given) -> tuple[ApiKey, str]:
    """An API key for these stores with all scopes, and its token."""
    defaults = {
        "name": f"Client {next(_numbers)}", "owner": given.pop("owner", None) or make_user("Administrator"),
        "days": 365, "rate_per_minute": 6000,
    }  # fmt: skip
    return apikeys.create(
        scopes=scopes, store_ids=[store.pk for store in stores], now=now or clock.now(), **(defaults | given)
    )
