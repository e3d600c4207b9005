"""Data sets: the sellers, and worlds full, empty or hostile. Same seed and instant, same world."""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from stores.simulator import demo_orders, people
from stores.simulator.bigcommerce_world import Shop
from stores.simulator.catalogue import PRODUCTS, price_in, title_for
from stores.simulator.marketplaces import MARKETPLACES, Seller
from stores.simulator.orders import SimItem
from stores.simulator.tokens import APPLICATION_ID, CLIENT_ID, CLIENT_SECRET
from stores.simulator.world import World

__all__ = [
    "APPLICATION_ID",
    "CANARY_VARIANTS",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "EU",
    "INDIVIDUAL",
    "JP",
    "NA",
    "NAMED",
    "NEWCOMER",
    "NO_PII_ROLE",
    "SELLERS",
    "SHOP",
    "SHOP_HASH",
    "SHOP_TOKEN",
    "STANDALONE_CA",
    "backlog",
    "canary",
    "demo",
    "empty",
]

NA = Seller("NA", "A1SIMNASELLER1", "Atzr|simulated-na-maple-lane", ("US", "CA", "MX"))
EU = Seller("EU", "A2SIMEUSELLER2", "Atzr|simulated-eu-maple-lane", ("FR", "DE", "ES"))
JP = Seller("FE", "A3SIMJPSELLER3", "Atzr|simulated-jp-maple-lane", ("JP",), store_name="メープルレーン雑貨店")
INDIVIDUAL = Seller(
    "NA", "A4SIMINDIVID4", "Atzr|simulated-individual", ("US",), plan="INDIVIDUAL", store_name="Attic Finds"
)
NO_PII_ROLE = Seller(
    "NA",
    "A5SIMNOROLE5",
    "Atzr|simulated-no-role",
    ("US",),
    store_name="Roleless Traders",
    pii_role=False,
    account_role=False,
)
STANDALONE_CA = Seller("NA", "A6SIMCANADA6", "Atzr|simulated-standalone-ca", ("CA",), store_name="Boréal Outfitters")
NEWCOMER = Seller(
    "NA", "A7SIMCEDAR7", "Atzr|simulated-na-cedar-creek", ("US", "CA", "MX"), store_name="Cedar Creek Outfitters"
)  # nobody has connected it yet
SELLERS = (NA, EU, JP, INDIVIDUAL, NO_PII_ROLE, STANDALONE_CA, NEWCOMER)
NEWCOMERS_EACH = 4  # orders on each of a newcomer's order sources
SHOP_HASH, SHOP_TOKEN = "maplelane7", "simulated-bigcommerce-maple-lane"
SHOP = Shop(SHOP_HASH, SHOP_TOKEN)  # a pattern: each world has a copy of its own in `shops`


def empty(*, now: datetime, seed: int = 7) -> World:
    """Every seller, no order, and a BigCommerce store as empty."""
    return World(now, sellers=SELLERS, shops=[SHOP], seed=seed)


def backlog(*, now: datetime, orders: int = 1000, seed: int = 7) -> World:
    """One NA seller in the US only, with `orders` merchant orders of the last three days, all unshipped."""
    world = World(now, sellers=[dataclasses.replace(NA, marketplaces=("US",))], seed=seed)
    _unshipped(world, NA, "US", orders, now)
    return world


def _unshipped(world: World, seller: Seller, marketplace: str, count: int, now: datetime) -> None:
    """Plain merchant orders of the last three days."""
    step = timedelta(days=3) / max(1, count)
    currency = MARKETPLACES[marketplace].currency
    for index in range(count):
        created = now - timedelta(minutes=10) - index * step
        name = people.full_name(world.random, marketplace)
        product = PRODUCTS[index % len(PRODUCTS)]
        item = SimItem(
            asin=product.asin,
            sku=product.sku,
            title=title_for(product, marketplace),
            quantity=1 + index % 3,
            unit_price=price_in(product, currency),
            tax=Decimal("1.20"),
        )
        address = people.address(world.random, marketplace, name)
        given = {"marketplace": marketplace, "created": created, "updated": created}
        world.add_order(seller, items=[item], buyer_name=name, address=address, **given)


def demo(*, now: datetime, seed: int = 7) -> World:
    """Over 300 orders of every kind in the 45 days before `now`; set the clock back to watch them come."""
    world = empty(now=now, seed=seed)
    demo_orders.fill(world, now, {"NA": NA, "EU": EU, "JP": JP})
    for seller in (NEWCOMER, STANDALONE_CA):
        for marketplace in seller.marketplaces:
            _unshipped(world, seller, marketplace, NEWCOMERS_EACH, now)
    return world


# Token in, text out: what surrounds the token differs, the token itself stays whole.
CANARY_VARIANTS: dict[str, Callable[[str], str]] = {
    "ascii": lambda token: token,
    "accented": lambda token: f"Zoé {token} Crêpière",
    "kanji": lambda token: f"霧ヶ谷{token}様",
    "rtl": lambda token: f"שלום {token} عميل",
    "emoji": lambda token: f"🦊{token}🧶",
    "html": lambda token: f"<b>{token}</b><script>alert(1)</script>&amp;",
    "formula": lambda token: f"=HYPERLINK({token})",
    "long": lambda token: f"{token} " + "Longstreet " * 12,
}
_CANARY_STATES: tuple[dict[str, Any], ...] = (
    {},
    {"programs": ("AMAZON_BUSINESS",)},
    {"later": ("ships_at", timedelta(days=1))},
    {"fulfilled_by": "AMAZON", "later": ("ships_at", timedelta(hours=9))},
    {"status": "PENDING"},
    {"later": ("cancels_at", timedelta(hours=6))},
)


def canary(*, now: datetime, token: Callable[[str, str], str], seed: int = 7) -> World:
    """Orders whose every personal field is `token(field, order_id)`, in eight dresses and six states.

    City, state and postal code stay real: they are what may be kept. Lay `world.leaky_afn` on top as a fault.
    """
    world = empty(now=now, seed=seed)
    places = [(NA, "US"), (NA, "CA"), (EU, "FR"), (JP, "JP")]
    count = 0
    for variant, dress in CANARY_VARIANTS.items():
        for state in _CANARY_STATES:
            seller, marketplace = places[2 + (count % 2) if variant == "kanji" else count % 4]
            _canary_order(
                world, seller, marketplace, now - timedelta(hours=40, minutes=-7 * count), token, dress, state
            )
            count += 1
    return world


def _canary_order(
    world: World,
    seller: Seller,
    marketplace: str,
    created: datetime,
    token: Callable[[str, str], str],
    dress: Callable[[str], str],
    state: dict[str, Any],
) -> None:
    order_id = world.new_order_id(marketplace)
    fields = dict(state)
    when, delay = fields.pop("later", ("", timedelta()))

    def mark(field: str) -> str:
        return dress(token(field, order_id))

    address = people.address(world.random, marketplace, mark("name"))
    address.line1, address.line2, address.line3 = mark("line1"), mark("line2"), mark("line3")
    address.company, address.phone = mark("company"), mark("phone")
    url = _canary_url(token, order_id)
    items = [SimItem(gift=True, gift_message=mark("gift_message"), customized_url=url, engraving=mark("engraving"))]
    world.add_order(
        seller,
        marketplace=marketplace,
        order_id=order_id,
        created=created,
        updated=created,
        items=items,
        address=address,
        buyer_name=mark("buyer_name"),
        buyer_email=f"{token('buyer_email', order_id)}@{MARKETPLACES[marketplace].mail_domain}",
        buyer_company=mark("buyer_company"),
        purchase_order_number=mark("purchase_order_number"),
        drop_off=mark("drop_off"),
        delivery_instructions=mark("delivery_instructions"),
        **fields,
        **({when: created + delay} if when else {}),
    )


def _canary_url(token: Callable[[str, str], str], order_id: str) -> str:
    return f"https://zme-caps.amazon.com/t/{token('customized_url', order_id)}"


NAMED: dict[str, Callable[..., World]] = {"demo": demo, "backlog": backlog, "empty": empty}
