"""One order of every kind Amazon knows, for comparing field by field what is sent with what becomes of it.

`KINDS`: name to a function that adds such an order; `one_of_each` makes them all, each at the seller it fits.
Orders are two hours old, so that a first search finds them. Source of fields: Orders API 2026-01-01.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from stores.simulator import people
from stores.simulator.catalogue import CUSTOM, DIGITAL, PRODUCTS, Product, price_in, title_for
from stores.simulator.marketplaces import MARKETPLACES, Seller
from stores.simulator.orders import SimAddress, SimItem, SimOrder, SimPackage
from stores.simulator.scenarios import EU, JP, NA
from stores.simulator.world import World

Kind = Callable[[World, Seller], SimOrder]
KINDS: dict[str, Kind] = {}
HOMES: dict[str, Seller] = {}
AGE = timedelta(hours=2)


def one_of_each(world: World) -> dict[str, SimOrder]:
    """Every kind, by name. The world needs the three sellers of scenarios.py."""
    world.digital_asins.add(DIGITAL.asin)
    return {name: make(world, HOMES[name]) for name, make in KINDS.items()}


def _kind(name: str, seller: Seller = NA) -> Callable[[Kind], Kind]:
    def declare(make: Kind) -> Kind:
        KINDS[name], HOMES[name] = make, seller
        return make

    return declare


def line(market: str, product: Product = PRODUCTS[0], quantity: int = 1, **more: Any) -> SimItem:
    """A line of a product at the marketplace's price, with a tenth of tax."""
    currency = MARKETPLACES[market].currency
    price = price_in(product, currency)
    places = Decimal(1) if currency == "JPY" else Decimal("0.01")
    given = {"tax": (price * quantity / 10).quantize(places)} | more
    title = title_for(product, market)
    return SimItem(asin=product.asin, sku=product.sku, title=title, quantity=quantity, unit_price=price, **given)


def _add(world: World, seller: Seller, market: str, *items: SimItem, **more: Any) -> SimOrder:
    """An order of these lines (one plain line if none are given) to an invented person at the marketplace."""
    created = world.clock.now() - AGE
    name = people.full_name(world.random, market)
    given = {"buyer_name": name, "address": people.address(world.random, market, name), "seller_order_id": ""}
    given |= {"created": created, "updated": created + timedelta(minutes=1)} | more
    return world.add_order(seller, marketplace=market, items=list(items) or [line(market)], **given)


# --- plain ones, and where they stand


@_kind("plain")
def _plain(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", seller_order_id="SHOP-2026-0001")


@_kind("several lines")
def _several(world: World, seller: Seller) -> SimOrder:
    lines = [line("US", product, 1 + index) for index, product in enumerate(PRODUCTS[:4])]
    lines.append(line("US", PRODUCTS[0], 2))  # the same product on a line of its own
    return _add(world, seller, "US", *lines)


@_kind("availability pending")
def _availability_pending(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", status="PENDING_AVAILABILITY", programs=("PREORDER",))


@_kind("payment pending")
def _payment_pending(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", status="PENDING", payment_method="")


def _part_sent(world: World, order: SimOrder, quantities: dict[str, int], **more: Any) -> SimOrder:
    at = order.created + timedelta(hours=1)
    package = SimPackage("77", "USPS", "9400111899223197428490", at, at, quantities, **more)
    order.packages.append(package)
    order.recount()
    order.updated = at
    return order


@_kind("partly shipped")
def _partly_shipped(world: World, seller: Seller) -> SimOrder:
    order = _add(world, seller, "US", line("US", quantity=3), line("US", PRODUCTS[1]))
    return _part_sent(world, order, {order.items[0].item_id: 2})


@_kind("shipped elsewhere")
def _shipped_elsewhere(world: World, seller: Seller) -> SimOrder:
    order = _add(world, seller, "US", line("US", quantity=2))
    return _part_sent(world, order, {order.items[0].item_id: 2}, service="Ground Advantage")


@_kind("cancelled")
def _cancelled(world: World, seller: Seller) -> SimOrder:
    order = _add(world, seller, "US")
    world.cancel(order.order_id, by="MERCHANT", reason="NoInventory", at=order.created + timedelta(minutes=30))
    return order


@_kind("buyer asks to cancel")
def _asks_to_cancel(world: World, seller: Seller) -> SimOrder:
    order = _add(world, seller, "US")
    world.request_cancellation(order.order_id, "BUYER_CANCELED", at=order.created + timedelta(minutes=30))
    return order


@_kind("replacement")
def _replacement(world: World, seller: Seller) -> SimOrder:
    free = line("US", tax=Decimal(0))
    free.unit_price = Decimal(0)
    return _add(world, seller, "US", free, replaces="112-1111111-2222222")


@_kind("exchange")
def _exchange(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", replaces="112-3333333-4444444", replaces_as="EXCHANGE")


# --- programmes


@_kind("Prime")
def _prime(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", programs=("PRIME", "FBM_SHIP_PLUS"), service_level="NEXT_DAY")


@_kind("business", EU)
def _business(world: World, seller: Seller) -> SimOrder:
    firm = people.company(world.random, "FR")
    address = people.address(world.random, "FR", people.full_name(world.random, "FR"))
    address.company, address.address_type = firm, "COMMERCIAL"
    hours = tuple((day, 9, 17) for day in ("MON", "TUE", "WED", "THU", "FRI"))
    return _add(
        world, seller, "FR", line("FR", quantity=6, business_price=True), programs=("AMAZON_BUSINESS",), address=address,
        buyer_company=firm, purchase_order_number="PO-2026/118", payment_method="Invoice", tax_id="FR00999999999",
        delivery_hours=hours, delivery_capabilities=("PALLET_ENABLED",),
    )  # fmt: skip


@_kind("transparency and subscription")
def _line_programs(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", line("US", programs=("TRANSPARENCY", "SUBSCRIBE_AND_SAVE")))


@_kind("Custom")
def _custom(world: World, seller: Seller) -> SimOrder:
    url = "https://zme-caps.amazon.com/t/1f0c9d2b7a6e5f43/simulated"
    return _add(world, seller, "US", line("US", CUSTOM, customized_url=url), line("US"))


@_kind("gift")
def _gift(world: World, seller: Seller) -> SimOrder:
    wrap = {"gift": True, "gift_wrap": "Classic", "gift_wrap_price": Decimal("3.99"), "gift_wrap_tax": Decimal("0.32")}
    first = line("US", gift_message="Happy birthday, Nell!\nFrom all of us.", **wrap)
    second = line("US", PRODUCTS[2], gift=True, gift_message="And one more for the cat.")
    return _add(world, seller, "US", first, second, line("US", PRODUCTS[3]))


# --- money


@_kind("discounts")
def _discounts(world: World, seller: Seller) -> SimOrder:
    cheaper = line(
        "US", discount=Decimal("4.98"), shipping=Decimal("5.99"), shipping_discount=Decimal("5.99"),
        promotion_ids=("SIM-AUTUMN-20", "Core Free Shipping"),
    )  # fmt: skip
    return _add(world, seller, "US", cheaper, line("US", PRODUCTS[1]))


@_kind("shipping and tax")
def _shipping_and_tax(world: World, seller: Seller) -> SimOrder:
    charged = line("US", shipping=Decimal("6.49"), shipping_tax=Decimal("0.52"), facilitator_tax=True)
    return _add(world, seller, "US", charged, service_level="EXPEDITED")


@_kind("other charges")
def _other_charges(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", line("US", other=Decimal("1.25")))


@_kind("IOSS", EU)
def _ioss(world: World, seller: Seller) -> SimOrder:
    more = {
        "ioss_number": "IM5280002556",
        "extra": {"tax": {"taxCalculationBreakdowns": [{"reportingScheme": "IOSS"}]}},
    }
    return _add(world, seller, "DE", line("DE", **more))


# --- Japan


@_kind("cash on delivery", JP)
def _cash_on_delivery(world: World, seller: Seller) -> SimOrder:
    paid_at_the_door = line("JP", cod_fee=Decimal(330), constraints=("cashOnDelivery",), points=37)
    return _add(world, seller, "JP", paid_at_the_door, payment_method="CashOnDelivery")


@_kind("convenience store", JP)
def _convenience_store(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "JP", payment_method="ConvenienceStore", status="PENDING")


# --- where and when


@_kind("pick-up point", EU)
def _pick_up_point(world: World, seller: Seller) -> SimOrder:
    name = people.full_name(world.random, "DE")
    address = SimAddress(
        name=name, line1="Packstation 117", line2="Postnummer 900000117", city="Leipzig", postal_code="04109",
        country="DE", address_type="PICKUP_POINT",
    )  # fmt: skip
    return _add(world, seller, "DE", address=address, buyer_name=name)


@_kind("delivery instructions")
def _instructions(world: World, seller: Seller) -> SimOrder:
    wishes = {"drop_off": "Porch", "delivery_instructions": "Ring twice, the bell is quiet."}
    return _add(world, seller, "US", delivery_capabilities=("HAS_ACCESS_POINT",), **wishes)


@_kind("scheduled delivery")
def _scheduled(world: World, seller: Seller) -> SimOrder:
    day = world.clock.now().replace(hour=15, minute=0) + timedelta(days=5)
    window = (day, day + timedelta(hours=3))
    return _add(world, seller, "US", line("US", scheduled=window), service_level="SCHEDULED")


@_kind("signature required")
def _signature(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", line("US", constraints=("signatureConfirmation", "recipientAgeVerification")))


@_kind("Mexico")
def _mexico(world: World, seller: Seller) -> SimOrder:
    address = people.address(world.random, "MX", people.full_name(world.random, "MX"))
    address.district, address.municipality = "Coyoacán", "Ciudad de México"
    return _add(world, seller, "MX", address=address)


@_kind("municipality for a city")
def _municipality(world: World, seller: Seller) -> SimOrder:
    address = people.address(world.random, "MX", people.full_name(world.random, "MX"))
    address.city, address.municipality = "", "Benito Juárez"
    return _add(world, seller, "MX", address=address)


@_kind("Spain", EU)
def _spain(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "ES")


@_kind("Canada")
def _canada(world: World, seller: Seller) -> SimOrder:
    address = people.address(world.random, "CA", people.full_name(world.random, "CA"))
    address.line2, address.line3 = "app. 5", "Sonner chez la concierge"
    return _add(world, seller, "CA", address=address)


# --- Amazon's own parcels


@_kind("by Amazon, shipped")
def _afn_shipped(world: World, seller: Seller) -> SimOrder:
    item = line("US", quantity=2, serial_numbers=("SIM-0000A1", "SIM-0000A2"))
    order = _add(world, seller, "US", item, fulfilled_by="AMAZON", programs=("PRIME",))
    order.packages.append(SimPackage("FBA", "AMZL", "TBA1", order.created, order.created, {item.item_id: 2}))
    order.recount()
    return order


@_kind("by Amazon, not shipped")
def _afn_unshipped(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", fulfilled_by="AMAZON", programs=("PRIME",))


@_kind("by Amazon, unfulfillable")
def _unfulfillable(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", fulfilled_by="AMAZON", status="UNFULFILLABLE", channel_name="NON_AMAZON")


# --- files, and what Amazon may send tomorrow


@_kind("files only")
def _files_only(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", line("US", DIGITAL, condition=""))


@_kind("a file and a product")
def _mixed(world: World, seller: Seller) -> SimOrder:
    return _add(world, seller, "US", line("US", DIGITAL, condition=""), line("US"))


@_kind("values nobody knows")
def _unknown_values(world: World, seller: Seller) -> SimOrder:
    strange = line("US", condition="MADE_BY_ROBOTS", programs=("MOON_DELIVERY",))
    charge = {"type": "LUNAR_SURCHARGE", "subtotal": {"amount": "0.00", "currencyCode": "USD"}}
    order = _add(world, seller, "US", strange, programs=("AMAZON_LUNA",), service_level="TELEPORT")
    order.address.address_type = "LIGHTHOUSE"
    order.extra = {"associatedOrders": [{"orderId": "112-5555555-6666666", "associationType": "TWIN_ORDER_ID"}]}
    strange.extra = {"proceeds": {"breakdowns": [charge]}}
    return order


@_kind("nothing optional")
def _bare(world: World, seller: Seller) -> SimOrder:
    nothing = line("US", tax=Decimal(0))
    no_product = dict.fromkeys(("asin", "title", "sellerSku", "price", "condition"))
    nothing.extra = {"product": no_product, "proceeds": None, "fulfillment": None}
    order = _add(world, seller, "US", nothing, buyer_email="x", ship_by=None)
    order.ship_from = order.deliver_from = order.deliver_by = None
    order.extra = dict.fromkeys(("orderAliases", "buyer", "recipient", "proceeds", "payment"))
    order.extra |= {"salesChannel": {"marketplaceName": None}, "fulfillment": {"fulfillmentServiceLevel": None}}
    return order
