"""The orders of the demo: mostly plain merchant orders, and a few of every kind Amazon knows."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from stores.simulator import people
from stores.simulator.catalogue import CUSTOM, DIGITAL, PRODUCTS, Product, price_in, title_for
from stores.simulator.marketplaces import MARKETPLACES, Seller
from stores.simulator.orders import SimItem
from stores.simulator.world import World

SPAN = timedelta(days=45)
COUNTS = (
    ("NA", "US", 170),
    ("NA", "CA", 40),
    ("NA", "MX", 25),
    ("EU", "FR", 40),
    ("EU", "DE", 25),
    ("EU", "ES", 15),
)
COUNTS_JP = ("JP", "JP", 25)
_CARRIERS = {"US": "USPS", "CA": "Canada Post", "MX": "FedEx", "FR": "La Poste", "DE": "DHL", "ES": "Correos"}
_TAX_RATES = {
    "US": "0.07",
    "CA": "0.13",
    "MX": "0.16",
    "FR": "0.20",
    "DE": "0.19",
    "ES": "0.21",
    "JP": "0.10",
}
_LEVELS = ("STANDARD",) * 6 + ("EXPEDITED", "SECOND_DAY", "NEXT_DAY", "FREE_ECONOMY")
_GIFT_WORDS = {
    "US": "Happy birthday! With love from all of us.",
    "CA": "Bonne fête ! Profite bien de ta journée.",
    "MX": "¡Feliz cumpleaños! Un abrazo grande.",
    "FR": "Joyeux anniversaire ! On t'embrasse très fort.",
    "DE": "Alles Gute zum Geburtstag! Grüße von uns allen.",
    "ES": "¡Muchas felicidades de parte de toda la familia!",
    "JP": "お誕生日おめでとうございます。いつもありがとう。",
}


class Draft:
    """One order in the making: its fields, its lines, and the die it is made with."""

    def __init__(self, source: random.Random, seller: Seller, marketplace: str, created: datetime) -> None:
        self.source, self.seller, self.marketplace = source, seller, marketplace
        self.created = created
        self.currency = MARKETPLACES[marketplace].currency
        name = people.full_name(source, marketplace)
        self.fields: dict[str, Any] = {
            "marketplace": marketplace,
            "created": created,
            "updated": created,
            "buyer_name": name,
            "address": people.address(source, marketplace, name),
            "service_level": source.choice(_LEVELS),
        }
        self.items = [self.line(source.choice(PRODUCTS))]
        self.set_windows()

    def set_windows(self) -> None:
        days = {"SAME_DAY": 0, "NEXT_DAY": 1, "SECOND_DAY": 2, "EXPEDITED": 3}.get(self.fields["service_level"], 5)
        midnight = self.created.replace(hour=0, minute=0, second=0, microsecond=0)
        self.fields |= {
            "ship_from": midnight + timedelta(days=1),
            "ship_by": midnight + timedelta(days=3) - timedelta(seconds=1),
            "deliver_from": midnight + timedelta(days=2 + days // 2),
            "deliver_by": midnight + timedelta(days=3 + days) - timedelta(seconds=1),
        }

    def amount(self, factor: Decimal, of: Decimal) -> Decimal:
        return (of * factor).quantize(Decimal(1) if self.currency == "JPY" else Decimal("0.01"))

    def line(self, product: Product, quantity: int = 1) -> SimItem:
        price = price_in(product, self.currency)
        rate = Decimal(_TAX_RATES[self.marketplace])
        return SimItem(
            asin=product.asin,
            sku=product.sku,
            title=title_for(product, self.marketplace),
            quantity=quantity,
            unit_price=price,
            tax=self.amount(rate, price * quantity),
            facilitator_tax=self.marketplace in ("US", "CA"),
            points=int(price // 100) if self.marketplace == "JP" else 0,
        )

    def charge_shipping(self) -> None:
        item = self.items[0]
        item.shipping = self.amount(Decimal("0.18"), item.unit_price)
        item.shipping_tax = self.amount(Decimal(_TAX_RATES[self.marketplace]), item.shipping)

    def after(self, **delay: float) -> datetime:
        return self.created + timedelta(**delay)

    def ship_elsewhere(self, **delay: float) -> None:
        self.fields["ships_at"] = self.after(**delay)
        self.fields["ships_with"] = (_CARRIERS.get(self.marketplace, "YAMATO"), "")


# --- kinds
def _plain(draft: Draft) -> None:
    if draft.source.random() < 0.3:
        draft.charge_shipping()


def _several(draft: Draft) -> None:
    """More of one, or several lines."""
    draft.items = [
        draft.line(product, draft.source.choice((1, 1, 2, 3)))
        for product in draft.source.sample(PRODUCTS, draft.source.choice((1, 2, 2, 3, 4)))
    ]
    draft.items[0].quantity += 1
    draft.items[0].tax *= 2


def _shipped(draft: Draft) -> None:
    draft.ship_elsewhere(hours=draft.source.randrange(6, 60))


def _afn(draft: Draft) -> None:
    draft.fields |= {"fulfilled_by": "AMAZON", "programs": ("PRIME",)}
    draft.items[0].serial_numbers = (f"SIM-{draft.source.getrandbits(32):08X}",)
    draft.ship_elsewhere(hours=draft.source.randrange(4, 30))


def _afn_pending(draft: Draft) -> None:
    """Amazon is still checking the payment; it ships ten hours after."""
    draft.fields |= {"fulfilled_by": "AMAZON", "programs": ("PRIME",), "pays_at": draft.after(hours=30)}
    draft.ship_elsewhere(hours=40)


def _business(draft: Draft) -> None:
    firm = people.company(draft.source, draft.marketplace)
    draft.fields |= {"programs": ("AMAZON_BUSINESS",), "buyer_company": firm}
    draft.fields["purchase_order_number"] = f"PO-{draft.source.randrange(10**4):04d}"
    draft.fields["address"].company, draft.fields["address"].address_type = firm, "COMMERCIAL"
    draft.fields["delivery_hours"] = tuple((day, 9, 17) for day in ("MON", "TUE", "WED", "THU", "FRI"))
    draft.fields["payment_method"] = "Invoice"
    draft.items = [draft.line(draft.source.choice(PRODUCTS), 6)]
    draft.items[0].business_price = True


def _gift(draft: Draft) -> None:
    item = draft.items[0]
    item.gift, item.gift_message, item.gift_wrap = True, _GIFT_WORDS[draft.marketplace], "Classic"
    item.gift_wrap_price = draft.amount(Decimal("0.15"), item.unit_price)


def _prime(draft: Draft) -> None:
    draft.fields |= {"programs": ("PRIME",), "service_level": "NEXT_DAY"}
    draft.set_windows()


def _premium(draft: Draft) -> None:
    draft.fields |= {"programs": ("PREMIUM",), "service_level": "SAME_DAY"}
    draft.set_windows()


def _custom(draft: Draft) -> None:
    draft.items = [draft.line(CUSTOM)]
    draft.items[0].customized_url = f"https://zme-caps.amazon.com/t/{draft.source.getrandbits(64):016x}/simulated"


def _digital(draft: Draft) -> None:
    draft.items = [draft.line(DIGITAL)]
    draft.items[0].condition = ""


def _pending(draft: Draft) -> None:
    draft.fields["pays_at"] = draft.after(hours=30)


def _paid_later(draft: Draft) -> None:
    draft.fields["pays_at"] = draft.after(hours=draft.source.randrange(2, 40))
    if draft.marketplace == "JP":
        draft.fields["payment_method"] = "ConvenienceStore"


def _cancelled(draft: Draft) -> None:
    draft.fields["cancels_at"] = draft.after(hours=draft.source.randrange(1, 30))


def _asks_to_cancel(draft: Draft) -> None:
    draft.fields["asks_cancel_at"] = (draft.after(hours=5), "Ordered by mistake")


def _instructions(draft: Draft) -> None:
    draft.fields["drop_off"] = draft.source.choice(("Front door", "Garage", "Reception"))
    draft.fields["delivery_instructions"] = "Ring twice, the bell is quiet."
    draft.fields["delivery_capabilities"] = ("HAS_ACCESS_POINT",) if draft.source.random() < 0.5 else ()


def _discounted(draft: Draft) -> None:
    item = draft.items[0]
    item.discount = draft.amount(Decimal("0.20"), item.unit_price)
    item.promotion_ids = ("SIM-AUTUMN-20",)
    draft.charge_shipping()
    item.shipping_discount = item.shipping


def _cash_on_delivery(draft: Draft) -> None:
    if draft.marketplace != "JP":
        _plain(draft)
        return
    draft.fields["payment_method"] = "CashOnDelivery"
    draft.items[0].cod_fee = Decimal(330)
    draft.items[0].constraints = ("cashOnDelivery",)


def _scheduled(draft: Draft) -> None:
    draft.fields["service_level"] = "SCHEDULED"
    draft.items[0].scheduled = (draft.fields["deliver_from"], draft.fields["deliver_by"])
    draft.items[0].constraints = ("signatureConfirmation",)


# The commoner of the rare come first: a small marketplace gets only those.
_RARE: tuple[Callable[[Draft], None], ...] = (
    _afn,
    _business,
    _gift,
    _cash_on_delivery,
    _paid_later,
    _custom,
    _cancelled,
    _asks_to_cancel,
    _discounted,
    _prime,
    _premium,
    _digital,
    _pending,
    _instructions,
    _afn_pending,
    _scheduled,
)


def _kind(index: int) -> Callable[[Draft], None]:
    """Every third order is of a rarer kind, in turn, so that each marketplace gets most of them."""
    if index % 3 == 1:
        return _RARE[index // 3 % len(_RARE)]
    return (_plain, _several, _shipped, _plain, _several, _plain)[index % 6]


def fill(world: World, now: datetime, sellers: dict[str, Seller]) -> None:
    """Add the orders, spread evenly over the last 45 days with the die of the world's seed."""
    world.digital_asins.add(DIGITAL.asin)
    for key, marketplace, count in (*COUNTS, COUNTS_JP):
        step = (SPAN - timedelta(hours=2)) / count
        for index in range(count):
            created = now - SPAN + step * index + timedelta(minutes=world.random.randrange(45))
            draft = Draft(world.random, sellers[key], marketplace, created)
            _kind(index)(draft)
            world.add_order(draft.seller, items=draft.items, **draft.fields)
        for kind, hours in ((_pending, 7), (_afn_pending, 5)):  # so that some wait for their payment at `now`
            draft = Draft(world.random, sellers[key], marketplace, now - timedelta(hours=hours))
            kind(draft)
            world.add_order(draft.seller, items=draft.items, **draft.fields)
        _replace_one(world, sellers[key], marketplace, now)


def _replace_one(world: World, seller: Seller, marketplace: str, now: datetime) -> None:
    """A free replacement for the marketplace's first order that ships."""
    original = next(
        order
        for order in world._orders.values()
        if order.marketplace == marketplace and order.fulfilled_by == "MERCHANT" and order.status == "UNSHIPPED"
    )
    draft = Draft(world.random, seller, marketplace, now - timedelta(days=2, hours=len(original.items)))
    draft.fields |= {
        "buyer_name": original.buyer_name,
        "address": original.address,
        "replaces": original.order_id,
    }
    draft.items[0].unit_price = draft.items[0].tax = Decimal(0)
    world.add_order(seller, items=draft.items, **draft.fields)
